"""Exact neighbours: copies, ties, points far from the origin."""

import numpy as np
import pytest

from zspace.errors import TooFewPoints
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.geometry.truths import constant_points, standard_normal_points


@pytest.mark.parametrize("n_neighbors", [0, 10, 11])
def test_there_must_be_more_points_than_neighbours(n_neighbors):
    message = rf"neighbours: must be at least 1 and fewer than the 10 points, got {n_neighbors}\. Ask for fewer"
    with pytest.raises(TooFewPoints, match=message):
        nearest_neighbors(standard_normal_points(10, 3, 1), n_neighbors)


def test_a_point_is_not_its_own_neighbour_but_its_copy_is():
    points = np.repeat(standard_normal_points(50, 4, 1), 2, axis=0)
    near = nearest_neighbors(points, 3)
    rows = np.arange(100)
    assert (near.indices != rows[:, np.newaxis]).all()
    np.testing.assert_array_equal(near.indices[:, 0], rows ^ 1)
    np.testing.assert_array_equal(near.distances[:, 0], 0)
    assert (near.distances[:, 1] > 0).all()


def test_equally_far_neighbours_come_in_the_order_of_their_rows():
    near = nearest_neighbors(constant_points(40, np.array([1.0, -2.0])), 3)
    assert near.indices[0].tolist() == [1, 2, 3]
    assert near.indices[1].tolist() == [0, 2, 3]
    assert near.indices[39].tolist() == [0, 1, 2]
    x, y = np.meshgrid(np.arange(8, dtype=np.float32), np.arange(8, dtype=np.float32))
    lattice = np.stack([x.ravel(), y.ravel()], axis=1)
    assert nearest_neighbors(lattice, 4).indices[9].tolist() == [1, 8, 10, 17]


def test_neighbours_of_some_rows_are_those_rows_of_all():
    points = standard_normal_points(200, 6, 1)
    rows = np.array([3, 150, 7])
    some, every = nearest_neighbors(points, 5, rows), nearest_neighbors(points, 5)
    np.testing.assert_array_equal(some.indices, every.indices[rows])
    np.testing.assert_array_equal(some.distances, every.distances[rows])


def test_far_from_the_origin_the_neighbours_stay_the_same():
    points = np.round(standard_normal_points(300, 5, 1) * 64) / np.float32(64)  # a shift by 2^10 rounds nothing
    here, there = (nearest_neighbors(points + np.float32(shift), 4) for shift in (0, 1024))
    np.testing.assert_array_equal(here.indices, there.indices)
    np.testing.assert_allclose(here.distances, there.distances, rtol=1e-12)


def test_blocks_of_any_size_give_the_same(monkeypatch):
    points = standard_normal_points(100, 4, 1)
    expected = nearest_neighbors(points, 6)
    monkeypatch.setattr("zspace.geometry.neighbourhoods.search._BLOCK_ROWS", 7)
    seen = []
    found = nearest_neighbors(points, 6, watch=seen.append)
    np.testing.assert_array_equal(found.indices, expected.indices)
    assert [progress.done for progress in seen][-2:] == [98, 100]
