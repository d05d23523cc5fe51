"""Density along every axis."""

import numpy as np
import pytest

from zspace.geometry.axes.densities import SPECIAL_RULE, axis_densities, find_special_axes, full_width_at_half_maximum
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import TRUTHS, constant_points, standard_normal_points


def test_axes_are_special_only_beyond_the_thresholds():
    mean, deviations = np.array([0.0, 2.0, -2.01, 0.0, 0.0]), np.array([2.0, 2.0, 2.0, 3.0, 3.01])
    assert np.median(deviations) == 2
    assert find_special_axes(mean, deviations).tolist() == [False, False, True, False, True]


def test_the_rule_in_the_record_states_the_thresholds():
    found = axis_densities(Cloud(TRUTHS["special-axes"].draw(500, 1)), 0.25, 2, 1)
    assert found.estimates["n_special_axes"].source == SPECIAL_RULE
    assert SPECIAL_RULE.startswith("|mean| > 1 or standard deviation > 1.5 times the typical deviation")


def test_special_axes_are_flagged_and_the_far_and_the_broad_are_named():
    found = axis_densities(Cloud(TRUTHS["special-axes"].draw(500, 1)), 0.25, 2, 1)
    summary = found.curves["summary"]
    assert summary.y[summary.labels.index("special")].tolist() == [0, 1, 1, 0, 0, 1]
    assert found.estimates["largest_offset"].source == "mean of axis 1"
    assert found.estimates["largest_standard_deviation"].source == "standard deviation of axis 2"


def test_no_axis_is_special_where_most_are_constant():
    points = np.pad(standard_normal_points(100, 2, 1), ((0, 0), (0, 3)), constant_values=7)
    found = axis_densities(Cloud(points), 0.25, 2, 1)
    assert found.estimates["n_special_axes"].value is None
    assert "at least half of the axes are constant" in found.estimates["n_special_axes"].reason
    summary = found.curves["summary"]
    assert not summary.y[summary.labels.index("special")].any()


@pytest.mark.parametrize("place", [0.0, 0.25, -0.1, 3.0])
def test_the_law_of_a_constant_axis_is_the_bin_where_it_lies(place):
    points = standard_normal_points(300, 3, 1) * np.float32(20)
    points[:, 1] = place
    density = axis_densities(Cloud(points), 0.25, 2, 1).curves["density"]
    (law,) = density.laws
    np.testing.assert_array_equal(law.values[1], density.y[1])
    assert law.values[1].max() == 300
    assert law.values[0].max() < 10


def test_the_peak_is_the_middle_of_the_fullest_bin():
    points = np.array([[0.1, -3.0], [0.2, -3.0], [0.9, 1.0]], np.float32)
    summary = axis_densities(Cloud(points), 0.25, 2, 1).curves["summary"]
    assert summary.y[summary.labels.index("peak")].tolist() == [0.125, -2.875]


def test_a_spike_is_three_bins_wide_wherever_it_lies():
    for place in range(4):
        counts = np.zeros(4, dtype=np.int64)
        counts[place] = 10
        assert full_width_at_half_maximum(counts, 0.5) == pytest.approx(1.5)


def test_one_bin_alone_has_a_width():
    assert full_width_at_half_maximum(np.array([7]), 0.25) == pytest.approx(0.75)


def test_every_axis_has_a_curve_of_its_name():
    density = axis_densities(Cloud(constant_points(4, np.arange(3.0))), 0.5, 2, 1).curves["density"]
    assert density.labels == ("axis 0", "axis 1", "axis 2")
    assert density.y.argmax(axis=1).tolist() == [0, 2, 4]
