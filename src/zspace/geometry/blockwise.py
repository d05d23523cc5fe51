"""Work that goes through a cloud block by block, on all cores: NumPy lets other threads run while it computes."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


def over_blocks(act: Callable[[Given], Found], blocks: Sequence[Given]) -> list[Found]:
    """Return what an act finds on every block, in the order of the blocks, whatever the number of cores.

    Examples
    --------
    >>> over_blocks(sum, [[1, 2], [3]])
    [3, 3]
    """
    n_workers = min(_usable_cores(), len(blocks))
    if n_workers <= 1:
        return [act(block) for block in blocks]
    with ThreadPoolExecutor(n_workers) as pool:
        return list(pool.map(act, blocks))


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
