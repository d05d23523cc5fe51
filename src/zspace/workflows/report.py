"""``report``: study to one self-contained HTML file, and its figures as vector files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from zspace import __version__
from zspace.files import file_digest, write_text
from zspace.images.store import ImageStore, open_store
from zspace.results import Measurement, Progress, ReportResult, StudyResults, Watcher, watch_nothing
from zspace.runs.fingerprints import fingerprint
from zspace.runs.folders import StudyFolder, read_plan
from zspace.runs.pictures import read_pictures, read_sheets
from zspace.runs.reading import read_study
from zspace.runs.steps import Files, StepLog
from zspace.settings import Plan, plan_document
from zspace.shapes import Images

_VERSION = 3


def report(folder: StudyFolder, watch: Watcher = watch_nothing) -> StudyResults:
    """Write the report of a study, unless nothing in it has changed, and return what it tells.

    Parameters
    ----------
    folder
        A study; models and steps of it that are not finished as its plan has them are told as such.
    watch
        Called with every progress record.

    Raises
    ------
    NotAStudyFolder, NothingFinished
        When there is no study, or nothing of it is finished as its plan has it.
    FileDamaged
        When what lies there is not what was written.
    """
    plan = read_plan(folder)
    results = read_study(folder, plan)
    log = StepLog(folder.path)
    made_from = fingerprint(plan=plan_document(plan), results=results, zspace=__version__, version=_VERSION)

    def take() -> tuple[ReportResult, Files]:
        watch(Progress("report", 0, 1, "files"))
        files = _write_report(folder, plan, results)
        watch(Progress("report", 1, 1, "files"))
        return ReportResult(folder.report.stat().st_size), files

    log.once("report", made_from, ReportResult, take, watch)
    return results


def _write_report(folder: StudyFolder, plan: Plan, results: StudyResults) -> Files:
    """Draw the figures, write them and the page, and return all files with their digests."""
    from zspace.report import (
        N_PAIRS_SHOWN,
        StudyReport,
        render_report,
    )  # a report that is written already needs no matplotlib

    store = open_store(folder.store)
    pictures, sheets = {}, {}
    for model, found in results.models.items():
        run = folder.run(model)
        decoded = read_pictures(run) if found.generation else {}
        pictures[model] = {**decoded, "copies": copy_pictures(store, found.measurements or {}, N_PAIRS_SHOWN)}
        sheets[model] = read_sheets(run, found.maps)
    told = StudyReport(plan, results, pictures, sheets, datetime.now(UTC), __version__)
    rendered = render_report(told)
    files: dict[Path, str] = {}
    for model, figures in rendered.figures.items():
        files |= write_figures(folder.run(model).figures, figures)
    write_text(folder.report, rendered.page)
    return {**files, folder.report: file_digest(folder.report)}


def copy_pictures(store: ImageStore, measurements: dict[str, Measurement], n_pairs: int) -> Images:
    """Return the most alike images among neighbours, two for each pair; none where they were not looked for."""
    pairs = measurements["copies"].pairs[:n_pairs] if "copies" in measurements else ()
    rows = np.array([row for pair in pairs for row in (pair.row, pair.other_row)], dtype=np.int64)
    return np.asarray(store.images[rows])


def write_figures(folder: Path, figures: dict[str, str]) -> Files:
    """Write every figure of a report as a vector file, and return the files with their digests."""
    files = {}
    for name, document in figures.items():
        path = folder / f"{name}.svg"
        write_text(path, document)
        files[path] = file_digest(path)
    return files
