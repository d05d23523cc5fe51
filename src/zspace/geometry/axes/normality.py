"""How normal the coordinates are along each axis, judged by skewness and kurtosis, and how many axes beyond chance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.machine import over_blocks
from zspace.seeds import random_stream

FEWEST_POINTS = 20
"""With fewer, the scores below are not yet standard normal."""
FALSE_DISCOVERIES = 0.05
"""Share of the axes called not normal that may be called so by chance."""

_BREATH = 1e-10
"""Variance that is added to those of scores, which are 1."""

Axes = Float64[np.ndarray, " n_axes"]


@dataclass(frozen=True)
class Shape:
    """Skewness and excess kurtosis of axes: both 0 for a normal axis, however centred and broad.

    Parameters
    ----------
    n_points
        Points that they rest on.
    skewness
        Third central moment in cubed deviations, the moments divided by n.
    excess_kurtosis
        Fourth central moment in deviations to the power of four, less 3.
    """

    n_points: int
    skewness: Axes
    excess_kurtosis: Axes

    def p_values(self) -> Axes:
        """Return for every axis the chance that a normal axis would look no more normal.

        Assumes
        -------
        Independent draws, at least `FEWEST_POINTS`.

        Source
        ------
        D'Agostino and Pearson 1973, Biometrika 60, 613: the squared scores of skewness and kurtosis add up to a
        chi-square of 2 degrees of freedom.
        """
        scores = skewness_scores(self.skewness, self.n_points), kurtosis_scores(self.excess_kurtosis, self.n_points)
        return np.asarray(np.exp(-(scores[0] ** 2 + scores[1] ** 2) / 2))


def axis_shapes(cloud: Cloud, axes: Int64[np.ndarray, " n_axes"]) -> Shape:
    """Return skewness and excess kurtosis of these axes, all of which must vary."""

    def powers(block: Float32[np.ndarray, "n_rows z_dim"]) -> Float64[np.ndarray, "3 z_dim"]:
        centred = block.astype(np.float64)
        centred -= cloud.mean
        squared = centred * centred
        second = squared.sum(axis=0)
        centred *= squared
        squared *= squared
        return np.stack([second, centred.sum(axis=0), squared.sum(axis=0)])

    second, third, fourth = np.asarray(sum(over_blocks(powers, cloud.blocks())) / cloud.n_points)[:, axes]
    # Each divided by roots of the second in turn: the squares of tiny coordinates would vanish.
    return Shape(cloud.n_points, third / second / np.sqrt(second), fourth / second / second - 3)


def skewness_scores(skewness: Axes, n_points: int) -> Axes:
    """Return the scores of skewnesses: standard normal for normal axes.

    Source
    ------
    D'Agostino 1970, Biometrika 57, 679.
    """
    unit, delta, alpha = _skewness_constants(n_points)
    return np.asarray(delta * np.arcsinh(skewness / unit / alpha))


def skewness_of_scores(scores: Axes, n_points: int) -> Axes:
    """Return the skewnesses that have these scores."""
    unit, delta, alpha = _skewness_constants(n_points)
    return np.asarray(unit * alpha * np.sinh(scores / delta))


def _skewness_constants(n: float) -> tuple[float, float, float]:
    unit = np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)))
    kurtosis = 3 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2) * (n + 5) * (n + 7) * (n + 9))
    w_squared = np.sqrt(2 * (kurtosis - 1)) - 1
    return float(unit), float(1 / np.sqrt(np.log(w_squared) / 2)), float(np.sqrt(2 / (w_squared - 1)))


def kurtosis_scores(excess_kurtosis: Axes, n_points: int) -> Axes:
    """Return the scores of kurtoses: standard normal for normal axes.

    Source
    ------
    Anscombe and Glynn 1983, Biometrika 70, 227.
    """
    mean, unit, a = _kurtosis_constants(n_points)
    grown = 1 + (excess_kurtosis - mean) / unit * np.sqrt(2 / (a - 4))
    return np.asarray((1 - 2 / (9 * a) - np.cbrt((1 - 2 / a) / grown)) / np.sqrt(2 / (9 * a)))


def kurtosis_of_scores(scores: Axes, n_points: int) -> Axes:
    """Return the excess kurtoses that have these scores."""
    mean, unit, a = _kurtosis_constants(n_points)
    grown = (1 - 2 / a) / (1 - 2 / (9 * a) - scores * np.sqrt(2 / (9 * a))) ** 3
    return np.asarray(mean + unit * (grown - 1) / np.sqrt(2 / (a - 4)))


def _kurtosis_constants(n: float) -> tuple[float, float, float]:
    unit = np.sqrt(24 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5)))
    skewness = 6 * (n**2 - 5 * n + 2) / ((n + 7) * (n + 9)) * np.sqrt(6 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    a = 6 + 8 / skewness * (2 / skewness + np.sqrt(1 + 4 / skewness**2))
    return -6 / (n + 1), float(unit), float(a)


def normal_shapes(
    correlation: Float64[np.ndarray, "n_axes n_axes"], n_points: int, n_clouds: int, seed: int
) -> list[Shape]:
    """Draw the skewnesses and kurtoses of whole null clouds: Gaussians whose axes are correlated as these.

    No points are drawn: the scores of two axes of correlation r are correlated by r ** 3 for skewness and r ** 4
    for kurtosis, for many points exactly so.

    Randomness
    ----------
    A stream of its own for every cloud; two numbers for every axis.

    Source
    ------
    Hermite polynomials of two normal variables of correlation r have the correlation r ** degree (Mehler's formula);
    third and fourth cumulants of a sample are, to leading order, means of such polynomials.
    """
    roots = [_root(correlation**power) for power in (3, 4)]
    shapes = []
    for k in range(n_clouds):
        draws = random_stream(seed, "normal shapes", k).standard_normal((2, len(correlation)))
        skewness, kurtosis = (root @ draw for draw, root in zip(draws, roots, strict=True))
        shapes.append(Shape(n_points, skewness_of_scores(skewness, n_points), kurtosis_of_scores(kurtosis, n_points)))
    return shapes


def _root(covariance: Float64[np.ndarray, "n_axes n_axes"]) -> Float64[np.ndarray, "n_axes n_axes"]:
    """Return a triangular root; axes that are copies of each other get a breath of their own, lest there be none."""
    breathing = covariance.copy()
    np.fill_diagonal(breathing, covariance.diagonal() + _BREATH)
    return np.asarray(np.linalg.cholesky(breathing))


def n_discoveries(p_values: Float64[np.ndarray, " n_axes"]) -> float:
    """Return how many axes are not normal, of which at most the share `FALSE_DISCOVERIES` is expected to be chance.

    Source
    ------
    Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289.

    Examples
    --------
    >>> n_discoveries(np.array([0.03, 0.9, 0.001])), n_discoveries(np.array([0.04, 0.9, 0.9]))
    (2.0, 0.0)
    """
    return float((stats.false_discovery_control(p_values) <= FALSE_DISCOVERIES).sum())
