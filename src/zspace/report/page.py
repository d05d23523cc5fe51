"""A study, or a file of z-points, becomes one HTML file that needs nothing else: no network, no fonts, no scripts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zspace.figures import slug
from zspace.report.glossary import explained, glossary
from zspace.report.headline import comparison_table, headline_of, points_headline
from zspace.report.plates import Manner, copy_sheet
from zspace.report.posts import DATA, NAMES
from zspace.report.sections import data_section, measure_sections, model_section, points_facts
from zspace.report.tables import plan_table
from zspace.report.verdicts import side_by_side, verdict_part
from zspace.results import Map, MapSheet, MeasureResult, ModelResults, StudyResults
from zspace.settings import Plan
from zspace.shapes import Images


@dataclass(frozen=True)
class StudyReport:
    """All that a report is made from."""

    plan: Plan
    results: StudyResults
    pictures: dict[str, dict[str, Images]]
    """By model: ``"originals"``, ``"reconstructions"``, ``"components"``, the images of every sampler by its
    specification, and ``"copies"``, two images for each pair of neighbours that are most alike."""
    sheets: dict[str, dict[str, MapSheet]]
    """By model: where the points lie on each map, by the map's name."""
    created: datetime
    zspace_version: str


@dataclass(frozen=True)
class Rendered:
    """A report, and its figures as files of their own."""

    page: str
    """One self-contained HTML document."""
    figures: dict[str, dict[str, str]]
    """By model, or "" for points alone: SVG documents by the name of their file, without its ending."""


def render_report(study: StudyReport) -> Rendered:
    """Return the report of a study.

    Equal records give equal bytes. Names of files, models and studies are escaped; the page forbids itself any
    network access, and its one script is named by its hash.

    Cost
    ----
    About six seconds and a megabyte and a half per model, besides the images; the figures of the verdict take most of
    both.
    """
    settings = study.plan.settings
    manner = Manner(settings.compare_with_posts)
    names = list(study.results.models)
    headlines = [
        headline_of(f"m{place}-{slug(name)}", name, study.results.models[name]) for place, name in enumerate(names)
    ]
    models = [
        model_section(
            place,
            name,
            found,
            settings.models.get(name),
            study.pictures.get(name, {}),
            study.sheets.get(name, {}),
            headlines[place].findings,
            manner,
        )
        for place, (name, found) in enumerate(study.results.models.items())
    ]
    verdicts = [
        verdict_part(models[place].anchor, name, found.verdict, _why_no_verdict(found), manner)
        for place, (name, found) in enumerate(study.results.models.items())
    ]
    page = _render(
        "page.html.jinja",
        study.created,
        study.zspace_version,
        title=settings.title or settings.name,
        name=settings.name,
        kind="Study",
        seed=settings.seed,
        is_long=len(models) > 1,
        findings=headlines,
        verdicts=verdicts,
        verdict_table=side_by_side(verdicts) if len(models) > 1 else None,
        unfinished=study.results.missing,
        compare_with_posts=settings.compare_with_posts,
        comparison=comparison_table(study.results) if len(models) > 1 else None,
        data=data_section(study.results.images),
        models=models,
        plan=plan_table(study.plan),
    )
    plates = {model.name: (*verdict.plates, *model.plates) for model, verdict in zip(models, verdicts, strict=True)}
    return Rendered(page, {name: {one.file_name: one.document for one in drawn} for name, drawn in plates.items()})


def _why_no_verdict(found: ModelResults) -> str:
    return found.no_verdict or found.unfinished.get("measure", "")


@dataclass(frozen=True)
class PointsReport:
    """All that a report on z-points of any program is made from."""

    name: str
    found: MeasureResult
    maps: dict[str, Map]
    sheets: dict[str, MapSheet]
    """Where the points lie on each map, by its name."""
    copies: Images | None
    """The most alike images among neighbours, two for each pair; None where no images were looked at."""
    seed: int
    created: datetime
    zspace_version: str


def render_points_report(points: PointsReport) -> Rendered:
    """Return the report on z-points alone: no model, no images; otherwise as `render_report`."""
    found, manner = points.found, Manner(False)
    beside = {"copies": copy_sheet(points.copies)}
    headline = points_headline(points.name, found.cloud.z_dim, found.measurements, points.maps)
    measures = measure_sections(
        "points", found.measurements, points.maps, points.sheets, beside, headline.findings, manner
    )
    verdict = verdict_part("points", points.name, found.verdict, found.no_verdict, manner)
    page = _render(
        "points.html.jinja",
        points.created,
        points.zspace_version,
        title=f"z-points of {points.name}",
        name=points.name,
        kind="Points",
        seed=points.seed,
        is_long=False,
        findings=[headline],
        verdicts=[verdict],
        verdict_table=None,
        compare_with_posts=False,
        points=points_facts(found.cloud),
        measures=measures,
    )
    plates = (*verdict.plates, *(plate for measure in measures for plate in measure.plates))
    return Rendered(page, {"": {plate.file_name: plate.document for plate in plates}})


def _render(template: str, created: datetime, version: str, **shown: object) -> str:
    script = _asset("page.js")
    return (
        _environment()
        .get_template(template)
        .render(
            created=created.strftime("%Y-%m-%d %H:%M %Z").strip(),
            version=version,
            style=Markup(_asset("page.css")),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            posts_data=DATA,
            posts_names=NAMES,
            glossary=glossary(),
            **shown,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("zspace.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"explained": explained, "slug": slug}
    return environment


@cache
def _asset(name: str) -> str:
    return resources.files("zspace.report").joinpath("templates", name).read_text(encoding="utf-8")
