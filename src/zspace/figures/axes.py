"""Figures of the density along every axis: all at once, the special ones by name, and their centres and widths."""

from __future__ import annotations

from functools import partial

import numpy as np
from jaxtyping import Bool, Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

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
from zspace.figures.style import DATA, MARK, NULL, NULL_EDGE, add_legend, drawing, new_figure, plain_ticks
from zspace.results import Curve, Measurement

Flags = Bool[np.ndarray, " n_axes"]
Values = Float64[np.ndarray, " n_axes"]
Indices = Int64[np.ndarray, " n_chosen"]


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
    if "normality" in measurement.curves:
        rows.append(_NORMALITY_ROW)
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
    law = f" Dashed, for each axis: {curve.laws[0].name}." if curve.laws else ""
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


_LINEAR = (1.0, 1.0)
"""Skewness and excess kurtosis up to which their scales are linear."""


def _draw_normality(measurement: Measurement) -> Figure:
    curve, flags = measurement.curves["normality"], special_axes(measurement)
    special = flags[curve.x.astype(int)]
    skewness, kurtosis = (summary_row(curve, name) for name in ("skewness", "excess kurtosis"))
    with drawing():
        figure = new_figure(height_inches=3.4)
        axes = figure.subplots()
        _draw_null_box(axes, curve)
        _bend_scales(axes, skewness, kurtosis)
        axes.scatter(
            skewness[~special], kurtosis[~special], s=14, color=DATA, alpha=0.55, lw=0, label="ordinary axis", zorder=3
        )
        if special.any():
            axes.scatter(
                skewness[special], kurtosis[special], s=20, color=MARK, marker="D", lw=0, label="special axis", zorder=4
            )
        axes.set(xlabel="skewness (no unit)", ylabel="excess kurtosis (no unit)")
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        far = _furthest(curve)
        _name_dots(axes, curve.x[far], skewness[far], kurtosis[far])
        add_legend(figure, axes)
    return figure


def _bend_scales(axes: Axes, skewness: Values, kurtosis: Values) -> None:
    """Turn a scale logarithmic beyond what is usual, where one strange axis would push all others onto one spot."""
    for axis, values, usual in zip("xy", (skewness, kurtosis), _LINEAR, strict=True):
        if np.abs(values).max() > 5 * usual:
            ticks = [sign * usual * 10.0**power for sign in (-1, 1) for power in range(9)]
            low, high = float(values.min()), float(values.max())
            getattr(axes, f"set_{axis}scale")("symlog", linthresh=usual, linscale=1.5)
            getattr(axes, f"set_{axis}ticks")([0.0, *(tick for tick in ticks if low <= tick <= high)])


def _null_box(curve: Curve) -> tuple[float, float, float, float] | None:
    """Return left, bottom, right and top of what null clouds reach on any axis."""
    if curve.null_low is None or curve.null_high is None:
        return None
    rows = [curve.labels.index(name) for name in ("skewness", "excess kurtosis")]
    (left, bottom), (right, top) = curve.null_low[rows].min(axis=1), curve.null_high[rows].max(axis=1)
    return left, bottom, right, top


def _draw_null_box(axes: Axes, curve: Curve) -> None:
    if (box := _null_box(curve)) is not None:
        left, bottom, right, top = box
        width, height = right - left, top - bottom
        patch = Rectangle((left, bottom), width, height, facecolor=NULL, edgecolor=NULL_EDGE, lw=0.8)
        patch.set_label("reach of normal axes")
        axes.add_patch(patch)


def _furthest(curve: Curve) -> Indices:
    """Return the axes outside the box that are furthest from a normal one, on the scales of the picture."""
    skewness, kurtosis = (summary_row(curve, name) for name in ("skewness", "excess kurtosis"))
    distance = np.hypot(np.arcsinh(skewness / _LINEAR[0]), np.arcsinh(kurtosis / _LINEAR[1]))
    order = np.argsort(-distance)
    if (box := _null_box(curve)) is not None:
        left, bottom, right, top = box
        outside = (skewness < left) | (skewness > right) | (kurtosis < bottom) | (kurtosis > top)
        order = order[outside[order]]
    return order[: MAX_RIDGES // 2]


_NORMALITY_ROW = FigureRow(
    "axes-normality",
    "How normal each axis is",
    "One dot per axis: how lopsided its density is (skewness) against how heavy its tails are (excess kurtosis, "
    "negative for light ones). A normal axis, however centred and broad, lies at 0, 0 but for chance: the box holds "
    "all axes of 95 % of null clouds, Gaussians with the cloud's correlations. It shrinks as points are added, so that "
    "large clouds leave it easily; what matters then is how far. Numbers name the axes furthest out.",
    _draw_normality,
    ("normality",),
    ("n_not_normal_axes", "largest_skewness", "largest_excess_kurtosis", "median_excess_kurtosis"),
)
