"""Whole distributions against their closed form: radii, widths, null clouds."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.axes.densities import axis_densities, full_width_at_half_maximum
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import bin_edges, bin_range, count_values
from zspace.geometry.nulls.laws import (
    isotropic_spectra,
    matched_gaussian_points,
    matched_gaussian_radii,
    matched_gaussian_radius_law,
    standard_normal_radius_counts,
)
from zspace.geometry.radius.density import radius_density
from zspace.geometry.truths import (
    GAUSSIAN_FULL_WIDTH,
    TRUTHS,
    constant_points,
    cube_points,
    gaussian_points,
    standard_normal_points,
    turned_covariance,
)
from zspace.seeds import random_stream

ALMOST_NEVER = 1e-4
"""Seeds are fixed, so these tests pass or fail for good; a correct program fails them at one seed in 10,000."""


@pytest.mark.parametrize("z_dim", [1, 2, 16])
def test_radius_counts_of_the_standard_normal_follow_the_chi_law(z_dim):
    cloud = Cloud(standard_normal_points(4000, z_dim, 3))
    curve = radius_density(cloud, (0.25,), 2, 1).curves["bin 0.25"]
    law = curve.laws[0].values[0]
    np.testing.assert_allclose(law, 4000 * np.diff(stats.chi(z_dim).cdf(curve.x)))
    filled = law >= 5
    missing = np.array([curve.y[0][~filled].sum()]), np.array([4000 - law[filled].sum()])
    counts, expected = np.append(curve.y[0][filled], missing[0]), np.append(law[filled], missing[1])
    assert stats.chisquare(counts, expected).pvalue > ALMOST_NEVER


def test_expected_radius_counts_add_up_to_the_points():
    assert standard_normal_radius_counts(np.arange(0, 20.5, 0.5), 1000, 6).sum() == pytest.approx(1000)


@pytest.mark.parametrize("deviation", [0.5, 3.0])
def test_full_width_of_a_gaussian_is_2_3548_deviations(deviation):
    width = deviation / 10
    edges = bin_edges(-60, 59, width)
    counts = np.round(1e9 * np.diff(stats.norm(scale=deviation).cdf(edges))).astype(np.int64)
    # A bin adds width ** 2 / 12 to the variance, and averaging over three of them 2 / 3 width ** 2.
    seen = np.sqrt(deviation**2 + 0.75 * width**2)
    assert round(GAUSSIAN_FULL_WIDTH, 4) == 2.3548
    # The top lies between two bins, each of which reads 0.1 % less.
    assert full_width_at_half_maximum(counts, width) == pytest.approx(GAUSSIAN_FULL_WIDTH * seen, rel=2e-3)


def test_full_width_of_a_uniform_is_all_of_it():
    assert full_width_at_half_maximum(np.full(40, 100), 0.1) == pytest.approx(4.0)


def test_full_width_of_two_separate_peaks_reaches_over_both():
    counts = np.zeros(50, dtype=np.int64)
    counts[10:15] = counts[40:45] = 100
    assert full_width_at_half_maximum(counts, 1.0) == pytest.approx(35)


def test_half_width_of_drawn_axes_is_that_of_their_laws():
    gaussian, cube = standard_normal_points(20_000, 1, 5) * 2, cube_points(20_000, 1, 3.0, 5)
    curve = axis_densities(Cloud(np.hstack([gaussian, cube])), 0.25, 2, 1).curves["summary"]
    half_widths = curve.y[curve.labels.index("half-width")]
    # The peak of a noisy histogram is a few percent too high, which lowers the width of a Gaussian by as much.
    np.testing.assert_allclose(half_widths, [GAUSSIAN_FULL_WIDTH, 3.0], rtol=0.06)


def test_law_of_each_axis_is_its_own_gaussian():
    mean, deviations = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    cloud = Cloud(gaussian_points(2000, mean, np.diag(deviations**2), 6))
    curve = axis_densities(cloud, 0.25, 2, 1).curves["density"]
    for axis in range(2):
        own = stats.norm(cloud.points[:, axis].mean(), cloud.points[:, axis].std(ddof=1))
        law = curve.laws[0].values[axis]
        np.testing.assert_allclose(law, 2000 * np.diff(own.cdf(curve.x)), atol=0.01)
        assert np.abs(curve.y[axis] - law).max() < 5 * np.sqrt(law.max())


def test_matched_gaussian_has_the_mean_and_covariance_of_the_cloud():
    cloud, n_points = Cloud(TRUTHS["correlated"].draw(500, 7) + np.float32(3)), 40_000
    drawn = Cloud(matched_gaussian_points(cloud, n_points, random_stream(7, "test")))
    variances = cloud.covariance.diagonal()
    # Standard errors of a mean and of a covariance of Gaussian points; 5 of them for the largest of 20 deviations.
    mean_errors = np.sqrt(variances / n_points)
    covariance_errors = np.sqrt((np.outer(variances, variances) + cloud.covariance**2) / n_points)
    assert (np.abs(drawn.mean - cloud.mean) < 5 * mean_errors).all()
    assert (np.abs(drawn.covariance - cloud.covariance) < 5 * covariance_errors).all()


def test_radii_drawn_from_the_law_are_those_of_the_matched_gaussian():
    cloud = Cloud(gaussian_points(3000, np.array([3.0, 0, 1]), turned_covariance(np.array([4.0, 1, 0.1])), 8))
    direct = Cloud(matched_gaussian_points(cloud, 3000, random_stream(8, "test"))).radii
    for radii in matched_gaussian_radii(matched_gaussian_radius_law(cloud), 3000, 2, 8):
        assert stats.ks_2samp(radii, direct).pvalue > ALMOST_NEVER


def test_matched_gaussian_of_a_constant_cloud_is_the_point_itself():
    cloud = Cloud(constant_points(5, np.array([1.0, 2.0, 2.0])))
    np.testing.assert_allclose(matched_gaussian_points(cloud, 3, random_stream(1, "test")), [[1, 2, 2]] * 3)
    np.testing.assert_allclose(next(matched_gaussian_radii(matched_gaussian_radius_law(cloud), 4, 1, 1)), 3)


@pytest.mark.parametrize("n_points", [4, 100])
def test_isotropic_spectra_have_the_total_variance_of_the_cloud_on_average(n_points):
    cloud, n_clouds = Cloud(TRUTHS["correlated"].draw(n_points, 9)), 300
    spectra = isotropic_spectra(cloud, n_clouds, 9)
    total = cloud.covariance.trace()
    # The total of an isotropic sample covariance is chi-square with (n_points - 1) * z_dim degrees of freedom.
    error = total * np.sqrt(2 / ((n_points - 1) * 5 * n_clouds))
    assert spectra.sum(axis=1).mean() == pytest.approx(total, abs=5 * error)
    assert (np.diff(spectra, axis=1) <= 0).all()
    np.testing.assert_allclose(spectra[:, n_points - 1 :], 0, atol=1e-12 * total)


def test_bins_of_a_lattice_hold_the_points_that_lie_on_their_lower_edges():
    width = 0.1
    values = np.arange(-300, 300) * width
    first, last = bin_range(values.min(), values.max(), width)
    assert (first, last) == (-300, 299)
    assert (count_values(values, first, last, width) == 1).all()
