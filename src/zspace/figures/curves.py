"""Draws any `Curve`: one histogram or line with its null band and laws, or many over one another."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from zspace.figures.numbers import format_grid
from zspace.figures.style import (
    DATA,
    HALO,
    LAW,
    LAW_STROKES,
    MARK,
    NULL,
    NULL_EDGE,
    SERIES,
    add_legend,
    drawing,
    new_figure,
    plain_ticks,
)
from zspace.results import Curve

N_NAMED = len(SERIES)
"""More curves than this are drawn as one translucent bundle without names."""

_OFF_SCALE = 1.7
"""A law higher than this many times the data leaves the frame, so that the data stay readable; a note tells."""

_WORTH_SHOWING = 1.0
"""Counts that a law must expect in a bin for the bin to be in the picture."""

Values = Float64[np.ndarray, " n_values"]


@dataclass(frozen=True)
class Mark:
    """A place on the x axis that deserves a name."""

    x: float
    text: str


def positions(curve: Curve) -> Values:
    """Return the x of every y: the middles of the bins of a histogram, x itself of a line."""
    return (curve.x[1:] + curve.x[:-1]) / 2 if curve.kind == "histogram" else curve.x


def draw_curve(curve: Curve, marks: tuple[Mark, ...] = (), *, log_x: bool = False, log_y: bool = False) -> Figure:
    """Draw whatever a curve record holds.

    Parameters
    ----------
    curve
        One curve gets its null band and its laws beside it; up to eight get a colour and a name each; more are drawn
        as one translucent bundle.
    marks
        Thin lines with a name, such as the peak.
    log_x, log_y
        Logarithmic axes; values that are not positive are left out of them. Without any positive value y stays linear.
    """
    with drawing():
        figure = new_figure(height_inches=3.0 + 0.2 * len(curve.laws))  # the name of a law takes a line
        axes = figure.subplots()
        # Scales come first: notes and limits below depend on them.
        log_y = log_y and bool((curve.y > 0).any())
        axes.set(xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
        if len(curve.y) == 1:
            draw_single(axes, curve, 0, marks)
        elif len(curve.y) <= N_NAMED:
            _draw_named(axes, curve)
        else:
            draw_bundle(axes, curve, np.ones(len(curve.y), dtype=bool))
        _label(axes, curve)
        add_legend(figure, axes)
    return figure


def draw_single(axes: Axes, curve: Curve, row: int, marks: tuple[Mark, ...] = ()) -> None:
    """Draw one row of a curve with its null band, its laws and its marks."""
    _draw_band(axes, curve, row)
    _draw_values(axes, curve, curve.y[row], color=DATA, label=curve.labels[row], fill=True)
    _frame(axes, curve, row)
    _draw_laws(axes, curve, row)
    for mark in marks:
        _draw_mark(axes, mark)


def _draw_band(axes: Axes, curve: Curve, row: int) -> None:
    if curve.null_low is None or curve.null_high is None:
        return
    low, high = curve.null_low[row], curve.null_high[row]
    label = textwrap.fill(curve.null_name or "null model", 64)
    if curve.kind == "histogram":
        axes.stairs(
            high, curve.x, baseline=low, fill=True, facecolor=NULL, edgecolor=NULL_EDGE, lw=0.6, zorder=1, label=label
        )
    else:
        axes.fill_between(curve.x, low, high, facecolor=NULL, edgecolor=NULL_EDGE, lw=0.6, zorder=1, label=label)


def _draw_values(axes: Axes, curve: Curve, values: Values, *, color: str, label: str, fill: bool = False) -> None:
    if curve.kind == "histogram":
        # Hundreds of narrow bins look like a comb with full-width lines.
        width = 1.4 if np.count_nonzero(values) < 120 else 0.7
        axes.stairs(values, curve.x, color=color, lw=width, zorder=3, label=label)
        if fill and curve.null_low is None:
            axes.stairs(values, curve.x, fill=True, color=color, alpha=0.12)
    else:
        axes.plot(
            curve.x, values, color=color, marker="o" if len(values) <= 40 else "", markersize=3, zorder=3, label=label
        )


def _frame(axes: Axes, curve: Curve, row: int) -> None:
    """Fit the height to the data and the null band, not to a law that may be far higher; leave room for a name."""
    shown = [curve.y[row], *(band[row] for band in (curve.null_low, curve.null_high) if band is not None)]
    if axes.get_yscale() == "linear":
        top = max(float(values.max()) for values in shown)
        axes.set_ylim(min(0.0, *(float(values.min()) for values in shown)), 1.2 * top if top > 0 else 1.0)
    if curve.kind == "histogram":
        expected = [law.values[row] >= _WORTH_SHOWING for law in curve.laws]
        axes.set_xlim(*_occupied(curve.x, np.any([*(values > 0 for values in shown), *expected], axis=0)))


def _occupied(edges: Values, occupied: Bool[np.ndarray, " n_bins"]) -> tuple[float, float]:
    """Return the limits of the bins in use, with a margin of a thirtieth on both sides."""
    bins = np.flatnonzero(occupied)
    if not len(bins):
        return float(edges[0]), float(edges[-1])
    low, high = float(edges[bins[0]]), float(edges[bins[-1] + 1])
    margin = (high - low) / 30
    return low - margin, high + margin


def _draw_laws(axes: Axes, curve: Curve, row: int) -> None:
    """Draw the laws as far as they fit into the frame, which they may raise a little; say which leave it, and where."""
    x, (bottom, top) = positions(curve), axes.get_ylim()
    off_scale = []
    for law, stroke in zip(curve.laws, cycle(LAW_STROKES), strict=False):
        values = law.values[row]
        axes.plot(
            x,
            values,
            color=stroke.color,
            linestyle=stroke.pattern,
            lw=stroke.width,
            zorder=2.5 if stroke is LAW_STROKES[0] else 3.5,
            label=textwrap.fill(law.name, 64),
        )
        highest = int(np.argmax(values))
        if axes.get_yscale() == "log" or values[highest] <= _OFF_SCALE * top:
            top = max(top, 1.08 * float(values[highest]))
        else:
            off_scale.append((stroke.word, float(x[highest]), float(values[highest])))
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom, top)
    if off_scale:
        _note_off_scale(axes, off_scale)


def _note_off_scale(axes: Axes, peaks: list[tuple[str, float, float]]) -> None:
    """Say where laws peak that leave the frame, in the corner that the first of them does not cross."""
    left, right = axes.get_xlim()
    to_left = peaks[0][1] > (left + right) / 2
    places = ["" if left <= x <= right else f" at {format_grid(float(f'{x:.3g}'))}" for _, x, _ in peaks]
    notes = (
        f"{word} line peaks off scale{place}, at height {format_grid(float(f'{height:.3g}'))}"
        for (word, _, height), place in zip(peaks, places, strict=True)
    )
    axes.annotate(
        "\n".join(notes),
        (0.0 if to_left else 1.0, 1.0),
        xycoords="axes fraction",
        xytext=(4 if to_left else -2, -2),
        textcoords="offset points",
        ha="left" if to_left else "right",
        va="top",
        fontsize=7.5,
        color=LAW,
        bbox=HALO,
    )


def _draw_mark(axes: Axes, mark: Mark) -> None:
    left, right = axes.get_xlim()
    if not left <= mark.x <= right:
        return
    axes.axvline(mark.x, color=MARK, lw=1.0)
    # The text goes under the note on an off-scale law, and to the side with more room.
    to_left = mark.x > left + 0.7 * (right - left)
    axes.annotate(
        mark.text,
        (mark.x, 0.9),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if to_left else 4, 0),
        textcoords="offset points",
        ha="right" if to_left else "left",
        va="top",
        color=MARK,
        fontsize=8.5,
        bbox=HALO,
    )


def _draw_named(axes: Axes, curve: Curve) -> None:
    for values, label, color in zip(curve.y, curve.labels, SERIES, strict=False):
        _draw_values(axes, curve, values, color=color, label=label)


def draw_bundle(axes: Axes, curve: Curve, rows: Bool[np.ndarray, " n_curves"], color: str = DATA) -> None:
    """Draw many curves as thin translucent lines, so that density shows where most of them run.

    The lines are one raster layer: as vectors, hundreds of them would take megabytes.
    """
    chosen = curve.y[rows]
    x = np.broadcast_to(positions(curve), chosen.shape)
    alpha = float(np.clip(24 / max(len(chosen), 1), 0.12, 0.9))
    lines = LineCollection(list(np.stack([x, chosen], axis=-1)), colors=color, linewidths=0.8, alpha=alpha)
    lines.set_rasterized(True)
    axes.add_collection(lines)
    axes.autoscale_view()


def _label(axes: Axes, curve: Curve) -> None:
    axes.set_xlabel(curve.x_label)
    axes.set_ylabel(curve.y_label)
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
