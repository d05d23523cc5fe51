"""Neighbours as a subject: how near the 1st to the 64th lie, dense places, and hubs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from zspace.geometry.clouds import Cloud
from zspace.geometry.measures import Profile, Quantity, Subject

_FEWEST_POINTS = 12
"""So that hubs can be counted."""
_HUB_NEIGHBORS = 10
_DENSE_NEIGHBOR = 4
_EQUAL = 1e-6
"""Equal points count as this share of the cloud's size apart, so that logarithms can be taken."""


@dataclass(frozen=True)
class NeighbourView:
    """Distances to neighbours, and how often every point is one."""

    log_distances: Float64[np.ndarray, "n_points n_neighbors"]
    """Natural logarithms, in units of z."""
    occurrences: Int64[np.ndarray, " n_points"]
    """In how many lists of `_HUB_NEIGHBORS` neighbours a point occurs."""


def neighbour_view(cloud: Cloud) -> NeighbourView:
    """Return the distances to the 64 nearest neighbours of every point, and in how many lists every point occurs.

    Raises
    ------
    TooFewPoints
        For fewer than 12 points, or when all are equal.
    """
    cloud.require_points("neighbours", _FEWEST_POINTS)
    near = cloud.pairs.neighbors
    occurrences = np.bincount(near.indices[:, :_HUB_NEIGHBORS].ravel(), minlength=cloud.n_points)
    return NeighbourView(np.log(near.distances.clip(min=_EQUAL * cloud.pairs.unit)), occurrences)


def neighbour_distance(view: NeighbourView, neighbor: int) -> float | None:
    """Return the geometric mean of the distances to this neighbour, counted from 1, in units of z."""
    if neighbor > view.log_distances.shape[1]:
        return None
    return float(np.exp(view.log_distances[:, neighbor - 1].mean()))


def dense_distance(view: NeighbourView, share: float) -> float:
    """Return how near the 4th neighbour is in the densest places, relative to the median of all."""
    logs = view.log_distances[:, _DENSE_NEIGHBOR - 1]
    return float(np.exp(np.quantile(logs, share) - np.median(logs)))


def hubness(view: NeighbourView) -> float | None:
    """Return the skewness of the 10-occurrence; None when all points occur equally often."""
    away = view.occurrences - _HUB_NEIGHBORS
    deviation = np.sqrt((away.astype(np.float64) ** 2).mean())
    return float(((away / deviation) ** 3).mean()) if deviation > 0 else None


def _distances(view: NeighbourView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    means = np.exp(view.log_distances.mean(axis=0))
    return np.arange(1.0, len(means) + 1), means


def _distance_row(neighbor: int, title: str) -> Quantity:
    return Quantity(
        f"distance_{neighbor}",
        f"Distance to the {title} neighbour",
        "units of z",
        "geometric mean over points",
        "both",
        lambda view: neighbour_distance(view, neighbor),
    )


def _dense_row(percent: int) -> Quantity:
    return Quantity(
        f"dense_{percent}",
        f"Densest {percent} %: distance to the 4th neighbour",
        "of the median",
        f"{percent} % quantile / median of the distance to the 4th neighbour",
        "low",
        lambda view: dense_distance(view, percent / 100),
    )


SUBJECT = Subject(
    "neighbours",
    "Neighbours",
    "Are neighbours nearer or farther than in the null model, and are there dense places or hubs?",
    neighbour_view,
    (
        _distance_row(1, "1st"),
        _distance_row(4, "4th"),
        _distance_row(16, "16th"),
        _distance_row(64, "64th"),
        _dense_row(1),
        _dense_row(5),
        Quantity(
            "hubness",
            "Hubness",
            "skewness",
            "skewness of how often a point is among the 10 nearest neighbours of others (Radovanović et al. 2010)",
            "both",
            hubness,
        ),
    ),
    (
        Profile(
            "distances",
            "Distance to the k-th neighbour",
            "neighbour number k",
            "geometric mean distance (units of z)",
            _distances,
        ),
    ),
)
