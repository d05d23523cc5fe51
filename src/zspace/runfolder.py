"""Where each file of a study and of its runs lies, and the log of steps that are finished."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import zarr
from jaxtyping import Float32, Int64

from zspace.errors import (
    FileDamaged,
    FolderHoldsAnotherStudy,
    FolderInUse,
    FolderNotEmpty,
    NotARunFolder,
    NotAStudyFolder,
    SettingsError,
)
from zspace.files import (
    atomic_folder,
    document_digest,
    make_folder,
    output_error,
    read_json,
    read_toml,
    write_json,
    write_toml,
)
from zspace.records import from_mapping, to_mapping
from zspace.results import Progress, Watcher
from zspace.settings import Plan, plan_document, plan_from_document

RESULTS_VERSION = 1
_ROWS_PER_CHUNK = 8192

Result = TypeVar("Result")


@dataclass(frozen=True)
class RunFolder:
    """The files of one trained model."""

    path: Path

    @property
    def weights(self) -> Path:
        """Final weights."""
        return self.path / "model.safetensors"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    def epoch_checkpoint(self, epoch: int) -> Path:
        """Checkpoint of an epoch's end that is kept for good."""
        return self.checkpoints / f"epoch-{epoch:04d}.safetensors"

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


def read_plan(folder: StudyFolder) -> Plan:
    """Read the plan of a study.

    Raises
    ------
    NotAStudyFolder
        When the folder has none.
    """
    if not folder.plan.is_file():
        raise NotAStudyFolder(
            str(folder.path), "must be the folder of a study", "no plan.toml in it", "Run zspace study first."
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
    elif path.is_dir() and any(entry.name != ".lock" for entry in path.iterdir()):
        raise FolderNotEmpty(
            str(path), "--out must be new, empty, or the folder of this study", "other files", "Choose another --out."
        )
    write_toml(folder.plan, plan_document(plan))


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
    """Keep other processes out of a folder while the block runs.

    Raises
    ------
    FolderInUse
        When another process is in it.
    """
    make_folder(path)
    lock = path / ".lock"
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


class StepLog:
    """What each finished step gave, from what, and which files it left: the ``results.json`` of a folder.

    Parameters
    ----------
    folder
        All files of the steps lie in it.
    name
        Of the log; a hidden one where other programs look at the folder as well.

    A step counts as finished only while its fingerprint is the same and all its files are there in their sizes.
    """

    def __init__(self, folder: Path, name: str = "results.json") -> None:
        self._folder = folder
        self.path = folder / name

    def _steps(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        document = read_json(self.path)
        if not isinstance(document, dict) or document.get("format") != RESULTS_VERSION:
            found = document.get("format") if isinstance(document, dict) else type(document).__name__
            raise FileDamaged(
                str(self.path),
                f"must be of format {RESULTS_VERSION}",
                f"format {found}",
                "Use the zspace version that wrote it, or choose another --out.",
            )
        steps: dict[str, Any] = document["steps"]
        return steps

    def finished(self, step: str, fingerprint: str, result_type: type[Result]) -> Result | None:
        """Return what the step gave, or None if it has to run (again)."""
        entry = self._steps().get(step)
        if entry is None or entry["fingerprint"] != fingerprint:
            return None
        if any(_n_bytes(self._folder / name) != n_bytes for name, n_bytes in entry["files"].items()):
            return None
        try:
            return from_mapping(result_type, entry["result"], f"{self.path}.{step}")
        except SettingsError:
            return None  # written by another version, with other fields: run the step again

    def once(
        self,
        step: str,
        fingerprint: str,
        result_type: type[Result],
        take: Callable[[], tuple[Result, list[Path]]],
        watch: Watcher,
        shown: str | None = None,
    ) -> Result:
        """Return what a step gave; take it now if it is not finished.

        Parameters
        ----------
        take
            Does the work; returns the result and the files that it wrote.
        watch
            Told when there is nothing left to do.
        shown
            What the step is called on the screen.
        """
        if done := self.finished(step, fingerprint, result_type):
            watch(Progress(shown or step, 1, 1, "steps", note="already done"))
            return done
        result, files = take()
        self.record(step, fingerprint, result, files)
        return result

    def result(self, step: str, result_type: type[Result]) -> Result:
        """Return what the step gave, whatever it was made from.

        Raises
        ------
        NotARunFolder
            When the step was never finished here.
        """
        entry = self._steps().get(step)
        if entry is None:
            raise NotARunFolder(
                str(self._folder), f"must hold a finished step {step!r}", "none", "Run the study to its end first."
            )
        return from_mapping(result_type, entry["result"], f"{self.path}.{step}")

    def record(self, step: str, fingerprint: str, result: object, files: list[Path]) -> None:
        """Write down that a step is finished."""
        entry = {
            "fingerprint": fingerprint,
            "files": {str(path.relative_to(self._folder)): _n_bytes(path) for path in files},
            "result": to_mapping(result),
        }
        write_json(self.path, {"format": RESULTS_VERSION, "steps": {**self._steps(), step: entry}})


def fingerprint(**parts: object) -> str:
    """Return the digest of all that a step's outcome depends on."""
    return document_digest({name: to_mapping(part) for name, part in parts.items()})


def _n_bytes(path: Path) -> int | None:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else None


def write_latents(
    path: Path, arrays: Mapping[str, Float32[np.ndarray, "n_points z_dim"]], ids: Int64[np.ndarray, " n_points"]
) -> None:
    """Write z-points as a Zarr group, chunked by rows, atomically.

    Parameters
    ----------
    path
        The group's folder.
    arrays
        ``"z"`` and, for a VAE, ``"mu"`` and ``"logvar"``.
    ids
        Row of each point's image in the image store.
    """
    with atomic_folder(path) as partial:
        group = zarr.create_group(partial)
        for name, values in {**arrays, "ids": ids}.items():
            chunk = (min(_ROWS_PER_CHUNK, len(values)), *values.shape[1:])
            group.create_array(name, data=values, chunks=chunk, compressors=None)


def read_latents(path: Path, name: str) -> Float32[np.ndarray, "n_points z_dim"]:
    """Read one array of z-points."""
    return _read_array(path, name).astype(np.float32, copy=False)


def latent_names(path: Path) -> list[str]:
    """Return which arrays of points there are: z, and for a VAE mu and logvar."""
    return [name for name in ("z", "mu", "logvar") if (path / name).is_dir()]


def read_latent_ids(path: Path) -> Int64[np.ndarray, " n_points"]:
    """Read the row in the image store of every z-point."""
    return _read_array(path, "ids").astype(np.int64, copy=False)


def _read_array(path: Path, name: str) -> np.ndarray:
    if not path.is_dir():
        raise NotARunFolder(str(path), "must be a Zarr group of z-points", "nothing", "Run zspace study first.")
    return np.asarray(zarr.open_array(path, path=name, mode="r")[:])
