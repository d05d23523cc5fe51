"""The log of the steps that are finished in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from zspace.errors import FileDamaged, NotARunFolder, SettingsError
from zspace.files import document_digest, read_json, write_json
from zspace.records import from_mapping, to_mapping
from zspace.results import Progress, Watcher

RESULTS_VERSION = 1

Result = TypeVar("Result")


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
