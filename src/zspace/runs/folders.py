"""Where each file of a study and of its runs lies, and whose a folder is."""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zspace.errors import FolderHoldsAnotherStudy, FolderInUse, FolderNotEmpty, NotAStudyFolder, OutputNotWritable
from zspace.files import make_folder, output_error, read_toml, write_toml
from zspace.runs.steps import StepLog
from zspace.settings import AskedRun, Plan, plan_document, plan_from_document

_LOCK = ".lock"
_WRITTEN = r"\.zspace\.json|plan\.toml|results\.json|report\.html|history\.jsonl|[\w.-]+\.(safetensors|svg)"
_LEFTOVER_FILE = re.compile(rf"\.({_WRITTEN})\.\d+\.partial")
_LEFTOVER_FOLDER = re.compile(r"\.((latents\.zarr|tensorboard)\.(partial|old)|images\.\d+\.partial(-old)?)")
"""What an atomic write of a file or folder of a study is called until it is whole."""


@dataclass(frozen=True)
class RunFolder:
    """The files of one trained model."""

    path: Path

    @property
    def weights(self) -> Path:
        """Final weights."""
        return self.path / "model.safetensors"

    @property
    def is_trained(self) -> bool:
        """Whether weights lie here with a log that may tell of them."""
        return self.weights.is_file() and StepLog(self.path).path.is_file()

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints; `zspace.runs.checkpoints` knows what lies in it."""
        return self.path / "checkpoints"

    @property
    def history(self) -> Path:
        """One row of losses per epoch."""
        return self.path / "history.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Folder of the losses for TensorBoard, when asked for."""
        return self.path / "tensorboard"

    @property
    def latents(self) -> Path:
        """Zarr group of z-points."""
        return self.path / "latents.zarr"

    @property
    def pictures(self) -> Path:
        """Decoded images, one array of bytes per sampler."""
        return self.path / "pictures.safetensors"

    @property
    def maps(self) -> Path:
        """Folder of the maps' sheets."""
        return self.path / "maps"

    @property
    def figures(self) -> Path:
        """Folder of vector figures."""
        return self.path / "figures"


@dataclass(frozen=True)
class StudyFolder:
    """The files of a study: one image store, a run folder per model, one report."""

    path: Path

    @property
    def plan(self) -> Path:
        """Every setting and its origin."""
        return self.path / "plan.toml"

    @property
    def store(self) -> Path:
        """Image store."""
        return self.path / "images"

    @property
    def report(self) -> Path:
        """The report, one HTML file."""
        return self.path / "report.html"

    def run(self, model: str) -> RunFolder:
        """Return the run folder of a model."""
        return RunFolder(self.path / "runs" / model)


def pack_log(store: Path) -> StepLog:
    """Return the log of an image store; it is hidden, for the visible files are those of the store's format."""
    return StepLog(store, ".zspace.json")


def read_plan(folder: StudyFolder) -> Plan:
    """Read the plan of a study.

    Raises
    ------
    NotAStudyFolder
        When the folder has none.
    """
    if not folder.plan.is_file():
        raise NotAStudyFolder(
            str(folder.path), "must be the folder of a study", "no plan.toml in it", "Run zspace study with this --out."
        )
    return plan_from_document(read_toml(folder.plan), str(folder.plan))


def claim_study_folder(folder: StudyFolder, plan: Plan) -> None:
    """Make the folder this study's own, and write the plan into it.

    Raises
    ------
    FolderNotEmpty
        When it holds files but no study.
    FolderHoldsAnotherStudy
        When it holds a study of another name or of other images: going on would overwrite its runs.
    """
    path = folder.path
    if path.exists() and not path.is_dir():
        raise FolderNotEmpty(str(path), "--out must be a folder", "a file", "Choose another --out.")
    if folder.plan.is_file():
        _check_same_study(folder, plan)
    elif path.is_dir() and not _lost_its_plan(folder, plan) and (others := _foreign(path)):
        rule, got = "--out must be new, empty, or the folder of this study", f"other files, such as {others[0]}"
        raise FolderNotEmpty(str(path), rule, got, "Choose another --out.")
    write_toml(folder.plan, plan_document(plan))


def _lost_its_plan(folder: StudyFolder, plan: Plan) -> bool:
    """Return whether runs of this very study lie in a folder whose plan.toml was deleted."""
    runs = sorted(path for path in (folder.path / "runs").glob("*") if path.is_dir())
    asked = [StepLog(run).asked("train", AskedRun) for run in runs]
    return {run.study for run in asked if run is not None} == {plan.settings.name}


def _foreign(path: Path) -> list[str]:
    """Return the names in a folder without a plan that no killed study can have left there."""
    names = [entry.name for entry in path.iterdir() if entry.name != _LOCK]
    return sorted(name for name in names if not _LEFTOVER_FILE.fullmatch(name))


def _check_same_study(folder: StudyFolder, plan: Plan) -> None:
    there, asked = read_plan(folder).settings, plan.settings
    for key, old, new in (
        ("name", there.name, asked.name),
        ("images.source", there.images.source, asked.images.source),
    ):
        if old != new:
            raise FolderHoldsAnotherStudy(
                str(folder.path),
                f"--out must be new or hold a study with {key} {new!r}",
                f"one with {key} {old!r}",
                "Choose another --out, or delete that folder if its results are no longer needed.",
            )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out of a folder while the block runs, and clean up after killed ones when it ends well.

    Raises
    ------
    FolderInUse
        When another process is in it.
    """
    make_folder(path)
    lock = path / _LOCK
    if lock.exists() and not lock.is_file():
        raise OutputNotWritable(str(lock), "must be a plain file", "something else", "Delete it.")
    try:
        file = lock.open("w")
    except OSError as error:
        raise output_error(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(
                str(path), "one process may write to a folder at a time", "another one at work", "Wait for it to end."
            ) from error
        yield
        remove_leftovers(path)


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed in the middle of a write left in the folder of a study, run or result.

    Only names that zspace itself gives for a while, and only where it gives them: whatever else is hidden there, and in
    other folders below, is somebody's own.
    """
    for folder in _own_folders(path):
        for entry in folder.iterdir() if folder.is_dir() else ():
            if _LEFTOVER_FILE.fullmatch(entry.name):
                entry.unlink(missing_ok=True)
            elif _LEFTOVER_FOLDER.fullmatch(entry.name):
                shutil.rmtree(entry, ignore_errors=True)


def _own_folders(path: Path) -> Iterator[Path]:
    """Yield the folders that are written to under the lock of a folder."""
    yield path / "images"
    for run in (path, *sorted((path / "runs").glob("*"))):
        checkpoints = run / "checkpoints"
        yield from (run, checkpoints, *sorted(checkpoints.glob("other-*")), run / "maps", run / "figures")
