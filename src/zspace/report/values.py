"""A number as it stands in the page: shown with the digits it deserves, kept exactly in the markup."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from zspace.figures.numbers import (
    format_duration,
    format_grid,
    format_interval,
    format_number,
    format_percent,
    format_percent_interval,
)
from zspace.results import Estimate

ALARM = 0.05
"""A number with a p-value of at most this is told apart from the null model."""
NOT_RECORDED = "no reason was recorded"


@dataclass(frozen=True)
class Number:
    """Text for people and the exact value for programs, as HTML's ``data`` element."""

    text: str
    exact: str

    def __html__(self) -> str:
        """Return the markup; templates insert it as it is."""
        return Markup('<data value="{}">{}</data>').format(self.exact, self.text)

    def __str__(self) -> str:
        """Return what people read."""
        return self.text


def number(value: float, interval: tuple[float, float] | None = None) -> Number:
    """Return a number with the digits of its interval, or with four."""
    return Number(format_number(value, interval), repr(value))


def share(value: float, interval: tuple[float, float] | None = None) -> Number:
    """Return a share between 0 and 1, shown as a percentage."""
    return Number(format_percent(value, interval), repr(value))


def duration(seconds: float) -> Number:
    """Return a duration in its largest units."""
    return Number(format_duration(seconds), repr(seconds))


def is_share(estimate: Estimate) -> bool:
    """Return whether an estimate is a share of something, which people read best in per cent."""
    return estimate.unit.split(" ")[0] in ("share", "fraction")


def estimate_number(estimate: Estimate) -> Number | None:
    """Return the value of an estimate, or None when it is not known."""
    if estimate.value is None:
        return None
    if is_share(estimate):
        return share(estimate.value, estimate.interval)
    if estimate.interval is None and estimate.value == float(f"{estimate.value:.4g}"):
        # Counts and bin widths are exact; trailing zeros would only pretend to be digits.
        return Number(format_grid(estimate.value), repr(estimate.value))
    return number(estimate.value, estimate.interval)


def unit_words(estimate: Estimate) -> str:
    """Return the unit as it follows the number: a share is written in per cent of its whole."""
    return estimate.unit.partition(" ")[2] if is_share(estimate) else estimate.unit


def estimate_words(estimate: Estimate | None, *, with_unit: bool = True) -> Number | str:
    """Return value, interval and unit of an estimate in one phrase, or why it is not known."""
    if estimate is None:
        return "not measured"
    shown = estimate_number(estimate)
    if shown is None:
        return f"not known: {estimate.reason or NOT_RECORDED}"
    interval = interval_words(estimate)
    phrase = f"{shown} ({interval})" if interval else str(shown)
    return Number(f"{phrase} {unit_words(estimate) if with_unit else ''}".strip(), shown.exact)


def interval_words(estimate: Estimate) -> str:
    """Return the interval of an estimate, or nothing when it has none."""
    if estimate.interval is None:
        return ""
    if is_share(estimate):
        return format_percent_interval(estimate.interval)
    return format_interval(estimate.interval, estimate.value)


def level_words(estimate: Estimate) -> str:
    """Return level and method of an interval, such as ``95 %, bootstrap``."""
    level = f"{format_grid(100 * estimate.level)} %" if estimate.level is not None else ""
    return ", ".join(part for part in (level, estimate.interval_method or "") if part)


def band_words(estimate: Estimate) -> str:
    """Return the null band of an estimate, or nothing when it has none."""
    if estimate.band is None:
        return ""
    if is_share(estimate):
        return format_percent_interval(estimate.band)
    return format_interval(estimate.band)


def band_level_words(estimate: Estimate) -> str:
    """Return how much of the null model a band holds, such as ``95 % of 39 draws``, or nothing without a band."""
    compared = estimate.comparison
    if compared is None or compared.band is None:
        return ""
    of = f" of {len(compared.draws)} draws" if compared.draws else ""
    return f"{format_grid(float(f'{100 * compared.level:.3g}'))} %{of}"


def band_verdict(estimate: Estimate) -> str:
    """Return where the value lies beside its null model: ``below``, ``inside`` or ``above``, or nothing.

    Only a p-value of at most `ALARM` says below or above: few draws make a band that is easily left.
    """
    compared = estimate.comparison
    if compared is None or compared.value is None or compared.band is None:
        return ""
    low, high = compared.band
    if compared.p is not None and compared.p <= ALARM:
        return "below" if compared.value < (low + high) / 2 else "above"
    return "inside" if low <= compared.value <= high else ""
