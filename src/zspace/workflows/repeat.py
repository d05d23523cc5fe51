"""Repeat a run from the end of an epoch, with the same or with other noise."""

from __future__ import annotations

from pathlib import Path

from zspace.errors import EpochNotKept
from zspace.images.store import open_store
from zspace.results import TrainResult, Watcher, watch_nothing
from zspace.runs.checkpoints import Checkpoints
from zspace.runs.fingerprints import trajectory_digest
from zspace.runs.folders import RunFolder, locked
from zspace.runs.reading import KnownRun, open_run
from zspace.states import State
from zspace.workflows.train import train


def repeat(
    path: Path, from_epoch: int, fresh_noise: bool, watch: Watcher = watch_nothing
) -> tuple[RunFolder, TrainResult]:
    """Train a second run that shares its first epochs with one that is there, and leave that one alone.

    Parameters
    ----------
    path
        A run folder of a study, trained with ``keep_every`` so that the epoch's checkpoint is there.
    from_epoch
        The last epoch that both share, counted from 1.
    fresh_noise
        Draw other noise and another order from there on. Without it the repetition ends bit for bit as the run did.
    watch
        Called with every progress record.

    Returns
    -------
    RunFolder, TrainResult
        The new run, a folder beside the old one, and what training gave.

    Raises
    ------
    NotARunFolder
        When the folder is no run of a study.
    EpochNotKept
        When that epoch's checkpoint is not there; the message names those that are.
    """
    known = open_run(path)
    with locked(known.study.path):
        start, repetition = _begin(known, from_epoch, fresh_noise)
        store, asked = open_store(known.study.store), known.asked
        if store.result.store_digest != asked.store_digest:
            rule, got = "must hold the images that the run was trained on", "others, packed since"
            raise EpochNotKept(str(store.folder), rule, got, "Run the study with its images of then again.")
        return repetition, train(store, repetition, asked.model, asked.seed, watch, study=asked.study, start=start)


def would_repeat(path: Path, from_epoch: int, fresh_noise: bool) -> str:
    """Return a sentence of what `repeat` would do; parameters and errors are the same."""
    known = open_run(path)
    _, repetition = _begin(known, from_epoch, fresh_noise)
    epochs = f"epochs {from_epoch + 1} to {known.asked.model.training.epochs}"
    how = "with fresh noise" if fresh_noise else "again"
    return f"Would train {epochs} of {known.folder.path.name!r} {how}, into {repetition.path}."


def _begin(known: KnownRun, from_epoch: int, fresh_noise: bool) -> tuple[State, RunFolder]:
    """Return the state that a repetition begins at, and its folder."""
    run, asked = known.folder, known.asked
    checkpoints = Checkpoints(run.checkpoints, trajectory_digest(asked.store_digest, asked.model, asked.seed))
    start = checkpoints.at_epoch(from_epoch)
    if start is None:
        advice = _advice(checkpoints, from_epoch)
        raise EpochNotKept(str(run.path), f"needs the checkpoint of epoch {from_epoch}", "none", advice)
    if fresh_noise:
        start.position.changes = (*start.position.changes, (from_epoch, 0))
    word = "fresh" if fresh_noise else "again"
    return start, known.study.run(f"{run.path.name}-from-{from_epoch}-{word}")


def _advice(checkpoints: Checkpoints, missing: int) -> str:
    kept = checkpoints.kept()
    if missing in kept:
        return f"{kept[missing]} is damaged: delete it."
    if kept:
        return f"Kept are epochs {', '.join(map(str, sorted(kept)))}."
    return "Train with --set 'models.*.training.keep_every=1' to keep every epoch."
