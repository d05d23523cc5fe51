"""Squared distances of all pairs, and the neighbours that follow from them."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.neighbourhoods import pairs as pairs_module
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.geometry.truths import constant_points, standard_normal_points


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (1e4, 1), (0, 1e-30), (0, 1e15)])
def test_squares_are_those_of_the_points_wherever_and_however_large(offset, scale):
    points = (standard_normal_points(150, 7, 1) * np.float32(scale) + np.float32(offset)).astype(np.float32)
    pairs = Cloud(points).pairs
    expected = cdist(points.astype(np.float64), points.astype(np.float64))
    assert np.sqrt(pairs.squares.astype(np.float64)) * pairs.unit == pytest.approx(expected, rel=1e-6)
    assert (pairs.squares.diagonal() == 0).all()


def test_the_unit_is_the_root_mean_square_distance_from_the_mean():
    points = standard_normal_points(150, 7, 1)
    assert Cloud(points).pairs.unit == pytest.approx(np.sqrt(points.var(axis=0, dtype=np.float64).sum()))


def test_neighbours_are_those_of_the_exact_search():
    points = standard_normal_points(300, 12, 2)
    found, expected = Cloud(points).pairs.neighbors, nearest_neighbors(points, 64)
    assert (found.indices == expected.indices).all()
    assert found.distances == pytest.approx(expected.distances, rel=1e-6)


def test_a_small_cloud_has_all_others_as_neighbours():
    assert Cloud(standard_normal_points(5, 3, 1)).pairs.neighbors.indices.shape == (5, 4)


def test_copies_are_no_distance_apart_and_never_neighbours_of_themselves():
    points = np.repeat(standard_normal_points(20, 9, 1), 3, axis=0)
    pairs = Cloud(points).pairs
    near = pairs.neighbors
    assert (near.distances[:, :2] == 0).all()
    assert (near.distances[:, 2] > 0).all()
    assert (near.indices != np.arange(60)[:, np.newaxis]).all()


def test_very_near_pairs_do_not_drown_in_rounding(monkeypatch):
    """A hair's breadth far from the mean; in several hand-overs."""
    monkeypatch.setattr(pairs_module, "_PAIRS_AT_ONCE", 3)
    far = np.float32(1000) * standard_normal_points(10, 4, 1)
    points = np.concatenate([far, np.nextafter(far, np.float32(np.inf))])
    pairs = Cloud(points).pairs
    expected = np.linalg.norm(points[:10].astype(np.float64) - points[10:], axis=1)
    found = np.sqrt(pairs.squares[np.arange(10), np.arange(10, 20)].astype(np.float64)) * pairs.unit
    assert found == pytest.approx(expected, rel=1e-6)


def test_points_that_are_all_equal_are_refused():
    with pytest.raises(TooFewPoints, match=r"cloud: must have at least 2 different z-points, got 1\."):
        _ = Cloud(constant_points(10, np.array([0.3, 1.0]))).pairs
