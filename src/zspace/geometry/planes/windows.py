"""Rectangles of a plane, and what a Gaussian puts into them: chance, law of the count, draws."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

PlanePoints = Float64[np.ndarray, "n_points 2"]
"""Points of a plane by their two coordinates, in units of z."""

_FARTHEST = 9.0
"""Standard deviations beyond which a Gaussian holds nothing that float64 would notice."""
_NEARLY_ONE = 1 - 1e-6
"""From this squared correlation on the plane is taken for a line."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Window:
    """A rectangle; its left and lower edges belong to it, the others do not."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def holds(self, points: PlanePoints) -> Bool[np.ndarray, " n_points"]:
        """Return which points lie in the window."""
        x, y = points.T
        return np.asarray((self.x_low <= x) & (x < self.x_high) & (self.y_low <= y) & (y < self.y_high))


def square(centre: Float64[np.ndarray, " 2"], side: float) -> Window:
    """Return the square of this side around a point.

    Examples
    --------
    >>> square(np.array([1.0, 0.0]), 2.0)
    Window(x_low=0.0, x_high=2.0, y_low=-1.0, y_high=1.0)
    """
    (x, y), reach = centre.tolist(), side / 2
    return Window(x - reach, x + reach, y - reach, y + reach)


@dataclass(frozen=True)
class PlaneGaussian:
    """The normal law of a plane; both deviations positive and the correlation not quite 1 or -1."""

    mean: Float64[np.ndarray, " 2"]
    deviations: Float64[np.ndarray, " 2"]
    correlation: float


def plane_gaussian(mean: Float64[np.ndarray, " 2"], covariance: Float64[np.ndarray, "2 2"]) -> PlaneGaussian | None:
    """Return the Gaussian of this mean and covariance, or None where it has no density on the plane."""
    deviations = np.sqrt(covariance.diagonal())
    scale = float(np.abs(mean).max() + deviations.max())
    if deviations.min() <= 1e-9 * scale:
        return None
    correlation = float(covariance[0, 1] / deviations.prod())
    return PlaneGaussian(mean, deviations, correlation) if correlation**2 < _NEARLY_ONE else None


@dataclass(frozen=True)
class CountLaw:
    """How many of the cloud's points a window holds, were the cloud drawn from the Gaussian fitted to it.

    The mean is exact for the fitted Gaussian. The fit takes part of the scatter away, since mean and covariance of the
    plane follow the points: the variance is that of a binomial count less the part that the five fitted numbers
    explain. The law is the binomial of this mean and variance, whose number of draws need not be whole.
    """

    n_points: int
    probability: float
    explained: float
    """Variance, per point, that the fit takes away."""

    @property
    def expected(self) -> float:
        """Mean of the count."""
        return self.n_points * self.probability

    @property
    def variance(self) -> float:
        """Variance of the count."""
        chance = self.probability
        return self.n_points * max(chance * (1 - chance) - self.explained, 1e-3 * chance * (1 - chance))

    def below(self, counts: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """Return the chance of a count of at most this."""
        if self.probability > 0.5:  # the points outside are the rarer ones: theirs is the law that is skewed
            outside = CountLaw(self.n_points, 1 - self.probability, self.explained)
            return np.asarray(1 - outside.below(self.n_points - counts - 1))
        if self.expected < 1e-12:
            return (counts >= 0).astype(np.float64)
        success = 1 - self.variance / self.expected
        n_draws = self.expected / success
        inside = (counts >= 0) & (counts < n_draws)
        safe = np.where(inside, counts, 0)
        chance = special.betainc(n_draws - safe, safe + 1.0, 1 - success)
        return np.where(inside, chance, (counts >= 0).astype(np.float64))

    def band(self, level: float) -> tuple[int, int]:
        """Return the counts between which one more cloud's count lies with at least this chance."""
        deviation = np.sqrt(self.variance)
        reach = 10 * deviation + 40
        counts = np.arange(
            max(0, int(self.expected - reach)), min(self.n_points, int(self.expected + reach)) + 1, dtype=np.int64
        )
        below = self.below(counts)
        low = int(np.searchsorted(below, (1 - level) / 2))
        high = int(np.searchsorted(below, (1 + level) / 2))
        return int(counts[min(low, len(counts) - 1)]), int(counts[min(high, len(counts) - 1)])

    def p_value(self, count: int) -> float:
        """Return how surprising a count is, two-sided; half the chance of the count itself goes to either side."""
        before, upto = self.below(np.array([count - 1, count], dtype=np.int64)).tolist()
        low = (before + upto) / 2
        return float(min(1.0, 2 * min(low, 1 - low)))


def count_law(gaussian: PlaneGaussian, window: Window, n_points: int) -> CountLaw:
    """Return the law of the count in a window, for a cloud from the Gaussian that was fitted to it.

    Source
    ------
    The chance is the bivariate normal rectangle probability: along one axis in closed form, along the other by
    Gauss-Legendre quadrature to rounding. The fit's share of the variance is the squared projection of the window's
    indicator on the scores of mean and covariance, the first and second Hermite polynomials of the whitened plane
    (as for chi-squared tests with fitted parameters, Chernoff and Lehmann 1954). It holds also where the window
    moves with the fit, as it does with centre and principal components.
    """
    chance, *projections = _window_moments(gaussian, window)
    chance = float(np.clip(chance, 0.0, 1.0))
    return CountLaw(n_points, chance, float(np.sum(np.square(projections))))


def _window_moments(gaussian: PlaneGaussian, window: Window) -> list[float]:
    """Return the window's mean of 1, u, v, (u^2 - 1) / sqrt 2, (v^2 - 1) / sqrt 2 and u v, for the whitened u and v."""
    (x_mean, y_mean), (x_deviation, y_deviation) = gaussian.mean, gaussian.deviations
    slope, rest = gaussian.correlation, np.sqrt(1 - gaussian.correlation**2)
    low, high = (np.array([window.x_low, window.x_high]) - x_mean) / x_deviation
    y_edges = (np.array([window.y_low, window.y_high]) - y_mean) / y_deviation
    low, high = np.clip([low, high], -_FARTHEST, _FARTHEST).tolist()
    u, weights = _quadrature(low, high, y_edges, slope, rest)
    weights = weights * _density(u)
    v_low, v_high = ((edge - slope * u) / rest for edge in y_edges)
    inside = special.ndtr(v_high) - special.ndtr(v_low)
    first = _density(v_low) - _density(v_high)
    second = v_low * _density(v_low) - v_high * _density(v_high)
    integrands = (inside, u * inside, first, (u**2 - 1) / np.sqrt(2) * inside, second / np.sqrt(2), u * first)
    return [float(weights @ values) for values in integrands]


def _quadrature(
    low: float, high: float, y_edges: Float64[np.ndarray, " 2"], slope: float, rest: float
) -> tuple[Float64[np.ndarray, " n_nodes"], Float64[np.ndarray, " n_nodes"]]:
    """Return nodes and weights between two limits, dense where a steep ridge crosses an edge of the window."""
    breaks = [np.linspace(low, high, 9)]
    if abs(slope) > 0.5:
        widths = rest / slope * np.array([-8.0, -4, -2, -1, 0, 1, 2, 4, 8])
        breaks += [edge / slope + widths for edge in y_edges]
    ends = np.unique(np.concatenate(breaks).clip(low, high))
    nodes = [(left + right) / 2 + (right - left) / 2 * _NODES for left, right in pairwise(ends)]
    weights = [(right - left) / 2 * _WEIGHTS for left, right in pairwise(ends)]
    return np.concatenate([*nodes, np.empty(0)]), np.concatenate([*weights, np.empty(0)])


def _density(x: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi))


def gaussian_points_in_window(
    gaussian: PlaneGaussian, window: Window, n_points: int, chance: float, random: np.random.Generator
) -> PlanePoints | None:
    """Draw points of a Gaussian given that they lie in a window.

    Parameters
    ----------
    chance
        Probability of the window, which decides how points are proposed: from the Gaussian itself for wide windows,
        evenly over the window for small ones.

    Returns
    -------
    The points, or None where the Gaussian all but never reaches the window.
    """
    peak = _peak_density(gaussian, window)
    area = (window.x_high - window.x_low) * (window.y_high - window.y_low)
    acceptance = max(chance, chance / (area * peak) if peak > 0 else 0.0)
    if acceptance < 1e-3:
        return None
    drawn: list[PlanePoints] = []
    while (missing := n_points - sum(map(len, drawn))) > 0:
        n_proposed = int(1.1 * missing / acceptance) + 20
        if chance >= acceptance:
            proposed = gaussian_plane_points(gaussian, n_proposed, random)
            drawn.append(proposed[window.holds(proposed)])
        else:
            low = np.array([window.x_low, window.y_low])
            high = np.array([window.x_high, window.y_high])
            proposed = random.uniform(low, high, (n_proposed, 2))
            kept = random.uniform(0, peak, n_proposed) < _plane_density(gaussian, proposed)
            drawn.append(proposed[kept])
    return np.concatenate([*drawn, np.empty((0, 2))])[:n_points]


def gaussian_plane_points(gaussian: PlaneGaussian, n_points: int, random: np.random.Generator) -> PlanePoints:
    """Draw points of a plane's Gaussian."""
    u, v = random.standard_normal((2, n_points))
    v = gaussian.correlation * u + np.sqrt(1 - gaussian.correlation**2) * v
    return np.asarray(gaussian.mean + gaussian.deviations * np.stack([u, v], axis=1))


def _plane_density(gaussian: PlaneGaussian, points: PlanePoints) -> Float64[np.ndarray, " n_points"]:
    u, v = ((points - gaussian.mean) / gaussian.deviations).T
    rest = 1 - gaussian.correlation**2
    exponent = (u**2 - 2 * gaussian.correlation * u * v + v**2) / (2 * rest)
    return np.asarray(np.exp(-exponent) / (2 * np.pi * gaussian.deviations.prod() * np.sqrt(rest)))


def _peak_density(gaussian: PlaneGaussian, window: Window) -> float:
    """Return a bound of the density in a window: its peak where the window holds that, else its highest on the edge."""
    if window.holds(gaussian.mean[np.newaxis])[0]:
        return float(_plane_density(gaussian, gaussian.mean[np.newaxis])[0])
    (x_mean, y_mean), slope = gaussian.mean, gaussian.correlation
    y_over_x = gaussian.deviations[1] / gaussian.deviations[0]
    # Along an edge the density is highest where the other coordinate is what the first one lets expect.
    best = [(x, np.clip(y_mean + slope * y_over_x * (x - x_mean), window.y_low, window.y_high)) for x in
            (window.x_low, window.x_high)]  # fmt: skip
    best += [(np.clip(x_mean + slope / y_over_x * (y - y_mean), window.x_low, window.x_high), y) for y in
             (window.y_low, window.y_high)]  # fmt: skip
    return float(_plane_density(gaussian, np.array(best, dtype=np.float64)).max())
