"""Figures of the density over the radius."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from zspace.figures.curves import Mark, draw_curve
from zspace.figures.numbers import format_grid, format_number
from zspace.figures.rows import FigureRow, comparison_words, slug
from zspace.results import Curve, Measurement

_ESTIMATES = (
    ("mean_radius", "peak_radius", "matched_mean_radius", "matched_peak_radius", "smallest", "largest"),
    ("half_shell_low", "half_shell_high", "shell95_low", "shell95_high"),
)


def radius_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return one figure per bin width, the widest bins first."""
    widths = {name: float(curve.x[1] - curve.x[0]) for name, curve in measurement.curves.items()}
    ordered = sorted(widths, key=lambda name: -widths[name])
    return tuple(
        FigureRow(
            key=slug(f"radius {name}"),
            title=f"Density over the radius, bins of {format_grid(widths[name])}",
            caption=_caption(measurement.curves[name]),
            draw=partial(_draw, curve_name=name),
            curves=(name,),
            estimates=_ESTIMATES[order] if order < len(_ESTIMATES) else (),
        )
        for order, name in enumerate(ordered)
    )


def _caption(curve: Curve) -> str:
    return (
        "How many z-points lie at each distance from the origin, counted in shells as wide as the bins (blue). "
        f"{comparison_words(curve)} A hollow centre is no void: in many dimensions nearly all the volume "
        "of a round cloud lies in a thin outer shell."
    )


def _draw(measurement: Measurement, *, curve_name: str) -> Figure:
    peak = measurement.estimates.get("peak_radius")
    marks: tuple[Mark, ...] = ()
    if peak is not None and peak.value is not None:
        marks = (Mark(peak.value, f"peak {format_number(peak.value, peak.interval)}"),)
    return draw_curve(measurement.curves[curve_name], marks)
