"""Counts in bins of one width, aligned so that bin edges are whole multiples of it."""

import numpy as np
from jaxtyping import Float64, Int64

from zspace.errors import TooManyBins

MAX_BINS = 1_000_000
"""More bins than this for one histogram are refused: no picture or table could show them."""


def bin_range(low: float, high: float, width: float) -> tuple[int, int]:
    """Return the numbers of the first and last bin, where bin k covers [k * width, (k + 1) * width).

    Raises
    ------
    TooManyBins
        When the spread holds more than `MAX_BINS` bins.
    """
    first, last = int(np.floor(low / width)), int(np.floor(high / width))
    if last - first + 1 > MAX_BINS:
        raise TooManyBins(
            "bin width",
            f"must cover the spread of the points in at most {MAX_BINS:,} bins",
            f"{last - first + 1:,} bins of width {width:g} between {low:g} and {high:g}",
            "Choose wider bins, or look for runaway points.",
        )
    return first, last


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
    index = np.floor(values / width).astype(np.int64) - first
    inside = (index >= 0) & (index <= last - first)
    return np.bincount(index[inside], minlength=last - first + 1)


def fullest_bin_centre(counts: Float64[np.ndarray, " n_bins"], edges: Float64[np.ndarray, " n_edges"]) -> float:
    """Return the middle of the fullest bin; of equally full ones, the first."""
    peak = int(counts.argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)
