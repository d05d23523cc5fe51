"""The cores of a machine, work on blocks, whatever their number, and memory that is kept."""

import os
import resource
import time
from pathlib import Path
from threading import get_ident

import numpy as np
import pytest

from zspace import machine
from zspace.machine import each_block, free_memory, freed_memory_kept, over_blocks, usable_cores


def test_the_free_memory_is_told_by_the_system():
    assert 10_000_000 < free_memory() < 10**14


def test_there_is_a_core_to_use():
    assert 1 <= usable_cores() <= os.cpu_count()


@pytest.mark.parametrize(("n_seen", "n_expected"), [(6, 6), (None, 1)])
def test_where_cores_cannot_be_kept_from_a_process_all_are_usable(n_seen, n_expected, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: n_seen)
    assert usable_cores() == n_expected


@pytest.mark.parametrize("n_cores", [1, 2, 5])
def test_what_is_found_keeps_the_order_of_the_blocks(n_cores, monkeypatch):
    monkeypatch.setattr("zspace.machine.usable_cores", lambda: n_cores)

    def act(block):
        time.sleep(0.01 if block == 0 else 0)  # the first is the last to be done
        return 2 * block

    assert over_blocks(act, range(7)) == [0, 2, 4, 6, 8, 10, 12]
    assert over_blocks(act, []) == []


def test_a_failure_on_one_block_is_the_failure_of_all(monkeypatch):
    monkeypatch.setattr("zspace.machine.usable_cores", lambda: 2)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        over_blocks(lambda block: 1 / block, [1, 0, 2])


def test_blocks_within_a_block_get_no_threads_of_their_own(monkeypatch):
    monkeypatch.setattr("zspace.machine.usable_cores", lambda: 3)
    seen = over_blocks(lambda _: set(over_blocks(lambda _: get_ident(), range(4))), range(6))
    assert all(len(threads) == 1 for threads in seen)
    assert len(set.union(*seen)) <= 3


def test_what_is_found_comes_as_soon_as_it_is_there(monkeypatch):
    monkeypatch.setattr("zspace.machine.usable_cores", lambda: 2)
    done = []
    found = each_block(lambda block: done.append(block) or block, [0, 1, 2])
    assert done == []
    assert next(found) == 0
    assert list(found) == [1, 2]
    assert sorted(done) == [0, 1, 2]


PAGES = 16_384
"""Of 4096 bytes: 64 MiB, which glibc maps by itself."""
N_HUGE_PAGES = 32
"""As many, where the system clears 2 MiB at once: the fewest that can be."""


def pages_cleared_for_a_second_block():
    """Return how many pages the system has to clear for a block as large as one that was freed just before."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        np.ones(PAGES * 4096, dtype=np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident_pages():
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.skipif(machine._glibc() is None, reason="only glibc is told to keep memory")
def test_freed_memory_serves_again_inside_the_block_and_goes_back_after_it():
    with freed_memory_kept():
        assert pages_cleared_for_a_second_block() < N_HUGE_PAGES / 2
        kept = resident_pages()
    assert resident_pages() < kept - 0.5 * PAGES
    assert pages_cleared_for_a_second_block() >= N_HUGE_PAGES


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(machine, "_glibc", lambda: None)
    with freed_memory_kept():
        assert np.ones(3).sum() == 3


def test_threads_may_take_more_than_one_of_their_heaps_holds():
    sizes = [70 << 20, 1 << 20, 130 << 20]
    with freed_memory_kept():
        assert over_blocks(lambda n_bytes: len(np.ones(n_bytes, dtype=np.uint8)), sizes) == sizes
