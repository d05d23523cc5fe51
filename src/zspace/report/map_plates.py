"""The section of the page that shows the maps of a cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zspace.figures import colors_caption, draw_map_colors, draw_map_density, map_caption, slug, to_svg
from zspace.report.findings import Finding
from zspace.report.plates import Manner, MeasureSection, Plate, comparisons
from zspace.report.tables import Cell, EstimateTable, Table
from zspace.report.values import duration, estimate_words
from zspace.report.words import quantity_words
from zspace.results import Map, MapSheet

_SCORES = ("trustworthiness", "continuity", "neighbors_preserved")


def maps_section(
    anchor: str, maps: Mapping[str, Map], sheets: Mapping[str, MapSheet], finding: Finding, manner: Manner
) -> MeasureSection:
    """Return all maps of a cloud, each with its figures, and their scores side by side.

    Parameters
    ----------
    sheets
        Where the points lie, by the name of the map; a map that could not be drawn has none.
    finding
        What they say.
    manner
        Of the page.
    """
    anchor = f"{anchor}-maps"
    plates = [
        plate
        for name, found in maps.items()
        if name in sheets
        for plate in _plates(anchor, found, sheets[name], manner)
    ]
    return MeasureSection(
        anchor,
        "Maps",
        "Does the cloud fall into heaps and gaps when it is laid out flat, more than a cloud without structure would?",
        finding,
        tuple(plates),
        EstimateTable(),
        summary=_summary(maps),
    )


def _plates(anchor: str, found: Map, sheet: MapSheet, manner: Manner) -> Iterator[Plate]:
    name = slug(found.name)
    key, trust = f"{anchor}-{name}", estimate_words(found.estimates["trustworthiness"])
    yield Plate(
        anchor=key,
        title=found.title,
        caption=manner.unsaid("maps", map_caption(found)),
        file_name=f"map-{name}",
        document=to_svg(draw_map_density(sheet), key),
        comparisons=comparisons("maps", {found.name: ("Trustworthiness", trust)}, manner),
        tables=(),
    )
    key = f"{key}-colors"
    yield Plate(
        anchor=key,
        title=f"{found.title}, in colours",
        caption=manner.unsaid("maps", colors_caption(found, sheet)),
        file_name=f"map-{name}-colors",
        document=to_svg(draw_map_colors(found, sheet), key),
        comparisons=(),
        tables=(),
    )


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
