"""How far a map of a cloud can be trusted: whether neighbours stay neighbours."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.spatial import cKDTree

from zspace.geometry.neighbourhoods.search import nearest_neighbors, squared_distances
from zspace.results import Progress, Watcher, watch_nothing
from zspace.shapes import Points

_RANKED_ROWS, _RANKED_CHUNK = 256, 8192
"""Distances that are looked at together when ranks are counted: 16 MiB."""
_ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Of a squared distance from a matrix product, for each dimension, as a share of the squared lengths: well above it."""

Sheet = Float32[np.ndarray, "n_points 2"]
PerPoint = Float64[np.ndarray, " n_scored"]


@dataclass(frozen=True)
class NeighborScores:
    """What a map does to the neighbours of some of its points. The means over all points are what the names stand for.

    Trustworthiness and continuity are 1 when all neighbours stay and about one half for a map at random, where the
    share kept is n_neighbors / (n_points - 1).

    Source
    ------
    Venna and Kaski 2001: 1 - 2 / (k (2 n - 3 k - 1)) * sum of (rank - k) over the k neighbours on the map that are no
    neighbours in z, with their rank in z; for continuity with map and z exchanged. Equally far points share a rank.
    """

    trustworthiness: PerPoint
    continuity: PerPoint
    preserved: PerPoint
    """Share of the neighbours in z that are neighbours on the map."""
    reach: PerPoint
    """Distance to the last of the neighbours in z, in units of z: large where the cloud is thin."""
    has_copies: Bool[np.ndarray, " n_scored"]
    """Whether another point lies at the very same place in z."""
    on_map: Int64[np.ndarray, "n_scored n_neighbors"]
    """The neighbours on the map, as rows of it."""


def neighbor_scores(
    points: Points,
    coordinates: Sheet,
    scored: Int64[np.ndarray, " n_scored"],
    n_neighbors: int,
    watch: Watcher = watch_nothing,
) -> NeighborScores:
    """Judge a map at some of its points, by that many neighbours of each.

    Cost
    ----
    n_scored * n_points * (z_dim + 2 * n_neighbors) operations; memory for blocks of distances, whatever n_points.
    """

    def told(progress: Progress) -> None:
        watch(replace(progress, step="neighbours of the judged"))

    near = nearest_neighbors(points, n_neighbors, scored, told)
    on_map = _sheet_neighbors(coordinates.astype(np.float64), scored, n_neighbors)
    scale = 2 / (n_neighbors * (2 * len(points) - 3 * n_neighbors - 1))
    kept = (near.indices[:, :, np.newaxis] == on_map[:, np.newaxis, :]).any(axis=2).mean(axis=1)
    ranks_in_z = _ranks(points, scored, on_map, watch)
    ranks_on_map = _ranks(coordinates, scored, near.indices, watch)
    trust = 1 - scale * (ranks_in_z - n_neighbors).clip(min=0).sum(axis=1)
    continuity = 1 - scale * (ranks_on_map - n_neighbors).clip(min=0).sum(axis=1)
    return NeighborScores(trust, continuity, kept, near.distances[:, -1], near.distances[:, 0] == 0, on_map)


def neighbor_agreement(
    values: Float64[np.ndarray, " n_points"],
    scored: Int64[np.ndarray, " n_scored"],
    on_map: Int64[np.ndarray, "n_scored n_neighbors"],
) -> float:
    """Return the correlation of a value of the points with its mean over their neighbours on the map.

    NaN values are left out; 0 comes back where too few are known or nothing varies.
    """
    own, near = values[scored], values[on_map]
    known = ~np.isnan(near)
    n_known = known.sum(axis=1)
    means = np.where(known, near, 0).sum(axis=1) / n_known.clip(min=1)
    usable = ~np.isnan(own) & (n_known > 0)
    own, means = own[usable], means[usable]
    if len(own) < 2 or np.ptp(own) == 0 or np.ptp(means) == 0:
        return 0.0
    return float(np.corrcoef(own, means)[0, 1])


def _sheet_neighbors(
    sheet: Float64[np.ndarray, "n_points 2"], scored: Int64[np.ndarray, " n_scored"], n_neighbors: int
) -> Int64[np.ndarray, "n_scored n_neighbors"]:
    found = np.asarray(cKDTree(sheet).query(sheet[scored], n_neighbors + 1)[1])
    itself = found == scored[:, np.newaxis]
    itself[~itself.any(axis=1), -1] = True  # so many copies that the point itself is not among them
    return np.asarray(found[~itself].reshape(len(scored), n_neighbors), dtype=np.int64)


def _ranks(
    points: Float32[np.ndarray, "n_points n_dimensions"],
    scored: Int64[np.ndarray, " n_scored"],
    others: Int64[np.ndarray, "n_scored n_others"],
    watch: Watcher,
) -> Int64[np.ndarray, "n_scored n_others"]:
    """Return the place of other points in the order of distance from each scored point, 1 being the nearest.

    Exact: where the rounding of matrix products leaves open which is nearer, differences decide.
    """
    centre = points.mean(axis=0, dtype=np.float64)
    chunks = [slice(first, first + _RANKED_CHUNK) for first in range(0, len(points), _RANKED_CHUNK)]
    ranks = np.ones(others.shape, dtype=np.int64)
    for start in range(0, len(scored), _RANKED_ROWS):
        rows = scored[start : start + _RANKED_ROWS]
        queries = points[rows] - centre
        lengths = np.square(queries).sum(axis=1)
        limits = np.stack([squared_distances(points, row, others[start + k]) for k, row in enumerate(rows.tolist())])
        # Points much longer than both are surely beyond all limits, however they are rounded.
        slack = _ROUNDING * len(centre) * (lengths + limits.max(axis=1))
        for chunk in chunks:
            block = points[chunk] - centre
            squares = np.square(block).sum(axis=1) - 2 * queries @ block.T + lengths[:, np.newaxis]
            own = np.flatnonzero((rows >= chunk.start) & (rows < chunk.start + len(block)))
            squares[own, rows[own] - chunk.start] = np.inf  # a point is not nearer to itself
            for k, row in enumerate(rows.tolist()):
                here = (others[start + k] >= chunk.start) & (others[start + k] < chunk.start + len(block))
                counts, open_places = _n_surely_nearer(squares[k], limits[k], slack[k], here)
                for place in open_places:
                    limit = limits[k][place]
                    unsure = np.flatnonzero(np.abs(squares[k] - limit) <= slack[k]) + chunk.start
                    counts[place] += (squared_distances(points, row, unsure) < limit).sum()
                ranks[start + k] += counts
        watch(Progress("judging the map", min(start + _RANKED_ROWS, len(scored)), len(scored), "points"))
    return ranks


def _n_surely_nearer(
    squares: Float64[np.ndarray, " n_chunk"],
    limits: Float64[np.ndarray, " n_others"],
    slack: float,
    here: Bool[np.ndarray, " n_others"],
) -> tuple[Int64[np.ndarray, " n_others"], list[int]]:
    """Return how many squared distances, each good to ``slack``, are surely below each limit, and where others may be.

    One that is not sure is that of the limit's own point, where it is among them, as ``here`` says.
    """
    found = np.sort(squares[squares <= limits.max() + slack])
    surely = np.searchsorted(found, limits - slack)
    perhaps = np.searchsorted(found, limits + slack, side="right")
    return surely.astype(np.int64), np.flatnonzero(perhaps - surely > here).tolist()
