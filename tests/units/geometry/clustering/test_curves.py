"""The measure of clusters: what it says of clouds that have none, too few points, or points that are all equal."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.curves import cluster_curves
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
    ("points", "most"),
    [(standard_normal_points(9, 2, 1), 4), (np.repeat(standard_normal_points(5, 2, 1), 20, axis=0), 5)],
    ids=["few points", "few places"],
)
def test_numbers_of_clusters_that_the_points_do_not_allow_are_left_out(points, most):
    found = found_on(points, max_clusters=20)
    assert found.curves["inertia"].x.tolist() == list(range(1, most + 1))
    warning = f"looked for at most {most} clusters: the cloud has no two points, or no place, for each of more"
    assert {estimate.warnings[-1] for estimate in found.estimates.values()} == {warning}


def heaps(n_heaps, deviation=1.0, distance=8.0, n_each=120):
    """Heaps at the corners of a simplex."""
    centres = np.eye(n_heaps, max(n_heaps, 8)) * distance / np.sqrt(2)
    spread = deviation * standard_normal_points(n_each * n_heaps, centres.shape[1], 4)
    return (np.repeat(centres, n_each, axis=0) + spread).astype(np.float32)


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_every_number_up_to_twelve_is_tried_once_whatever_the_step(step):
    found = found_on(heaps(5), max_clusters=12, step=step)
    assert found.curves["gap"].x.tolist() == list(range(1, 13))
    assert found.estimates["gap_k"].value == found.estimates["elbow_k"].value == 5


def test_numbers_beside_a_choice_are_tried_and_what_was_tried_is_told():
    estimates = found_on(heaps(13, distance=12.0, n_each=40), max_clusters=20, step=5, n_null_clouds=2).estimates
    assert estimates["gap_k"].value == 13
    assert estimates["gap_k"].assumptions[-1] == (
        "no other number of clusters fits better than those tried: 1 to 16, 18, 20"
    )


def test_starts_agree_on_heaps_and_not_on_pieces_of_a_sheet():
    apart = found_on(heaps(5), max_clusters=12).estimates
    assert apart["agreement_at_gap_k"].value > 0.99
    assert apart["agreement_at_gap_k"].value > apart["agreement_at_gap_k"].band[1]
    assert not apart["gap_k"].warnings
    turn, height = np.random.default_rng(1).uniform(size=(2, 900))
    angle = 1.5 * np.pi * (1 + 2 * turn)
    roll = np.stack([angle * np.cos(angle), 21 * height, angle * np.sin(angle)], axis=1).astype(np.float32)
    sheet = found_on(roll, max_clusters=12, n_null_clouds=2).estimates
    assert sheet["gap_k"].value > 5
    assert sheet["agreement_at_gap_k"].value < 0.9
    assert "may be pieces of something continuous" in sheet["gap_k"].warnings[0]
    for estimates in (apart, sheet):
        assert "k-means cuts a curved sheet or a string into pieces too" in estimates["gap_k"].assumptions[0]


def test_one_cluster_is_nothing_to_agree_on():
    found = found_on(standard_normal_points(500, 40, 1), max_clusters=4).estimates
    assert found["gap_k"].value == 1
    assert found["agreement_at_gap_k"].reason == "one cluster is found by every start"
    assert found["agreement_at_elbow_k"].reason == found["elbow_k"].reason


def test_tight_heaps_far_apart_keep_their_inertia():
    points = heaps(4, deviation=0.1, distance=1e4)
    found = found_on(points, max_clusters=12)
    inertia = found.curves["inertia"]
    exact = points.astype(np.float64).reshape(4, -1, points.shape[1])
    expected = ((exact - exact.mean(axis=1, keepdims=True)) ** 2).sum()
    assert inertia.x[-1] == 12
    assert inertia.y[0, 3] == pytest.approx(expected, rel=1e-5)
    assert (np.diff(inertia.y[0]) < 0).all()
    assert found.estimates["gap_k"].value == found.estimates["elbow_k"].value == 4


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
    assert round(found.p * 5) in range(1, 6)
    assert (found.p == 0.2) == (found.value < found.band[0])


def test_more_points_than_are_compared_are_all_fitted(monkeypatch):
    monkeypatch.setattr("zspace.geometry.clustering.inertia.N_COMPARED", 100)
    points = standard_normal_points(1000, 3, 1)
    found = found_on(points)
    assert {estimate.n_used for estimate in found.estimates.values()} == {100}
    inertia = found.curves["inertia"]
    assert inertia.labels == ("full k-means", "mini-batches")
    full, batches = inertia.y
    assert (full <= batches).all()
    assert (np.diff(full) < 0).all()
