"""Figures of planes: the zoom series, each window above its null twin, and the count over the size of the window."""

from __future__ import annotations

import re
import textwrap
from functools import partial

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from zspace.figures.curves import draw_single
from zspace.figures.density import COUNT_COLORS, dot_area
from zspace.figures.numbers import format_number
from zspace.figures.rows import FigureRow, slug
from zspace.figures.style import DATA, drawing, new_figure, plain_ticks
from zspace.results import Curve, Estimate, Grid, Measurement

_RASTER_FROM = 500
"""More dots than this become pixels: as vectors they would take a megabyte."""
_PANEL_INCHES = 2.35

_PLANE = re.compile(r"(pc|axis)(\d+)[-_](?:pc|axis)(\d+)")
_KINDS = {"pc": "components", "axis": "axes"}

Cells = Float64[np.ndarray, "n_y n_x"]
Dots = Float64[np.ndarray, "n_dots 2"]


def plane_words(name: str) -> str:
    """Return the name of a plane, or of one of its windows, as words; any other text as it is.

    Examples
    --------
    >>> plane_words("pc1-pc18"), plane_words("axis52_axis63_side_0.5")
    ('components 1 and 18', 'axes 52 and 63, square of side 0.5')
    """
    plane = _PLANE.match(name)
    if plane is None:
        return name
    words = f"{_KINDS[plane[1]]} {plane[2]} and {plane[3]}"
    window = name[plane.end() :].strip(" _").replace("_", " ")
    return f"{words}, {_window_words(window)}" if window else words


def _window_words(window: str) -> str:
    return window.replace("side", "square of side") if window.startswith("side") else f"the {window}"


def planes_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return one figure a plane: its windows above their twins, and the count over the side of the window."""
    return tuple(_plane_row(measurement, plane) for plane in measurement.curves)


def _plane_row(measurement: Measurement, plane: str) -> FigureRow:
    windows = _windows(measurement, plane)
    words = plane_words(plane)
    return FigureRow(
        slug(f"planes {plane}"),
        f"{words[:1].upper()}{words[1:]}, whole and closer",
        "Above the z-points, below the null twin: one cloud of as many points drawn from the Gaussian with the same "
        "mean and covariance. Scattered points seem to form strings round voids by themselves, so strings above mean "
        "something only where the twin has none. The local dimension is 2 for scattered points and 1 for lines. Last, "
        "points in squares around the centre, divided by how many that Gaussian would put there: at 1 the plane is as "
        "full as expected at that scale, and voids around the centre would pull the line down; light band: where 95 % "
        "of such clouds would lie, in closed form.",
        partial(_draw_plane, plane=plane),
        (plane,),
        tuple(f"{_stem(name)}_{quantity}" for name in windows for quantity in ("points", "local_dimension")),
        is_wide=True,
    )


def _windows(measurement: Measurement, plane: str) -> list[str]:
    """Return the names of a plane's windows, the widest first."""
    names = [name for name in measurement.grids if name.partition(" ")[0] == plane]
    return sorted(names, key=lambda name: -float(np.ptp(measurement.grids[name].x_edges)))


def _stem(name: str) -> str:
    """Return how the estimates of a window begin."""
    return name.replace("-", "_").replace(" ", "_")


def _estimate(measurement: Measurement, name: str, quantity: str) -> Estimate | None:
    found = measurement.estimates.get(f"{_stem(name)}_{quantity}")
    return found if found is not None and found.value is not None else None


def _count_words(expected: Estimate) -> str:
    """Return an expected count, to a tenth where it is small."""
    value = expected.value or 0.0
    return format_number(round(value)) if value >= 20 else f"{value:.1f}"


def _draw_plane(measurement: Measurement, *, plane: str) -> Figure:
    names = _windows(measurement, plane)
    n_columns = len(names) + 1
    with drawing():
        figure = new_figure(height_inches=2 * _PANEL_INCHES + 0.5, width_inches=_PANEL_INCHES * n_columns)
        panels = figure.subplots(2, n_columns, squeeze=False)
        for (above, below), name in zip(panels.T, names, strict=False):
            _draw_window(figure, above, below, measurement, name)
        for axes in panels[:, -1]:
            axes.remove()
        _draw_counts(figure.add_subplot(panels[0, 0].get_gridspec()[:, -1]), measurement.curves[plane])
    return figure


def _draw_counts(axes: Axes, curve: Curve) -> None:
    axes.set(xscale="log", xlabel=textwrap.fill(curve.x_label, 28), box_aspect=1.3)
    axes.set_title(textwrap.fill(curve.y_label, 28), fontsize=8.5, loc="left")
    draw_single(axes, curve, 0)
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)


def _draw_window(figure: Figure, above: Axes, below: Axes, measurement: Measurement, name: str) -> None:
    grid = measurement.grids[name]
    highest = max(float(counts.max(initial=1.0)) for counts in (grid.counts, grid.null_counts) if counts is not None)
    image = _draw_cells_or_dots(above, grid, grid.counts, grid.points, highest)
    above.set_title(_found_words(measurement, name), fontsize=8.5, loc="left")
    if grid.null_counts is None:
        below.set_axis_off()
        below.text(0.5, 0.5, "no null twin:\nthe plane has no Gaussian", ha="center", transform=below.transAxes)
    else:
        _draw_cells_or_dots(below, grid, grid.null_counts, grid.null_points, highest)
        below.set_title(_twin_words(measurement, name), fontsize=8.5, loc="left")
        above.set(xlabel="")
    if image is not None:
        bar = figure.colorbar(image, ax=[above, below], location="bottom", shrink=0.8, aspect=24, pad=0.02)
        bar.set_label("points in a cell", fontsize=8)
        bar.outline.set_visible(False)


def _found_words(measurement: Measurement, name: str) -> str:
    _, _, window = name.partition(" ")
    found = f"{window}: {format_number(int(measurement.grids[name].counts.sum()))} points"
    dimension = _estimate(measurement, name, "local_dimension")
    return f"{found}\nlocal dimension {dimension.value:.2f}" if dimension else f"{found}\n"


def _twin_words(measurement: Measurement, name: str) -> str:
    expected = _estimate(measurement, name, "expected")
    found = f"null twin: {_count_words(expected)} expected" if expected else "null twin"
    dimension = _estimate(measurement, name, "local_dimension")
    band = dimension.band if dimension else None
    return f"{found}\ntwins {band[0]:.2f} to {band[1]:.2f}" if band else f"{found}\n"


def _draw_cells_or_dots(axes: Axes, grid: Grid, counts: Cells, points: Dots | None, highest: float) -> AxesImage | None:
    """Draw single points where there are few, the density where there are many; return what has a colour scale."""
    limits = (grid.x_edges[0], grid.x_edges[-1], grid.y_edges[0], grid.y_edges[-1])
    image = None
    if grid.points is None and grid.null_points is None and highest > 1:
        image = axes.imshow(
            counts, COUNT_COLORS, extent=limits, origin="lower", vmin=0, vmax=highest, interpolation="nearest"
        )
    elif points is not None:
        raster = len(points) > _RASTER_FROM
        axes.scatter(points[:, 0], points[:, 1], s=dot_area(len(points)), color=DATA, linewidths=0, rasterized=raster)
    axes.set(xlim=limits[:2], ylim=limits[2:], aspect="equal", xlabel=grid.x_label, ylabel=grid.y_label)
    for spine in axes.spines.values():
        spine.set_visible(True)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(8)
        plain_ticks(axis)
    return image
