"""Figures of maps: how crowded the sheet is, beside the null twin, or coloured by what is known of the points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from zspace.figures.density import COUNT_COLORS, dot_area
from zspace.figures.numbers import format_number
from zspace.figures.style import DATA, drawing, new_figure, plain_ticks
from zspace.results import Map, MapSheet

FEW_POINTS = 3000
"""Up to so many points are drawn one by one; more are shaded by cells."""
_N_CELLS = 140
_VALUE_COLORS = "cividis"
"""From dark blue to yellow: lightness rises all the way, and people with colour-blindness see the same order."""

_PANELS_IN_A_ROW = 2

Sheet = Float32[np.ndarray, "n_points 2"]
Cells = Float64[np.ndarray, "n_y n_x"]


@dataclass(frozen=True)
class _Panel:
    """A map coloured by one value of its points."""

    title: str
    sheet: Sheet
    values: Float64[np.ndarray, " n_points"]


def map_caption(found: Map) -> str:
    """Return how to read the figure of a map, and what its null twin is for."""
    twin = (
        "The null twin is the same map of points drawn from the Gaussian with the cloud's mean and covariance: it "
        "shows what the method makes of a cloud without heaps and gaps."
        if found.null_estimates
        else "No null twin was drawn, so gaps and heaps may be the method's own doing."
    )
    return (
        f"{format_number(found.n_points)} z-points, laid out so that neighbours stay neighbours as far as possible. "
        f"Distances and areas on the sheet are no distances and areas in z. {twin}"
    )


def colors_caption(found: Map, sheet: MapSheet) -> str:
    """Return how to read the same map in colours."""
    n_judged = len(sheet.scored)
    judged = "each of them" if n_judged == found.n_points else f"{format_number(n_judged)} drawn at random"
    words = (
        f"The same map coloured by what is known of its points: their radius, and at {judged} how far the neighbours "
        "in z reach, large where the cloud is thin, and the share of them that are neighbours on the map."
    )
    if not found.shared:
        return words
    return (
        f"{words} Then attributes of the images; in brackets the correlation of a point's value with the mean over its "
        "neighbours on the map, 0 when the map says nothing about the attribute."
    )


def draw_map_density(sheet: MapSheet) -> Figure:
    """Draw how crowded a map is, beside the null twin's where there is one."""
    sheets = [("z-points", sheet.coordinates)]
    if sheet.null_coordinates is not None:
        sheets.append(("null twin", sheet.null_coordinates))
    with drawing():
        figure = new_figure(height_inches=2.7 if len(sheets) == 2 else 4.4)
        panels = figure.subplots(1, len(sheets), squeeze=False)[0]
        for axes, (title, places) in zip(panels, sheets, strict=True):
            _prepare(axes, places, f"{title}: {format_number(len(places))} points")
            if len(places) <= FEW_POINTS:
                axes.scatter(
                    places[:, 0], places[:, 1], s=dot_area(len(places)), color=DATA, linewidths=0, rasterized=True
                )
            else:
                counts, _ = _cells(places, np.ones(len(places)))
                highest = float(np.quantile(counts[counts > 0], 0.995))  # one crowded cell must not bleach the rest
                _shade(axes, places, counts, COUNT_COLORS, 0.0, highest)
    return figure


def draw_map_colors(found: Map, sheet: MapSheet) -> Figure:
    """Draw a map coloured by each value of its points: single dots where they are few, else the mean in each cell."""
    panels = list(_panels(found, sheet))
    n_rows = -(-len(panels) // _PANELS_IN_A_ROW)
    with drawing():
        figure = new_figure(height_inches=2.45 * n_rows)
        places = figure.subplots(n_rows, _PANELS_IN_A_ROW, squeeze=False).ravel()
        for axes, panel in zip(places, panels, strict=False):
            image = _draw_panel(axes, panel, sheet.coordinates)
            bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=22, pad=0.02)
            bar.outline.set_visible(False)
            plain_ticks(bar.ax.yaxis)
        for axes in places[len(panels) :]:
            axes.set_axis_off()
    return figure


def _panels(found: Map, sheet: MapSheet) -> Iterator[_Panel]:
    yield _Panel("radius (units of z)", sheet.coordinates, sheet.colors["radius"])
    judged = sheet.coordinates[sheet.scored]
    yield _Panel(f"distance to neighbour {found.n_neighbors} in z", judged, sheet.scores["reach"])
    yield _Panel("neighbours kept, share", judged, sheet.scores["neighbors_preserved"])
    for name, estimate in found.shared.items():
        known = ~np.isnan(sheet.colors[name])
        title = f"{name.replace('_', ' ')} ({estimate.value or 0:.2f})"
        yield _Panel(title, sheet.coordinates[known], sheet.colors[name][known])


def _draw_panel(axes: Axes, panel: _Panel, whole: Sheet) -> ScalarMappable:
    low, high = np.quantile(panel.values, [0.01, 0.99]).tolist()
    if low == high:  # a rare attribute, or one value for all
        low, high = float(panel.values.min()), float(panel.values.max())
    _prepare(axes, whole, panel.title)
    if len(panel.sheet) <= FEW_POINTS:
        return axes.scatter(
            panel.sheet[:, 0],
            panel.sheet[:, 1],
            c=panel.values,
            s=2 * dot_area(len(panel.sheet)),
            cmap=_VALUE_COLORS,
            vmin=low,
            vmax=high,
            linewidths=0,
            rasterized=True,
        )
    counts, sums = _cells(panel.sheet, panel.values)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return _shade(axes, panel.sheet, means, _VALUE_COLORS, low, high)


def _prepare(axes: Axes, sheet: Sheet, title: str) -> None:
    """Set up a panel without ticks: coordinates on a map mean nothing."""
    (left, right), (bottom, top) = _limits(sheet)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=8.5, loc="left")
    for spine in axes.spines.values():
        spine.set_visible(True)


def _limits(sheet: Sheet) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of a square that holds all points of a map."""
    low, high = sheet.min(axis=0).astype(np.float64), sheet.max(axis=0).astype(np.float64)
    reach = 0.52 * float((high - low).max()) or 1.0
    (x, y) = ((low + high) / 2).tolist()
    return (x - reach, x + reach), (y - reach, y + reach)


def _cells(sheet: Sheet, values: Float64[np.ndarray, " n_points"]) -> tuple[Cells, Cells]:
    """Return the number of points in each cell and the sum of their values."""
    x_limits, y_limits = _limits(sheet)
    limits = [list(y_limits), list(x_limits)]
    y, x = sheet[:, 1].astype(np.float64), sheet[:, 0].astype(np.float64)
    counts, _, _ = np.histogram2d(y, x, bins=_N_CELLS, range=limits)
    sums, _, _ = np.histogram2d(y, x, bins=_N_CELLS, range=limits, weights=values)
    return counts, sums


def _shade(axes: Axes, sheet: Sheet, cells: Cells, colors: object, low: float, high: float) -> ScalarMappable:
    (left, right), (bottom, top) = _limits(sheet)
    return axes.imshow(
        cells,
        colors,  # type: ignore[arg-type]
        extent=(left, right, bottom, top),
        origin="lower",
        vmin=low,
        vmax=high,
        interpolation="nearest",
    )
