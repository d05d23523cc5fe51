"""What a machine has to offer."""

import os

import pytest

from zspace.machine import usable_cores


def test_there_is_a_core_to_use():
    assert 1 <= usable_cores() <= os.cpu_count()


@pytest.mark.parametrize(("n_seen", "n_expected"), [(6, 6), (None, 1)])
def test_where_cores_cannot_be_kept_from_a_process_all_are_usable(n_seen, n_expected, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: n_seen)
    assert usable_cores() == n_expected
