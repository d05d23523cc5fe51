"""Figures of maps: how crowded the sheet is, beside the null twin, or coloured by what is known of the points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from zspace.figures.density import COUNT_COLORS, dot_area
from zspace.figures.numbers import format_interval, format_number
from zspace.figures.style import DATA, drawing, new_figure
from zspace.results import Estimate, Map

FEW_POINTS = 3000
"""Up to so many points are drawn one by one; more are shaded by cells."""
_N_CELLS = 140
_VALUE_COLORS = "cividis"
"""From dark blue to yellow: lightness rises all the way, and people with colour-blindness see the same order."""

Sheet = Float32[np.ndarray, "n_points 2"]


@dataclass(frozen=True)
class MapColors:
    """What the points of a map are coloured by, such as their radius, or 1 and 0 for an attribute."""

    name: str
    """With the unit: what stands beside the scale of colours."""
    values: Float64[np.ndarray, " n_points"]
    """One for each row of the map."""


def preserved_colors(found: Map) -> tuple[Sheet, MapColors]:
    """Return the places and colours of the points that a map was judged at: the share of neighbours that it kept."""
    return found.coordinates[found.scored], MapColors("neighbours in z that are kept, share", found.preserved)


def map_caption(found: Map) -> str:
    """Return how to read the figure of a map, with its scores beside those of the null twin."""
    scores = "; ".join(_score_words(found, key) for key in found.estimates)
    twin = (
        "The same map of points drawn from the Gaussian with the cloud's mean and covariance shows what the method "
        "makes of a cloud without heaps and gaps."
        if found.null_coordinates is not None
        else "No null twin was drawn, so gaps and heaps may be the method's own doing."
    )
    return (
        f"{format_number(len(found.rows))} z-points, laid out so that neighbours stay neighbours as far as possible. "
        f"Distances and areas on the sheet are no distances and areas in z. {twin} {scores}."
    )


def _score_words(found: Map, key: str) -> str:
    words = f"{key.replace('_', ' ').capitalize()} {_number_words(found.estimates[key])}"
    twin = found.null_estimates.get(key)
    return f"{words}, null twin {_number_words(twin)}" if twin else words


def _number_words(estimate: Estimate) -> str:
    if estimate.value is None:
        return "unknown"
    if estimate.interval is None:
        return format_number(estimate.value)
    return f"{format_number(estimate.value, estimate.interval)} ({format_interval(estimate.interval, estimate.value)})"


def draw_map_density(found: Map) -> Figure:
    """Draw how crowded a map is, beside the null twin's where there is one."""
    sheets = [("z-points", found.coordinates)]
    if found.null_coordinates is not None:
        sheets.append(("null twin", found.null_coordinates))
    with drawing():
        figure = new_figure(height_inches=2.7 if len(sheets) == 2 else 4.4)
        panels = figure.subplots(1, len(sheets), squeeze=False)[0]
        for axes, (title, sheet) in zip(panels, sheets, strict=True):
            _prepare(axes, sheet, f"{title}: {format_number(len(sheet))} points")
            if len(sheet) <= FEW_POINTS:
                axes.scatter(
                    sheet[:, 0], sheet[:, 1], s=dot_area(len(sheet)), color=DATA, linewidths=0, rasterized=True
                )
            else:
                counts, _ = _cells(sheet, np.ones(len(sheet)))
                highest = float(np.quantile(counts[counts > 0], 0.995))  # one crowded cell must not bleach the rest
                _shade(axes, sheet, counts, COUNT_COLORS, 0.0, highest)
    return figure


def draw_map_colors(sheet: Sheet, colors: MapColors) -> Figure:
    """Draw a map coloured by a value of its points: single dots where they are few, else the mean in each cell."""
    low, high = np.quantile(colors.values, [0.01, 0.99]).tolist()
    if low == high:  # a rare attribute, or one value for all
        low, high = float(colors.values.min()), float(colors.values.max())
    with drawing():
        figure = new_figure(height_inches=4.2)
        axes = figure.subplots()
        _prepare(axes, sheet, f"{format_number(len(sheet))} points")
        if len(sheet) <= FEW_POINTS:
            image: ScalarMappable = axes.scatter(
                sheet[:, 0],
                sheet[:, 1],
                c=colors.values,
                s=2 * dot_area(len(sheet)),
                cmap=_VALUE_COLORS,
                vmin=low,
                vmax=high,
                linewidths=0,
                rasterized=True,
            )
        else:
            counts, sums = _cells(sheet, colors.values)
            means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
            image = _shade(axes, sheet, means, _VALUE_COLORS, low, high)
        bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=28, pad=0.02)
        bar.set_label(colors.name)
        bar.outline.set_visible(False)
    return figure


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


Cells = Float64[np.ndarray, "n_y n_x"]


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
