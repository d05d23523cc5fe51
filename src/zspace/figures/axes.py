"""Figures of the density along every axis: all at once, the special ones by name, and their centres and widths."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zspace.figures.curves import draw_bundle, draw_curve
from zspace.figures.numbers import format_grid
from zspace.figures.ridges import (
    MAX_RIDGES,
    centre_and_width,
    draw_ridges,
    special_axes,
    summary_row,
    visible_range,
)
from zspace.figures.rows import FigureRow
from zspace.figures.style import DATA, MARK, add_legend, drawing, new_figure, plain_ticks
from zspace.results import Measurement

Flags = Bool[np.ndarray, " n_axes"]
Values = Float64[np.ndarray, " n_axes"]


def axes_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return the overlay of all axes, the special axes if there are any, and centre against width."""
    rows = []
    if "density" in measurement.curves:
        rows.append(_overlay_row())
        if special_axes(measurement).any():
            rows.append(_ridges_row(measurement))
    names = centre_and_width(measurement)
    if names is not None:
        rows.append(_summary_row(*names))
    return tuple(rows)


def _overlay_row() -> FigureRow:
    return FigureRow(
        "axes-density",
        "Density along every axis of z-space",
        "One thin line per axis: how many z-points have a coordinate in each bin. Where most lines run, blue gets "
        "dense. Orange lines are the special axes, whose density sits off the origin or is unusually broad.",
        _draw_overlay,
        ("density",),
        ("median_standard_deviation",),
    )


def _ridges_row(measurement: Measurement) -> FigureRow:
    n_special = int(special_axes(measurement).sum())
    curve = measurement.curves["density"]
    law = f" Dashed, for each axis: {curve.law_name or 'its law'}." if curve.law is not None else ""
    cut = f" The {MAX_RIDGES} broadest of {n_special} are shown." if n_special > MAX_RIDGES else ""
    return FigureRow(
        "axes-special",
        "The special axes, one by one",
        "Each line is the density along one special axis, scaled to its own peak; the dot marks the fullest bin, the "
        f"grey upright the origin. The grey line at the foot is an ordinary axis to compare with.{law}{cut}",
        draw_ridges,
        (),
        ("n_special_axes", "largest_offset"),
    )


def _summary_row(centre: str, width: str) -> FigureRow:
    return FigureRow(
        "axes-summary",
        "Centre and width of every axis",
        f"One dot per axis: its {centre} against its {width}. Ordinary axes crowd around zero; the numbers beside "
        "orange dots are the indices of special axes. In a round cloud about the origin all dots fall on one spot.",
        partial(_draw_summary, centre_name=centre, width_name=width),
        ("summary",),
        ("largest_standard_deviation",),
    )


def _draw_overlay(measurement: Measurement) -> Figure:
    curve, special = measurement.curves["density"], special_axes(measurement)
    if len(curve.y) == 1:
        return draw_curve(curve)
    with drawing():
        figure = new_figure()
        axes = figure.subplots()
        draw_bundle(axes, curve, ~special)
        draw_bundle(axes, curve, special, MARK)
        _add_overlay_names(axes, special)
        axes.set_xlim(*visible_range(curve))
        axes.set_ylim(0, 1.06 * float(curve.y.max()) or 1.0)
        axes.set(xlabel=curve.x_label, ylabel=curve.y_label)
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        add_legend(figure, axes)
    return figure


def _add_overlay_names(axes: Axes, special: Flags) -> None:
    axes.plot([], [], color=DATA, label=f"{int((~special).sum())} ordinary axes")
    if special.any():
        axes.plot([], [], color=MARK, label=f"{int(special.sum())} special axes")


def _draw_summary(measurement: Measurement, *, centre_name: str, width_name: str) -> Figure:
    summary, flags = measurement.curves["summary"], special_axes(measurement)
    centre, width = summary_row(summary, centre_name), summary_row(summary, width_name)
    with drawing():
        figure = new_figure(height_inches=3.4)
        axes = figure.subplots()
        axes.axvline(0, color="#b5b5b5", lw=0.8, zorder=0)
        axes.scatter(centre[~flags], width[~flags], s=14, color=DATA, alpha=0.55, lw=0, label="ordinary axis")
        if flags.any():
            axes.scatter(centre[flags], width[flags], s=20, color=MARK, marker="D", lw=0, label="special axis")
        axes.set(
            xlabel=f"{centre_name} of the coordinate ({summary.y_label})", ylabel=f"{width_name} ({summary.y_label})"
        )
        axes.set_ylim(bottom=0)
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        _name_dots(axes, summary.x[flags], centre[flags], width[flags])
        add_legend(figure, axes)
    return figure


def _name_dots(axes: Axes, indices: Values, centre: Values, width: Values) -> None:
    """Write the index beside each special dot, the broadest first; names that would cover another are left out."""
    taken: list[tuple[float, float]] = []
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for i in np.argsort(-width)[: 2 * MAX_RIDGES]:
        place = ((centre[i] - left) / (right - left), (width[i] - bottom) / (top - bottom))
        if any(abs(place[0] - x) < 0.07 and abs(place[1] - y) < 0.05 for x, y in taken):
            continue
        taken.append(place)
        spot = (float(centre[i]), float(width[i]))
        name = format_grid(float(indices[i]))
        axes.annotate(name, spot, xytext=(5, -3), textcoords="offset points", fontsize=8, color="#7a3500")
