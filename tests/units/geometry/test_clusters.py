"""The measure of clusters: what it says of clouds that have none, too few points, or points that are all equal."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.clusters import cluster_curves
from zspace.geometry.truths import constant_points, standard_normal_points


def found_on(points, max_clusters=6, step=2, n_null_clouds=3, seed=1):
    return cluster_curves(Cloud(points), max_clusters, step, n_null_clouds, seed)


def reasons(measurement):
    return {estimate.reason for estimate in measurement.estimates.values()}


def test_a_constant_cloud_has_no_clusters_but_says_why():
    found = found_on(constant_points(9, np.array([0.1, -7.0])))
    assert reasons(found) == {"all points are equal, so there is no spread to share out"}
    assert found.curves["inertia"].y.tolist() == [[0.0]]


def test_too_few_points_are_told():
    found = found_on(standard_normal_points(3, 2, 1))
    assert reasons(found) == {"3 points are too few to look for clusters, two points for each"}
    assert list(found.curves) == ["inertia"]


def test_inertia_of_one_cluster_is_that_about_the_mean():
    points = standard_normal_points(3, 2, 1)
    about_mean = ((points - points.mean(axis=0)) ** 2).sum()
    assert found_on(points).curves["inertia"].y[0, 0] == pytest.approx(about_mean, rel=1e-6)


@pytest.mark.parametrize(
    "points",
    [standard_normal_points(9, 2, 1), np.repeat(standard_normal_points(5, 2, 1), 20, axis=0)],
    ids=["few points", "few places"],
)
def test_numbers_of_clusters_that_the_points_do_not_allow_are_left_out(points):
    found = found_on(points, max_clusters=20)
    assert found.curves["inertia"].x.tolist() == [1, 2, 4]
    warning = "looked for at most 4 clusters: the cloud has no two points, or no place, for each of more"
    assert {estimate.warnings for estimate in found.estimates.values()} == {(warning,)}


def test_a_short_curve_has_no_elbow_but_says_why():
    found = found_on(standard_normal_points(60, 2, 1), max_clusters=2)
    assert found.estimates["elbow_k"].reason == "a curve up to 2 clusters is too short to have an elbow"
    assert found.estimates["elbow_bend"].reason == "a curve up to 2 clusters is too short to have an elbow"


def test_a_cloud_without_clusters_has_no_elbow_but_says_how_sharp_its_corner_is():
    found = found_on(standard_normal_points(400, 3, 1), max_clusters=12)
    elbow = found.estimates["elbow_k"]
    assert elbow.value is None
    assert elbow.reason.startswith("no elbow: the sharpest corner, at k = ")
    assert elbow.reason.endswith(f"loses {found.estimates['elbow_bend'].value:.0%} of the slope, not 50%")


def test_p_values_count_the_null_clouds_that_go_as_far():
    found = found_on(standard_normal_points(200, 3, 1), n_null_clouds=4).estimates["inertia_share"]
    assert round(found.p_value * 5) in range(1, 6)
    assert (found.p_value == 0.2) == (found.value < found.null_band[0])


def test_more_points_than_are_compared_are_all_fitted(monkeypatch):
    monkeypatch.setattr("zspace.geometry.inertia.N_COMPARED", 100)
    points = standard_normal_points(1000, 3, 1)
    found = found_on(points)
    assert {estimate.n_used for estimate in found.estimates.values()} == {100}
    inertia = found.curves["inertia"]
    assert inertia.labels == ("full k-means", "mini-batches")
    full, batches = inertia.y
    assert (full <= batches).all()
    assert (np.diff(full) < 0).all()
