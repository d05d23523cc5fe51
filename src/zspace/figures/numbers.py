"""How a number is written: the one place where records become digits.

The digits follow from what is known of a number: two significant digits of its interval's half-width where it has an
interval, four significant digits where it has none.
"""

from __future__ import annotations

import math

_MINUS = "\N{MINUS SIGN}"
_TIMES = "\N{MULTIPLICATION SIGN}"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_PLAIN = 1e9
_SMALLEST_PLAIN = 1e-4
_FINE_PERCENT = 0.004
"""Shares whose interval is narrower than this get more than one decimal of a per cent."""


def format_number(value: float, interval: tuple[float, float] | None = None, digits: int = 4) -> str:
    """Return a number with the digits it deserves.

    Parameters
    ----------
    value
        Whole numbers of type int keep all their digits.
    interval
        When given, the value is rounded to two significant digits of the interval's half-width.
    digits
        Significant digits without an interval.

    Examples
    --------
    >>> format_number(17.52341), format_number(4515.2), format_number(162770)
    ('17.52', '4,515', '162,770')
    >>> format_number(17.52341, (17.4, 17.6))
    '17.52'
    """
    if isinstance(value, int):
        return _signed(f"{value:,}")
    if not math.isfinite(value):
        return "∞" if value > 0 else "not a number" if math.isnan(value) else f"{_MINUS}∞"
    if value and not _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return _scientific(value, digits)
    return _signed(f"{value:,.{decimals_of(value, interval, digits)}f}")


def decimals_of(value: float, interval: tuple[float, float] | None = None, digits: int = 4) -> int:
    """Return the digits after the point that a value deserves, so that its interval can be given the same."""
    half_width = (interval[1] - interval[0]) / 2 if interval else 0.0
    if half_width > 0:
        return min(max(0, 1 - math.floor(math.log10(half_width))), 8)
    if value == 0:
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def format_interval(interval: tuple[float, float], value: float | None = None) -> str:
    """Return an interval with the decimals of the value it belongs to, or of its own width.

    Examples
    --------
    >>> format_interval((17.4, 17.6), 17.52341)
    '17.40 to 17.60'
    """
    widest = max(abs(interval[0]), abs(interval[1]))
    if widest and not _SMALLEST_PLAIN <= widest < _LARGEST_PLAIN:
        return _span(*(format_number(end) for end in interval))
    if value is None and interval[0].is_integer() and interval[1].is_integer():
        return _span(*(format_grid(end) for end in interval))
    decimals = decimals_of(widest if value is None else value, interval)
    return _span(*(_signed(f"{end:,.{decimals}f}") for end in interval))


def format_percent(share: float, interval: tuple[float, float] | None = None) -> str:
    """Return a share between 0 and 1 as a percentage.

    Examples
    --------
    >>> format_percent(0.97312, (0.961, 0.982)), format_percent(1.0)
    ('97.3 %', '100 %')
    """
    return f"{_signed(f'{100 * share:.{_percent_decimals(share, interval)}f}')} %"


def format_percent_interval(interval: tuple[float, float]) -> str:
    """Return an interval of shares as percentages.

    Examples
    --------
    >>> format_percent_interval((0.961, 0.982))
    '96.1 to 98.2 %'
    """
    decimals = _percent_decimals(interval[1], interval)
    return _span(*(_signed(f"{100 * end:.{decimals}f}") for end in interval)) + " %"


def format_grid(value: float) -> str:
    """Return a value of a grid, such as a bin edge or a tick, without trailing zeros.

    Examples
    --------
    >>> format_grid(0.15000000000000002), format_grid(2.0), format_grid(4500.0)
    ('0.15', '2', '4,500')
    """
    if value and not _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return _scientific(value, 3)
    text = f"{value:,.{max(0, 5 - math.floor(math.log10(abs(value))))}f}" if value else "0"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def format_duration(seconds: float) -> str:
    """Return a duration in the two largest units that matter.

    Examples
    --------
    >>> format_duration(8.24), format_duration(133.0), format_duration(7384.0)
    ('8.2 s', '2 min 13 s', '2 h 3 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _percent_decimals(share: float, interval: tuple[float, float] | None) -> int:
    if interval and interval[1] > interval[0]:
        wide = interval[1] - interval[0] > _FINE_PERCENT
        return min(1 if wide else 3, max(0, decimals_of(share, interval) - 2))
    return 0 if share in (0.0, 1.0) else 1


def _scientific(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{_signed(mantissa)} {_TIMES} 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)
