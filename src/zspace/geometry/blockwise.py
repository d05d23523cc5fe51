"""Work that goes through a cloud block by block, on all cores: NumPy lets other threads run while it computes."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import current_thread
from typing import TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from zspace.machine import usable_cores

_WORKER = "blocks of a cloud"
"""Begins the names of the threads."""

Given = TypeVar("Given")
Found = TypeVar("Found")


def over_blocks(act: Callable[[Given], Found], blocks: Sequence[Given]) -> list[Found]:
    """Return what an act finds on every block, in the order of the blocks, whatever the number of cores.

    Matrix products within an act use one thread, and an act that calls this itself works on its blocks one after the
    other: the cores are busy, and more threads would only wait for one another.

    Examples
    --------
    >>> over_blocks(sum, [[1, 2], [3]])
    [3, 3]
    """
    n_workers = min(usable_cores(), len(blocks))
    if n_workers <= 1 or current_thread().name.startswith(_WORKER):
        return [act(block) for block in blocks]
    with _matrix_libraries().limit(limits=1, user_api="blas"), ThreadPoolExecutor(n_workers, _WORKER) as pool:
        return list(pool.map(act, blocks))


@cache
def _matrix_libraries() -> ThreadpoolController:
    return ThreadpoolController()
