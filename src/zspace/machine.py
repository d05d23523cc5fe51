"""The machine that the program runs on: its cores, work that is spread over them block by block, and its memory."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import current_thread
from typing import TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

_WORKER = "blocks of a whole"
"""Begins the names of the threads."""

# Parameters of glibc's mallopt, from malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
_NEVER_TRIM = -1
_MOST_MAPPINGS = 65536
"""Of glibc, when nobody asks for another number."""
_LARGE_BYTES = 32 << 20
"""The threshold that glibc arrives at by itself after large blocks were freed; it trims at twice that."""

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
    with one_matrix_thread(), ThreadPoolExecutor(n_workers, _WORKER) as pool:
        yield from pool.map(act, blocks)


def over_blocks(act: Callable[[Given], Found], blocks: Sequence[Given]) -> list[Found]:
    """Return what an act finds on every block, as `each_block` yields it.

    Examples
    --------
    >>> over_blocks(sum, [[1, 2], [3]])
    [3, 3]
    """
    return list(each_block(act, blocks))


@contextmanager
def one_matrix_thread() -> Iterator[None]:
    """Let matrix products and decompositions in the ``with`` block use one thread, so that threads change no digit."""
    with _matrix_libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _matrix_libraries() -> ThreadpoolController:
    return ThreadpoolController()


def free_memory() -> int:
    """Return how many bytes could be taken without swapping, as far as the system tells."""
    information = Path("/proc/meminfo")
    if not information.is_file():
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    lines = dict(line.split(":", 1) for line in information.read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if limit.is_file() and used.is_file() and (most := limit.read_text().strip()).isdigit():
        free = min(free, int(most) - int(used.read_text()))
    return free


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let memory that is freed in the ``with`` block serve again, instead of going back to the system each time.

    A network on a CPU frees and takes the same large tensors again and again. Left alone, glibc maps each anew, and the
    system clears it page by page: a quarter of a training step. Afterwards everything unused goes back at once. The
    setting is the process's own: one such block ends all. With another C library than glibc nothing is changed.

    Source
    ------
    mallopt(3) and malloc_trim(3): no block is mapped by itself, and the heap is not trimmed.
    """
    glibc = _glibc()
    if glibc is None:
        yield
        return
    glibc.mallopt(_M_MMAP_MAX, 0)
    glibc.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)
    try:
        yield
    finally:
        glibc.mallopt(_M_MMAP_MAX, _MOST_MAPPINGS)
        glibc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        glibc.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE_BYTES)
        glibc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """Return the C library of this process if it is glibc, else None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
