"""Principal components and the numbers that sum up their spectrum."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.laws import isotropic_spectra
from zspace.geometry.principal import components_for_share, participation_ratio, principal_spectrum
from zspace.geometry.truths import constant_points, standard_normal_points


@pytest.mark.parametrize(
    ("variances", "ratio"), [([2.0] * 7, 7), ([5.0, 0, 0], 1), ([3.0, 1.0], 1.6), ([1e-40, 1e-40], 2)]
)
def test_participation_ratio_counts_the_directions_that_carry_variance(variances, ratio):
    assert participation_ratio(np.array(variances)) == pytest.approx(ratio)


@pytest.mark.parametrize(("share", "n_components"), [(0.05, 1), (0.5, 5), (0.51, 6), (0.9, 9), (1.0, 10)])
def test_a_share_that_is_reached_exactly_costs_no_component_more(share, n_components):
    assert components_for_share(np.full(10, 0.1), share) == n_components


def test_a_constant_cloud_has_no_shares_but_says_why():
    found = principal_spectrum(Cloud(constant_points(5, np.array([1.0, 2.0]))), 2, 1)
    for estimate in found.estimates.values():
        assert estimate.value is None
        assert estimate.reason == "all points are equal, so there is no spread to share out"
    assert list(found.curves) == ["spectrum"]
    assert (found.curves["spectrum"].null_high == 0).all()


@pytest.mark.parametrize(("n_points", "warnings"), [(6, ()), (5, ("only 5 points span at most 4 components",))])
def test_too_few_points_for_all_components_are_warned_of(n_points, warnings):
    found = principal_spectrum(Cloud(standard_normal_points(n_points, 5, 1)), 2, 1)
    assert all(estimate.warnings == warnings for estimate in found.estimates.values())


def test_shares_add_up_to_all():
    found = principal_spectrum(Cloud(standard_normal_points(30, 4, 1)), 3, 1).curves["cumulative"]
    for ends in (found.y, found.null_low, found.null_high):
        assert ends[0, -1] == pytest.approx(1)
        assert (np.diff(ends) > 0).all()


def test_bands_hold_the_lowest_and_highest_of_the_null_clouds():
    cloud = Cloud(standard_normal_points(30, 4, 1))
    spectra = isotropic_spectra(cloud, 6, 9)
    found = principal_spectrum(cloud, 6, 9)
    np.testing.assert_allclose(spectra.sum(axis=1), cloud.covariance.trace(), rtol=1e-12)
    shares = spectra[:, 0] / spectra.sum(axis=1)
    assert found.estimates["first_component_share"].band == pytest.approx((shares.min(), shares.max()))


def test_one_axis_is_one_component():
    found = principal_spectrum(Cloud(standard_normal_points(20, 1, 1)), 3, 1)
    for estimate in found.estimates.values():
        assert estimate.value == 1
        assert estimate.band == (1, 1)


@pytest.mark.parametrize(("n_points", "z_dim"), [(40, 6), (7, 30), (8, 7), (2, 5), (5, 1)])
def test_null_spectra_follow_the_law_of_gaussian_samples(n_points, z_dim):
    """Beside spectra of samples that are really drawn: every variance has their mean and deviation, within chance."""
    cloud, n_draws = Cloud(standard_normal_points(n_points, z_dim, 1)), 2000
    samples = np.random.default_rng(1).standard_normal((n_draws, n_points, z_dim))
    expected = np.stack([np.linalg.eigvalsh(np.atleast_2d(np.cov(one.T)))[::-1] for one in samples])
    expected *= cloud.covariance.trace() / expected.sum(axis=1, keepdims=True)
    found = isotropic_spectra(cloud, n_draws, 1)
    n_varying = min(n_points - 1, z_dim)
    assert (found[:, n_varying:] == 0).all()
    found, expected = found[:, :n_varying], expected[:, :n_varying]
    deviations = expected.std(axis=0)
    chance = 5 * deviations * np.sqrt(2 / n_draws) + 1e-12
    assert (np.abs(found.mean(axis=0) - expected.mean(axis=0)) < chance).all()
    np.testing.assert_allclose(found.std(axis=0), deviations, rtol=0.12, atol=1e-12)


def test_thousands_of_axes_are_no_trouble():
    found = principal_spectrum(Cloud(np.random.default_rng(1).standard_normal((100, 3000), np.float32)), 39, 1)
    assert found.estimates["participation_ratio"].value == pytest.approx(96, abs=1)
    low, high = found.estimates["participation_ratio"].band
    assert low < found.estimates["participation_ratio"].value < high
