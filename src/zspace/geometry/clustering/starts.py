"""Where k-means starts from, and the best of several starts."""

import numpy as np
from jaxtyping import Float, Float64, Int64

from zspace.geometry.clustering.kmeans import Centres, Fits, Places, Stack, refine
from zspace.seeds import random_stream

_N_CANDIDATES = 4
"""Points that are tried for every next centre of a start; the one that leaves the least inertia is taken."""
_NEAR = 1e-10
"""Squared distances below this share of the squared lengths are computed from differences, lest they be rounding."""


def fit_from_starts(
    points: Places, ks: list[int], n_starts: int, n_passes: int, tolerance: float, precision: np.dtype
) -> list[Fits]:
    """Fit every number of clusters from several starts, and once more from the best fit with the most clusters.

    A bad start leaves a spike in the curve of inertia over k: two centres in one cluster, or two clusters at one
    centre. The last fit goes down from the largest number of clusters, each time without the centres that are missed
    least, and so passes on to fewer clusters what the best start has found for the most.

    Parameters
    ----------
    points
        One point per row, centred on the origin.
    ks
        Numbers of clusters, rising, none of them more than there are distinct points.
    precision
        Of the centres, and so of the squared distances from them.

    Returns
    -------
    Fits of independent starts, n_starts of them, then the best fit found for every number of clusters.

    Randomness
    ----------
    The starts come from fixed streams, so the fits are a function of the points alone.
    """
    sequences = [spread_out(points, ks[-1], random_stream(0, "k-means start", start)) for start in range(n_starts)]
    points = points.astype(precision, copy=False)
    stacks = [[sequence[:k].astype(precision) for k in ks] for sequence in sequences]
    fits = [refine(points, stack, n_passes, tolerance)[0] for stack in stacks]
    most = min(fits, key=lambda fit: float(fit.inertias[-1])).centres[-1]
    again, _ = refine(points, without_least_missed(points, most, ks), n_passes, tolerance)
    chosen = [min([*fits, again], key=lambda fit: float(fit.inertias[j])).only(j) for j in range(len(ks))]
    best = Fits(
        [fit.centres[0] for fit in chosen],
        np.concatenate([fit.inertias for fit in chosen]),
        np.concatenate([fit.labels for fit in chosen], axis=1),
    )
    return [*fits, best]


def without_least_missed(points: Places, centres: Centres, ks: list[int]) -> Stack:
    """Take away centres one by one, each time the one whose points are hardly further from their next centre.

    Parameters
    ----------
    ks
        How many to leave, rising, none more than there are centres; one stack comes back for each.

    Examples
    --------
    >>> places = np.array([[0.0], [1.0], [9.0], [10.0], [30.0]], dtype=np.float32)
    >>> [stack.ravel().tolist() for stack in without_least_missed(places, places[1:], [2, 3])]
    [[1.0, 30.0], [1.0, 10.0, 30.0]]
    """
    nearness = points @ centres.T - np.einsum("ij,ij->i", centres, centres) / 2
    rows, left = np.arange(len(points)), np.ones(len(centres), dtype=bool)
    nearest = nearness.argmax(axis=1)
    following = _next_nearest(nearness, nearest)
    stacks = []
    for k in reversed(ks):
        while left.sum() > k:
            lost = nearness[rows, nearest] - nearness[rows, following]
            missed = np.bincount(nearest, lost, len(centres))
            gone = int(np.where(left, missed, np.inf).argmin())
            left[gone] = False
            nearness[:, gone] = -np.inf
            moved = np.flatnonzero((nearest == gone) | (following == gone))
            nearest[moved] = np.where(nearest[moved] == gone, following[moved], nearest[moved])
            following[moved] = _next_nearest(nearness[moved], nearest[moved])
        stacks.append(centres[left])
    return stacks[::-1]


def _next_nearest(
    nearness: Float[np.ndarray, "n_rows n_centres"], nearest: Int64[np.ndarray, " n_rows"]
) -> Int64[np.ndarray, " n_rows"]:
    others = nearness.copy()
    others[np.arange(len(others)), nearest] = -np.inf
    return np.asarray(others.argmax(axis=1))


def spread_out(points: Places, n_centres: int, random: np.random.Generator) -> Centres:
    """Choose points far from each other as centres to start from; every leading part is a start for fewer clusters.

    Fewer come back when there are fewer distinct points.

    Randomness
    ----------
    Uses ``random`` only. A point is drawn by its place in the order of the rows, as a share of them, so rows that all
    come twice, side by side, give the same centres.

    Cost
    ----
    ``n_centres`` passes over the points, of 8 * n_points * z_dim operations each.

    Source
    ------
    Arthur and Vassilvitskii 2007, k-means++, in the greedy form of their section 7: the best of several candidates.
    """
    exact = points.astype(np.float64, copy=False)
    squares = np.einsum("ij,ij->i", exact, exact)

    def squared_distances(rows: Int64[np.ndarray, " n_rows"]) -> Float64[np.ndarray, "n_rows n_points"]:
        lengths = squares[rows, np.newaxis] + squares
        distances = np.asarray(lengths - 2 * (exact[rows] @ exact.T))
        near = np.nonzero(distances <= _NEAR * lengths)
        differences = exact[rows[near[0]]] - exact[near[1]]
        distances[near] = np.einsum("ij,ij->i", differences, differences)
        return distances

    chosen = [int(random.random() * len(points))]
    nearest = squared_distances(np.array(chosen))[0]
    while len(chosen) < n_centres:
        cumulative = nearest.cumsum()
        if cumulative[-1] == 0:
            break
        places = random.random(_N_CANDIDATES) * cumulative[-1]
        candidates = np.searchsorted(cumulative, places, side="right").clip(max=len(points) - 1)
        remaining = np.minimum(squared_distances(candidates), nearest)
        best = int(remaining.sum(axis=1).argmin())
        chosen.append(int(candidates[best]))
        nearest = remaining[best]
    return np.asarray(points[chosen])
