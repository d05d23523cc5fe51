"""Known clouds that are as thick as their space: Gaussians, and what differs from them in one stated way."""

import numpy as np
from jaxtyping import Float64
from scipy import special, stats

from zspace.geometry.truths.frames import N_LEADING, averaging_one, power_law, turned
from zspace.seeds import random_stream
from zspace.shapes import Points

SKEWED_SCALE = 0.6
"""Of the logarithm of the skewed law."""
PEAKED_POWER = 1.6
"""The peaked law is that of a normal number raised to this power, its sign kept."""
N_ODD = 6
"""Leading components with odd laws; their variances fall by half as much again from each to the next, so that
principal components find them."""


def turned_gaussian_points(
    n_points: int, z_dim: int, seed: int, *, exponent: float = 1.0, shape_seed: int = 0
) -> Points:
    """Draw from a Gaussian whose principal variances fall as a power of their rank, turned away from the axes."""
    normal = random_stream(seed, "truth", "turned gaussian").standard_normal((n_points, z_dim))
    return turned(normal * np.sqrt(power_law(z_dim, exponent)), shape_seed)


def heavy_tailed_points(n_points: int, z_dim: int, seed: int, *, freedom: float = 5.0, shape_seed: int = 0) -> Points:
    """Draw from a multivariate t law with this many degrees of freedom, above 2; its covariance is a power law's."""
    random = random_stream(seed, "truth", "heavy-tailed")
    normal = random.standard_normal((n_points, z_dim)) * np.sqrt(power_law(z_dim))
    return turned(normal * np.sqrt((freedom - 2) / random.chisquare(freedom, (n_points, 1))), shape_seed)


def skewed(normal: Float64[np.ndarray, " n_points"]) -> Float64[np.ndarray, " n_points"]:
    """Turn standard normal numbers into ones of a log-normal law with mean 0 and variance 1."""
    square = SKEWED_SCALE**2
    deviation = np.sqrt((np.exp(square) - 1) * np.exp(square))
    return np.asarray((np.exp(SKEWED_SCALE * normal) - np.exp(square / 2)) / deviation)


def peaked(normal: Float64[np.ndarray, " n_points"]) -> Float64[np.ndarray, " n_points"]:
    """Turn standard normal numbers into ones of a law with a peak and heavy tails, mean 0 and variance 1."""
    variance = 2**PEAKED_POWER * special.gamma(PEAKED_POWER + 0.5) / np.sqrt(np.pi)
    return np.asarray(np.sign(normal) * np.abs(normal) ** PEAKED_POWER / np.sqrt(variance))


def _with_odd_laws(normal: Float64[np.ndarray, "n_points z_dim"], n_odd: int) -> Float64[np.ndarray, "n_points z_dim"]:
    odd = normal.copy()
    for column in range(n_odd):
        odd[:, column] = (skewed, peaked)[column % 2](normal[:, column])
    return odd


def independent_points(n_points: int, z_dim: int, seed: int, *, shape_seed: int = 0) -> Points:
    """Draw independent components: skewed and peaked laws in turn along the leading ones, normal beyond."""
    n_odd = min(N_ODD, z_dim)
    falling = 1.5 ** -np.arange(n_odd + 1.0)
    beyond = falling[-1] / np.arange(1.0, z_dim - n_odd + 1)
    variances = averaging_one(np.concatenate([falling[:n_odd], beyond]))
    normal = random_stream(seed, "truth", "independent").standard_normal((n_points, z_dim))
    return turned(_with_odd_laws(normal, n_odd) * np.sqrt(variances), shape_seed)


def copula_points(n_points: int, z_dim: int, seed: int, *, correlation: float = 0.7) -> Points:
    """Draw skewed and peaked laws in turn along the axes, tied to one another by a Gaussian copula.

    Behind axes i and j stand normal numbers that are correlated by ``correlation ** |i - j|``. The axes are not turned:
    a copula belongs to its axes.
    """
    steps = random_stream(seed, "truth", "copula").standard_normal((n_points, z_dim))
    normal = steps.copy()
    for axis in range(1, z_dim):
        normal[:, axis] = correlation * normal[:, axis - 1] + np.sqrt(1 - correlation**2) * steps[:, axis]
    return np.asarray(_with_odd_laws(normal, z_dim), dtype=np.float32)


def shell_points(n_points: int, z_dim: int, seed: int, *, width: float = 0.05) -> Points:
    """Draw from a thin shell about the origin: the distance is normal, its deviation this share of its mean.

    The mean square of the distance is the number of dimensions, as that of N(0, I).
    """
    random = random_stream(seed, "truth", "shell")
    normal = random.standard_normal((n_points, z_dim))
    radii = np.sqrt(z_dim / (1 + width**2)) * (1 + width * random.standard_normal((n_points, 1)))
    return np.asarray(radii * normal / np.linalg.norm(normal, axis=1, keepdims=True), dtype=np.float32)


def hollow_points(n_points: int, z_dim: int, seed: int, *, missing: float = 0.4, shape_seed: int = 0) -> Points:
    """Draw from a Gaussian without its inside: nothing within a Mahalanobis radius in the leading components.

    Parameters
    ----------
    n_points, z_dim, seed
        How many points, in how many dimensions, drawn from which streams.
    missing
        Share of the Gaussian's points that would lie within; `hole_radius` is the radius.
    shape_seed
        Of the directions of the components.
    """
    random = random_stream(seed, "truth", "hollow")
    normal = random.standard_normal((n_points, z_dim))
    inner = normal[:, :N_LEADING]
    radii = stats.chi(inner.shape[1]).ppf(random.uniform(missing, 1, (n_points, 1)))
    inner *= radii / np.linalg.norm(inner, axis=1, keepdims=True)
    return turned(normal * np.sqrt(power_law(z_dim)), shape_seed)


def hole_radius(z_dim: int, missing: float = 0.4) -> float:
    """Return the Mahalanobis radius, in the leading `N_LEADING` components, within which there is no point."""
    return float(stats.chi(min(N_LEADING, z_dim)).ppf(missing))


def repeated_points(n_points: int, z_dim: int, seed: int, *, repeats: float = 0.3, shape_seed: int = 0) -> Points:
    """Draw from a turned Gaussian, then let this share of the points be copies of others."""
    n_different = n_points - round(repeats * n_points)
    different = turned_gaussian_points(n_different, z_dim, seed, shape_seed=shape_seed)
    random = random_stream(seed, "truth", "repeated")
    chosen = np.concatenate([np.arange(n_different), random.integers(n_different, size=n_points - n_different)])
    return np.asarray(different[random.permutation(chosen)])


def direction_points(
    n_points: int, z_dim: int, seed: int, *, concentration: float = 1.0, shape_seed: int = 0
) -> Points:
    """Draw points on the unit sphere that keep to one side, as embeddings of images by CLIP do.

    Each is a fixed direction, ``concentration`` long, plus a Gaussian of size 1, scaled to length 1.
    """
    random = random_stream(seed, "truth", "direction")
    coordinates = random.standard_normal((n_points, z_dim)) * np.sqrt(power_law(z_dim) / z_dim)
    direction = random_stream(shape_seed, "truth", "direction", "mean").standard_normal(z_dim)
    coordinates += concentration * direction / np.linalg.norm(direction)
    return turned(coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True), shape_seed)


def heap_points(
    n_points: int, z_dim: int, seed: int, *, n_heaps: int = 5, distance: float = 10.0, shape_seed: int = 0
) -> Points:
    """Draw from Gaussians of equal weight and covariance, of which the nearest two centres are a stated distance apart.

    The distance is in Mahalanobis units: at 4 two heaps touch, at 10 nothing lies between them. The centres differ in
    the leading components only.
    """
    random = random_stream(seed, "truth", "heaps of a shape")
    variances = power_law(z_dim)
    normal = random.standard_normal((n_points, z_dim))
    centres = distance * spread_centres(n_heaps, min(z_dim, N_LEADING), shape_seed)
    normal[:, : centres.shape[1]] += centres[random.integers(n_heaps, size=n_points)]
    return turned(normal * np.sqrt(variances), shape_seed)


def spread_centres(n_centres: int, n_dims: int, shape_seed: int) -> Float64[np.ndarray, "n_centres n_dims"]:
    """Return centres of which the nearest two are 1 apart: of many draws, that which is spread most evenly."""
    draws = random_stream(shape_seed, "truth", "centres").standard_normal((64, n_centres, n_dims))
    first, second = np.triu_indices(n_centres, 1)
    nearest = np.linalg.norm(draws[:, first] - draws[:, second], axis=2).min(axis=1)
    best = (nearest / np.linalg.norm(draws - draws.mean(axis=1, keepdims=True), axis=(1, 2))).argmax()
    return np.asarray((draws[best] - draws[best].mean(axis=0)) / nearest[best])
