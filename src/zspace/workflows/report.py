"""``report``: study to one self-contained HTML file, and its figures as vector files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from zspace import __version__
from zspace.files import write_text
from zspace.images.store import ImageStore, open_store
from zspace.measuring import chosen_maps
from zspace.report import N_PAIRS_SHOWN, StudyReport, render_report
from zspace.results import (
    EncodeResult,
    GenerateResult,
    Map,
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

_VERSION = 2


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
            model: {**read_pictures(folder.run(model)), "copies": copy_pictures(store, found.measurements or {})}
            for model, found in results.models.items()
        }
        sheets = {model: read_sheets(folder.run(model), found.maps) for model, found in results.models.items()}
        told = StudyReport(plan, results, pictures, sheets, datetime.now(UTC), __version__)
        rendered = render_report(told)
        write_text(folder.report, rendered.page)
        for model, figures in rendered.figures.items():
            write_figures(folder.run(model).figures, figures)
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


def write_figures(folder: Path, figures: dict[str, str]) -> None:
    """Write every figure of a report as a vector file."""
    for name, document in figures.items():
        write_text(folder / f"{name}.svg", document)
