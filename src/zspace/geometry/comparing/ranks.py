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


def pointwise_ranks(rows: Rows, tails: Sequence[Tail]) -> Int64[np.ndarray, "n_rows n_numbers"]:
    """Return the rank of every row for every number: 1 for the most extreme; rows that tie share the worse rank.

    Where both tails matter, a row's rank is that of its better side. An unknown number is no evidence: it ranks last.
    """
    n_rows = len(rows)
    high = _ranks_from_top(rows)
    low = _ranks_from_top(-rows)
    sided = {"high": high, "low": low, "both": np.minimum(high, low)}
    ranks = np.stack([sided[tail][:, j] for j, tail in enumerate(tails)], axis=1)
    return np.asarray(np.where(np.isnan(rows), n_rows, ranks))


def _ranks_from_top(rows: Rows) -> Int64[np.ndarray, "n_rows n_numbers"]:
    """Return how many rows are at least as high, the row itself among them; unknown ones count as high."""
    known = np.where(np.isnan(rows), np.inf, rows)
    ordered = np.sort(known, axis=0)
    return np.stack(
        [len(rows) - np.searchsorted(ordered[:, j], known[:, j], side="left") for j in range(rows.shape[1])], axis=1
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
    shares = extreme_rank_lengths(pointwise_ranks(rows, ["both"] * rows.shape[1]))
    kept = rows[shares > 1 - level]
    low, high = (kept if len(kept) else rows).min(axis=0), (kept if len(kept) else rows).max(axis=0)
    outside = (curve < low) | (curve > high)
    return GlobalEnvelope(low, high, np.median(draws, axis=0), level, float(shares[0]), outside)


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
