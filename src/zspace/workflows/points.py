"""``measure`` for z-points of any program, or of a run: estimates, each with its null, and their report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from zspace import __version__
from zspace.errors import NotARunFolder
from zspace.files import write_text
from zspace.measuring import chosen_measures
from zspace.report import PointsReport, render_points_report
from zspace.results import Progress, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, fingerprint
from zspace.settings import MeasureSettings
from zspace.workflows.measure import MeasureResult, measure_file
from zspace.workflows.report import ReportResult, write_measure_figures
from zspace.workflows.runs import is_run_folder

_VERSION = 1


def points_of(source: Path) -> Path:
    """Return where the points are: a run's own, or the source itself.

    Raises
    ------
    NotARunFolder
        For a run that has not been encoded.
    """
    if not is_run_folder(source):
        return source
    run = RunFolder(source)
    if not run.latents.is_dir():
        raise NotARunFolder(str(source), "must be an encoded run", "no z-points in it", "Run zspace study to its end.")
    return run.latents


def default_place(source: Path) -> Path:
    """Return the folder for results where none is named."""
    return source / "measured" if is_run_folder(source) else Path("zspace-out") / f"{source.stem}-measured"


def measure_points(
    source: Path,
    out: Path,
    settings: MeasureSettings,
    seed: int,
    *,
    array_name: str | None = None,
    n_points: int | None = None,
    watch: Watcher = watch_nothing,
) -> MeasureResult:
    """Measure the points of a run or a file, and write ``results.json``, ``figures/`` and ``report.html``.

    Parameters and errors are those of `zspace.workflows.measure.measure_file`; a run folder stands for all its points,
    of every split.
    """
    chosen_measures(settings.only, has_posterior=True)  # refuses unknown names
    found = measure_file(points_of(source), out, settings, seed, array_name=array_name, n_points=n_points, watch=watch)
    log, page = StepLog(out), out / "report.html"
    made_from = fingerprint(results=found, name=source.name, zspace=__version__, version=_VERSION)
    if log.finished("report", made_from, ReportResult) or found.cloud is None:
        watch(Progress("report", 1, 1, "files", note="already done"))
        return found
    watch(Progress("report", 0, 1, "files"))
    told = PointsReport(source.name, found.cloud, found.measurements, seed, datetime.now(UTC), __version__)
    write_text(page, render_points_report(told))
    write_measure_figures(out / "figures", found.measurements)
    log.record("report", made_from, ReportResult(page.stat().st_size), [page])
    watch(Progress("report", 1, 1, "files"))
    return found
