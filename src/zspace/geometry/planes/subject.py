"""Planes of leading components as a subject: clumps, empty space and strings, as far as two dimensions show them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.spatial import cKDTree

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.measures import Profile, Quantity, Subject
from zspace.geometry.planes.scatter import FEWEST_POINTS, MOST_NEIGHBORS, local_dimension
from zspace.geometry.planes.windows import PlanePoints

PLANES = {"pc1_pc2": (0, 1), "pc3_pc4": (2, 3)}
"""Components of the planes that are looked at."""
_FEWEST_POINTS = 20
_DISTANCES = np.arange(0.1, 2.51, 0.1)
"""In typical spacings: sqrt(2 pi / n_points) standard deviations, the side of a square that holds one point, were the
plane a Gaussian, at its centre."""
_PAIR_DISTANCES = np.arange(0.25, 4.01, 0.25)
_N_LOCATIONS = 128
"""Places in every quarter of the plane from which the nearest point is looked for."""


@dataclass(frozen=True)
class PlaneView:
    """Distances within one plane, both components of variance 1; in typical spacings."""

    to_neighbour: Float64[np.ndarray, " n_points"]
    """From every point to the nearest other one, sorted."""
    to_point: Float64[np.ndarray, " n_locations"]
    """From places all over the plane to the nearest point, sorted."""
    pair_correlation: Float64[np.ndarray, " n_distances"]
    """Pairs of points at `_PAIR_DISTANCES`, in those that a Gaussian has on average."""
    local_dimension: float | None


def planes_view(cloud: Cloud) -> dict[str, PlaneView]:
    """Return what the planes show, by their names; planes that the cloud has no components for are left out.

    Raises
    ------
    TooFewPoints
        For fewer than 20 points, or a cloud that spreads along fewer than two components.
    """
    cloud.require_points("planes", _FEWEST_POINTS)
    whitened = cloud.whitened
    n_broad = whitened.shape[1]
    if n_broad < 2:
        raise TooFewPoints(
            "planes", "must have points that spread along 2 components", str(n_broad), "There is no plane to look at."
        )
    found = {name: pair for name, pair in PLANES.items() if max(pair) < n_broad}
    return {name: _plane_view(whitened[:, list(pair)].astype(np.float64)) for name, pair in found.items()}


def _plane_view(points: PlanePoints) -> PlaneView:
    spacing = float(np.sqrt(2 * np.pi / len(points)))
    tree = cKDTree(points)
    neighbours = np.asarray(tree.query(points, 2)[0])[:, 1]
    locations = np.asarray(tree.query(_gaussian_locations(_N_LOCATIONS))[0])
    return PlaneView(
        np.sort(neighbours) / spacing,
        np.sort(locations) / spacing,
        _pair_correlation(tree, spacing),
        _dimension(points),
    )


def _gaussian_locations(n_quarter: int) -> PlanePoints:
    """Return places spread as a standard Gaussian puts them, mirrored at both axes: the signs of components are chance.

    Source
    ------
    Vogel 1979's spiral of the golden angle, its radii at the quantiles of the Gaussian's.
    """
    radii = np.sqrt(-2 * np.log1p(-(np.arange(n_quarter) + 0.5) / n_quarter))
    angles = np.pi / 2 * (np.arange(n_quarter) * (np.sqrt(5) - 1) / 2 % 1)
    quarter = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    return np.concatenate([quarter * sign for sign in ((1, 1), (1, -1), (-1, 1), (-1, -1))])


def _pair_correlation(tree: cKDTree, spacing: float) -> Float64[np.ndarray, " n_distances"]:
    """Return the pairs at some distances, in those that a Gaussian has: a share of 1 - exp(-r^2 / 4) within r."""
    distances = np.append(0.0, _PAIR_DISTANCES) * spacing
    counts = np.asarray(tree.count_neighbors(tree, distances), dtype=np.float64)
    counts[0] = tree.n  # copies belong to the first ring, the points themselves to none
    expected = tree.n * (tree.n - 1) * -np.diff(np.exp(-(distances**2) / 4))
    return np.asarray(np.diff(counts) / expected)


def _dimension(points: PlanePoints) -> float | None:
    different = np.unique(points, axis=0)
    if len(different) < FEWEST_POINTS:
        return None
    found = local_dimension(different, min(MOST_NEIGHBORS, len(different) // 4))
    return found if np.isfinite(found) else None


def empty_space(view: PlaneView) -> float:
    """Return the share of places with a point within the median distance between neighbours.

    About a half where points lie independently of each other; less where they clump and leave space empty.
    """
    return float((view.to_point <= np.median(view.to_neighbour)).mean())


def largest_gap(view: PlaneView) -> float:
    """Return by how much the share of points near a neighbour exceeds that of places near a point, at its most.

    Source
    ------
    The nearest-neighbour function G and the empty-space function F of point processes (Illian et al. 2008), here over
    places of a Gaussian: both are alike where points lie independently of each other.
    """
    near = np.searchsorted(view.to_neighbour, view.to_neighbour, side="right") / len(view.to_neighbour)
    covered = np.searchsorted(view.to_point, view.to_neighbour, side="right") / len(view.to_point)
    return float((near - covered).max())


def _rows(plane: str) -> tuple[Quantity, ...]:
    words = f"components {PLANES[plane][0] + 1} and {PLANES[plane][1] + 1}"
    return (
        Quantity(
            f"{plane}_dimension",
            f"Dimension seen in {words}",
            "dimensions",
            f"{MOST_NEIGHBORS} neighbours within the plane, Levina and Bickel 2004; 2 is scattered, 1 is on lines",
            "low",
            lambda views: views[plane].local_dimension if plane in views else None,
        ),
        Quantity(
            f"{plane}_gap",
            f"Clumping in {words}",
            "share",
            "largest excess of the nearest-neighbour function over the empty-space function",
            "high",
            lambda views: largest_gap(views[plane]) if plane in views else None,
        ),
        Quantity(
            f"{plane}_empty_space",
            f"Places near a point in {words}",
            "share of places",
            "places of a Gaussian with a point within the median distance between neighbours",
            "low",
            lambda views: empty_space(views[plane]) if plane in views else None,
        ),
    )


Views = dict[str, PlaneView]
Curve = tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]


def _profiles(plane: str) -> tuple[Profile, ...]:
    def near(views: Views) -> Curve:
        return _DISTANCES, _shares_within(views[plane].to_neighbour) if plane in views else _unknown(_DISTANCES)

    def covered(views: Views) -> Curve:
        return _DISTANCES, _shares_within(views[plane].to_point) if plane in views else _unknown(_DISTANCES)

    def pairs(views: Views) -> Curve:
        return _PAIR_DISTANCES, views[plane].pair_correlation if plane in views else _unknown(_PAIR_DISTANCES)

    words, distance = f"components {PLANES[plane][0] + 1} and {PLANES[plane][1] + 1}", "distance (typical spacings)"
    return (
        Profile(f"{plane}_near", f"Nearest neighbours in {words}", distance, "share of points with a neighbour", near),
        Profile(f"{plane}_covered", f"Empty space in {words}", distance, "share of places with a point", covered),
        Profile(f"{plane}_pairs", f"Pair correlation in {words}", distance, "pairs, in those of a Gaussian", pairs),
    )


def _shares_within(distances: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n_distances"]:
    return np.searchsorted(distances, _DISTANCES, side="right") / len(distances)


def _unknown(x: Float64[np.ndarray, " n_x"]) -> Float64[np.ndarray, " n_x"]:
    return np.full(len(x), np.nan)


SUBJECT = Subject(
    "planes",
    "Planes of leading components",
    "Do the points of a plane clump, or lie on lines, more than those of the null model?",
    planes_view,
    tuple(row for plane in PLANES for row in _rows(plane)),
    tuple(row for plane in PLANES for row in _profiles(plane)),
)
