"""``measure`` for z-points of any program, or of a run: estimates and maps, each with its null, and their report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from zspace import __version__
from zspace.errors import NotARunFolder
from zspace.files import tree_digest, write_text
from zspace.images.store import ImageStore, open_store
from zspace.latents import read_latents_file
from zspace.measuring import check_measures
from zspace.report import PointsReport, render_points_report
from zspace.results import Map, Progress, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, StudyFolder, fingerprint, locked, read_latent_ids
from zspace.settings import MeasureSettings
from zspace.workflows.measure import Gathered, MeasureResult, MeasureTask, gather_points, take_measures
from zspace.workflows.report import ReportResult, copy_pictures, write_figures
from zspace.workflows.runs import is_run_folder
from zspace.workflows.sheets import read_sheets

_VERSION = 3


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
) -> tuple[MeasureResult, dict[str, Map]]:
    """Measure the points of a run or a file, as far as that has not been done, and report what was found.

    Parameters
    ----------
    source
        A run folder, for all its points, of every split; a file of points; or a Zarr folder: see
        `zspace.latents.read_latents_file`. Where the image store that a run's points came from is there too, its
        images and attributes are looked at as well.
    out
        Folder for ``results.json``, ``maps/``, ``figures/`` and ``report.html``.
    settings
        Which measures, their bins, and which maps; the split is not used.
    seed
        The null clouds come from it, and the choice of points.
    array_name
        Which array of the file; None takes the only one, or one of a usual name.
    n_points
        Measure this many points, chosen at random; None measures all.
    watch
        Called with every progress record.

    Raises
    ------
    UnknownSetting
        For a measure that is not in the table, or that these points do not allow.
    NotARunFolder
        For a run that has not been encoded.
    LatentsNotFound, LatentsUnreadable, TooFewPoints
        When no points can be read.
    """
    check_measures(settings)
    path = _points_of(source)
    with locked(out):
        store = _store_of(path)
        asked = {"array": array_name, "points": n_points, "store": store and store.result.store_digest}

        def gather() -> Gathered:
            found = read_latents_file(path, array_name)
            rows = np.arange(len(found.z)) if store is None else read_latent_ids(path)
            return gather_points(found, str(path.resolve()), store, rows, n_points, seed)

        made_from = fingerprint(source=tree_digest(path) if path.exists() else None, asked=asked)
        task = MeasureTask(RunFolder(out), f"measure {source.name}", made_from, gather, settings, seed)
        found, maps = take_measures(task, watch)
        _report(source.name, RunFolder(out), found, maps, store, settings.n_null_clouds, seed, watch)
    return found, maps


def _points_of(source: Path) -> Path:
    """Return where the points are: a run's own, or the source itself."""
    if not is_run_folder(source):
        return source
    run = RunFolder(source)
    if not run.latents.is_dir():
        raise NotARunFolder(str(source), "must be an encoded run", "no z-points in it", "Run zspace study to its end.")
    return run.latents


def _store_of(points: Path) -> ImageStore | None:
    """Return the image store that the ids of z-points count in: that of the run's study, or the one beside them."""
    if not (points / "ids").is_dir():
        return None
    folder = points.resolve().parent
    store = StudyFolder(folder.parent.parent).store if is_run_folder(folder) else StudyFolder(folder).store
    return open_store(store) if store.is_dir() else None


def _report(
    name: str,
    folder: RunFolder,
    found: MeasureResult,
    maps: dict[str, Map],
    store: ImageStore | None,
    n_null_clouds: int,
    seed: int,
    watch: Watcher,
) -> None:
    page = folder.path / "report.html"
    made_from = fingerprint(results=found, maps=maps, name=name, zspace=__version__, version=_VERSION)

    def take() -> tuple[ReportResult, list[Path]]:
        watch(Progress("report", 0, 1, "files"))
        sheets = read_sheets(folder, maps)
        copies = copy_pictures(store, found.measurements) if store else None
        told = PointsReport(
            name,
            found.cloud,
            found.measurements,
            maps,
            sheets,
            copies,
            seed,
            n_null_clouds,
            datetime.now(UTC),
            __version__,
        )
        rendered = render_points_report(told)
        write_text(page, rendered.page)
        write_figures(folder.figures, rendered.figures[""])
        watch(Progress("report", 1, 1, "files"))
        return ReportResult(page.stat().st_size), [page]

    StepLog(folder.path).once("report", made_from, ReportResult, take, watch)
