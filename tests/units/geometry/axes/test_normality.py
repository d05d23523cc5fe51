"""How normal axes are, and how many axes are not beyond chance."""

import numpy as np
import pytest

from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.axes.normality import (
    axis_shapes,
    kurtosis_of_scores,
    kurtosis_scores,
    n_discoveries,
    normal_shapes,
    skewness_of_scores,
    skewness_scores,
)
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import standard_normal_points

SHAPE_NAMES = ("n_not_normal_axes", "largest_skewness", "largest_excess_kurtosis", "median_excess_kurtosis")


@pytest.mark.parametrize("n_points", [20, 1000, 170_000])
def test_scores_lead_back_to_where_they_came_from(n_points):
    scores = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(skewness_scores(skewness_of_scores(scores, n_points), n_points), scores, atol=1e-9)
    np.testing.assert_allclose(kurtosis_scores(kurtosis_of_scores(scores, n_points), n_points), scores, atol=1e-6)


def test_discoveries_are_counted_up_to_the_last_that_passes():
    assert n_discoveries(np.array([0.2, 0.02, 0.9, 0.9])) == 0
    assert n_discoveries(np.array([0.2, 0.01, 0.9, 0.9])) == 1
    assert n_discoveries(np.array([0.03, 0.035, 0.036, 0.9])) == 3  # none of them alone would pass


def test_tiny_axes_have_the_shape_of_large_ones():
    points = standard_normal_points(500, 2, 1)
    shape = axis_shapes(Cloud(points * np.array([1, 2.0**-60], np.float32)), np.array([0, 1]))
    expected = axis_shapes(Cloud(points), np.array([0, 1]))
    np.testing.assert_allclose(shape.skewness, expected.skewness, rtol=1e-9)
    np.testing.assert_allclose(shape.excess_kurtosis, expected.excess_kurtosis, rtol=1e-9)


@pytest.mark.parametrize(
    ("points", "reason"),
    [(standard_normal_points(19, 3, 1), "fewer than 20 z-points"), (np.ones((30, 2), np.float32), "no axis varies")],
    ids=["few", "constant"],
)
def test_without_points_or_spread_the_shape_is_unknown(points, reason):
    found = axis_densities(Cloud(points), 0.25, 2, 1)
    assert "normality" not in found.curves
    assert [found.estimates[name].reason for name in SHAPE_NAMES] == [reason] * 4
    assert [found.estimates[name].value for name in SHAPE_NAMES] == [None] * 4


def test_constant_axes_are_left_out_and_axes_keep_their_numbers():
    points = standard_normal_points(400, 4, 1)
    points[:, 1] = 7
    points[:, 3] **= 2
    found = axis_densities(Cloud(points), 0.25, 2, 1)
    assert found.curves["normality"].x.tolist() == [0, 2, 3]
    assert found.curves["normality"].labels == ("skewness", "excess kurtosis", "p-value")
    assert found.estimates["largest_skewness"].source == "skewness of axis 3"
    assert found.estimates["n_not_normal_axes"].value == 1


def test_bands_hold_the_lowest_and_highest_of_the_null_clouds():
    cloud = Cloud(standard_normal_points(400, 3, 1))
    deviations = np.sqrt(cloud.covariance.diagonal())
    nulls = normal_shapes(cloud.covariance / np.outer(deviations, deviations), 400, 5, 8)
    found = axis_densities(cloud, 0.25, 5, 8)
    medians = [np.median(null.excess_kurtosis) for null in nulls]
    assert found.estimates["median_excess_kurtosis"].band == pytest.approx((min(medians), max(medians)))
    # With so few draws the region of the curves holds all of them.
    lowest = np.min([null.skewness for null in nulls], axis=0)
    assert (found.curves["normality"].null_low[0] <= lowest).all()


def test_more_null_clouds_leave_the_first_as_they_were():
    few, many = (normal_shapes(np.eye(3), 100, n, 1) for n in (2, 4))
    np.testing.assert_array_equal([null.skewness for null in few], [null.skewness for null in many[:2]])
