"""Neighbours and the scores of maps against scikit-learn."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from zspace.geometry.map_scores import neighbor_scores
from zspace.geometry.neighbors import nearest_neighbors
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
    monkeypatch.setattr("zspace.geometry.map_scores._RANKED_CHUNK", 37)
    monkeypatch.setattr("zspace.geometry.map_scores._RANKED_ROWS", 11)
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
