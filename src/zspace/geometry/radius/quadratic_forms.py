"""Laws of sums of weighted non-central chi-squares: what the squared radius of a Gaussian cloud follows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float64

_STEP = 0.35
"""Distance of the nodes, in standard deviations of the integrand near the saddle point."""
_STRETCH = 0.3
"""Nodes grow apart at this rate, so that a few dozen of them also reach the long tails of forms of one or two terms."""
_OPENING = 0.6
"""Slope of the path's far ends, real over imaginary; from 1 on, the terms could grow along it without bound."""
_NEGLIGIBLE = -30.0
"""Natural logarithm of what may be cut off, beside 1: 1e-13."""
_MOST_NODES = 2000
_VALUES_AT_ONCE = 1 << 20
"""Complex numbers that are worked on at a time: 16 MiB."""
_POINT_MASS = 1e-13
"""A form whose deviation is a smaller share of its mean is taken as constant: float64 could not tell."""

_NEXT_TO_LEAST = 1e-13
"""Values above the least by less than this share of the mean's distance from it count as the least."""

_Values = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class QuadraticForm:
    """The law of Q = sum of (offset_j + deviation_j * N_j) ** 2 for independent standard normal N_j.

    Parameters
    ----------
    deviations
        Not negative; 0 leaves the square of the offset alone.
    offsets
        As many.

    Units
    -----
    Q is in squared units of both.
    """

    deviations: Float64[np.ndarray, " n_terms"]
    offsets: Float64[np.ndarray, " n_terms"]

    @property
    def mean(self) -> float:
        """Mean of Q."""
        return float((self.deviations**2 + self.offsets**2).sum())

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of Q."""
        # Divided by the largest before it is squared twice, lest tiny clouds come out as 0 and huge ones as infinite.
        largest = float(self.deviations.max(initial=0.0))
        if largest == 0:
            return 0.0
        shares, offsets = self.deviations / largest, self.offsets / largest
        return float(largest * np.sqrt((2 * shares**4 + 4 * (shares * offsets) ** 2).sum()) * largest)

    @property
    def is_constant(self) -> bool:
        """Whether all of Q lies at its mean, as far as float64 can tell."""
        return self.standard_deviation <= _POINT_MASS * self.mean

    def cumulative(self, values: _Values) -> _Values:
        """Return the chance of Q <= each value; absolute error below 1e-9 (of one term, 1e-6)."""
        return self.cumulative_and_density(values)[0]

    def cumulative_and_density(self, values: _Values) -> tuple[_Values, _Values]:
        """Return the chance of Q <= each value, and the density there.

        The integral of the characteristic function is taken through the saddle point s0, along the hyperbola that
        touches the path of steepest descent, where the integrand hardly oscillates: one term or a thousand, equal
        weights or a few dominant ones, the same few dozen nodes do. Both ends of the law keep their relative accuracy.

        With tau = (s - s0) 2 w / (1 - 2 s0 w), a term's share of the exponent beyond its linear part is
        -(log(1 - tau) + tau) / 2 or a positive multiple of tau ** 2 / (1 - tau). Along tau = r exp(i theta) the real
        part of either stays below 0 for every r just when 45 degrees <= theta <= 90 degrees. The hyperbola keeps to
        these angles; a parabola leaves them, and terms of small weight and large offset then overflow.

        Cost
        ----
        About 30 complex logarithms for every pair of value and term: 0.2 s for 256 values and 256 terms.

        Raises
        ------
        ValueError
            Where the form is constant: it has no density.

        Source
        ------
        Rice 1980, SIAM J. Sci. Stat. Comput. 1, 438; Helstrom 1996, IEEE Trans. Aerosp. Electron. Syst. 32, 1186:
        a parabola as contour, here a hyperbola, and nodes that grow apart.
        """
        if self.is_constant:
            raise ValueError("a constant form has no density")
        scaled = _Scaled.of(self)
        cumulative, density = np.zeros_like(values), np.zeros_like(values)
        inside = np.flatnonzero(values - scaled.least > _NEXT_TO_LEAST * (scaled.mean - scaled.least))
        at_once = max(1, _VALUES_AT_ONCE // (64 * len(scaled.weights)))
        for start in range(0, len(inside), at_once):
            rows = inside[start : start + at_once]
            cumulative[rows], density[rows] = scaled.integrate(values[rows])
        return cumulative, density


@dataclass(frozen=True)
class _Scaled:
    """The form in units of its own deviation about its mean, without the terms that do not vary.

    With t = 2 s weight, the logarithm of E exp(s (Q - mean)) is the sum over terms of
    -(log(1 - t) + t) / 2 + noncentrality t ** 2 / (2 (1 - t)): the mean is taken out term by term, since a large
    offset would drown the rest in rounding.
    """

    mean: float
    unit: float
    least: float
    """Smallest possible value of Q."""
    weights: _Values
    noncentralities: _Values

    @classmethod
    def of(cls, form: QuadraticForm) -> "_Scaled":
        spread = form.deviations > 1e-12 * form.deviations.max()
        unit = form.standard_deviation
        deviations, offsets = form.deviations[spread], form.offsets[spread]
        return cls(
            mean=form.mean,
            unit=unit,
            least=float((form.offsets[~spread] ** 2).sum()),
            weights=deviations * (deviations / unit),
            noncentralities=(offsets / deviations) ** 2,
        )

    def log_transform(self, s: Complex128[np.ndarray, "*shape"]) -> Complex128[np.ndarray, "*shape"]:
        """Return log E exp(s y) for the standardised form y."""
        t = 2 * s[..., np.newaxis] * self.weights
        rest = 1 - t
        return np.asarray((t * t / rest) @ self.noncentralities - (np.log(rest) + t).sum(axis=-1)) / 2

    def derivatives(self, s: _Values) -> tuple[_Values, _Values, _Values]:
        """Return the first three derivatives of `log_transform` at real s."""
        t = 2 * s[:, np.newaxis] * self.weights
        ratio, w, nu = 1 / (1 - t), self.weights, self.noncentralities
        first = (w * t * ratio + nu * w * t * (2 - t) * ratio**2).sum(axis=1)
        second = (2 * w**2 * ratio**2 + 4 * nu * w**2 * ratio**3).sum(axis=1)
        third = (8 * w**3 * ratio**3 + 24 * nu * w**3 * ratio**4).sum(axis=1)
        return first, second, third

    def saddle_points(self, y: _Values, upper: np.ndarray) -> _Values:
        """Return where log_transform(s) - s y - log|s| is least: right of 0 for the upper tail, left for the lower.

        The function is convex on each side, so bisection cannot fail; it starts from brackets that hold the root.
        """
        lowest = (self.mean - self.least) / self.unit
        reach = len(self.weights) / 2 + self.noncentralities.sum() / 2 + 2
        # Left: as s -> -inf the slope is about -(y + lowest) - (n_terms / 2 + 1) / s.
        left = np.where(upper, 0.0, -2 * reach / (y + lowest) - 1.0)
        right = np.where(upper, 1 / (2 * self.weights.max()), 0.0)
        for _ in range(60):
            middle = (left + right) / 2
            slope = self.derivatives(middle)[0] - y - 1 / middle
            left, right = np.where(slope < 0, middle, left), np.where(slope < 0, right, middle)
        return (left + right) / 2

    def integrate(self, values: _Values) -> tuple[_Values, _Values]:
        """Return the cumulative law and the density at values above the least."""
        y = (values - self.mean) / self.unit
        upper = y >= 0
        s0 = self.saddle_points(y, upper)
        _, second, third = self.derivatives(s0)
        width = 1 / np.sqrt(second + 1 / s0**2)
        # The pole is left out of the bend: without it the path always opens towards the singular points.
        bend = third / (6 * second)
        top = self.log_transform(s0.astype(complex)).real - s0 * y
        tail, density = np.zeros_like(y), np.zeros_like(y)
        for node in range(_MOST_NODES):
            u = np.sinh(_STRETCH * node * _STEP) / _STRETCH
            step = _STEP * np.cosh(_STRETCH * node * _STEP) * (0.5 if node == 0 else 1.0)
            v = width * u
            root = np.sqrt(1 + (2 * bend * v / _OPENING) ** 2)
            s = s0 + 1j * v + 2 * bend * v**2 / (1 + root)
            exponent = self.log_transform(s) - s * y - top
            weight = step * width * np.exp(exponent) * (1 + 2 * bend * v / root / 1j)
            tail += (weight / s).real
            density += weight.real
            if exponent.real.max() < _NEGLIGIBLE:
                break
        tail *= np.exp(top) / np.pi
        cumulative = np.where(upper, 1 - tail, -tail)
        return cumulative.clip(0, 1), (density * np.exp(top) / np.pi / self.unit).clip(min=0)
