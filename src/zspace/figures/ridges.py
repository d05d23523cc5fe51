"""Figure of the special axes, one ridge line each, and what the records say of each axis."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zspace.figures.curves import positions
from zspace.figures.style import DATA, LAW_STROKES, MARK, REFERENCE, drawing, new_figure, plain_ticks
from zspace.results import Curve, Measurement

MAX_RIDGES = 14
"""Special axes that get a line of their own; the broadest come first."""

_VISIBLE = 0.004
"""Where every curve is below this share of its own peak, the frame may end."""

_RIDGE = 1.2
"""Height of a ridge, in distances between neighbouring baselines."""

_CENTRES = ("median", "peak", "mean")
_WIDTHS = ("half-width", "standard deviation")

Flags = Bool[np.ndarray, " n_axes"]
Values = Float64[np.ndarray, " n_axes"]


def special_axes(measurement: Measurement) -> Flags:
    """Return which axes are flagged as off-centre or broad; none are where nothing is flagged."""
    density, summary = measurement.curves.get("density"), measurement.curves.get("summary")
    if summary is not None and "special" in summary.labels:
        return np.asarray(summary_row(summary, "special") > 0, dtype=bool)
    n_axes = len(density.y) if density is not None else len(measurement.curves["summary"].x)
    return np.zeros(n_axes, dtype=bool)


def centre_and_width(measurement: Measurement) -> tuple[str, str] | None:
    """Return which rows of the summary serve as centre and width, or None if it lacks them."""
    summary = measurement.curves.get("summary")
    labels = summary.labels if summary is not None else ()
    centre = next((name for name in _CENTRES if name in labels), None)
    width = next((name for name in _WIDTHS if name in labels), None)
    return (centre, width) if centre and width else None


def summary_row(summary: Curve, name: str) -> Values:
    """Return the row of the summary with this label."""
    values: Values = summary.y[summary.labels.index(name)]
    return values


def visible_range(curve: Curve) -> tuple[float, float]:
    """Return the limits outside of which every curve has all but vanished."""
    peaks = np.maximum(curve.y.max(axis=1, keepdims=True), 1e-300)
    bins = np.flatnonzero(np.any(curve.y > _VISIBLE * peaks, axis=0))
    if not len(bins):
        return float(curve.x[0]), float(curve.x[-1])
    return float(curve.x[bins[0]]), float(curve.x[bins[-1] + 1])


def draw_ridges(measurement: Measurement) -> Figure:
    """Draw the special axes below one another, the broadest on top, and an ordinary one at the foot."""
    curve, special = measurement.curves["density"], special_axes(measurement)
    rows = _broadest(measurement, special)
    ordinary = _middle_ordinary(measurement, special)
    shown = rows if ordinary is None else [*rows, ordinary]
    with drawing():
        figure = new_figure(height_inches=0.9 + 0.27 * (len(shown) + 1))
        axes = figure.subplots()
        for place, row in enumerate(shown):
            _draw_ridge(axes, curve, row, len(shown) - 1 - place, DATA if special[row] else REFERENCE)
        axes.axvline(0, color="#b5b5b5", lw=0.8, zorder=0)
        axes.set_yticks(range(len(shown)), [curve.labels[row] for row in shown[::-1]])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set(xlabel=curve.x_label, xlim=visible_range(curve), ylim=(-0.15, len(shown) + 0.4))
        if ordinary is not None:
            axes.text(0.995, 0.1, "ordinary", transform=axes.get_yaxis_transform(), ha="right", color=REFERENCE, size=8)
        plain_ticks(axes.xaxis)
    return figure


def _widths(measurement: Measurement) -> Values:
    """Return the width of every axis, or zeros where the records have none."""
    names = centre_and_width(measurement)
    if names is None:
        return np.zeros(len(measurement.curves["density"].y))
    return summary_row(measurement.curves["summary"], names[1])


def _broadest(measurement: Measurement, special: Flags) -> list[int]:
    """Return the rows of the special axes, the broadest first, at most as many as can be read."""
    widths = _widths(measurement)
    rows = sorted(np.flatnonzero(special).tolist(), key=lambda row: -float(widths[row]))
    return rows[:MAX_RIDGES]


def _middle_ordinary(measurement: Measurement, special: Flags) -> int | None:
    """Return the ordinary axis whose width is in the middle, so that broad can be told from narrow by eye."""
    ordinary = np.flatnonzero(~special)
    if not len(ordinary):
        return None
    return int(ordinary[np.argsort(_widths(measurement)[ordinary])[len(ordinary) // 2]])


def _draw_ridge(axes: Axes, curve: Curve, row: int, height: int, color: str) -> None:
    scale = _RIDGE / max(float(curve.y[row].max()), 1.0)
    x, values = positions(curve), height + scale * curve.y[row]
    # Ridges overlap a little, as in a mountain range: the lower ones stand in front.
    depth = 2 - height / 100
    axes.fill_between(x, height, values, facecolor=color, alpha=0.22, lw=0, zorder=depth)
    axes.plot(x, values, color=color, lw=1.0, zorder=depth)
    for law, stroke in zip(curve.laws, cycle(LAW_STROKES), strict=False):
        expected = law.values[row]
        visible = np.where(expected > _VISIBLE * expected.max(), height + scale * expected, np.nan)
        axes.plot(x, visible, color=stroke.color, linestyle=stroke.pattern, lw=0.8, zorder=depth)
    axes.plot(x[int(np.argmax(curve.y[row]))], height, marker="o", color=MARK, markersize=3.5, zorder=3, clip_on=False)
