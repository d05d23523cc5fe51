"""Figures of clusters: inertia, the same beside its null band, the gap, and how far starts agree."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from zspace.figures.curves import Mark, draw_curve
from zspace.figures.numbers import format_grid
from zspace.figures.rows import FigureRow, comparison_words, slug
from zspace.results import Measurement

_ROWS = {
    "inertia": (
        "Inertia over the number of clusters",
        (
            "Sum over z-points of the squared distance to the nearest of k centres. It always falls as k grows; only a "
            "sharp elbow, where it suddenly falls more slowly, speaks for k clusters."
        ),
        (),
    ),
    "inertia share": (
        "Inertia beside clouds without clusters",
        "Inertia of the compared points as a share of that about their mean (blue). Clusters pull it below the band.",
        ("inertia_share", "elbow_k", "elbow_bend"),
    ),
    "gap": (
        "Gap statistic",
        (
            "How far log inertia lies below its mean over reference clouds (blue). Without clusters it stays near 0; "
            "with them it rises up to their number. The rule takes the first k that the next does not clearly beat, "
            "and so can miss many small clusters that show only from some k on; the curve leaves the band all the same."
        ),
        ("gap_k", "largest_gap"),
    ),
    "agreement": (
        "Agreement between starts",
        "How alike the clusters of independent starts are: 1 when they are the same, 0 when they are alike by chance.",
        ("agreement",),
    ),
}
"""Title, caption and estimates by the name of the curve."""
_MARKED = {"inertia share": ("elbow_k", "elbow"), "gap": ("gap_k", "by the rule")}
"""Estimate that is marked on a curve, and the word for it."""


def cluster_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return one figure for every curve that could be found."""
    return tuple(
        FigureRow(
            key=slug(f"clusters {name}"),
            title=title,
            caption=f"{text} {comparison_words(measurement.curves[name])}".strip(),
            draw=partial(_draw, curve_name=name),
            curves=(name,),
            estimates=estimates,
        )
        for name, (title, text, estimates) in _ROWS.items()
        if name in measurement.curves
    )


def _draw(measurement: Measurement, *, curve_name: str) -> Figure:
    estimate_name, word = _MARKED.get(curve_name, ("", ""))
    estimate = measurement.estimates.get(estimate_name)
    marks: tuple[Mark, ...] = ()
    if estimate is not None and estimate.value is not None:
        marks = (Mark(estimate.value, f"{word}: k = {format_grid(estimate.value)}"),)
    return draw_curve(measurement.curves[curve_name], marks)
