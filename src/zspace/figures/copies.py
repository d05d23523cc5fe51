"""Figure of the copies among neighbours in z."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zspace.figures.numbers import format_grid
from zspace.figures.rows import FigureRow
from zspace.figures.style import DATA, HALO, MARK, REFERENCE, add_legend, drawing, new_figure, plain_ticks
from zspace.results import Curve, Measurement

_ESTIMATES = (
    "exact_copies",
    "near_copies",
    "neighbor_pairs_share",
    "random_pairs_share",
    "points_with_copies_share",
    "surplus_share",
    "largest_copy_group",
    "copy_likeness",
)


def copies_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return the one figure: how alike neighbours are, beside pairs drawn at random."""
    return (
        FigureRow(
            key="copies-likeness",
            title="Likeness of neighbouring images",
            caption=_caption(measurement),
            draw=_draw,
            curves=("likeness",),
            estimates=tuple(key for key in _ESTIMATES if key in measurement.estimates),
        ),
    )


def _caption(measurement: Measurement) -> str:
    limit = _limit(measurement)
    judged = f" From {format_grid(limit)} on (vermilion) they are taken for copies of one picture." if limit else ""
    return (
        "How alike the images of neighbouring z-points are (blue), beside images of points drawn at random (grey): the "
        f"share of pairs over their correlation in coarse detail, whatever their brightness and contrast.{judged} That "
        "neighbours are more alike than strangers is what an encoder is for. A hump of its own at the right end is "
        "copies: they lay points side by side, as tight heaps and short strings, that are no structure of z-space. The "
        "scale is logarithmic, so that few copies among many pairs can be seen."
    )


def _limit(measurement: Measurement) -> float | None:
    limit = measurement.estimates.get("copy_likeness")
    return None if limit is None else limit.value


def _draw(measurement: Measurement) -> Figure:
    curve, limit = measurement.curves["likeness"], _limit(measurement)
    with drawing():
        figure = new_figure()
        axes = figure.subplots()
        axes.set(yscale="log", xlabel=curve.x_label, ylabel=curve.y_label)
        neighbors, strangers = curve.y
        axes.stairs(strangers, curve.x, fill=True, color=REFERENCE, alpha=0.25)
        axes.stairs(strangers, curve.x, color=REFERENCE, lw=0.9, zorder=2, label=curve.labels[1])
        axes.stairs(neighbors, curve.x, color=DATA, lw=0.9, zorder=3, label=curve.labels[0])
        _frame(axes, curve)
        if limit is not None:
            _draw_limit(axes, limit)
        for axis in (axes.xaxis, axes.yaxis):
            plain_ticks(axis)
        add_legend(figure, axes)
    return figure


def _frame(axes: Axes, curve: Curve) -> None:
    """Show all bins that hold pairs, with room for bins of a single pair below and for words above."""
    shares = curve.y[curve.y > 0]
    first = np.flatnonzero(curve.y.any(axis=0))[0]
    axes.set(xlim=(curve.x[first] - 0.02, curve.x[-1] + 0.02), ylim=(shares.min() / 2, 4 * shares.max()))


def _draw_limit(axes: Axes, limit: float) -> None:
    axes.axvline(limit, color=MARK, lw=1.0)
    axes.annotate(
        f"copies from {format_grid(limit)} on",
        (limit, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="top",
        color=MARK,
        fontsize=8.5,
        bbox=HALO,
    )
