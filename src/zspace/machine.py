"""The machine that the program runs on: its cores, and work that is spread over them block by block."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import current_thread
from typing import TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_WORKER = "blocks of a whole"
"""Begins the names of the threads."""

Given = TypeVar("Given")
Found = TypeVar("Found")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each_block(act: Callable[[Given], Found], blocks: Sequence[Given]) -> Iterator[Found]:
    """Yield what an act finds on every block, in the order of the blocks, whatever the number of cores.

    The blocks are shared out over threads: NumPy and OpenCV let other threads run while they compute. Matrix products
    within an act use one thread, and an act that calls this itself works on its blocks one after the other: the cores
    are busy, and more threads would only wait for one another.
    """
    n_workers = min(usable_cores(), len(blocks))
    if n_workers <= 1 or current_thread().name.startswith(_WORKER):
        yield from map(act, blocks)
        return
    with _matrix_libraries().limit(limits=1, user_api="blas"), ThreadPoolExecutor(n_workers, _WORKER) as pool:
        yield from pool.map(act, blocks)


def over_blocks(act: Callable[[Given], Found], blocks: Sequence[Given]) -> list[Found]:
    """Return what an act finds on every block, as `each_block` yields it.

    Examples
    --------
    >>> over_blocks(sum, [[1, 2], [3]])
    [3, 3]
    """
    return list(each_block(act, blocks))


@cache
def _matrix_libraries() -> ThreadpoolController:
    return ThreadpoolController()
