"""Every shortcut of a null model gives what is seen of clouds that are drawn point by point."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.laws import SHORTCUTS, fitted_gaussian_radii, whitened
from zspace.geometry.truths import constant_points, gaussian_points, turned_covariance
from zspace.seeds import random_stream

N_CLOUDS = 500
CLOUD = Cloud(gaussian_points(60, np.array([2.0, 0, 1]), turned_covariance(np.array([4.0, 2, 1])), 5))


@pytest.mark.parametrize("row", SHORTCUTS.values(), ids=[" ".join(key) for key in SHORTCUTS])
def test_a_shortcut_draws_what_is_seen_of_points(row):
    assert SHORTCUTS[row.null, row.view] is row
    drawn = np.array(list(row.draws(CLOUD, N_CLOUDS, 1)))
    seen = np.array([row.look(Cloud(row.points(CLOUD, random_stream(k, "test")))) for k in range(N_CLOUDS)])
    assert drawn.shape == seen.shape
    deviations = seen.std(axis=0)
    # Where a law is one of many points only, as that of the shapes, it is a little off in its mean.
    slack = 0.05 * deviations if row.view == "shapes of axes" else 0.0
    chance = 5 * deviations * np.sqrt(2 / N_CLOUDS) + slack
    assert (np.abs(drawn.mean(axis=0) - seen.mean(axis=0)) < chance).all()
    np.testing.assert_allclose(drawn.std(axis=0), deviations, rtol=0.25)


def test_whitened_draws_have_no_mean_and_the_identity_as_covariance():
    found = whitened(np.random.default_rng(1).standard_normal((40, 5)) + 3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.T @ found / 40, np.eye(5), atol=1e-12)


def test_radii_of_fitted_gaussians_have_the_mean_square_of_the_cloud():
    radii = fitted_gaussian_radii(CLOUD, 5, 1)
    for drawn in radii:
        assert (drawn**2).mean() == pytest.approx((CLOUD.radii**2).mean(), rel=1e-9)
        assert (np.diff(drawn) >= 0).all()
    assert np.std([drawn.mean() for drawn in radii]) > 0
    more = fitted_gaussian_radii(CLOUD, 6, 1)
    np.testing.assert_array_equal(radii, more[:5])


def test_a_constant_cloud_has_one_radius():
    assert {*np.concatenate(fitted_gaussian_radii(Cloud(constant_points(4, np.array([3.0, 4.0]))), 2, 1))} == {5.0}
