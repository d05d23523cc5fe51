"""The log of the steps that are finished in a folder.

What is on record is checked: an entry against its own digest, a file against the digest that its writer gave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from zspace.errors import FileDamaged, NotARunFolder, SettingsError
from zspace.files import document_digest, read_json, write_json
from zspace.records import from_mapping, to_mapping
from zspace.results import Progress, Watcher

RESULTS_VERSION = 2
NOT_FINISHED = "not finished"
OTHER_SETTINGS = "last finished with other settings"

Result = TypeVar("Result")
Record = TypeVar("Record")

Files = Mapping[Path, str]
"""The files of a step, each with the digest that its writer gave; "" where nothing reads the file back."""


@dataclass(frozen=True)
class _File:
    n_bytes: int | None
    digest: str


@dataclass(frozen=True)
class _Entry:
    """One finished step, as it stands in the file."""

    fingerprint: str
    files: dict[str, _File]
    asked: Any
    result: Any
    digest: str = ""
    """Of all the rest."""

    def signed(self) -> _Entry:
        """Return the same with its digest."""
        return replace(self, digest=document_digest(to_mapping(replace(self, digest=""))))


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

    def finished(
        self, step: str, fingerprint: str, result_type: type[Result], *, with_files: bool = True
    ) -> Result | None:
        """Return what the step gave, or None if it has to run (again); see `unfinished`."""
        if self.unfinished(step, fingerprint, with_files=with_files) is not None:
            return None
        try:
            return self.result(step, result_type)
        except OtherFields:
            return None  # written by another version: run the step again

    def unfinished(self, step: str, fingerprint: str, *, with_files: bool = True) -> str | None:
        """Return in a few words why the step does not count as finished, or None if it does.

        Parameters
        ----------
        with_files
            Whether its files must be there as well; without them what it gave stands all the same.
        """
        entry = self._entry(step)
        if entry is None:
            return NOT_FINISHED
        if entry.fingerprint != fingerprint:
            return OTHER_SETTINGS
        for name, file in entry.files.items() if with_files else ():
            if _n_bytes(self._folder / name) != file.n_bytes:
                return f"{name} is missing or cut short"
        return None

    def once(
        self,
        step: str,
        fingerprint: str,
        result_type: type[Result],
        take: Callable[[], tuple[Result, Files]],
        watch: Watcher,
        shown: str | None = None,
        asked: object = None,
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
        asked
            See `record`.
        """
        if done := self.finished(step, fingerprint, result_type):
            watch(Progress(shown or step, 1, 1, "steps", note="already done"))
            return done
        result, files = take()
        self.record(step, fingerprint, result, files, asked)
        return result

    def result(self, step: str, result_type: type[Result]) -> Result:
        """Return what the step gave, whatever it was made from.

        Raises
        ------
        NotARunFolder
            When the step was never finished here.
        FileDamaged
            When what is written there is not what was written.
        """
        entry = self._entry(step)
        if entry is None:
            raise NotARunFolder(
                str(self._folder), f"must hold a finished step {step!r}", "none", "Run the study to its end first."
            )
        return self._read(step, entry.result, result_type)

    def asked(self, step: str, record_type: type[Record]) -> Record | None:
        """Return what the step was asked to do, where that was recorded beside what it gave; None where not.

        Raises
        ------
        FileDamaged
            When what is written there is not what was written.
        """
        entry = self._entry(step)
        return None if entry is None or entry.asked is None else self._read(step, entry.asked, record_type)

    def digest(self, step: str, path: Path) -> str | None:
        """Return the digest that the writer of a step's file gave; None where the step or the file is not on record.

        Raises
        ------
        FileDamaged
            When what is written there is not what was written.
        """
        entry = self._entry(step)
        file = entry and entry.files.get(str(path.relative_to(self._folder)))
        return file.digest if file else None

    def record(self, step: str, fingerprint: str, result: object, files: Files, asked: object = None) -> None:
        """Write down that a step is finished.

        Parameters
        ----------
        files
            What it wrote.
        asked
            A record of what it was asked to do, for those who read the files later; None keeps none.
        """
        left = {str(path.relative_to(self._folder)): _File(_n_bytes(path), digest) for path, digest in files.items()}
        entry = _Entry(fingerprint, left, to_mapping(asked), to_mapping(result)).signed()
        write_json(self.path, {"format": RESULTS_VERSION, "steps": {**self._steps(), step: to_mapping(entry)}})

    def _read(self, step: str, written: Any, record_type: type[Record]) -> Record:  # noqa: ANN401 - as JSON has it
        try:
            return from_mapping(record_type, written, f"{self.path}, {step}")
        except SettingsError as error:
            rule = f"must be results of this version of zspace, {error.rule}"
            raise OtherFields(error.where, rule, error.got, "Run the study again.") from error

    def _steps(self) -> dict[str, Any]:
        if not self.path.exists():
            return {}
        document = read_json(self.path)
        version = document.get("format") if isinstance(document, dict) else None
        if version != RESULTS_VERSION:
            next_step = "Use the zspace version that wrote it, or choose another --out."
            raise FileDamaged(
                str(self.path), f"must be of format {RESULTS_VERSION}", f"format {version!r:.40}", next_step
            )
        steps = document.get("steps")
        if not isinstance(steps, dict):
            raise self._damaged("no table of steps")
        return steps

    def _entry(self, step: str) -> _Entry | None:
        """Return the entry of a step as it was written, or None if there is none."""
        written = self._steps().get(step)
        if written is None:
            return None
        try:
            entry = from_mapping(_Entry, written, step)
            is_whole = entry == entry.signed()
        except (SettingsError, ValueError):
            is_whole = False
        if not is_whole:
            raise self._damaged(f"a step {step!r} of other content")
        return entry

    def _damaged(self, got: str) -> FileDamaged:
        return FileDamaged(
            str(self.path), "must be as it was written", got, "Delete it and run the command that made it again."
        )


class OtherFields(FileDamaged):
    """A whole record of results has other fields than this version knows."""


def _n_bytes(path: Path) -> int | None:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else None
