"""False alarms: clouds that a null model is true of leave its draws as often as they should, for whatever is read."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.ladder import LADDER, NULLS
from zspace.seeds import random_stream


def radius(points):
    distances = np.linalg.norm(points, axis=1)
    low, high = np.quantile(distances, [0.25, 0.75])
    return {
        "mean radius": distances.mean(),
        "deviation of radius": distances.std(),
        "quartile": low,
        "upper quartile": high,
    }


def shape(points):
    centred = points - points.mean(axis=0)
    variances, components = np.linalg.eigh(centred.T @ centred / len(points))
    white = centred @ components / np.sqrt(variances)
    distances = np.sort(squareform(pdist(centred)), axis=1)
    first, second, tenth = distances[:, [1, 2, 10]].T
    return {
        "skewness": np.abs((white**3).mean(axis=0)).mean(),
        "kurtosis": (white**4).mean(),
        "narrow directions": np.quantile(np.linalg.norm(white[:, :2], axis=1), 0.05),
        "first neighbour": np.log(first).mean(),
        "tenth neighbour": np.log(tenth).mean(),
        "dimension": 1 / np.log(second / first).mean(),
    }


def looks(points):
    exact = points.astype(np.float64)
    return radius(exact) | shape(exact)


def gaussian_cloud(random, n_points, z_dim):
    return random.standard_normal((n_points, z_dim)) / np.sqrt(np.arange(1.0, z_dim + 1)) + 1


def heavy_cloud(random, n_points, z_dim):
    return (gaussian_cloud(random, n_points, z_dim) - 1) * np.sqrt(6 / random.chisquare(6, (n_points, 1))) + 1


def odd_axes(normal):
    """Skewed axes in turns with ones of heavy tails, all of about one deviation."""
    skewed, heavy = (np.exp(0.5 * normal) - np.exp(0.125)) / 0.6, np.sign(normal) * np.abs(normal) ** 1.5 / 1.26
    return np.where(np.arange(normal.shape[1]) % 2 == 0, skewed, heavy)


def independent_cloud(random, n_points, z_dim):
    """Variances so close that principal components alone would be off by too much."""
    return odd_axes(random.standard_normal((n_points, z_dim))) * 1.4 ** -np.arange(z_dim) + 1


def copula_cloud(random, n_points, z_dim):
    correlation = np.eye(z_dim) + 0.4 * (np.eye(z_dim, k=1) + np.eye(z_dim, k=-1))
    return odd_axes(random.standard_normal((n_points, z_dim)) @ np.linalg.cholesky(correlation).T) + 1


def mixture_cloud(random, n_points, z_dim):
    fixed = random_stream(1, "parts")
    centres = fixed.standard_normal((4, z_dim)) * 1.5
    roots = fixed.standard_normal((4, z_dim, z_dim)) * 0.5 / np.sqrt(z_dim) + np.eye(z_dim) * 0.5
    part = random.integers(4, size=n_points)
    return centres[part] + np.einsum("nij,nj->ni", roots[part], random.standard_normal((n_points, z_dim)))


TRUE_OF = {
    "prior": lambda random, n_points, z_dim: random.standard_normal((n_points, z_dim)),
    "gaussian": gaussian_cloud,
    "elliptical": heavy_cloud,
    "independent": independent_cloud,
    "copula": copula_cloud,
    "mixture": mixture_cloud,
}


NEARLY_KEPT = {"independent": {"skewness", "kurtosis"}}
"""What draws have but for some thousandths, all on one side of the cloud: it is alike, and no rank says anything."""


def ranks_among_draws(name, n_points, z_dim, n_trials, n_draws, look):
    """How many of the draws lie below the cloud, over trials, by what is read; half of those that are just like it."""
    ranks = {}
    for trial in range(n_trials):
        random = random_stream(trial, "test clouds", name)
        fitted = NULLS[name].fit(Cloud(TRUE_OF[name](random, n_points, z_dim).astype(np.float32)), trial)
        own = look(fitted.compared.points)
        draws = [look(fitted.draw(random_stream(trial, "test draws", name, k))) for k in range(n_draws)]
        for quantity, value in own.items():
            others = np.array([draw[quantity] for draw in draws])
            tolerance = 1e-2 if quantity in NEARLY_KEPT.get(name, ()) else 1e-6
            alike = np.abs(others - value) <= tolerance * abs(value)
            ranks.setdefault(quantity, []).append((others[~alike] < value).sum() + alike.sum() / 2)
    return {quantity: np.array(found) for quantity, found in ranks.items()}


def leave_rates(ranks, n_draws):
    """Share of trials in which the cloud lies below or above all draws: 2 / (n_draws + 1) is right."""
    return {quantity: np.mean((found == 0) | (found == n_draws)) for quantity, found in ranks.items()}


def most(nominal, n_trials):
    """What a rate of this true value exceeds in one of some 2,000 rounds of trials."""
    return nominal + 3.3 * np.sqrt(nominal * (1 - nominal) / n_trials)


def test_bands_of_the_radius_of_gaussian_clouds_are_neither_too_wide_nor_too_narrow():
    """Bands around the same mean and covariance, not those of points drawn apart, which are twice as wide."""
    ranks = ranks_among_draws("gaussian", 800, 16, n_trials=200, n_draws=19, look=radius)
    for quantity, rate in leave_rates(ranks, 19).items():
        assert abs(rate - 0.1) < most(0.1, 200) - 0.1, quantity
    for quantity, found in ranks.items():
        outer_half = np.mean((found < 5) | (found > 14))
        assert abs(outer_half - 0.5) < most(0.5, 200) - 0.5, quantity


@pytest.mark.parametrize("name", [name for name in LADDER if name != "mixture"])
def test_what_a_null_model_is_true_of_is_told_apart_by_chance_alone(name):
    ranks = ranks_among_draws(name, 150, 4, n_trials=120, n_draws=19, look=looks)
    for quantity, rate in leave_rates(ranks, 19).items():
        assert rate < most(0.1, 120), quantity


def test_a_mixture_is_told_from_its_own_fit_by_chance_alone():
    ranks = ranks_among_draws("mixture", 400, 3, n_trials=30, n_draws=19, look=looks)
    for quantity, rate in leave_rates(ranks, 19).items():
        assert rate < most(0.1, 30), quantity


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", LADDER)
def test_each_claim_at_five_percent_is_made_in_five_percent_of_the_trials(name):
    n_points = 1200 if name == "mixture" else 600
    ranks = ranks_among_draws(name, n_points, 6, n_trials=400, n_draws=39, look=looks)
    for quantity, rate in leave_rates(ranks, 39).items():
        assert rate < most(0.05, 400), quantity
        if name in {"prior", "gaussian"}:  # exact, but for what is kept to the digit
            assert rate > 0.05 - 3.3 * np.sqrt(0.05 * 0.95 / 400), quantity
