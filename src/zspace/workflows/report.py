"""``report``: study to one self-contained HTML file, and its figures as vector files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from zspace import __version__
from zspace.figures import draw_losses, draw_map_colors, draw_map_density, draw_rates, figure_set, slug, to_svg
from zspace.files import write_text
from zspace.images.store import ImageStore, open_store
from zspace.measuring import chosen_maps
from zspace.report import N_PAIRS_SHOWN, StudyReport, render_report
from zspace.results import (
    EncodeResult,
    GenerateResult,
    Map,
    MapSheet,
    Measurement,
    ModelResults,
    PackResult,
    Progress,
    StudyResults,
    TrainResult,
    Watcher,
    watch_nothing,
)
from zspace.runfolder import RunFolder, StepLog, StudyFolder, fingerprint, read_plan
from zspace.settings import MeasureSettings, Plan, plan_document
from zspace.shapes import Images
from zspace.workflows.generate import read_pictures
from zspace.workflows.measure import MeasureResult
from zspace.workflows.pack import pack_log
from zspace.workflows.sheets import read_sheets

_VERSION = 1


@dataclass(frozen=True)
class ReportResult:
    """What reporting gave."""

    n_bytes: int
    """Size of the HTML file."""


def report(folder: StudyFolder, watch: Watcher = watch_nothing) -> StudyResults:
    """Write the report of a study, unless nothing in it has changed, and return what it tells.

    Parameters
    ----------
    folder
        A study whose steps are all finished.
    watch
        Called with every progress record.

    Raises
    ------
    NotAStudyFolder, NotARunFolder
        When there is no study, or one of its steps is missing.
    """
    plan = read_plan(folder)
    results = read_results(folder, plan)
    log = StepLog(folder.path)
    made_from = fingerprint(plan=plan_document(plan), results=results, zspace=__version__, version=_VERSION)

    def take() -> tuple[ReportResult, list[Path]]:
        watch(Progress("report", 0, 1, "files"))
        store = open_store(folder.store)
        pictures = {
            model: {**read_pictures(folder.run(model)), "copies": copy_pictures(store, found.measurements)}
            for model, found in results.models.items()
        }
        sheets = {model: read_sheets(folder.run(model), found.maps) for model, found in results.models.items()}
        told = StudyReport(plan, results, pictures, sheets, datetime.now(UTC), __version__)
        write_text(folder.report, render_report(told))
        for model, found in results.models.items():
            _write_figures(folder.run(model), found, sheets[model])
        watch(Progress("report", 1, 1, "files"))
        return ReportResult(folder.report.stat().st_size), [folder.report]

    log.once("report", made_from, ReportResult, take, watch)
    return results


def read_results(folder: StudyFolder, plan: Plan) -> StudyResults:
    """Read all that was found in a study from its folders."""
    models = {name: _read_model(folder.run(name), plan.settings.measure) for name in plan.settings.models}
    return StudyResults(pack_log(folder.store).result("pack", PackResult), models)


def _read_model(run: RunFolder, asked: MeasureSettings) -> ModelResults:
    log = StepLog(run.path)
    measured = log.result("measure", MeasureResult)
    return ModelResults(
        log.result("train", TrainResult),
        log.result("encode", EncodeResult),
        measured.measurements,
        log.result("generate", GenerateResult),
        {name: log.result(f"map {name}", Map) for name in chosen_maps(asked, measured.cloud.n_used)},
        measured.cloud,
    )


def copy_pictures(store: ImageStore, measurements: dict[str, Measurement]) -> Images:
    """Return the most alike images among neighbours, two for each pair; none where they were not looked for."""
    pairs = measurements["copies"].pairs[:N_PAIRS_SHOWN] if "copies" in measurements else ()
    rows = np.array([row for pair in pairs for row in (pair.row, pair.other_row)], dtype=np.int64)
    return np.asarray(store.images[rows])


def _write_figures(run: RunFolder, found: ModelResults, sheets: dict[str, MapSheet]) -> None:
    for name, figure in {"losses": draw_losses(found.training), "rates": draw_rates(found.generation)}.items():
        write_text(run.figures / f"{name}.svg", to_svg(figure, name))
    write_measure_figures(run.figures, found.measurements, found.maps, sheets)


def write_measure_figures(
    folder: Path, measurements: dict[str, Measurement], maps: dict[str, Map], sheets: dict[str, MapSheet]
) -> None:
    """Write every figure of every measurement and of every map as a vector file."""
    for name, sheet in sheets.items():
        key = f"map-{slug(name)}"
        write_text(folder / f"{key}.svg", to_svg(draw_map_density(sheet), key))
        write_text(folder / f"{key}-colors.svg", to_svg(draw_map_colors(maps[name], sheet), key))
    for measurement in measurements.values():
        for row in figure_set(measurement).rows(measurement):
            write_text(folder / f"{row.key}.svg", to_svg(row.draw(measurement), row.key))
