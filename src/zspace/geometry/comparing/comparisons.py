"""One number, or one curve, beside the same of draws from a null model: band, level, p-value and effect."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from zspace.geometry.comparing.ranks import monte_carlo_p, studentised_envelope
from zspace.results import Comparison, Curve, Estimate, Tail

LEVEL = 0.95
"""Chance that a band or an envelope holds one more draw, where there are draws enough."""


_ROUNDING = 1e-9
"""Numbers that differ by a smaller share of themselves are equal but for rounding."""

Draws = Float64[np.ndarray, " n_draws"]
"""One number for each drawn cloud; NaN where it could not be found."""


def kept(numbers: Float64[np.ndarray, " n_numbers"]) -> tuple[float, ...]:
    """Return numbers with the digits that are kept of draws and curves, which are many.

    Examples
    --------
    >>> kept(np.array([0.123456789, 2.0]))
    (0.123457, 2.0)
    """
    return tuple(float(f"{number:.6g}") for number in numbers)


def band_of(draws: Draws) -> tuple[tuple[float, float], float]:
    """Return the shortest stretch of draws that holds one more with `LEVEL`, and with what chance it does.

    It is evenly cut at both ends: with n draws of which c are cut at each end one more lies within with the chance
    (n - 1 - 2 c) / (n + 1), whatever its law. With fewer than 39 draws none is cut, and the chance is below `LEVEL`.

    Examples
    --------
    >>> band_of(np.array([3.0, 1.0, 2.0]))
    ((1.0, 3.0), 0.5)
    """
    cut = max(int((1 - LEVEL) / 2 * (len(draws) + 1) + _ROUNDING) - 1, 0)
    ordered = np.sort(draws)
    return (float(ordered[cut]), float(ordered[-1 - cut])), (len(draws) - 1 - 2 * cut) / (len(draws) + 1)


def rank_p(value: float, draws: Draws, tail: Tail) -> float:
    """Return the chance that a draw goes as far as the value; draws that differ from it by rounding alone go as far."""
    tied = np.abs(draws - value) <= _ROUNDING * np.maximum(np.abs(draws), abs(value))
    return monte_carlo_p(value, np.where(tied, value, draws), tail)


def comparison_of(
    quantity: str,
    null: str,
    value: float,
    draws: Draws,
    tail: Tail,
    n_compared: int | None = None,
) -> Comparison:
    """Return a number beside its draws.

    Parameters
    ----------
    value, draws
        Of the cloud and of the drawn clouds; NaN is what could not be found.
    tail
        The side on which structure shows.
    n_compared
        Points on either side, where they are not all of the cloud's.
    """
    known = draws[~np.isnan(draws)]
    deviation = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    is_known = not np.isnan(value)
    band, level = band_of(known) if len(known) else (None, 0.0)
    return Comparison(
        quantity,
        null,
        value if is_known else None,
        kept(known),
        len(draws) - len(known),
        tail,
        rank_p(value, draws, tail) if is_known and len(draws) else None,
        level,
        band,
        float((value - known.mean()) / deviation) if is_known and deviation > _ROUNDING * abs(value) else None,
        n_compared,
    )


def law_comparison(
    quantity: str,
    null: str,
    value: float,
    band: tuple[float, float],
    p: float,
    tail: Tail,
    effect: float | None = None,
) -> Comparison:
    """Return a number beside its law under the null model, whose band has `LEVEL`: nothing was drawn, or not kept."""
    return Comparison(quantity, null, value, (), 0, tail, p, LEVEL, band, effect)


def beside(
    estimate: Estimate,
    quantity: str,
    null: str,
    draws: Iterable[float | None],
    seed: int,
    tail: Tail = "both",
    compared: tuple[float, int] | None = None,
) -> Estimate:
    """Return an estimate beside the same of drawn clouds; an unknown one, and one without draws, stays as it is.

    Parameters
    ----------
    quantity
        What it is called, after its measure: ``"radius.mean_radius"``.
    draws
        One number for each cloud, None where it could not be found.
    seed
        That the clouds come from.
    compared
        The number of the points that are compared, and how many these are, where they are not all of the cloud's.
    """
    numbers = np.array([np.nan if draw is None else draw for draw in draws], dtype=np.float64)
    if estimate.value is None or not len(numbers):
        return estimate
    value, n_compared = (estimate.value, None) if compared is None else compared
    return replace(estimate, comparison=comparison_of(quantity, null, value, numbers, tail, n_compared), seed=seed)


def curve_beside(curve: Curve, null: str, draws: Float64[np.ndarray, "n_draws n_curves n_y"]) -> Curve:
    """Return curves beside those of drawn clouds: one global envelope for all of them, and one p-value.

    Source
    ------
    `zspace.geometry.comparing.ranks.studentised_envelope`, which few draws suffice for; histograms hold counts.
    """
    step = 1.0 if curve.kind == "histogram" else 0.0
    found = studentised_envelope(curve.y.ravel(), draws.reshape(len(draws), -1), LEVEL, step)
    outside = found.outside.reshape(curve.y.shape).any(axis=0)
    x = (curve.x[1:] + curve.x[:-1]) / 2 if curve.kind == "histogram" else curve.x
    return replace(
        curve,
        null_name=null,
        null_low=found.low.reshape(curve.y.shape),
        null_high=found.high.reshape(curve.y.shape),
        null_level=found.level,
        null_p=found.p,
        null_left_at=tuple(x[outside].tolist()),
    )
