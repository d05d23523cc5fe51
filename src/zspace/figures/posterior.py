"""Figures of a VAE's posterior: how wide it is, and which axes tell anything of an image."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from zspace.figures.curves import draw_curve
from zspace.figures.rows import FigureRow, slug
from zspace.results import Measurement

_ROWS = {
    "logvar": (
        "Width of the posterior",
        (
            "Logarithm of the posterior's variance, counted over all points and all axes. At 0 the posterior is as "
            "wide as the prior, and z says nothing of the image. Every 4.6 further down the noise is a tenth: at -9.2 "
            "z and mu differ by 0.01, and the cloud of z is the cloud of mu."
        ),
        (
            "largest_logvar",
            "smallest_logvar",
            "mean_logvar",
            "largest_component_gap",
            "n_far_components",
            "largest_radius_z",
            "smallest_radius_z",
            "mean_radius_z",
            "mean_radius_mu",
            "largest_radius_gap",
            "mean_radius_gap",
            "largest_relative_radius_gap",
            "mean_relative_radius_gap",
        ),
    ),
    "divergence per axis": (
        "What each axis tells",
        (
            "KL divergence from the prior that each axis spends on an image, on average, the largest first. It bounds "
            "what the axis can tell of the image; an axis near 0 is collapsed and tells nothing."
        ),
        ("divergence", "n_active_axes", "collapsed_share"),
    ),
}
"""Title, caption and estimates by the name of the curve."""


def posterior_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return a figure for each curve, with what the posts report beside it."""
    return tuple(
        FigureRow(
            key=slug(f"posterior {name}"),
            title=title,
            caption=caption,
            draw=partial(_draw, name=name),
            curves=(name,),
            estimates=estimates,
        )
        for name, (title, caption, estimates) in _ROWS.items()
        if name in measurement.curves
    )


def _draw(measurement: Measurement, *, name: str) -> Figure:
    return draw_curve(measurement.curves[name])
