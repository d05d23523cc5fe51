"""The posterior's report: against closed forms, and against the formulas written out plainly."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry import posterior as module
from zspace.geometry.posterior import Posterior, posterior_report


def draw(n_points=4000, z_dim=6, logvar=-2.0, seed=1):
    random = np.random.default_rng(seed)
    mu = random.standard_normal((n_points, z_dim)) + np.arange(z_dim)
    logvars = np.full(mu.shape, logvar)
    z = mu + np.exp(logvars / 2) * random.standard_normal(mu.shape)
    return Posterior(*(array.astype(np.float32) for array in (z, mu, logvars)))


def values(posterior):
    return {name: estimate.value for name, estimate in posterior_report(posterior).estimates.items()}


def test_the_gap_between_z_and_mu_is_that_of_a_normal_of_the_posteriors_width():
    found, width = values(draw()), np.exp(-1.0)
    n_values = 4000 * 6
    spread = width * np.sqrt(1 - 2 / np.pi) / np.sqrt(n_values)
    assert found["mean_component_gap"] == pytest.approx(width * np.sqrt(2 / np.pi), abs=5 * spread)
    share = 2 * stats.norm.sf(0.05 / width)
    assert found["n_far_components"] == pytest.approx(n_values * share, abs=5 * np.sqrt(n_values * share * (1 - share)))


def test_the_divergence_is_the_mean_of_the_closed_form_and_axes_are_counted():
    posterior = draw()
    mu = posterior.mu.astype(float)
    expected = (-0.5 * (1 - 2.0 - mu**2 - np.exp(-2.0))).sum(axis=1).mean()
    found = values(posterior)
    assert found["divergence"] == pytest.approx(expected)
    assert (found["n_active_axes"], found["collapsed_share"]) == (6, 0)


def test_an_axis_on_which_the_posterior_is_the_prior_is_collapsed_and_not_active():
    posterior = draw()
    posterior.mu[:, :3] = 0
    posterior.logvar[:, :3] = 0
    found = values(posterior)
    assert (found["n_active_axes"], found["collapsed_share"]) == (3, 0.5)


def test_every_number_is_that_of_a_plain_loop_whatever_the_blocks(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_VALUES", 40)
    posterior = draw(n_points=50)
    z, mu = posterior.z.astype(float), posterior.mu.astype(float)
    radii_z, radii_mu = np.linalg.norm(z, axis=1), np.linalg.norm(mu, axis=1)
    found = values(posterior)
    assert found["largest_component_gap"] == pytest.approx(np.abs(z - mu).max())
    assert found["largest_radius_gap"] == pytest.approx(np.abs(radii_z - radii_mu).max())
    assert found["mean_relative_radius_gap"] == pytest.approx((np.abs(radii_z - radii_mu) / radii_mu).mean())
    assert found["largest_radius_z"] == pytest.approx(radii_z.max())
    assert found["smallest_radius_mu"] == pytest.approx(radii_mu.min())
    assert (found["largest_logvar"], found["smallest_logvar"], found["mean_logvar"]) == (-2, -2, -2)


def test_curves_hold_every_component_and_every_axis():
    curves = posterior_report(draw()).curves
    assert curves["logvar"].y.sum() == 4000 * 6
    divergences = curves["divergence per axis"].y[0]
    assert len(divergences) == 6
    assert (np.diff(divergences) <= 0).all()


def test_a_relative_gap_is_unknown_where_every_mu_is_the_origin():
    posterior = draw(n_points=5)
    posterior.mu[:] = 0
    estimate = posterior_report(posterior).estimates["mean_relative_radius_gap"]
    assert estimate.value is None
    assert estimate.reason == "every mu lies at the origin"
