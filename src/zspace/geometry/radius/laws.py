"""The law that the distance from the origin follows in a Gaussian cloud, tabulated once and then read off."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int
from scipy.interpolate import CubicHermiteSpline, PchipInterpolator

from zspace.geometry.radius.quadratic_forms import QuadraticForm
from zspace.seeds import random_stream

_N_COARSE = 40
_N_TABLE = 257
"""Places at which the law is computed; cubics between them are good to 1e-6."""
_N_PARTS = 64
"""Parts of the way from one place to the next in which the law is a straight line for drawing from it: 1e-7."""
_ROUGH = 1e-5
"""Error of a cubic over two steps of the table from which on the steps are halved; over one it is a 16th."""
_MOST_HALVINGS = 12
_LOW_REACH, _HIGH_REACH = 9.0, 40.0
"""Deviations of the squared radius below and above its mean beyond which less than 1e-12 of any such law lies."""
_NEXT_TO_NOTHING = 1e-12
_MOMENTS_AGREE = 1e-3
"""Deviations of the squared radius by which the table's mean and deviation may miss those known in closed form."""
_N_DRAWN = 100_000
"""Points that are drawn where the computed law fails this check."""

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
    basis
        How the law was found: computed, or drawn where computing it failed.
    """

    low: float
    high: float
    places: Float64[np.ndarray, " n_places"]
    shares: Float64[np.ndarray, " n_places"]
    slopes: Float64[np.ndarray, " n_places"]
    basis: str = "computed"

    @property
    def is_constant(self) -> bool:
        """Whether all of the law is at one radius."""
        return self.low == self.high

    @property
    def mean(self) -> float:
        """Mean radius, in units of z."""
        # The mean is what the law has not reached yet, added up over all radii.
        places, shares = self.fine
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
        places, known = self.fine
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
    def fine(self) -> tuple[Float64[np.ndarray, " n_fine"], Float64[np.ndarray, " n_fine"]]:
        """Places so close that the law is a straight line between them, and the shares there."""
        steps = np.arange((len(self.places) - 1) * _N_PARTS + 1) / _N_PARTS
        places = np.interp(steps, np.arange(len(self.places)), self.places)
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
    Some 300 values of the law: 0.3 s for 256 dimensions, 1.2 s for 1024. More where the law has steep places.

    Randomness
    ----------
    None, unless the computed law misses the mean or the deviation of the squared radius: then the law is that of
    100,000 points from a stream of its own, and says so as its ``basis``.

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
    with np.errstate(all="ignore"):  # what is not finite is told by the moments
        law = _computed_law(form)
        return law if _has_the_moments(law, form) else _drawn_law(form)


def _computed_law(form: QuadraticForm) -> RadiusLaw:
    least = float((form.offsets[form.deviations == 0] ** 2).sum())
    spread = form.standard_deviation
    coarse = np.linspace(form.mean, form.mean + _HIGH_REACH * spread, _N_COARSE)
    beyond = form.cumulative(coarse) >= 1 - _NEXT_TO_NOTHING
    high = float(np.sqrt(coarse[beyond.argmax() if beyond.any() else -1]))
    low = float(np.sqrt(max(least, form.mean - _LOW_REACH * spread)))

    def tabulate(places: _Radii) -> tuple[_Radii, _Radii]:
        radii = low + (high - low) * places**2
        shares, densities = form.cumulative_and_density(radii**2)
        return shares, densities * 2 * radii * 2 * (high - low) * places

    places = np.linspace(0.0, 1.0, _N_TABLE)
    shares, slopes = tabulate(places)
    for _ in range(_MOST_HALVINGS):
        rough = _rough_steps(places, shares, slopes)
        if len(rough) == 0:
            break
        between = (places[rough] + places[rough + 1]) / 2
        more = tabulate(between)
        places = np.insert(places, rough + 1, between)
        shares, slopes = np.insert(shares, rough + 1, more[0]), np.insert(slopes, rough + 1, more[1])
    # At the smallest radius the density may be infinite while its product with the place is not: the slope of the
    # parabola through the first three places.
    near, far = places[1], places[2]
    rises = (shares[1] - shares[0]) / near, (shares[2] - shares[0]) / far
    slopes[0] = max(0.0, (rises[0] * far - rises[1] * near) / (far - near))
    return RadiusLaw(low, high, places, shares, slopes)


def _rough_steps(places: _Radii, shares: _Radii, slopes: _Radii) -> Int[np.ndarray, " n_rough"]:
    """Return the steps of the table at whose ends the neighbours on both sides do not foretell the law."""
    # The first place's slope may not be known, and nothing is foretold from it.
    before, after = slice(1, -2), slice(3, None)
    whole, part = places[after] - places[before], (places[2:-1] - places[before])
    u = part / whole
    foretold = (
        shares[before] * (1 + 2 * u) * (1 - u) ** 2
        + shares[after] * u**2 * (3 - 2 * u)
        + whole * u * (1 - u) * (slopes[before] * (1 - u) - slopes[after] * u)
    )
    middles = 2 + np.flatnonzero(np.abs(foretold - shares[2:-1]) > _ROUGH)
    return np.union1d(middles - 1, middles)


def _has_the_moments(law: RadiusLaw, form: QuadraticForm) -> bool:
    """Return whether the table has the mean and the deviation of the squared radius, both known in closed form."""
    if law.is_constant or not np.isfinite([law.low, law.high, *law.shares, *law.slopes]).all():
        return False
    places, shares = law.fine
    unit = form.standard_deviation
    y = ((law.low + (law.high - law.low) * places**2) ** 2 - form.mean) / unit
    mean = y[0] + np.trapezoid(1 - shares, y)
    variance = 2 * np.trapezoid((1 - shares) * (y - y[0]), y) - (mean - y[0]) ** 2
    return bool(abs(mean) < _MOMENTS_AGREE and abs(variance - 1) < 2 * _MOMENTS_AGREE)


def _drawn_law(form: QuadraticForm) -> RadiusLaw:
    random = random_stream(0, "gaussian radius law")
    squares = np.zeros(_N_DRAWN)
    for deviation, offset in zip(form.deviations, form.offsets, strict=True):
        squares += (offset + deviation * random.standard_normal(_N_DRAWN)) ** 2
    radii = np.quantile(np.sqrt(squares), np.linspace(0.0, 1.0, _N_TABLE))
    low, high = float(radii[0]), float(radii[-1])
    if low == high:
        return constant_radius_law(low)
    places, first = np.unique(np.sqrt((radii - low) / (high - low)), return_index=True)
    shares = np.linspace(0.0, 1.0, _N_TABLE)[first]
    slopes = PchipInterpolator(places, shares).derivative()(places)
    return RadiusLaw(low, high, places, shares, slopes, f"from {_N_DRAWN} drawn points")
