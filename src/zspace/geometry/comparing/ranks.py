"""Monte-Carlo tests: where a cloud stands among the draws of a null model, number by number and all numbers together.

Under the null model cloud and draws are exchangeable, so every rank of the cloud is as likely as any other: the share
of ranks as extreme is a p-value, exact for any number of draws and never zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from zspace.results import Tail

Rows = Float64[np.ndarray, "n_rows n_numbers"]
"""What was found on clouds: the cloud in question first, then the draws; NaN where it could not be found."""

_ROUNDING = 1e-9
"""Deviations that differ by less, in standard deviations, are equal."""


def monte_carlo_p(value: float, draws: Float64[np.ndarray, " n_draws"], tail: Tail) -> float:
    """Return the chance that a draw goes as far as the value, with the value counted among the draws.

    Parameters
    ----------
    value
        Of the cloud.
    draws
        Of the null model; NaN counts as going as far.
    tail
        Where structure shows; "both" doubles the smaller side, up to 1.

    Source
    ------
    Davison and Hinkley 1997, Bootstrap Methods and their Application, equation 4.11.

    Examples
    --------
    >>> monte_carlo_p(5.0, np.array([1.0, 2.0, 3.0]), "high"), monte_carlo_p(5.0, np.array([1.0, 2.0, 3.0]), "both")
    (0.25, 0.5)
    """
    high = (1 + int((~(draws < value)).sum())) / (1 + len(draws))
    low = (1 + int((~(draws > value)).sum())) / (1 + len(draws))
    return {"high": high, "low": low, "both": min(1.0, 2 * min(high, low))}[tail]


def joint_p(rows: Rows, tails: Sequence[Tail]) -> float:
    """Return the chance that a draw goes as far as the cloud in the number in which it goes furthest.

    Numbers are made alike by their mean and standard deviation over all rows. The cloud's row is among these, so that
    all rows are treated alike: were they exchangeable, its largest deviation would be of any rank with equal chance.
    One number far out is enough, however many others there are; ranks alone would not see how far.

    Parameters
    ----------
    rows
        The cloud first, then the draws. What is unknown of a draw counts as going as far as the cloud, what is unknown
        of the cloud must be left out before.
    tails
        Where structure shows, for each number.

    Source
    ------
    Myllymäki et al. 2017, J. R. Stat. Soc. B 79, 381, the studentised maximum deviation.

    Examples
    --------
    >>> joint_p(np.array([[9.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), ["high", "both"])
    0.25
    """
    filled = np.where(np.isnan(rows), rows[0], rows)
    signs = np.array([{"high": 1.0, "low": -1.0}.get(tail, 0.0) for tail in tails])
    scaled = _scaled(filled, filled.mean(axis=0), _spread(filled))
    return _share_as_far(np.where(signs, scaled * signs, np.abs(scaled)).max(axis=1))


def _spread(rows: Rows) -> Float64[np.ndarray, " n_numbers"]:
    """Return the standard deviation of every number over all rows, 0 for what is the same in all up to rounding."""
    spread = rows.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(rows).max(axis=0), spread, 0.0)


def _scaled(rows: Rows, centre: Float64[np.ndarray, " n_numbers"], spread: Float64[np.ndarray, " n_numbers"]) -> Rows:
    """Return deviations from the centre in units of the spread; none where nothing varies."""
    deviations = rows - centre
    return np.asarray(np.divide(deviations, spread, out=np.zeros_like(deviations), where=spread > 0))


def _share_as_far(furthest: Float64[np.ndarray, " n_rows"]) -> float:
    """Return the share of rows that go as far as the first, itself among them."""
    # Rounding must not make the same deviation smaller on one row than on another.
    return float(np.mean(furthest >= furthest[0] - _ROUNDING))


def pointwise_ranks(rows: Rows) -> Int64[np.ndarray, "n_rows n_numbers"]:
    """Return the rank of every row at every number: 1 for the highest and the lowest, ties sharing the worse rank."""
    return np.asarray(np.minimum(_ranks_from_top(rows), _ranks_from_top(-rows)))


def _ranks_from_top(rows: Rows) -> Int64[np.ndarray, "n_rows n_numbers"]:
    """Return how many rows are at least as high, the row itself among them."""
    ordered = np.sort(rows, axis=0)
    return np.stack(
        [len(rows) - np.searchsorted(ordered[:, j], rows[:, j], side="left") for j in range(rows.shape[1])], axis=1
    )


def extreme_rank_lengths(ranks: Int64[np.ndarray, "n_rows n_numbers"]) -> Float64[np.ndarray, " n_rows"]:
    """Return for every row the share of rows that are as extreme or more, by the lengths of their extreme ranks.

    The ranks of each row are sorted, and rows compared by the first in which they differ: the row that is most extreme
    anywhere comes first; of those equally extreme, the one that is so at more places. The share of the first row is its
    p-value for all numbers together, and no number counts for more than another.

    Source
    ------
    Myllymäki, Mrkvička, Grabarnik, Seijo and Hahn 2017, J. R. Stat. Soc. B 79, 381, "extreme rank length"; ties here
    count as more extreme.

    Examples
    --------
    >>> extreme_rank_lengths(np.array([[1, 3], [2, 2], [3, 1], [1, 1]]))
    array([0.75, 1.  , 0.75, 0.25])
    """
    ordered = np.sort(ranks, axis=1)
    places = np.lexsort(ordered.T[::-1])
    steps = np.any(ordered[places][1:] != ordered[places][:-1], axis=1)
    last_of_ties = np.append(np.flatnonzero(steps), len(ranks) - 1)
    shares = np.empty(len(ranks))
    shares[places] = (1 + last_of_ties[np.searchsorted(last_of_ties, np.arange(len(ranks)))]) / len(ranks)
    return shares


@dataclass(frozen=True)
class GlobalEnvelope:
    """The curves of a null model as one region."""

    low: Float64[np.ndarray, " n_x"]
    high: Float64[np.ndarray, " n_x"]
    central: Float64[np.ndarray, " n_x"]
    """Median of the draws."""
    level: float
    """Chance that one more draw stays within at every x."""
    p: float
    outside: Bool[np.ndarray, " n_x"]
    """Where the curve is outside."""


def global_envelope(
    curve: Float64[np.ndarray, " n_x"], draws: Float64[np.ndarray, "n_draws n_x"], level: float
) -> GlobalEnvelope:
    """Return the region that holds the curves of the least extreme draws, and how the curve stands to it.

    Every x counts alike, whatever the law there; for that it takes more draws than `studentised_envelope`.

    Parameters
    ----------
    curve
        Of the cloud.
    draws
        Curves of the null model over the same x.
    level
        Wanted chance that one more draw stays within at every x; with few draws the region holds all of them.

    Source
    ------
    Myllymäki et al. 2017, as `extreme_rank_lengths`: the envelope of all curves whose share is above 1 - level; the
    curve leaves it somewhere if, and but for ties only if, its p-value is at most 1 - level.
    """
    rows = np.vstack([curve, draws])
    shares = extreme_rank_lengths(pointwise_ranks(rows))
    kept = rows[shares > 1 - level]
    low, high = (kept if len(kept) else rows).min(axis=0), (kept if len(kept) else rows).max(axis=0)
    outside = (curve < low) | (curve > high)
    return GlobalEnvelope(low, high, np.median(draws, axis=0), level, float(shares[0]), outside)


def studentised_envelope(
    curve: Float64[np.ndarray, " n_x"], draws: Float64[np.ndarray, "n_draws n_x"], level: float, step: float = 0.0
) -> GlobalEnvelope:
    """Return the region that holds the curves that stay nearest to the middle, and how the curve stands to it.

    It needs fewer draws than `global_envelope`: among 39 draws over hundreds of x nearly every one is the highest or
    the lowest somewhere, so that ranks set none apart; how far it goes there does.

    Parameters
    ----------
    curve
        Of the cloud.
    draws
        Curves of the null model over the same x.
    level
        Wanted chance that one more draw stays within at every x; with few draws the region holds all of them.
    step
        The least by which two curves can differ, 1 for counts: where the deviation is smaller, it counts in steps. A
        single point in a bin that is empty on all other curves is then one step, and not the largest deviation there
        can be.

    Source
    ------
    Myllymäki et al. 2017, as `joint_p`: centre and deviation are the mean and the standard deviation over all curves,
    the cloud's own among them; each curve's largest deviation decides, and the region reaches as far as the largest of
    those that are kept. The curve leaves it somewhere if, and but for ties only if, its p-value is at most 1 - level.
    """
    rows = np.vstack([curve, draws])
    centre, spread = rows.mean(axis=0), np.maximum(_spread(rows), step)
    furthest = np.abs(_scaled(rows, centre, spread)).max(axis=1)
    n_cut = int((1 - level) * len(rows) + _ROUNDING)
    reach = float(np.sort(furthest)[len(rows) - 1 - n_cut]) + _ROUNDING
    outside = np.abs(_scaled(curve[np.newaxis], centre, spread)[0]) > reach
    low, high = centre - reach * spread, centre + reach * spread
    return GlobalEnvelope(low, high, np.median(draws, axis=0), level, _share_as_far(furthest), outside)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number, in the same order; unknown ones do not count.

    Source
    ------
    Holm 1979, Scand. J. Stat. 6, 65: the smallest times their number, the next times one less, and so on, at most 1 and
    none below one before it.

    Examples
    --------
    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for done, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - done)))
        corrected[place] = largest
    return corrected
