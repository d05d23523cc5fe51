"""How many clusters a curve of inertia speaks for: an elbow, and the gap statistic, either of which may say none."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

_REACH = 1.5
"""The slope before k is taken from k / 1.5 to k, the one after it from k to 1.5 k."""
SHARP = 0.5
"""From this bend on a corner is an elbow."""
ELBOW_RULE = (
    f"k where the slope of log inertia over log k, from k to {_REACH:g} k, falls furthest below what the slope from "
    f"k / {_REACH:g} to k and the null model's own change of slope let expect; an elbow if to less than "
    f"{SHARP:.0%} of that"
)
GAP_RULE = (
    "Tibshirani, Walther and Hastie 2001: smallest k with gap(k) >= gap(next k) - s(next k), where gap is the null "
    "model's mean log inertia less the cloud's, s its standard deviation * sqrt(1 + 1 / number of reference clouds)"
)

Counts = Int64[np.ndarray, " n_ks"]
"""Numbers of clusters, rising from 1."""
PerCount = Float64[np.ndarray, " n_ks"]
"""One value for each of them."""
References = Float64[np.ndarray, "n_references n_ks"]
"""Log of inertia as a share of that at k = 1, one reference cloud a row."""


@dataclass(frozen=True)
class Corner:
    """Where a curve of inertia bends most, beyond what the null model does there."""

    k: int
    bend: float
    """Share of the expected slope that is lost after k: 0 for none of it, 1 when the curve goes on flat."""


def sharpest_corner(ks: Counts, log_shares: PerCount, expected: PerCount) -> Corner | None:
    """Return the sharpest corner of a curve of log inertia, or None when it is too short to have one.

    Parameters
    ----------
    log_shares
        Log of inertia as a share of that at k = 1.
    expected
        The same of the null model.

    Examples
    --------
    >>> ks = np.arange(1, 13)
    >>> straight = -0.5 * np.log(ks)
    >>> sharpest_corner(ks, np.maximum(straight, straight[3]), straight)
    Corner(k=4, bend=1.0)
    """
    inside = (ks > 1) & (_REACH * ks <= ks[-1])
    if not inside.any():
        return None
    places = ks[inside]
    before, after = _slopes(ks, log_shares, places)
    null_before, null_after = _slopes(ks, expected, places)
    # A null model that does not fall before k cannot say how the slope should change: then it should not.
    change = np.divide(null_after, null_before, out=np.ones(len(places)), where=null_before > 0)
    due = before * change
    falls = due - after
    sharpest = int(falls.argmax())
    if due[sharpest] <= 0:
        return Corner(int(places[sharpest]), 0.0)
    return Corner(int(places[sharpest]), float(np.clip(falls[sharpest] / due[sharpest], 0, 1)))


def gaps_of(log_shares: PerCount, references: References) -> PerCount:
    """Return the gap: how far log inertia lies below its mean over the reference clouds."""
    return np.asarray(references.mean(axis=0) - log_shares)


def gap_choice(ks: Counts, gaps: PerCount, references: References) -> int | None:
    """Return the number of clusters by `GAP_RULE`; 1 speaks against clusters, None says that the gap only grows.

    Examples
    --------
    >>> references = np.array([[0.0, -0.2, -0.3, -0.4], [0.0, -0.4, -0.5, -0.6]])
    >>> gap_choice(np.arange(1, 5), np.array([0.0, 0.6, 1.2, 1.1]), references)
    3
    """
    errors = references.std(axis=0) * np.sqrt(1 + 1 / len(references))
    enough = np.flatnonzero(gaps[:-1] >= gaps[1:] - errors[1:])
    return int(ks[enough[0]]) if len(enough) else None


def _slopes(
    ks: Counts, log_shares: PerCount, places: Int64[np.ndarray, " n_places"]
) -> tuple[Float64[np.ndarray, " n_places"], Float64[np.ndarray, " n_places"]]:
    """Return how fast log inertia falls with log k before and after each place."""
    left, middle, right = (
        np.interp(np.log(places * factor), np.log(ks), log_shares) for factor in (1 / _REACH, 1, _REACH)
    )
    return (left - middle) / np.log(_REACH), (middle - right) / np.log(_REACH)
