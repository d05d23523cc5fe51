"""``report``: study to one self-contained HTML file, and its figures as vector files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zspace import __version__
from zspace.figures import draw_losses, draw_rates, figure_set, to_svg
from zspace.files import write_text
from zspace.report import StudyReport, render_report
from zspace.results import (
    EncodeResult,
    GenerateResult,
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
from zspace.settings import plan_document
from zspace.workflows.generate import read_pictures
from zspace.workflows.measure import MeasureResult
from zspace.workflows.pack import pack_log

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
    results = read_results(folder, list(plan.settings.models))
    log = StepLog(folder.path)
    made_from = fingerprint(plan=plan_document(plan), results=results, zspace=__version__, version=_VERSION)
    if log.finished("report", made_from, ReportResult):
        watch(Progress("report", 1, 1, "files", note="already done"))
        return results
    watch(Progress("report", 0, 1, "files"))
    pictures = {model: read_pictures(folder.run(model)) for model in results.models}
    told = StudyReport(plan, results, pictures, datetime.now(UTC), __version__)
    write_text(folder.report, render_report(told))
    for model, found in results.models.items():
        _write_figures(folder.run(model), found)
    log.record("report", made_from, ReportResult(folder.report.stat().st_size), [folder.report])
    watch(Progress("report", 1, 1, "files"))
    return results


def read_results(folder: StudyFolder, models: list[str]) -> StudyResults:
    """Read all that was found in a study from its folders."""
    return StudyResults(
        pack_log(folder.store).result("pack", PackResult), {model: _read_model(folder.run(model)) for model in models}
    )


def _read_model(run: RunFolder) -> ModelResults:
    log = StepLog(run.path)
    return ModelResults(
        log.result("train", TrainResult),
        log.result("encode", EncodeResult),
        log.result("measure", MeasureResult).measurements,
        log.result("generate", GenerateResult),
    )


def _write_figures(run: RunFolder, found: ModelResults) -> None:
    for name, figure in {"losses": draw_losses(found.training), "rates": draw_rates(found.generation)}.items():
        write_text(run.figures / f"{name}.svg", to_svg(figure, name))
    write_measure_figures(run.figures, found.measurements)


def write_measure_figures(folder: Path, measurements: dict[str, Measurement]) -> None:
    """Write every figure of every measurement as a vector file."""
    for measurement in measurements.values():
        for row in figure_set(measurement).rows(measurement):
            write_text(folder / f"{row.key}.svg", to_svg(row.draw(measurement), row.key))
