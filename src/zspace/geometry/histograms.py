"""Counts in bins of one width, aligned so that bin edges are whole multiples of it."""

import numpy as np
from jaxtyping import Float64, Int64

from zspace.errors import TooManyBins

MAX_BINS = 2_000_000
"""More bins than this in one curve, over all of its histograms, are refused: no picture or table could show them."""
_FARTHEST_BIN = 2**52
"""From this bin on, counted from 0, the two edges of a bin may round to the same float64."""


def bin_range(low: float, high: float, width: float, n_histograms: int = 1) -> tuple[int, int]:
    """Return the numbers of the first and last bin, where bin k covers [k * width, (k + 1) * width).

    Parameters
    ----------
    low, high
        Smallest and largest value.
    width
        Width of the bins.
    n_histograms
        How many histograms share these bins.

    Raises
    ------
    TooManyBins
        When the histograms take more than `MAX_BINS` bins in all, or lie so far from 0 that float64 cannot tell the
        edges of a bin apart. Nothing of that size has been allocated by then.
    """
    next_step = "Choose wider bins, or look for runaway points."
    farthest = max(abs(low), abs(high))
    if farthest / width >= _FARTHEST_BIN:
        rule, got = "must be no finer than the rounding of the values", f"{width:g} for values up to {farthest:g}"
        raise TooManyBins("bin width", rule, got, next_step)
    first, last = (int(k) for k in bin_numbers(np.array([low, high]), width))
    n_bins, n_allowed = last - first + 1, MAX_BINS // n_histograms
    if n_bins > n_allowed:
        shared = f", as {n_histograms:,} histograms share them" if n_histograms > 1 else ""
        rule = f"must cover the spread of the points in at most {n_allowed:,} bins{shared}"
        got = f"{n_bins:,} bins of width {width:g} between {low:g} and {high:g}"
        raise TooManyBins("bin width", rule, got, next_step)
    return first, last


def bin_numbers(values: Float64[np.ndarray, "*shape"], width: float) -> Int64[np.ndarray, "*shape"]:
    """Return the number k of each value's bin: k * width <= value < (k + 1) * width, as float64 computes these edges.

    Examples
    --------
    >>> edge = 43 * 0.1
    >>> int(np.floor(edge / 0.1)), int(bin_numbers(np.array([edge]), 0.1)[0])
    (42, 43)
    """
    number = np.floor(values / width)
    # The division rounds, so that a value on an edge, or beside it, may come out one bin off.
    number += (number + 1) * width <= values
    number -= number * width > values
    return number.astype(np.int64)


def bin_edges(first: int, last: int, width: float) -> Float64[np.ndarray, " n_edges"]:
    """Return the edges of bins ``first`` to ``last``: one more than there are bins."""
    return np.arange(first, last + 2) * width


def count_values(
    values: Float64[np.ndarray, " n"], first: int, last: int, width: float
) -> Int64[np.ndarray, " n_bins"]:
    """Count values per bin; those outside bins ``first`` to ``last`` are left out.

    Examples
    --------
    >>> count_values(np.array([0.1, 0.2, 0.6, 9.0]), 0, 1, 0.5)
    array([2, 1])
    """
    index = bin_numbers(values, width) - first
    inside = (index >= 0) & (index <= last - first)
    return np.bincount(index[inside], minlength=last - first + 1)


def fullest_bin_centre(counts: Float64[np.ndarray, " n_bins"], edges: Float64[np.ndarray, " n_edges"]) -> float:
    """Return the middle of the fullest bin; of equally full ones, the first."""
    peak = int(counts.argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)
