"""Records become pictures: one table says which figures each measure has. No statistic is computed here.

A measure without a row in `FIGURES` is drawn from its curves as they are, so a new one shows up by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matplotlib.figure import Figure

from zspace.figures.attributes import attribute_rows
from zspace.figures.axes import axes_rows
from zspace.figures.clusters import cluster_rows
from zspace.figures.copies import copies_rows
from zspace.figures.curves import draw_curve
from zspace.figures.lineups import line_up_panels
from zspace.figures.losses import LOSS_CAPTION, draw_losses
from zspace.figures.maps import colors_caption, draw_map_colors, draw_map_density, map_caption
from zspace.figures.planes import plane_words, planes_rows
from zspace.figures.posterior import posterior_rows
from zspace.figures.principal import principal_rows
from zspace.figures.radius import radius_rows
from zspace.figures.rates import RATE_CAPTION, REFERENCES, draw_rates
from zspace.figures.rows import FigureRow, FigureSet, comparison_words, slug
from zspace.figures.sheets import contact_sheet, paired_sheet, to_png
from zspace.figures.style import inline_svg, to_svg
from zspace.figures.verdicts import (
    FOREST_CAPTION,
    LADDER_CAPTION,
    draw_envelopes,
    draw_forest,
    draw_ladder,
    envelope_caption,
    family_title,
    null_words,
    p_words,
    quantity_title,
)
from zspace.measuring import MEASURES
from zspace.results import Measurement

__all__ = [
    "FIGURES",
    "FOREST_CAPTION",
    "LADDER_CAPTION",
    "LOSS_CAPTION",
    "RATE_CAPTION",
    "REFERENCES",
    "FigureRow",
    "FigureSet",
    "colors_caption",
    "contact_sheet",
    "draw_envelopes",
    "draw_forest",
    "draw_ladder",
    "draw_losses",
    "draw_map_colors",
    "draw_map_density",
    "draw_rates",
    "envelope_caption",
    "family_title",
    "figure_set",
    "inline_svg",
    "line_up_panels",
    "map_caption",
    "null_words",
    "p_words",
    "paired_sheet",
    "plane_words",
    "quantity_title",
    "slug",
    "to_png",
    "to_svg",
]

FIGURES: dict[str, Callable[[Measurement], tuple[FigureRow, ...]]] = {
    "radius": radius_rows,
    "axes": axes_rows,
    "principal": principal_rows,
    "clusters": cluster_rows,
    "attributes": attribute_rows,
    "posterior": posterior_rows,
    "copies": copies_rows,
    "planes": planes_rows,
}
"""What draws a measure, by its name."""


def figure_set(measurement: Measurement) -> FigureSet:
    """Return how a measurement is drawn; one that the table does not know is drawn from its curves as they are."""
    name, row = measurement.name, MEASURES.get(measurement.name)
    title, question = (row.title, row.question) if row else (name.replace("_", " ").capitalize(), "")
    draw = FIGURES.get(name, _plain_rows)
    return FigureSet(title, question, _plain_rows if measurement.why_not_taken else draw)


def _plain_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    return tuple(
        FigureRow(
            key=slug(f"{measurement.name} {name}"),
            title=name.replace("_", " ").capitalize(),
            caption=f"{curve.y_label} over {curve.x_label}. {comparison_words(curve)}".strip(),
            draw=partial(_draw_plain, name=name),
            curves=(name,),
        )
        for name, curve in measurement.curves.items()
    )


def _draw_plain(measurement: Measurement, *, name: str) -> Figure:
    return draw_curve(measurement.curves[name])
