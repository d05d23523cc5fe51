"""Dimension over scale as a subject: ratios of distances, and how many directions neighbourhoods spread along."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.ratios import gride_dimension, two_nn_dimension
from zspace.geometry.dimension.spectra import mean_participation
from zspace.geometry.measures import Profile, Quantity, Subject

N_PLACES = 256
"""Points whose neighbourhoods are looked at, at most."""
_FEWEST_POINTS = 12
_NEIGHBORS = (8, 16, 32, 64)
_GRIDE = (1, 2, 4, 8, 16, 32)
_OVER_SCALE = (4, 8, 16, 32)
_MIDDLE_NEIGHBORS = 32


@dataclass(frozen=True)
class DimensionView:
    """Distances to neighbours, and in how many directions neighbourhoods spread."""

    distances: Float64[np.ndarray, "n_points n_neighbors"]
    participation: dict[int, float]
    """Mean participation ratio of the neighbourhoods of `N_PLACES` points, by the number of neighbours."""


def dimension_view(cloud: Cloud) -> DimensionView:
    """Return what tells the dimension of neighbourhoods over their size.

    Raises
    ------
    TooFewPoints
        For fewer than 12 points, or when all are equal.
    """
    cloud.require_points("dimension", _FEWEST_POINTS)
    pairs = cloud.pairs
    return DimensionView(pairs.neighbors.distances, mean_participation(pairs, cloud.spread_rows(N_PLACES), _NEIGHBORS))


def neighbor_dimension(view: DimensionView) -> float | None:
    """Return the dimension over all scales; None where it cannot be told at any."""
    found = [gride_dimension(view.distances, n) for n in _OVER_SCALE if 2 * n <= view.distances.shape[1]]
    known = [dimension for dimension in found if dimension is not None]
    return float(np.exp(np.mean(np.log(known)))) if known and len(known) == len(found) else None


def _gride_row(nearer: int) -> Quantity:
    return Quantity(
        f"gride_{nearer}",
        f"Dimension, Gride, neighbours {nearer} and {2 * nearer}",
        "dimensions",
        "most likely dimension by the ratio of both distances (Denti et al. 2022)",
        "low",
        lambda view: gride_dimension(view.distances, nearer),
    )


def _gride_profile(view: DimensionView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    nearer = [n for n in _GRIDE if 2 * n <= view.distances.shape[1]]
    found = [gride_dimension(view.distances, n) for n in nearer]
    return 2.0 * np.array(nearer), np.array(found, dtype=np.float64)  # None becomes NaN


def _participation_profile(view: DimensionView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    return np.array(list(view.participation), dtype=np.float64), np.array(list(view.participation.values()))


SUBJECT = Subject(
    "dimension",
    "Dimension over scale",
    "Do neighbours spread into fewer directions than in the null model?",
    dimension_view,
    (
        Quantity(
            "two_nn",
            "Dimension, TwoNN",
            "dimensions",
            "ratio of the distances to the first two neighbours (Facco et al. 2017)",
            "low",
            lambda view: two_nn_dimension(view.distances),
        ),
        _gride_row(8),
        _gride_row(32),
        Quantity(
            "neighbor_dimension",
            "Dimension of neighbourhoods",
            "dimensions",
            f"geometric mean of Gride's dimension over {', '.join(map(str, _OVER_SCALE))} and twice as many neighbours",
            "low",
            neighbor_dimension,
        ),
        Quantity(
            "local_participation",
            f"Local components among {_MIDDLE_NEIGHBORS} neighbours",
            "components",
            "mean of (sum of local variances)^2 / sum of squared local variances",
            "low",
            lambda view: view.participation.get(_MIDDLE_NEIGHBORS),
        ),
    ),
    (
        Profile(
            "gride",
            "Dimension over scale",
            "number of the farther neighbour",
            "dimension (Gride)",
            _gride_profile,
        ),
        Profile(
            "participation",
            "Local components over scale",
            "number of neighbours",
            "local participation ratio (components)",
            _participation_profile,
        ),
    ),
)
