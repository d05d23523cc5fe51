"""Counts in bins of one width, aligned so that bin edges are whole multiples of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zspace.errors import TooManyBins
from zspace.machine import over_blocks

MAX_BINS = 2_000_000
"""More bins than this in one curve, over all of its histograms, are refused: no picture or table could show them."""
_FARTHEST_BIN = 2**52
"""From this bin on, counted from 0, the two edges of a bin may round to the same float64."""
_FARTHEST_FAST_BIN = 2**18
"""Up to this bin, float32 finds the bin of all values but those very near an edge."""
_BLOCK_VALUES = 1 << 19
"""Values that are counted at a time: they and their bins stay in the cache of a core."""
_N_TASKS = 16
"""Parts that the cores share out: more than there are cores, so that none waits long for the last."""


_MOST_DERIVED_BINS, _MOST_OF_ONE = 200_000, 10_000
"""More bins than this, in one curve and in one histogram, are not made where nobody asked for their width."""
_NICE = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class BinWidth:
    """A width of bins, and where it comes from."""

    width: float
    reason: str


def derived_width(
    spread: float, n_points: int, low: float, high: float, deviation: float, n_histograms: int = 1
) -> BinWidth:
    """Return the width of bins that suits the data, one of 1, 2 and 5 times a power of ten.

    Parameters
    ----------
    spread
        Distance between the quartiles.
    n_points
        Values in one histogram.
    low, high
        Smallest and largest value to be shown.
    deviation
        Standard deviation; used where most values are alike, so that the quartiles tell nothing.
    n_histograms
        How many histograms share these bins.

    Source
    ------
    Freedman and Diaconis 1981: 2 * spread / n_points ** (1 / 3); Scott 1979: 3.49 * deviation / n_points ** (1 / 3).

    Examples
    --------
    >>> derived_width(1.35, 1000, -3.0, 3.0, 1.0).width
    0.2
    """
    rule = "Freedman and Diaconis 1981" if spread > 0 else "Scott 1979, as most values are alike"
    wanted = (2 * spread or 3.49 * deviation) / n_points ** (1 / 3)
    # No finer than can be held, nor than float64 could tell the edges apart.
    most = min(_MOST_OF_ONE, _MOST_DERIVED_BINS // n_histograms)
    finest = max((high - low) / most, max(abs(low), abs(high)) / _FARTHEST_FAST_BIN**2)
    if wanted == 0:
        return BinWidth(max(1.0, _nice_number(finest, at_least=True)), "any width does: all values are equal")
    if wanted < finest:
        reason = "derived from the points: as fine as their range allows, since some lie very far out"
        return BinWidth(_nice_number(finest, at_least=True), reason)
    reason = f"derived from the points: {rule}, taken to the nearest of 1, 2 and 5 times a power of ten"
    return BinWidth(_nice_number(wanted), reason)


def _nice_number(value: float, at_least: bool = False) -> float:
    """Return the number among 1, 2 and 5 times a power of ten that is nearest in ratio, or next above."""
    if value == 0:
        return 0.0
    exponent = int(np.floor(np.log10(value)))
    mantissa = value / 10.0**exponent
    chosen = min(_NICE, key=lambda nice: (nice < mantissa if at_least else False, abs(np.log(nice / mantissa))))
    return float(f"{chosen:g}e{exponent}")  # as it is written: a product would round


def bin_range(
    low: float, high: float, width: float, n_histograms: int = 1, setting: str = "bin width"
) -> tuple[int, int]:
    """Return the numbers of the first and last bin, where bin k covers [k * width, (k + 1) * width).

    Parameters
    ----------
    low, high
        Smallest and largest value.
    width
        Width of the bins.
    n_histograms
        How many histograms share these bins.
    setting
        What the width is called where it is asked for, for messages.

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
        raise TooManyBins(setting, rule, got, next_step)
    first, last = (int(k) for k in bin_numbers(np.array([low, high]), width))
    n_bins, n_allowed = last - first + 1, MAX_BINS // n_histograms
    if n_bins > n_allowed:
        shared = f", as {n_histograms:,} histograms share them" if n_histograms > 1 else ""
        rule = f"must cover the spread of the points in at most {n_allowed:,} bins{shared}"
        got = f"{n_bins:,} bins of width {width:g} between {low:g} and {high:g}"
        raise TooManyBins(setting, rule, got, next_step)
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


def count_sorted(
    values: Float64[np.ndarray, " n"], edges: Float64[np.ndarray, " n_edges"]
) -> Int64[np.ndarray, " n_bins"]:
    """Count sorted values between edges, at the cost of looking up the edges; those outside are left out.

    Examples
    --------
    >>> count_sorted(np.array([0.1, 0.5, 0.6, 9.0]), np.array([0.0, 0.5, 1.0]))
    array([1, 2])
    """
    return np.diff(np.searchsorted(values, edges)).astype(np.int64)


def count_columns(
    points: Float32[np.ndarray, "n_points z_dim"], first: int, last: int, width: float
) -> Int64[np.ndarray, "z_dim n_bins"]:
    """Count the values of every column in bins that all columns share and that hold all values.

    Cost
    ----
    One pass over the points, about 2 ns a value on one core; a few MiB beside the counts.
    """
    n_points, z_dim = points.shape
    n_bins = last - first + 1
    # A block has at least as many values as there are bins: clearing the counts must not cost more than counting.
    rows = max(1, max(_BLOCK_VALUES, n_bins * z_dim) // z_dim)
    starts = np.arange(0, n_points, rows)

    def count(part: Int64[np.ndarray, " n_blocks"]) -> Int64[np.ndarray, " n_counts"]:
        counts, index = np.zeros(z_dim * n_bins, dtype=np.int64), np.empty((rows, z_dim), dtype=np.int64)
        for start in part:
            block = points[start : start + rows]
            _number_shared_bins(block, first, last, width, index[: len(block)])
            counts += np.bincount(index[: len(block)].ravel(), minlength=len(counts))
        return counts

    parts = np.array_split(starts, min(_N_TASKS, len(starts)))
    return np.asarray(sum(over_blocks(count, parts)), dtype=np.int64).reshape(z_dim, n_bins)


def _is_fast(first: int, last: int, width: float) -> bool:
    return max(abs(first), abs(last) + 1) <= _FARTHEST_FAST_BIN and 1e-30 < width < 1e30


def _number_shared_bins(
    block: Float32[np.ndarray, "n_rows z_dim"],
    first: int,
    last: int,
    width: float,
    out: Int64[np.ndarray, "n_rows z_dim"],
) -> None:
    """Write the bin of every value, numbered on from column to column.

    In float32 where that can find them; then only values so near an edge that it cannot be sure are looked at in
    float64.
    """
    shifts = np.arange(block.shape[1]) * (last - first + 1) - first
    if not _is_fast(first, last, width):
        np.add(bin_numbers(block.astype(np.float64), width), shifts, out=out)
        return
    place = block * np.float32(1 / width)
    # Where a width is a power of two, dividing by it is exact; above 1, though, tiny values may vanish.
    is_exact = width <= 1 and np.frexp(width)[0] == 0.5
    reach = max(abs(first), abs(last) + 1) * 2.0**-22
    unsure = None if is_exact else np.nonzero(np.abs(place - np.rint(place)) <= reach)
    np.floor(place, out=place)
    place += shifts.astype(np.float32)  # whole numbers below 2 ** 24, for which float32 has room
    out[...] = place
    if unsure is not None:
        out[unsure] = bin_numbers(block[unsure].astype(np.float64), width) + shifts[unsure[1]]


def expected_counts(
    n_points: int, cumulative: Float64[np.ndarray, "*shape n_edges"]
) -> Float64[np.ndarray, "*shape n_bins"]:
    """Return how many of ``n_points`` points a law puts between edges, given its cumulative chance at each edge.

    A cumulative chance never falls; as computed it may, in its last digits, where next to nothing lies. Such a fall is
    taken for no rise: no count is negative.

    Examples
    --------
    >>> expected_counts(10, np.array([0.0, 3e-20, 2e-20, 1.0]))
    array([3.e-19, 0.e+00, 1.e+01])
    """
    return np.asarray(n_points * np.diff(np.maximum.accumulate(cumulative, axis=-1), axis=-1))


def fullest_bin_centre(counts: Float64[np.ndarray, " n_bins"], edges: Float64[np.ndarray, " n_edges"]) -> float:
    """Return the middle of the fullest bin; of equally full ones, the first."""
    peak = int(counts.argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)
