import pytest

from zspace.figures.numbers import (
    format_duration,
    format_grid,
    format_interval,
    format_number,
    format_percent,
    format_percent_interval,
)


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (17.52341, None, "17.52"),
        (17.52341, (17.48, 17.56), "17.523"),
        (17.52341, (15.0, 20.0), "17.5"),
        (4515.2, None, "4,515"),
        (162_770, None, "162,770"),
        (0.49012, None, "0.4901"),
        (0.0, None, "0"),
        (-2.02, None, "\N{MINUS SIGN}2.020"),
        (1.74e-5, None, "1.74 \N{MULTIPLICATION SIGN} 10⁻⁵"),
        (4.352e10, None, "4.352 \N{MULTIPLICATION SIGN} 10¹⁰"),
        (float("inf"), None, "∞"),
        (float("nan"), None, "not a number"),
    ],
)
def test_a_number_gets_the_digits_it_deserves(value, interval, text):
    assert format_number(value, interval) == text


@pytest.mark.parametrize(
    ("interval", "value", "text"),
    [
        ((17.48, 17.56), 17.52341, "17.480 to 17.560"),
        ((-1.25, 3.25), 1.0, "\N{MINUS SIGN}1.2 to 3.2"),
        ((113.0, 115.0), None, "113 to 115"),
        ((113.0, 113.0), None, "113"),
        ((0.0, 0.0), None, "0"),
        ((1e-7, 3e-7), None, "1 \N{MULTIPLICATION SIGN} 10⁻⁷ to 3 \N{MULTIPLICATION SIGN} 10⁻⁷"),
    ],
)
def test_an_interval_has_the_decimals_of_its_value(interval, value, text):
    assert format_interval(interval, value) == text


@pytest.mark.parametrize(
    ("share", "interval", "text"),
    [
        (0.973, (0.96, 0.98), "97.3 %"),
        (1.0, None, "100 %"),
        (0.5, (0.2, 0.8), "50 %"),
        (0.005, (0.00501, 0.00512), "0.500 %"),
    ],
)
def test_shares_are_percentages(share, interval, text):
    assert format_percent(share, interval) == text


def test_percent_intervals():
    assert format_percent_interval((0.961, 0.982)) == "96.1 to 98.2 %"
    assert format_percent_interval((0.0, 0.0)) == "0 %"


def test_grids_lose_rounding_dust():
    assert format_grid(0.15000000000000002) == "0.15"
    assert format_grid(-2.0) == "\N{MINUS SIGN}2"
    assert format_grid(1_234_567.0) == "1,234,567"


@pytest.mark.parametrize(
    ("seconds", "text"), [(8.24, "8.2 s"), (59.99, "60.0 s"), (133.0, "2 min 13 s"), (7384.0, "2 h 3 min")]
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text
