"""The cores of a machine, and work on blocks, whatever their number."""

import os
import time
from threading import get_ident

import pytest

from zspace.machine import each_block, over_blocks, usable_cores


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
