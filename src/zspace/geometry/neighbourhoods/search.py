"""Exact nearest neighbours of every point of a cloud."""

from dataclasses import dataclass

import faiss
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from zspace.errors import TooFewPoints
from zspace.geometry.accelerators import Candidates, accelerator
from zspace.results import Progress, Watcher, watch_nothing
from zspace.shapes import Points

_BLOCK_ROWS = 2048
"""Query points at a time."""
_SPARE = 8
"""Candidates beyond those asked, so that rounding in float32 cannot cost a neighbour."""


@dataclass(frozen=True)
class Neighbors:
    """The nearest neighbours of some points, the nearest first; equally near ones in the order of their rows."""

    indices: Int64[np.ndarray, "n_queries n_neighbors"]
    """Rows of the cloud."""
    distances: Float64[np.ndarray, "n_queries n_neighbors"]
    """In units of z."""

    def nearest(self, n_neighbors: int) -> "Neighbors":
        """Return the leading ones of every list."""
        return Neighbors(self.indices[:, :n_neighbors], self.distances[:, :n_neighbors])


def nearest_neighbors(
    points: Points,
    n_neighbors: int,
    rows: Int64[np.ndarray, " n_queries"] | None = None,
    watch: Watcher = watch_nothing,
) -> Neighbors:
    """Find the exact nearest neighbours of points among all others.

    A point is never its own neighbour, but a copy of it in another row is, at distance 0. The distances are computed
    in float64 from the coordinates' differences, so that equal distances are equal and those of copies are 0.

    Parameters
    ----------
    points
        The cloud.
    n_neighbors
        At least 1, and fewer than there are points.
    rows
        Whose neighbours to find; None takes every point.

    Units
    -----
    Scaling z by c scales distances by c; the rows stay the same.

    Cost
    ----
    n_queries * n_points * z_dim operations in float32, memory for one more copy of the cloud. 170,000 points of 256
    dimensions take some minutes on 2 cores; a GPU is used where there is one. Rows whose neighbours float32 cannot
    tell apart, such as those of points with many copies, are searched again in float64.

    Raises
    ------
    TooFewPoints
        When there are not more points than neighbours.
    """
    if not 1 <= n_neighbors < len(points):
        raise TooFewPoints(
            "neighbours",
            f"must be at least 1 and fewer than the {len(points)} points",
            str(n_neighbors),
            "Ask for fewer neighbours.",
        )
    rows = np.arange(len(points)) if rows is None else rows
    # Far from the origin squared norms would swamp the distances.
    centred = (points - points.mean(axis=0, dtype=np.float64).astype(np.float32)).astype(np.float32)
    device = accelerator(2.0 * len(rows) * points.size)
    candidates = device.candidates(centred) if device else _faiss_candidates(centred)
    indices = np.empty((len(rows), n_neighbors), dtype=np.int64)
    distances = np.empty((len(rows), n_neighbors))
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = slice(start, start + _BLOCK_ROWS)
        indices[part], distances[part] = _block_neighbors(points, centred, rows[part], n_neighbors, candidates)
        watch(Progress("neighbours", min(start + _BLOCK_ROWS, len(rows)), len(rows), "points"))
    return Neighbors(indices, distances)


def _faiss_candidates(points: Points) -> Candidates:
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(np.ascontiguousarray(points))

    def search(queries: Float32[np.ndarray, "n_queries z_dim"], n: int) -> Int64[np.ndarray, "n_queries n_candidates"]:
        return np.asarray(index.search(np.ascontiguousarray(queries), n)[1], dtype=np.int64)

    return search


def _block_neighbors(
    points: Points, centred: Points, rows: Int64[np.ndarray, " n_queries"], n_neighbors: int, candidates: Candidates
) -> tuple[Int64[np.ndarray, "n_queries n_neighbors"], Float64[np.ndarray, "n_queries n_neighbors"]]:
    n_candidates = min(n_neighbors + 1 + _SPARE, len(points))
    found = np.sort(candidates(centred[rows], n_candidates), axis=1)
    squares = np.stack([squared_distances(points, row, near) for row, near in zip(rows.tolist(), found, strict=True)])
    squares[found == rows[:, np.newaxis]] = np.inf  # itself comes last
    order = np.argsort(squares, axis=1, kind="stable")
    found, squares = np.take_along_axis(found, order, axis=1), np.take_along_axis(squares, order, axis=1)
    if n_candidates < len(points):
        for place in np.flatnonzero(_undecided(centred[rows], squares, n_neighbors)).tolist():
            row = int(rows[place])
            every = np.delete(np.arange(len(points)), row)
            all_squares = squared_distances(points, row, every)
            nearest = np.argsort(all_squares, kind="stable")[:n_neighbors]
            found[place, :n_neighbors], squares[place, :n_neighbors] = every[nearest], all_squares[nearest]
    return found[:, :n_neighbors], np.sqrt(squares[:, :n_neighbors])


def squared_distances(points: Points, row: int, others: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Return squared distances, from differences in float64."""
    differences = points[others].astype(np.float64) - points[row].astype(np.float64)
    return np.asarray(np.einsum("nd,nd->n", differences, differences))


def _undecided(
    queries: Float32[np.ndarray, "n_queries z_dim"],
    squares: Float64[np.ndarray, "n_queries n_candidates"],
    n_neighbors: int,
) -> Bool[np.ndarray, " n_queries"]:
    """Return where a point that is no candidate might be as near as the last neighbour, within rounding."""
    last, farthest = squares[:, n_neighbors - 1], np.where(np.isfinite(squares), squares, 0.0).max(axis=1)
    norms = np.einsum("nd,nd->n", queries, queries, dtype=np.float64)
    # The squared distance comes from three terms, none larger than this, each rounded to float32.
    largest = norms + (np.sqrt(norms) + np.sqrt(farthest)) ** 2
    return np.asarray(farthest - last <= 16 * np.finfo(np.float32).eps * largest)
