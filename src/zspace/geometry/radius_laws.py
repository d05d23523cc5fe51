"""The law that the distance from the origin follows in a Gaussian cloud, tabulated once and then read off."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import CubicHermiteSpline

from zspace.geometry.quadratic_forms import QuadraticForm

_N_COARSE = 40
_N_TABLE = 257
"""Places at which the law is computed; cubics between them are good to 1e-6."""
_N_FINE = 1 << 14
"""Places between which the law is a straight line for drawing from it: good to 1e-7."""
_LOW_REACH, _HIGH_REACH = 9.0, 40.0
"""Deviations of the squared radius below and above its mean beyond which less than 1e-12 of any such law lies."""
_NEXT_TO_NOTHING = 1e-12

_Radii = Float64[np.ndarray, " n"]


@dataclass(frozen=True)
class RadiusLaw:
    """The law of the radius of a Gaussian cloud.

    Parameters
    ----------
    low, high
        Radii between which all but 1e-12 of the law lies; equal if all of it is at one radius.
    places
        Numbers from 0 to 1 that stand for the radii low + (high - low) * place ** 2: next to the smallest radius a
        law may rise like a square root, which is smooth in these numbers.
    shares
        Chance of a radius up to each place.
    slopes
        Change of that chance with the place.
    """

    low: float
    high: float
    places: Float64[np.ndarray, " n_places"]
    shares: Float64[np.ndarray, " n_places"]
    slopes: Float64[np.ndarray, " n_places"]

    @property
    def is_constant(self) -> bool:
        """Whether all of the law is at one radius."""
        return self.low == self.high

    @property
    def mean(self) -> float:
        """Mean radius, in units of z."""
        # The mean is what the law has not reached yet, added up over all radii.
        places, shares = self._fine
        return self.low + (self.high - self.low) * float(np.trapezoid(1 - shares, places**2))

    @property
    def peak(self) -> float:
        """Radius at which the density over the radius is highest, in units of z."""
        if self.is_constant:
            return self.low
        inner = slice(1, None)  # at the very start the density may be infinite, and is not known
        density = self.slopes[inner] / self.places[inner]
        top, radii = int(density.argmax()), self.low + (self.high - self.low) * self.places[inner] ** 2
        if top in (0, len(density) - 1):
            return self.low if top == 0 else self.high
        curvature, slope, _ = np.polyfit(radii[top - 1 : top + 2] - radii[top], density[top - 1 : top + 2], 2)
        return float(radii[top] - slope / (2 * curvature))

    def cumulative(self, radii: _Radii) -> _Radii:
        """Return the chance of a smaller radius than each; absolute error below 1e-6."""
        if self.is_constant:
            return (radii > self.low).astype(np.float64)
        place = np.sqrt(((radii - self.low) / (self.high - self.low)).clip(0.0, 1.0))
        return np.asarray(CubicHermiteSpline(self.places, self.shares, self.slopes)(place).clip(0.0, 1.0))

    def quantiles(self, shares: _Radii) -> _Radii:
        """Return the radii below which these shares of the law lie; fastest where the shares are sorted."""
        places, known = self._fine
        return np.asarray(self.low + (self.high - self.low) * np.interp(shares, known, places) ** 2)

    def draw_sorted(self, n_points: int, random: np.random.Generator) -> Float64[np.ndarray, " n_points"]:
        """Draw the radii of ``n_points`` independent points and return them sorted.

        Randomness
        ----------
        Uses ``random`` only; n_points + 1 exponential numbers, whatever the number of dimensions.

        Source
        ------
        Sorted uniform numbers are sums of exponential ones divided by their total: Devroye 1986, Non-Uniform Random
        Variate Generation, V.3.1.
        """
        arrivals = random.standard_exponential(n_points + 1).cumsum()
        return self.quantiles(arrivals[:-1] / arrivals[-1])

    @cached_property
    def _fine(self) -> tuple[Float64[np.ndarray, " n_fine"], Float64[np.ndarray, " n_fine"]]:
        places = np.linspace(0.0, 1.0, _N_FINE)
        if self.is_constant:
            return places, places
        shares = CubicHermiteSpline(self.places, self.shares, self.slopes)(places).clip(0.0, 1.0)
        return places, np.maximum.accumulate(shares)


def constant_radius_law(radius: float) -> RadiusLaw:
    """Return the law of a cloud all of whose points lie at one radius."""
    ends = np.array([0.0, 1.0])
    return RadiusLaw(radius, radius, ends, ends, np.ones(2))


def gaussian_radius_law(deviations: Float64[np.ndarray, " z_dim"], offsets: Float64[np.ndarray, " z_dim"]) -> RadiusLaw:
    """Return the law of the radius of a Gaussian with these deviations and centre along its principal components.

    Cost
    ----
    Some 300 values of the law: 0.3 s for 256 dimensions, 1.2 s for 1024.

    Source
    ------
    The squared radius is a sum of weighted non-central chi-squares: see `QuadraticForm`.

    Examples
    --------
    >>> law = gaussian_radius_law(np.ones(2), np.zeros(2))
    >>> law.cumulative(np.array([1.0])).round(6).item()  # 1 - exp(-1 / 2)
    0.393469
    """
    form = QuadraticForm(deviations, offsets)
    if form.is_constant:
        return constant_radius_law(float(np.sqrt(form.mean)))
    least = float((offsets[deviations == 0] ** 2).sum())
    spread = form.standard_deviation
    coarse = np.linspace(form.mean, form.mean + _HIGH_REACH * spread, _N_COARSE)
    beyond = form.cumulative(coarse) >= 1 - _NEXT_TO_NOTHING
    high = float(np.sqrt(coarse[beyond.argmax() if beyond.any() else -1]))
    low = float(np.sqrt(max(least, form.mean - _LOW_REACH * spread)))
    places = np.linspace(0.0, 1.0, _N_TABLE)
    radii = low + (high - low) * places**2
    shares, densities = form.cumulative_and_density(radii**2)
    slopes = densities * 2 * radii * 2 * (high - low) * places
    # At the smallest radius the density may be infinite while its product with the place is not.
    slopes[0] = max(0.0, (-3 * shares[0] + 4 * shares[1] - shares[2]) / (2 * places[1]))
    return RadiusLaw(low, high, places, shares, slopes)
