"""Checkpoints: the states of a training, kept so that it goes on after a kill, or is repeated from an epoch.

Two kinds of files: ``step-*``, of which the newest serve a resume, and ``epoch-*``, which were asked for and stay.
Every file names the training it belongs to. Those of one training at a time lie in the folder itself; those of others,
with other settings or images, lie in ``other-*`` folders below it, one for each, until their training is the present
one again. A training that is finished deletes the ``step-*`` files of the others; ``epoch-*`` files are never deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zspace.errors import FileDamaged, SettingsError
from zspace.files import document_digest, make_folder, writing_to
from zspace.records import from_mapping, to_mapping
from zspace.runs.tensors import load_arrays, load_facts, save_arrays
from zspace.states import Count, Position, State

_N_KEPT = 2
"""Newest step files that are kept: should the last be damaged, the one before it still serves."""


@dataclass(frozen=True)
class _Facts:
    """What a checkpoint says beside its arrays."""

    trajectory: str
    n_steps_done: Count
    position: Position
    digest: str
    """Of the rest: the file's own checksum covers the arrays alone."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training.

    Parameters
    ----------
    folder
        Of all checkpoints of the run folder.
    trajectory
        Digest of all that decides the weights at a given step: whose checkpoints these are.
    """

    folder: Path
    trajectory: str

    def gather(self) -> list[Path]:
        """Bring the checkpoints of this training into the folder, set others aside, and return where others lie.

        Every move is one atomic renaming, and every file says whose it is: killed at any moment, the next call ends
        with the same order.
        """
        with writing_to(self.folder):
            for path in _files(self.folder):
                if (owner := _owner(path)) != self.trajectory:
                    _move(path, self.folder / _aside(owner))
            for path in self._own_aside():
                _move(path, self.folder)
            with suppress(OSError):  # not there, or not empty
                (self.folder / _aside(self.trajectory)).rmdir()
        return [folder for folder in sorted(self.folder.glob("other-*")) if _files(folder)]

    def save(self, state: State) -> None:
        """Write a state, and delete the step files that it makes superfluous."""
        make_folder(self.folder)
        self._write(self.folder / f"step-{state.n_steps_done:09d}.safetensors", state)
        steps = _numbered(self.folder, "step")
        before = [path for number, path in steps.items() if number <= state.n_steps_done]
        # Of an earlier and longer training, or damaged: they must not crowd out those that this training writes.
        beyond = [path for number, path in steps.items() if number > state.n_steps_done]
        with writing_to(self.folder):
            for path in before[_N_KEPT:] + beyond[_N_KEPT:]:
                path.unlink(missing_ok=True)

    def keep(self, state: State) -> None:
        """Write the state at an epoch's end for good."""
        make_folder(self.folder)
        self._write(self.folder / f"epoch-{state.position.epoch:04d}.safetensors", state)

    def keep_passed(self, every: int, epochs: int) -> list[int]:
        """Keep of the epochs that a training has passed what can still be kept, and return those that cannot.

        Parameters
        ----------
        every
            Every such epoch is to be kept; 0 for none.
        epochs
            How many have been passed.
        """
        missing = set(range(every, epochs + 1, every)) if every else set()
        missing.difference_update(self.kept())
        for path in _numbered(self.folder, "step").values() if missing else ():
            state = self._read(path)
            if state is not None and state.ends_epoch and state.position.epoch in missing:
                self.keep(state)
                missing.remove(state.position.epoch)
        return sorted(missing)

    def kept(self) -> dict[int, Path]:
        """Return the files of the kept epochs of this training, by epoch."""
        paths = [path for path in _files(self.folder) if _owner(path) == self.trajectory] + self._own_aside()
        return {number: path for path in paths if (number := _number(path, "epoch")) is not None}

    def at_epoch(self, epoch: int) -> State | None:
        """Return the state at the end of an epoch, or None if it was not kept, or not whole."""
        path = self.kept().get(epoch)
        return None if path is None else self._read(path)

    def newest(self, fits: Callable[[State], bool]) -> State | None:
        """Return the newest state of this training that is whole and fits, or None."""
        candidates = [path for path in _files(self.folder) if _owner(path) == self.trajectory]
        for path in sorted(candidates, key=_n_steps_claimed, reverse=True):
            state = self._read(path)
            if state is not None and fits(state):
                return state
        return None

    def forget_others(self) -> list[Path]:
        """Delete the step files of other trainings and return where there were any; kept epochs stay."""
        forgotten = []
        with writing_to(self.folder):
            for folder in sorted(self.folder.glob("other-*")):
                steps = _numbered(folder, "step").values()
                for path in steps:
                    path.unlink(missing_ok=True)
                with suppress(OSError):  # kept epochs lie in it
                    folder.rmdir()
                forgotten += [folder] if steps else []
        return forgotten

    def _own_aside(self) -> list[Path]:
        return [path for path in _files(self.folder / _aside(self.trajectory)) if _owner(path) == self.trajectory]

    def _write(self, path: Path, state: State) -> None:
        facts = {
            "trajectory": self.trajectory,
            "n_steps_done": state.n_steps_done,
            "position": to_mapping(state.position),
        }
        save_arrays(path, state.arrays, {**facts, "digest": document_digest(facts)})

    def _read(self, path: Path) -> State | None:
        """Return the state in a file; None if the file is damaged, or says anything that no training would write."""
        try:
            arrays, written = load_arrays(path)
            facts = from_mapping(_Facts, written, str(path))
            digest = document_digest({name: value for name, value in written.items() if name != "digest"})
        except (FileDamaged, SettingsError, ValueError):  # the last for NaN in the facts
            return None
        if (facts.trajectory, facts.digest) != (self.trajectory, digest):
            return None
        return State(arrays, facts.position, facts.n_steps_done)


def _files(folder: Path) -> list[Path]:
    """Return the checkpoints that lie in a folder."""
    paths = [*_numbered(folder, "step").values(), *_numbered(folder, "epoch").values()]
    return sorted(paths)


def _numbered(folder: Path, kind: str) -> dict[int, Path]:
    """Return the files of a kind by their number, the highest first."""
    numbers = {path: _number(path, kind) for path in folder.glob(f"{kind}-*.safetensors") if path.is_file()}
    found = {number: path for path, number in numbers.items() if number is not None}
    return dict(sorted(found.items(), reverse=True))


def _number(path: Path, kind: str) -> int | None:
    match = re.fullmatch(rf"{kind}-([0-9]{{1,18}})\.safetensors", path.name)
    return int(match[1]) if match else None


def _facts_claimed(path: Path) -> dict[str, object]:
    """Return what the head of a file says, unchecked; nothing if it cannot be read."""
    try:
        return load_facts(path)
    except FileDamaged:
        return {}


def _owner(path: Path) -> str:
    """Return the digest of the training that a checkpoint belongs to, or what to call it where it says nothing."""
    trajectory = _facts_claimed(path).get("trajectory")
    return trajectory if isinstance(trajectory, str) and re.fullmatch("[0-9a-f]{32}", trajectory) else "unreadable"


def _n_steps_claimed(path: Path) -> int:
    n_steps = _facts_claimed(path).get("n_steps_done")
    return n_steps if isinstance(n_steps, int) else -1


def _aside(owner: str) -> str:
    return f"other-{owner[:12]}"


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    path.replace(folder / path.name)
