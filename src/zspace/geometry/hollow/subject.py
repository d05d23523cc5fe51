"""Hollowness as a subject: the mass near the centre, in leading components and in all of them.

In many dimensions every cloud is empty at its centre: a shell because of the dimensions. A hole is a centre that is
emptier than that of clouds of as many dimensions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.measures import Profile, Quantity, Subject

LEADING = (2, 4, 6, 10)
"""Numbers of leading components looked at, besides all."""
_FEWEST_POINTS = 20
_INSIDE = 0.5
"""Of the median radius: what lies within is inside."""
_RADII = np.arange(0.1, 2.01, 0.1)
_MOST_COMPONENTS = 6
"""Where the centre of a Gaussian still holds one point in a hundred."""
_N_TRIED, _DENSE_SHARE, _DENSE_NEIGHBOR = 256, 0.01, 16


@dataclass(frozen=True)
class Inside:
    """What lies about the centre and about dense places, in some components of unit variance."""

    about_centre: Float64[np.ndarray, " n_radii"]
    """Share of points within `_RADII` median radii of the centre."""
    inside: float
    """Share of points within half the median radius of the centre."""
    inside_dense: float
    """Share of points within as much of a dense place, the mean over places; the place itself does not count."""


@dataclass(frozen=True)
class HollowView:
    """What lies inside by the number of components; "all" for all of them."""

    inside: dict[str, Inside]
    n_points: int
    n_components: int
    """In which the cloud varies."""


def hollow_view(cloud: Cloud) -> HollowView:
    """Return what lies about the centre of a cloud in 2, 4, 6, 10 and all components, each of unit variance.

    Raises
    ------
    TooFewPoints
        For fewer than 20 points, or when all are equal.
    """
    cloud.require_points("hollow", _FEWEST_POINTS)
    whitened = cloud.whitened
    tried = cloud.spread_rows(_N_TRIED)
    found = {str(q): _inside(whitened[:, :q], whitened[tried, :q]) for q in LEADING if q <= whitened.shape[1]}
    n_components = whitened.shape[1]
    return HollowView(found | {"all": _inside(whitened, whitened[tried])}, cloud.n_points, n_components)


def _inside(points: Float32[np.ndarray, "n_points q"], tried: Float32[np.ndarray, "n_tried q"]) -> Inside:
    lengths = np.einsum("ij,ij->i", points, points)
    radii = np.sqrt(lengths.astype(np.float64))
    median = float(np.median(radii))
    squares = tried @ points.T
    squares *= -2
    squares += lengths
    squares += np.einsum("ij,ij->i", tried, tried)[:, np.newaxis]
    # The point itself is the nearest, or as near as any.
    nth = min(_DENSE_NEIGHBOR, len(points) - 1)
    nearness = np.partition(squares, nth, axis=1)[:, nth]
    n_dense = max(2, round(_DENSE_SHARE * len(tried)))
    dense = squares[np.argsort(nearness, kind="stable")[:n_dense]]
    within = (dense <= (_INSIDE * median) ** 2).sum(axis=1) - 1
    return Inside(
        (radii[:, np.newaxis] <= _RADII * median).mean(axis=0),
        float((radii <= _INSIDE * median).mean()),
        float(within.mean().clip(min=0)) / len(points),
    )


def _inside_row(components: str) -> Quantity:
    where = "all components" if components == "all" else f"the first {components} components"
    return Quantity(
        f"inside_{components}",
        f"Points inside, in {where}",
        "share of points",
        f"within half the median radius of the centre, in {where} of unit variance",
        "low",
        lambda view: view.inside[components].inside if components in view.inside else None,
    )


def contrast(view: HollowView, components: str) -> float | None:
    """Return ln(points about the centre / points about dense places), one added to both; None without the components.

    It is 0 where the centre is as dense as the densest places, and the lower the emptier it is beside them.
    """
    found = view.inside.get(components)
    if found is None:
        return None
    return float(np.log1p(found.inside * view.n_points) - np.log1p(found.inside_dense * view.n_points))


def hollowness(view: HollowView) -> float | None:
    """Return how far the centre is emptier than a Gaussian's, in standard deviations of its count, where it is most.

    In up to `_MOST_COMPONENTS` components: with more of them the centre of every cloud is all but empty.
    """
    deficits = []
    for name, found in view.inside.items():
        q = view.n_components if name == "all" else int(name)
        if q <= _MOST_COMPONENTS:
            expected = view.n_points * float(stats.chi(q).cdf(_INSIDE * stats.chi(q).median()))
            deficits.append((expected - found.inside * view.n_points) / np.sqrt(expected))
    return max(deficits, default=None)


def _contrast_row(components: str) -> Quantity:
    return Quantity(
        f"contrast_{components}",
        f"Centre beside dense places, first {components} components",
        "natural logarithm",
        "ln(points within half the median radius of the centre / of the densest 1 %), one added to both",
        "low",
        lambda view: contrast(view, components),
    )


def _mass_profile(components: str, title: str) -> Profile:
    def mass(view: HollowView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
        found = view.inside.get(components)
        return _RADII, np.full(len(_RADII), np.nan) if found is None else found.about_centre

    return Profile(
        f"mass_{components}",
        f"Mass about the centre, {title}",
        "distance from the centre (median radii)",
        "share of points",
        mass,
    )


SUBJECT = Subject(
    "hollow",
    "Hollow",
    "Is the centre emptier than that of a cloud of as many dimensions?",
    hollow_view,
    (
        *(_inside_row(name) for name in (*map(str, LEADING), "all")),
        Quantity(
            "hollowness",
            "Hollowness",
            "standard deviations of the count",
            f"points missing within half the median radius of the centre, beside a Gaussian, where in up to "
            f"{_MOST_COMPONENTS} components most are",
            "high",
            hollowness,
        ),
        *(_contrast_row(name) for name in map(str, LEADING)),
    ),
    (
        _mass_profile("2", "first 2 components"),
        _mass_profile("6", "first 6 components"),
        _mass_profile("all", "all components"),
    ),
)
