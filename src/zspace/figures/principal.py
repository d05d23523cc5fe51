"""Figures of the principal components: the spectrum and what its leading part explains."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zspace.figures.curves import draw_curve, draw_single
from zspace.figures.numbers import format_grid, format_number
from zspace.figures.rows import FigureRow, comparison_words
from zspace.figures.style import MARK, add_legend, drawing, new_figure, plain_ticks
from zspace.results import Curve, Measurement

_SHARES = {"n_for_half": 0.5, "n_for_90_percent": 0.9, "n_for_99_percent": 0.99}


def principal_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return the spectrum and the cumulative share of the variance, where the measurement has them."""
    rows = (
        FigureRow(
            "principal-spectrum",
            "Spectrum of the principal components",
            "Variance of the cloud along each of its principal axes, the largest first; both axes are logarithmic. "
            "A steep start means that a few directions dominate, a plateau that the rest is alike in all directions. "
            + _comparison(measurement, "spectrum"),
            lambda found: draw_curve(found.curves["spectrum"], log_x=True, log_y=True),
            ("spectrum",),
            ("first_component_share", "participation_ratio"),
        ),
        FigureRow(
            "principal-cumulative",
            "Share of the variance that leading components hold",
            "How much of the cloud's variance the first so many principal components hold together. The dotted lines "
            "lead from 50, 90 and 99 % down to the number of components needed. "
            + _comparison(measurement, "cumulative"),
            _draw_cumulative,
            ("cumulative",),
            tuple(_SHARES),
        ),
    )
    return tuple(row for row in rows if row.curves[0] in measurement.curves)


def _comparison(measurement: Measurement, name: str) -> str:
    return comparison_words(measurement.curves[name]) if name in measurement.curves else ""


def _draw_cumulative(measurement: Measurement) -> Figure:
    curve = measurement.curves["cumulative"]
    with drawing():
        figure = new_figure()
        axes = figure.subplots()
        axes.set(xscale="log", xlabel=curve.x_label, ylabel=curve.y_label)
        draw_single(axes, curve, 0)
        axes.set_xlim(max(float(curve.x[0]), 0.9), max(float(curve.x[-1]), 2.0))
        axes.set_ylim(0, 1.1 * _whole(curve))
        for key, share in _SHARES.items():
            _draw_needed(axes, measurement, key, share)
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        add_legend(figure, axes)
    return figure


def _whole(curve: Curve) -> float:
    """Return what all components together hold: 1 for shares, 100 for percentages."""
    return 100.0 if curve.y[0, -1] > 1.5 else 1.0


def _draw_needed(axes: Axes, measurement: Measurement, key: str, share: float) -> None:
    needed = measurement.estimates.get(key)
    if needed is None or needed.value is None:
        return
    height = share * _whole(measurement.curves["cumulative"])
    left = axes.get_xlim()[0]
    axes.plot([left, needed.value, needed.value], [height, height, 0], color=MARK, linestyle=":", lw=1.1)
    # Above the left end of its line: the numbers of 90 and 99 % may lie close together on the x axis.
    axes.annotate(
        f"{format_grid(100 * share)} %: {format_number(round(needed.value))}",
        (left, height),
        xytext=(4, 1.5),
        textcoords="offset points",
        va="bottom",
        color=MARK,
        fontsize=8.5,
    )
