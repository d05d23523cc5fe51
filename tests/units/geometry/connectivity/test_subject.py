"""Connectivity as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.connectivity.subject import SUBJECT, connectivity_view, edge_spread, percolation, separation
from zspace.geometry.truths import standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}
PROFILES = {profile.name: profile for profile in SUBJECT.profiles}


def even_line(n_points=100):
    return Cloud(np.arange(n_points, dtype=np.float32)[:, np.newaxis])


def test_an_even_line_is_one_straight_branch():
    view = connectivity_view(even_line())
    assert edge_spread(view) == pytest.approx(0, abs=1e-5)
    assert ROWS["branch_edges"].value(view) == 99
    assert ROWS["straightness"].value(view) == pytest.approx(1)
    assert ROWS["trunks"].value(view) == pytest.approx(0.84)
    assert percolation(view) == pytest.approx(1)


def test_heaps_are_as_far_apart_as_their_gap():
    points = np.concatenate([np.arange(50.0), np.arange(50.0) + 60])[:, np.newaxis]
    view = connectivity_view(Cloud(points.astype(np.float32)))
    assert separation(view) == pytest.approx(11, rel=1e-4)


def test_no_edge_between_two_groups_is_told_as_zero():
    """Ever longer steps: every edge joins one more point to the group."""
    points = np.cumsum(1.01 ** np.arange(150))[:, np.newaxis]
    assert separation(connectivity_view(Cloud(points.astype(np.float32)))) == 0


def test_lengths_in_medians_are_unknown_when_half_the_edges_are_none():
    view = connectivity_view(Cloud(np.repeat(standard_normal_points(10, 3, 1), 4, axis=0)))
    assert separation(view) is None
    assert percolation(view) is None
    assert np.isfinite(edge_spread(view))


def test_the_largest_group_grows_to_all_points():
    x, y = PROFILES["largest_group"].value(connectivity_view(Cloud(standard_normal_points(300, 3, 1))))
    assert (np.diff(y) >= 0).all()
    assert (x[-1], y[-1]) == (1, 1)
