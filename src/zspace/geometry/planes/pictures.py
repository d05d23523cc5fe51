"""What is drawn of a plane: the points or their density in a window, and the count in squares of many sides."""

import numpy as np
from jaxtyping import Float64

from zspace.geometry.comparing.comparisons import LEVEL
from zspace.geometry.nulls import laws as nulls
from zspace.geometry.planes.views import PlaneCloud
from zspace.geometry.planes.windows import PlanePoints, Window, gaussian_points_in_window, square
from zspace.results import Curve, Grid, Law
from zspace.seeds import random_stream

MAX_POINTS = 2000
"""Points of a window that are drawn one by one, and that the local dimension rests on."""

_FEWEST_CELLS, _MOST_CELLS = 20, 80
_POINTS_IN_A_CELL = 3.0
"""How many points a cell of a grid should hold on average, so that it shows the density and not its own noise."""
_WORTH_COUNTING = 3.0
"""Points that the Gaussian must put into a square for the count to be compared with it in the curve."""
_SIDES = np.geomspace(1 / 256, 1, 41)
"""Sides of the squares of the counting curve, relative to the whole plane's."""


def counting_curve(seen: PlaneCloud) -> Curve:
    """Return the count in squares around the centre over their side, relative to the Gaussian's where there is one."""
    sides = seen.whole_side * _SIDES
    counts = np.searchsorted(np.sort(np.abs(seen.points - seen.mean).max(axis=1)), sides / 2).astype(np.float64)
    x_label = "side of a square around the centre (units of z)"
    laws = [law for side in sides.tolist() if (law := seen.law(square(seen.mean, side)))]
    if not laws:
        return Curve("line", sides, counts[np.newaxis], x_label, "z-points in the square", ("z-points",))
    expected = np.array([law.expected for law in laws])
    enough = (expected >= _WORTH_COUNTING) | (sides == sides[-1])
    low, high = np.array([law.band(LEVEL) for law in laws], dtype=np.float64).T
    y, null_low, null_high, law = ((values / expected)[enough][np.newaxis] for values in (counts, low, high, expected))
    return Curve(
        "line",
        sides[enough],
        y,
        x_label,
        "found / expected",
        ("z-points",),
        null_name=nulls.MATCHED_GAUSSIAN,
        null_low=null_low,
        null_high=null_high,
        null_level=LEVEL,
        laws=(Law("as many as expected", law),),
    )


def window_grid(seen: PlaneCloud, window: Window, name: str, seed: int) -> Grid:
    """Return what a window shows of the cloud and of its null twin: the points where they are few, else their counts.

    Randomness
    ----------
    The twin comes from a stream of the seed that is named after the window.
    """
    inside = seen.points[window.holds(seen.points)]
    twin = _picture_twin(seen, window, name, seed)
    few = len(inside) <= MAX_POINTS and (twin is None or len(twin) <= MAX_POINTS)
    n_cells = int(np.clip(np.sqrt(len(inside) / _POINTS_IN_A_CELL), _FEWEST_CELLS, _MOST_CELLS))
    x_edges = np.linspace(window.x_low, window.x_high, n_cells + 1)
    y_edges = np.linspace(window.y_low, window.y_high, n_cells + 1)
    return Grid(
        x_edges,
        y_edges,
        _cell_counts(inside, x_edges, y_edges),
        *seen.plane.labels,
        points=_drawn_points(inside) if few else None,
        null_name=None if twin is None else nulls.MATCHED_GAUSSIAN,
        null_counts=None if twin is None else _cell_counts(twin, x_edges, y_edges),
        null_points=_drawn_points(twin) if few and twin is not None else None,
    )


def _picture_twin(seen: PlaneCloud, window: Window, name: str, seed: int) -> PlanePoints | None:
    """Return what one cloud from the matched Gaussian, of as many points as the cloud, has in the window."""
    law = seen.law(window)
    if seen.gaussian is None or law is None:
        return None
    random = random_stream(seed, "planes", name, "picture")
    n_inside = int(random.binomial(len(seen.points), law.probability))
    return gaussian_points_in_window(seen.gaussian, window, n_inside, law.probability, random)


def _cell_counts(
    points: PlanePoints, x_edges: Float64[np.ndarray, " n_x_edges"], y_edges: Float64[np.ndarray, " n_y_edges"]
) -> Float64[np.ndarray, "n_y n_x"]:
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=[y_edges, x_edges])
    return np.asarray(counts)


def _drawn_points(points: PlanePoints) -> PlanePoints | None:
    """Return points with the digits that a picture shows, sorted; None for none."""
    rounded = [[float(f"{x:.5g}"), float(f"{y:.5g}")] for x, y in sorted(points.tolist())]
    return np.array(rounded) if rounded else None
