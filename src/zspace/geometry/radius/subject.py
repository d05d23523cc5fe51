"""The radius as a subject: distances from the origin, and how heavy the tails are in units of the cloud's own width."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.measures import Profile, Quantity, Subject

_FEWEST_POINTS = 8
_SHARES = np.arange(0.05, 0.951, 0.05)


@dataclass(frozen=True)
class RadiusView:
    """Distances of the points from the origin, and from the centre in units of the width in every direction."""

    radii: Float64[np.ndarray, " n_points"]
    """In units of z, the smallest first."""
    mahalanobis_squares: Float64[np.ndarray, " n_points"]
    """About as many as there are components with a spread, on average."""
    n_components: int


def radius_view(cloud: Cloud) -> RadiusView:
    """Return the distances of the points from the origin and from the centre.

    Raises
    ------
    TooFewPoints
        For fewer than 8 points, or when all are equal.
    """
    cloud.require_points("radius", _FEWEST_POINTS)
    whitened = cloud.whitened
    squares = np.einsum("ij,ij->i", whitened, whitened).astype(np.float64)
    return RadiusView(np.sort(cloud.radii), squares, whitened.shape[1])


def radial_kurtosis(view: RadiusView) -> float:
    """Return Mardia's kurtosis as a share of what a Gaussian of as many components has on average.

    Source
    ------
    Mardia 1970, Biometrika 57, 519: the mean fourth power of the Mahalanobis radius, d (d + 2) for a Gaussian.
    """
    return float((view.mahalanobis_squares**2).mean() / (view.n_components * (view.n_components + 2)))


def _quantile_row(percent: int) -> Quantity:
    return Quantity(
        f"quantile_{percent}",
        f"{percent} % quantile of the radius",
        "units of z",
        f"{percent} % of the distances from the origin are smaller",
        "both",
        lambda view: float(np.quantile(view.radii, percent / 100)),
    )


SUBJECT = Subject(
    "radius",
    "Radius",
    "Do the points lie as far out as those of the null model, and are there heavy tails or a shell?",
    radius_view,
    (
        Quantity(
            "mean",
            "Mean radius",
            "units of z",
            "distance from the origin",
            "both",
            lambda view: float(view.radii.mean()),
        ),
        Quantity(
            "deviation",
            "Spread of the radius",
            "units of z",
            "standard deviation of the distances from the origin",
            "both",
            lambda view: float(view.radii.std()),
        ),
        _quantile_row(25),
        _quantile_row(75),
        Quantity(
            "radial_kurtosis",
            "Kurtosis of the cloud",
            "of a Gaussian's",
            "mean fourth power of the Mahalanobis radius / d (d + 2) (Mardia 1970)",
            "both",
            radial_kurtosis,
        ),
    ),
    (
        Profile(
            "quantiles",
            "Quantiles of the radius",
            "share of points",
            "distance from the origin (units of z)",
            lambda view: (_SHARES, np.quantile(view.radii, _SHARES)),
        ),
    ),
)
