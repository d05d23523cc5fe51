"""Structures that are planted into a cloud, to see from which share and thickness on they are found."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths.curves import curved_line, points_on_lines
from zspace.geometry.truths.frames import N_LEADING
from zspace.shapes import Points

N_STRINGS, N_SHEETS, N_HEAPS = 3, 2, 3


@dataclass(frozen=True)
class Frame:
    """Centre, principal components and deviations of the cloud that something is planted into."""

    mean: Float64[np.ndarray, " z_dim"]
    components: Float64[np.ndarray, "z_dim n_components"]
    deviations: Float64[np.ndarray, " n_components"]

    @property
    def size(self) -> float:
        """Root of the trace of the covariance, in units of z."""
        return float(np.linalg.norm(self.deviations))

    def spread(self, n_points: int, random: np.random.Generator) -> Float64[np.ndarray, "n_points n_components"]:
        """Draw from the Gaussian of the cloud's covariance, about the origin."""
        return np.asarray(random.standard_normal((n_points, len(self.deviations))) * self.deviations)

    def centres(self, n_centres: int, shape: np.random.Generator) -> Float64[np.ndarray, "n_centres n_components"]:
        """Draw places about the origin that are, in the mean square, as far out as the points of the cloud."""
        drawn = self.spread(n_centres, shape)
        drawn -= drawn.mean(axis=0)
        return np.asarray(drawn * (self.size / np.sqrt(np.mean(np.sum(drawn**2, axis=1)))))


Place = Callable[[Frame, int, np.random.Generator, np.random.Generator], Float64[np.ndarray, "n_points n_components"]]
"""Function of the frame, the number of points, the stream of the points and that of the shape; it draws on the bare
structure, without thickness, in the frame's components."""


@dataclass(frozen=True)
class Structure:
    """One row of the table: something that can be planted."""

    name: str
    claim: str
    """The claim of the verdict that is right where enough of it is planted."""
    title: str
    share: str
    """What the share says."""
    thickness: str
    """What the thickness says."""
    place: Place | None
    """None for a hole, which is nowhere."""


def _on_strings(
    frame: Frame, n_points: int, random: np.random.Generator, shape: np.random.Generator
) -> Float64[np.ndarray, "n_points n_components"]:
    lines = [
        centre + _centred(curved_line(shape, frame.deviations, frame.size))
        for centre in frame.centres(N_STRINGS, shape)
    ]
    return points_on_lines(lines, n_points, random)[0]


def _on_sheets(
    frame: Frame, n_points: int, random: np.random.Generator, shape: np.random.Generator
) -> Float64[np.ndarray, "n_points n_components"]:
    chosen = random.integers(N_SHEETS, size=n_points)
    points = np.empty((n_points, len(frame.deviations)))
    for number, centre in enumerate(frame.centres(N_SHEETS, shape)):
        rows = chosen == number
        # One line carried along another: a sheet that is curved along both its sides.
        sides = [_centred(curved_line(shape, frame.deviations, frame.size)) for _ in range(2)]
        first, second = (points_on_lines([side], int(rows.sum()), random)[0] for side in sides)
        points[rows] = centre + first + second
    return points


def _in_heaps(
    frame: Frame, n_points: int, random: np.random.Generator, shape: np.random.Generator
) -> Float64[np.ndarray, "n_points n_components"]:
    return np.asarray(frame.centres(N_HEAPS, shape)[random.integers(N_HEAPS, size=n_points)])


def _centred(knots: Float64[np.ndarray, "n_knots n_dims"]) -> Float64[np.ndarray, "n_knots n_dims"]:
    return np.asarray(knots - knots.mean(axis=0))


_SHARE = "share of all points that lie on them"
_THICKNESS = "size of the noise about them, beside the size of the cloud"

STRUCTURES: dict[str, Structure] = {
    row.name: row
    for row in (
        Structure(
            "strings",
            "strings",
            f"{N_STRINGS} curved strings as long as the cloud is large",
            _SHARE,
            _THICKNESS,
            _on_strings,
        ),
        Structure(
            "sheets",
            "sheets",
            f"{N_SHEETS} curved sheets as long and wide as the cloud is large",
            _SHARE,
            _THICKNESS,
            _on_sheets,
        ),
        Structure(
            "clusters",
            "clusters",
            f"{N_HEAPS} compact heaps with the cloud's own proportions",
            "share of all points that lie in them",
            "size of a heap, beside the size of the cloud",
            _in_heaps,
        ),
        Structure(
            "hole",
            "hollow",
            f"a hole in the leading {N_LEADING} components",
            "share of all points that lie in its place before they are moved out: the innermost",
            "nothing: the hole is as wide as the points that were moved out of it reached",
            None,
        ),
    )
}


def plant(
    structure: Structure,
    points: Points,
    share: float,
    thickness: float,
    random: np.random.Generator,
    shape: np.random.Generator | None = None,
) -> Points:
    """Return a copy of a cloud in which a share of the points, chosen at random, belong to a structure.

    The cloud's covariance is the frame: structures lie where the cloud does, bend as its components allow, and the
    noise about them has its proportions. So the covariance stays nearly what it was.

    Parameters
    ----------
    structure
        A row of `STRUCTURES`.
    points
        Drawn from a null model.
    share
        Share of the points that are changed, from 0 to below 1; the number is rounded.
    thickness
        Size (root of the trace of the covariance) of the noise about the structure, as a share of the cloud's.
    random
        Stream of the points.
    shape
        Stream of the structure itself, such as where its curves go; None takes it from ``random`` too.

    Cost
    ----
    n_points * z_dim ** 2 operations.
    """
    cloud = Cloud(points)
    variances, components = cloud.principal
    frame = Frame(cloud.mean, components, np.sqrt(variances[: components.shape[1]]))
    n_planted = round(share * len(points))
    if structure.place is None:
        return _hollowed(cloud, n_planted, random)
    rows = random.choice(len(points), n_planted, replace=False)
    bare = structure.place(frame, n_planted, random, random if shape is None else shape)
    coordinates = bare + thickness * frame.spread(n_planted, random)
    planted = points.copy()
    planted[rows] = frame.mean + coordinates @ frame.components.T
    return planted


def _hollowed(cloud: Cloud, n_moved: int, random: np.random.Generator) -> Points:
    """Move the innermost points out: each in its own direction to where, inside to outside, another point lies."""
    variances, components = cloud.principal
    n_leading = min(N_LEADING, int((variances > 0).sum()))
    inner = cloud.rotated[:, :n_leading].astype(np.float64)
    radii = np.linalg.norm(inner / np.sqrt(variances[:n_leading]), axis=1)
    order = radii.argsort()
    moved, others = order[:n_moved], order[n_moved:]
    grown = random.choice(radii[others], n_moved) / radii[moved].clip(min=np.finfo(np.float64).tiny) - 1
    hollowed = cloud.points.copy()
    hollowed[moved] += ((inner[moved] * grown[:, np.newaxis]) @ components[:, :n_leading].T).astype(np.float32)
    return hollowed
