"""Figures of planes: the zoom series, each window beside its null twin, and the count over the size of the window."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from zspace.figures.curves import draw_curve
from zspace.figures.density import COUNT_COLORS, dot_area
from zspace.figures.numbers import format_number
from zspace.figures.rows import FigureRow, slug
from zspace.figures.style import DATA, drawing, new_figure, plain_ticks
from zspace.results import Estimate, Grid, Measurement

_RASTER_FROM = 500
"""More dots than this become pixels: as vectors they would take a megabyte."""
_ROW_INCHES = 2.5

Cells = Float64[np.ndarray, "n_y n_x"]
Dots = Float64[np.ndarray, "n_dots 2"]


def planes_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return two figures a plane: its windows beside their twins, and the count over the side of the window."""
    return tuple(row for plane in measurement.curves for row in _plane_rows(measurement, plane))


def _plane_rows(measurement: Measurement, plane: str) -> tuple[FigureRow, ...]:
    windows = _windows(measurement, plane)
    key = slug(f"planes {plane}")
    return (
        FigureRow(
            f"{key}-windows",
            f"Plane {plane}, whole and closer",
            "Left the z-points, right its null twin: one cloud of as many points drawn from the Gaussian with the same "
            "mean and covariance. Scattered points seem to form strings round voids by themselves, so strings on the "
            f"left mean something only where the right has none. {_verdicts(measurement, windows)}",
            partial(_draw_windows, plane=plane),
            (plane,),
            tuple(f"{_stem(name)}_{quantity}" for name in windows for quantity in ("points", "local_dimension")),
        ),
        FigureRow(
            f"{key}-counts",
            f"Plane {plane}: points found and expected",
            "Points in squares around the centre, divided by how many the Gaussian with the cloud's mean and "
            "covariance would put there. At 1 the plane is as full as expected at that scale; voids around the centre "
            "would pull the line down. Light band: where 95 % of such clouds would lie, in closed form.",
            partial(_draw_counts, plane=plane),
            (plane,),
        ),
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


def _verdicts(measurement: Measurement, windows: list[str]) -> str:
    """Return a sentence for each window: found, expected, and how the points are scattered."""
    return " ".join(_verdict(measurement, name) for name in windows)


def _verdict(measurement: Measurement, name: str) -> str:
    _, _, window = name.partition(" ")
    parts = [f"{window.capitalize()}: {format_number(int(measurement.grids[name].counts.sum()))} points"]
    if expected := _estimate(measurement, name, "expected"):
        parts.append(f"{_count_words(expected)} expected")
    if dimension := _estimate(measurement, name, "local_dimension"):
        band = f", twins {dimension.null_band[0]:.2f} to {dimension.null_band[1]:.2f}" if dimension.null_band else ""
        parts.append(f"local dimension {dimension.value:.2f} (scattered 2, lines 1{band})")
    return ", ".join(parts) + "."


def _count_words(expected: Estimate) -> str:
    """Return an expected count, to a tenth where it is small."""
    value = expected.value or 0.0
    return format_number(round(value)) if value >= 20 else f"{value:.1f}"


def _draw_counts(measurement: Measurement, *, plane: str) -> Figure:
    return draw_curve(measurement.curves[plane], log_x=True)


def _draw_windows(measurement: Measurement, *, plane: str) -> Figure:
    names = _windows(measurement, plane)
    with drawing():
        figure = new_figure(height_inches=0.3 + _ROW_INCHES * len(names))
        panels = figure.subplots(len(names), 2, squeeze=False)
        for row, name in zip(panels, names, strict=True):
            _draw_window(figure, row.tolist(), measurement, name)
        for axes in panels[:-1].flat:
            axes.set_xlabel("")
    return figure


def _draw_window(figure: Figure, pair: list[Axes], measurement: Measurement, name: str) -> None:
    grid = measurement.grids[name]
    left, right = pair
    highest = max(float(counts.max(initial=1.0)) for counts in (grid.counts, grid.null_counts) if counts is not None)
    image = _draw_cells_or_dots(left, grid, grid.counts, grid.points, highest)
    left.set_title(_found_words(measurement, name), fontsize=8.5, loc="left")
    if grid.null_counts is None:
        right.set_axis_off()
        right.text(0.5, 0.5, "no null twin:\nthe plane has no Gaussian", ha="center", transform=right.transAxes)
    else:
        _draw_cells_or_dots(right, grid, grid.null_counts, grid.null_points, highest)
        right.set_title(_twin_words(measurement, name), fontsize=8.5, loc="left")
        right.set(ylabel="", yticklabels=[])
    if image is not None:
        bar = figure.colorbar(image, ax=pair, shrink=0.75, aspect=24, pad=0.02)
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
    band = dimension.null_band if dimension else None
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
