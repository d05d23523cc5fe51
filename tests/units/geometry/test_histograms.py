"""Bins of one width, aligned at whole multiples of it."""

import tracemalloc

import numpy as np
import pytest
from scipy import special

from zspace.errors import TooManyBins
from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import (
    MAX_BINS,
    bin_edges,
    bin_numbers,
    bin_range,
    count_values,
    derived_width,
    expected_counts,
    fullest_bin_centre,
)
from zspace.geometry.radius.density import radius_density
from zspace.geometry.truths import standard_normal_points


def test_edges_are_multiples_of_the_width_and_one_more_than_bins():
    assert bin_range(-0.7, 1.0, 0.5) == (-2, 2)
    assert bin_edges(-2, 2, 0.5).tolist() == [-1, -0.5, 0, 0.5, 1, 1.5]


def test_a_bin_holds_its_lower_edge_but_not_its_upper():
    assert count_values(np.array([0.0, 0.5, 0.999, 1.0]), 0, 1, 0.5).tolist() == [1, 2]


def test_values_outside_the_bins_are_left_out():
    assert count_values(np.array([-0.1, 0.1, 7.0]), 0, 1, 0.5).tolist() == [1, 0]


@pytest.mark.parametrize("width", [0.05, 0.1, 0.3, 1 / 3, 1e-7, 1e7])
def test_bin_numbers_agree_with_the_edges_to_the_last_bit(width):
    numbers = np.concatenate([np.arange(-5000, 5000), [2**40 + 1, 2**51 - 1]])
    edges = numbers * width
    np.testing.assert_array_equal(bin_numbers(edges, width), numbers)
    np.testing.assert_array_equal(bin_numbers(np.nextafter(edges, -np.inf), width), numbers - 1)


def test_negative_zero_lies_in_the_bin_of_zero():
    assert bin_numbers(np.array([-0.0, 0.0]), 0.25).tolist() == [0, 0]


def test_exactly_the_largest_number_of_bins_is_allowed():
    assert bin_range(0.0, MAX_BINS - 0.5, 1.0) == (0, MAX_BINS - 1)


def test_too_many_bins_are_refused():
    message = (
        r"bin width: must cover the spread of the points in at most 2,000,000 bins, got 2,000,001 bins of width 0\.5 "
        r"between 0 and 1e\+06\. Choose wider bins, or look for runaway points\."
    )
    with pytest.raises(TooManyBins, match=message):
        bin_range(0.0, MAX_BINS / 2, 0.5)


def test_histograms_that_share_bins_share_the_limit():
    assert bin_range(0.0, MAX_BINS / 8 - 0.5, 1.0, n_histograms=8) == (0, MAX_BINS // 8 - 1)
    message = r"in at most 250,000 bins, as 8 histograms share them, got 250,001 bins of width 1 between 0 and 250000"
    with pytest.raises(TooManyBins, match=message):
        bin_range(0.0, MAX_BINS / 8, 1.0, n_histograms=8)


@pytest.mark.parametrize("place", [1e20, -1e20])
def test_bins_finer_than_rounding_are_refused(place):
    message = r"bin width: must be no finer than the rounding of the values, got 0\.5 for values up to 1e\+20\. Choose"
    with pytest.raises(TooManyBins, match=message):
        bin_range(place, place, 0.5)


@pytest.mark.parametrize(
    "measure",
    [lambda cloud: axis_densities(cloud, 0.25, 2, 1), lambda cloud: radius_density(cloud, (1e-4,), 2, 1)],
    ids=["axes", "radius"],
)
def test_a_runaway_point_is_refused_before_memory_is_taken(measure):
    points = standard_normal_points(50, 256, 1)
    points[0, 0] = 20_000
    cloud = Cloud(points)
    assert cloud.covariance.shape == (256, 256)  # not what is looked at here
    assert cloud.principal[0][0] > 0
    tracemalloc.start()
    with pytest.raises(TooManyBins, match="Choose wider bins, or look for runaway points"):
        measure(cloud)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_of_equally_full_bins_the_first_is_the_peak():
    assert fullest_bin_centre(np.array([1.0, 5.0, 2.0, 5.0]), np.array([0.0, 1, 2, 3, 4])) == 1.5


@pytest.mark.parametrize(
    ("spread", "n_points", "width"),
    [(1.35, 1000, 0.2), (1.35, 10**6, 0.02), (135.0, 200, 50.0), (1.35e-30, 1000, 2e-31)],
)
def test_a_derived_width_follows_spread_and_number_by_freedman_and_diaconis(spread, n_points, width):
    found = derived_width(spread, n_points, -3 * spread, 3 * spread, spread)
    assert found.width == width
    assert "Freedman and Diaconis 1981" in found.reason


def test_where_most_values_are_alike_the_deviation_decides():
    found = derived_width(0.0, 1000, 0.0, 10.0, 1.0)
    assert found.width == 0.5  # of 0.349, whose neighbours are 0.2 and 0.5
    assert "Scott 1979" in found.reason


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1e9), (1e12, 1e12 + 3)])
def test_a_derived_width_is_never_one_that_would_be_refused(low, high):
    found = derived_width(1.0, 10_000, low, high, 1.0, n_histograms=256)
    bin_range(low, high, found.width, n_histograms=256)
    assert "as fine as their range allows" in found.reason or found.width == 0.1


@pytest.mark.parametrize("value", [0.0, 0.3, -7e29])
def test_equal_values_take_any_width(value):
    found = derived_width(0.0, 50, value, value, 0.0)
    assert found.reason == "any width does: all values are equal"
    first, last = bin_range(value, value, found.width)
    assert first == last


def test_expected_counts_are_never_negative():
    """The cumulative normal law falls in its last digits far out, where it is computed."""
    edges = np.arange(-40, 40, 0.01)
    assert (expected_counts(10**6, special.ndtr(edges)) >= 0).all()
    np.testing.assert_allclose(expected_counts(10, np.array([[0.0, 0.25, 0.2, 1.0]])), [[2.5, 0, 7.5]])
