"""The elbow, the gap and the p-values on clouds whose number of clusters is known, and on clouds that have none."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.curves import cluster_curves
from zspace.geometry.clustering.inertia import (
    centred_points,
    compared_points,
    leading_components,
    look_at,
    look_at_nulls,
)
from zspace.geometry.clustering.partitions import attribute_shares
from zspace.geometry.truths import gaussian_points, turned_covariance
from zspace.seeds import random_stream

STRUCTURELESS = {
    "equal variances": np.ones(6),
    "falling variances": 1 / np.arange(1.0, 11),
    "one direction has most": np.array([30.0, *np.ones(9)]),
}


def clustered_points(n_clusters, distance, z_dim, n_points, seed):
    """Clusters of deviation 1 at the corners of a simplex, all at one distance from each other."""
    random = random_stream(seed, "test clusters")
    centres = np.eye(n_clusters, z_dim) * distance / np.sqrt(2)
    points = centres[random.integers(n_clusters, size=n_points)] + random.standard_normal((n_points, z_dim))
    return points.astype(np.float32)


def found_on(points, n_null_clouds=4):
    found = cluster_curves(Cloud(points), 16, 2, n_null_clouds, 1).estimates
    return {name: estimate.value for name, estimate in found.items()}


@pytest.mark.parametrize("variances", STRUCTURELESS.values(), ids=STRUCTURELESS)
def test_a_gaussian_of_any_shape_has_no_elbow(variances):
    covariance = turned_covariance(variances)
    for seed in range(2):
        found = found_on(gaussian_points(400, np.zeros(len(variances)), covariance, seed), n_null_clouds=2)
        assert found["elbow_k"] is None
        assert found["elbow_bend"] < 0.4


@pytest.mark.parametrize("n_clusters", [4, 8])
def test_clusters_eight_deviations_apart_are_counted(n_clusters):
    for seed in range(2):
        found = found_on(clustered_points(n_clusters, 8.0, 10, 500, seed))
        assert found["elbow_k"] == n_clusters
        assert found["gap_k"] == n_clusters


def test_many_clusters_in_many_dimensions_are_counted_along_the_broadest_of_them():
    found = cluster_curves(Cloud(clustered_points(19, 10.0, 80, 700, 3)), 32, 2, 2, 1).estimates
    assert found["gap_k"].value == 19
    assert found["elbow_k"].value == pytest.approx(19, abs=1)
    assert ", 18 to 2" in found["gap_k"].assumptions[-1]


def test_p_values_of_gaussians_are_even(monkeypatch):
    """Given mean and covariance, a Gaussian cloud and its null clouds are alike: the rank is uniform."""
    monkeypatch.setattr("zspace.geometry.clustering.inertia.N_LEADING", 2)
    ranks = []
    for seed in range(60):
        cloud = Cloud(gaussian_points(60, np.ones(3), np.diag([9.0, 4, 1]), seed))
        points = leading_components(cloud, compared_points(*centred_points(cloud)))
        assert points.shape[1] == 2
        nulls = look_at_nulls(points, [4], 4, "test", seed)
        ranks.append(sum(null.log_shares[-1] < look_at(points, [4])[0].log_shares[-1] for null in nulls))
    counts = np.bincount(ranks, minlength=5)
    assert (np.abs(counts - 12) <= 4 * np.sqrt(60 * 0.2 * 0.8)).all()


def test_shares_of_attributes_without_clusters_have_the_mean_that_is_told_and_even_p_values():
    random = random_stream(1, "test")
    labels = random.integers(5, size=300)
    found = attribute_shares(labels, (random.random((300, 400)) < 0.3).astype(np.float32))
    assert found.share.mean() == pytest.approx(found.expected_share[0], rel=0.1)
    assert (found.p_value > 0.05).all()
