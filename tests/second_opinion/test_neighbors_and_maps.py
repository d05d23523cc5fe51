"""Neighbours and the scores of maps against scikit-learn."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from zspace.geometry.maps.scores import neighbor_scores
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.geometry.truths import TRUTHS, standard_normal_points
from zspace.seeds import random_stream


@pytest.mark.parametrize("name", ["standard-normal", "correlated", "cube", "sphere", "line"])
def test_neighbours_agree_with_scikit_learn(name):
    points = TRUTHS[name].draw(400, 2)
    ours = nearest_neighbors(points, 7)
    exact = points.astype(np.float64)
    distances, indices = NearestNeighbors(n_neighbors=7, algorithm="brute").fit(exact).kneighbors()
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-5, atol=1e-7)
    assert (ours.indices == indices).mean() > 0.999


def sheet_of(points, noise):
    blur = noise * random_stream(1, "test").standard_normal((len(points), 2))
    return (points[:, :2] + blur).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.3, 30.0])
@pytest.mark.parametrize("n_neighbors", [1, 5, 15])
def test_scores_of_a_map_agree_with_scikit_learn(noise, n_neighbors, monkeypatch):
    monkeypatch.setattr("zspace.geometry.maps.scores._RANKED_CHUNK", 37)
    monkeypatch.setattr("zspace.geometry.maps.scores._RANKED_ROWS", 11)
    points = standard_normal_points(150, 5, 1)
    sheet = sheet_of(points, noise)
    judged = neighbor_scores(points, sheet, np.arange(150), n_neighbors)
    assert judged.trustworthiness.mean() == pytest.approx(
        trustworthiness(points, sheet, n_neighbors=n_neighbors), abs=1e-6
    )
    assert judged.continuity.mean() == pytest.approx(trustworthiness(sheet, points, n_neighbors=n_neighbors), abs=1e-6)
    both = (nearest_neighbors(array, n_neighbors).indices for array in (points, sheet))
    shares = [len(set(a) & set(b)) / n_neighbors for a, b in zip(*both, strict=True)]
    np.testing.assert_allclose(judged.preserved, shares)


@pytest.mark.parametrize("distance", [1e3, 1e5])
def test_groups_far_apart_do_not_flatter_a_map(distance):
    """scikit-learn's own distances lose the digits of such groups, so it is given exact ones."""
    groups = np.repeat(distance * np.eye(4, 6), 40, axis=0)
    points = (groups + 0.1 * standard_normal_points(160, 6, 1)).astype(np.float32)
    exact = points.astype(np.float64)
    distances = np.sqrt(np.square(exact[:, np.newaxis] - exact).sum(axis=2))
    sheet = np.random.default_rng(1).permutation(points)[:, :2].copy()
    sheet += 0.1 * standard_normal_points(160, 2, 2)
    judged = neighbor_scores(points, sheet, np.arange(160), 10)
    expected = trustworthiness(distances, sheet.astype(np.float64), n_neighbors=10, metric="precomputed")
    assert judged.trustworthiness.mean() == pytest.approx(expected, abs=1e-12)
    assert expected < 0.9


def test_copies_share_a_rank_and_are_told():
    points = np.repeat(standard_normal_points(30, 4, 1), 4, axis=0)
    judged = neighbor_scores(points, points[:, :2].copy(), np.arange(120), 3)
    assert judged.has_copies.all()
    np.testing.assert_allclose(judged.trustworthiness, 1)
    assert not neighbor_scores(points[::4], points[::4, :2].copy(), np.arange(30), 3).has_copies.any()
