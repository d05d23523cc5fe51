"""The section of the page that shows the maps of a cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zspace.figures import colors_caption, draw_map_colors, draw_map_density, map_caption, slug
from zspace.report.plates import Comparison, MeasureSection, Plate, svg_markup
from zspace.report.posts import posts_on
from zspace.report.tables import Cell, Table, quantity_words
from zspace.report.values import duration, estimate_words
from zspace.results import Map, MapSheet

_SCORES = ("trustworthiness", "continuity", "neighbors_preserved")


def maps_section(anchor: str, maps: Mapping[str, Map], sheets: Mapping[str, MapSheet]) -> MeasureSection:
    """Return all maps of a cloud, each with its figures, and their scores side by side.

    Parameters
    ----------
    sheets
        Where the points lie, by the name of the map; a map that could not be drawn has none.
    """
    anchor = f"{anchor}-maps"
    plates = [plate for name, found in maps.items() if name in sheets for plate in _plates(anchor, found, sheets[name])]
    return MeasureSection(
        anchor,
        "Maps",
        "Does the cloud fall into heaps and gaps when it is laid out flat, more than a cloud without structure would?",
        tuple(plates),
        (),
        summary=_summary(maps),
    )


def _plates(anchor: str, found: Map, sheet: MapSheet) -> Iterator[Plate]:
    posts = posts_on("maps", (found.name,))
    key = f"{anchor}-{slug(found.name)}"
    trust = estimate_words(found.estimates["trustworthiness"])
    yield Plate(
        key,
        found.title,
        map_caption(found),
        svg_markup(draw_map_density(sheet), key),
        tuple(Comparison("Trustworthiness", post.value, post.model, trust) for post in posts),
        (),
    )
    key = f"{key}-colors"
    title = f"{found.title}, in colours"
    yield Plate(key, title, colors_caption(found, sheet), svg_markup(draw_map_colors(found, sheet), key), (), ())


def _summary(maps: Mapping[str, Map]) -> Table:
    """Return the scores of every map, each beside that of its null twin."""
    head = ["map"]
    for score in _SCORES:
        head += [quantity_words(score), "null twin"]
    return Table("Scores of the maps", (*head, "took"), tuple(tuple(_row(found)) for found in maps.values()))


def _row(found: Map) -> Iterator[Cell]:
    yield found.title
    for score in _SCORES:
        yield estimate_words(found.estimates.get(score), with_unit=False)
        yield estimate_words(found.null_estimates.get(score), with_unit=False)
    yield "not drawn" if found.elapsed_seconds is None else duration(found.elapsed_seconds)
