"""Clusters as a subject: what k-means leaves over, and whether there are two peaks where it cuts the cloud in two."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.dip import dip, dip_p
from zspace.geometry.clustering.inertia import possible_ks
from zspace.geometry.clustering.kmeans import Fits, Places
from zspace.geometry.clustering.starts import fit_from_starts
from zspace.geometry.measures import Profile, Quantity, Subject

N_COMPONENTS = 20
"""Leading components that are looked at, at most."""
KS = (2, 4, 8, 16)
_FEWEST_POINTS = 32
_N_DIPPED = 3
"""Leading components whose own dips are looked at."""
_N_STARTS, _PASSES, _TOLERANCE = 1, 8, 1e-3
_PRECISION = np.dtype(np.float32)


@dataclass(frozen=True)
class ClustersView:
    """Inertia that k-means leaves, and dips."""

    inertia_shares: dict[int, float]
    """Of the inertia about the mean, by the number of clusters."""
    split: Float64[np.ndarray, " n_points"] | None
    """The points along the line between the centres of two clusters; None without them."""
    component_dips: tuple[float, ...]


def clusters_view(cloud: Cloud) -> ClustersView:
    """Return what k-means and the dip show in the leading 20 components.

    Raises
    ------
    TooFewPoints
        For fewer than 32 points, or when all are equal.
    """
    cloud.require_points("clusters", _FEWEST_POINTS)
    n_broad = cloud.whitened.shape[1]
    # In root mean square distances, lest squares of tiny coordinates vanish; the starts draw points by their order.
    places = cloud.rotated[cloud.by_distance, : min(N_COMPONENTS, n_broad)].astype(np.float64)
    places /= np.abs(places).max()
    dips = tuple(dip(places[:, j]) for j in range(min(_N_DIPPED, places.shape[1])))
    ks = possible_ks(places, list(KS))
    if not ks:
        return ClustersView({}, None, dips)
    fits = fit_from_starts(places, ks, _N_STARTS, _PASSES, _TOLERANCE, _PRECISION)[-1]
    total = float(np.einsum("ij,ij->", places, places))
    shares = dict(zip(ks, (fits.inertias / total).tolist(), strict=True))
    return ClustersView(shares, _along_split(places, fits) if ks[0] == 2 else None, dips)


def _along_split(places: Places, fits: Fits) -> Float64[np.ndarray, " n_points"]:
    """Return the points along the line between the two centres of the first fit."""
    one, other = fits.centres[0].astype(np.float64)
    return np.asarray(places @ (other - one))


def split_dip(view: ClustersView) -> float | None:
    """Return the dip along the line between the centres of two clusters."""
    return None if view.split is None else dip(view.split)


def split_dip_p(view: ClustersView) -> float | None:
    """Return the chance of so large a dip for the one-peaked law that has the largest dips, the uniform one."""
    return None if view.split is None else dip_p(dip(view.split), len(view.split))


def _inertia_row(k: int) -> Quantity:
    return Quantity(
        f"inertia_{k}",
        f"Inertia left by {k} clusters",
        "share of inertia",
        f"k-means with {k} centres in the leading {N_COMPONENTS} components / about the mean",
        "low",
        lambda view: view.inertia_shares.get(k),
    )


def _inertias(view: ClustersView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    return np.array(KS, dtype=np.float64), np.array([view.inertia_shares.get(k, np.nan) for k in KS])


SUBJECT = Subject(
    "clusters",
    "Clusters",
    "Do few centres leave less over than in the null model, and are there two peaks between two of them?",
    clusters_view,
    (
        *(_inertia_row(k) for k in KS),
        Quantity(
            "split_dip",
            "Dip between two clusters",
            "dip",
            "dip (Hartigan and Hartigan 1985) along the line between the centres of 2-means",
            "high",
            split_dip,
        ),
        Quantity(
            "split_dip_p",
            "Chance of such a dip with one peak",
            "probability",
            "share of uniform samples, the one-peaked law with the largest dips, whose dip is as large",
            "low",
            split_dip_p,
        ),
        Quantity(
            "component_dip",
            "Largest dip of leading components",
            "dip",
            f"largest dip of the points along the first {_N_DIPPED} principal components",
            "high",
            lambda view: max(view.component_dips),
        ),
    ),
    (Profile("inertia", "Inertia over clusters", "number of clusters", "share of inertia left", _inertias),),
)
