"""``measure`` for z-points of any program, or of a run: estimates and maps, each with its null, and their report."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from zspace import __version__
from zspace.errors import FolderNotEmpty, NotARunFolder
from zspace.files import document_digest, file_digest, make_folder, place_name, tree_digest, write_text, writing_to
from zspace.images.store import ImageStore, open_store
from zspace.latents import Selection, check_latents_source, read_latents_file, usable_latents
from zspace.measuring import check_measures
from zspace.results import CloudFacts, EncodeResult, Map, MeasureResult, Progress, ReportResult, Watcher, watch_nothing
from zspace.runs.fingerprints import fingerprint
from zspace.runs.folders import RunFolder, StudyFolder, locked
from zspace.runs.latents import are_own_latents, check_latents, read_latent_ids
from zspace.runs.pictures import read_sheets
from zspace.runs.reading import is_run_folder, notes_on_points
from zspace.runs.steps import NOT_FINISHED, Files, OtherFields, StepLog
from zspace.settings import MeasureSettings
from zspace.workflows.measure import Gathered, MeasureTask, gather_points, take_measures
from zspace.workflows.report import copy_pictures, write_figures

_VERSION = 4
_EVERYTHING = Selection()
_ASIDE = "of-other-points"
_RESULTS = ("report.html", "figures", "maps", "results.json")
"""All that measuring leaves in a folder. The last one says whose they are: a killed move is taken up again."""


def default_place(source: Path) -> Path:
    """Return the folder for results where none is named."""
    if _is_run(source):
        return source / "measured"
    return Path("zspace-out") / f"{place_name(source)}-measured"


def _is_run(source: Path) -> bool:
    return source.is_dir() and is_run_folder(source)  # a link onto itself is no folder, and leads nowhere


def measure_points(
    source: Path,
    out: Path,
    settings: MeasureSettings,
    seed: int,
    selection: Selection = _EVERYTHING,
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
        Folder for ``results.json``, ``maps/``, ``figures/`` and ``report.html``. Results of other points that lie
        there are moved into a folder within it.
    settings
        Which measures, their bins, and which maps; the split is not used.
    seed
        The null clouds come from it, and the choice of points.
    selection
        Which array of the file, or which columns of a table, and how many points.
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
    FolderNotEmpty
        When the folder for results is that of a run.
    """
    check_measures(settings)
    path = _points_of(source)
    _check_place(out)
    with locked(out):
        _set_aside(out, source, path, watch)
        store, notes = _store_of(path)
        notes = (*notes_on_points(source), *notes) if is_run_folder(source) else notes
        asked = {"selection": selection, "store": store and store.result.store_digest, "notes": notes}

        def gather() -> Gathered:
            check_latents(path)
            found = read_latents_file(path, selection)
            rows = np.arange(len(found.z)) if store is None else read_latent_ids(RunFolder(path.parent))
            return gather_points(found, str(path.resolve()), store, rows, selection.n_points, seed).noted(notes)

        made_from = fingerprint(source=tree_digest(path), asked=asked)
        task = MeasureTask(RunFolder(out), f"measure {source.name}", made_from, gather, settings, seed)
        found, maps = take_measures(task, watch)
        _report(source.name, RunFolder(out), found, maps, store, seed, watch)
    return found, maps


def look_at_points(source: Path, out: Path, seed: int, selection: Selection = _EVERYTHING) -> CloudFacts:
    """Return what `measure_points` would read, without measuring it; it refuses the same."""
    path = _points_of(source)
    _check_place(out)
    return usable_latents(read_latents_file(path, selection), str(path.resolve()), selection.n_points, seed)[1]


def _check_place(out: Path) -> None:
    got = None
    if _is_run(out):
        got = "a run"
    elif StudyFolder(out).plan.exists():
        got = "a study"
    elif (out / "report.html").exists() and StepLog(out).unfinished("measure", "") == NOT_FINISHED:
        got = "a report.html that tells of something else"
    if got:
        rule, next_step = "--out must be a folder for results alone", "Choose another --out."
        raise FolderNotEmpty(str(out), rule, got, next_step)


def _set_aside(out: Path, source: Path, points: Path, watch: Watcher) -> None:
    """Move what was measured of other points out of the way, into a folder of its own within the folder."""
    if out.resolve().is_relative_to(source.resolve()):
        return  # what keeps its own results may have been moved with them
    try:
        there = StepLog(out).result("measure", MeasureResult).cloud.source
    except (NotARunFolder, OtherFields):
        return  # nothing was measured there, or by another version
    if there == str(points.resolve()):
        return
    place = out / _ASIDE / f"{Path(there).name}-{document_digest(there)[:8]}"
    make_folder(place)
    with writing_to(place):
        for name in _RESULTS:
            if (out / name).exists():
                shutil.rmtree(place / name, ignore_errors=True)  # older results of the same points
                (out / name).rename(place / name)
    watch(Progress(f"measure {source.name}", 0, 1, "steps", note=f"what was measured of {there} is now in {place}"))


def _points_of(source: Path) -> Path:
    """Return where the points are: a run's own, or the source itself."""
    if not _is_run(source):
        if not are_own_latents(source):  # whose damage is told as such when they are read
            check_latents_source(source)
        return source
    run = RunFolder(source)
    if not run.latents.is_dir():
        next_step = f"Run zspace encode {source}."
        raise NotARunFolder(str(source), "must be an encoded run", "no z-points in it", next_step)
    return run.latents


def _store_of(points: Path) -> tuple[ImageStore | None, tuple[str, ...]]:
    """Return the image store that the ids of z-points count in, and what to say where it is there no more."""
    if not are_own_latents(points):
        return None, ()
    folder = points.resolve().parent
    place = StudyFolder(folder.parent.parent).store if is_run_folder(folder) else StudyFolder(folder).store
    if not place.is_dir():
        return None, ()
    store = open_store(place)
    if store.result.store_digest != StepLog(folder).result("encode", EncodeResult).store_digest:
        note = f"images and attributes were left out: {place} holds others than the z-points were encoded from"
        return None, (f"{note}; run zspace encode again",)
    return store, ()


def _report(
    name: str,
    folder: RunFolder,
    found: MeasureResult,
    maps: dict[str, Map],
    store: ImageStore | None,
    seed: int,
    watch: Watcher,
) -> None:
    page = folder.path / "report.html"
    made_from = fingerprint(results=found, maps=maps, name=name, zspace=__version__, version=_VERSION)

    def take() -> tuple[ReportResult, Files]:
        from zspace.report import N_PAIRS_SHOWN, PointsReport, render_points_report  # needs matplotlib

        watch(Progress("report", 0, 1, "files"))
        sheets = read_sheets(folder, maps)
        copies = copy_pictures(store, found.measurements, N_PAIRS_SHOWN) if store else None
        told = PointsReport(
            name,
            found,
            maps,
            sheets,
            copies,
            seed,
            datetime.now(UTC),
            __version__,
        )
        rendered = render_points_report(told)
        files = write_figures(folder.figures, rendered.figures[""])
        write_text(page, rendered.page)
        watch(Progress("report", 1, 1, "files"))
        return ReportResult(page.stat().st_size), {**files, page: file_digest(page)}

    StepLog(folder.path).once("report", made_from, ReportResult, take, watch)
