"""Repeat a run from the end of an epoch, with the same or with other noise."""

from __future__ import annotations

from pathlib import Path

from zspace.errors import EpochNotKept
from zspace.images.store import open_store
from zspace.results import TrainResult, Watcher, watch_nothing
from zspace.runs.checkpoints import Checkpoints
from zspace.runs.fingerprints import trajectory_digest
from zspace.runs.folders import RunFolder, locked
from zspace.runs.reading import open_run
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
    run, study = known.folder, known.study
    word = "fresh" if fresh_noise else "again"
    repetition = study.run(f"{run.path.name}-from-{from_epoch}-{word}")
    with locked(study.path):
        store = open_store(study.store)
        trajectory = trajectory_digest(store.result.store_digest, known.asked, known.seed)
        checkpoints = Checkpoints(run.checkpoints, trajectory)
        start = checkpoints.at_epoch(from_epoch)
        if start is None:
            rule, advice = f"needs the checkpoint of epoch {from_epoch}", _advice(checkpoints, from_epoch)
            raise EpochNotKept(str(run.path), rule, "none", advice)
        if fresh_noise:
            start.position.changes = (*start.position.changes, (from_epoch, 0))
        return repetition, train(store, repetition, known.asked, known.seed, watch, start)


def _advice(checkpoints: Checkpoints, missing: int) -> str:
    kept = checkpoints.kept()
    if missing in kept:
        return f"{kept[missing]} is damaged: delete it."
    if kept:
        return f"Kept are epochs {', '.join(map(str, sorted(kept)))}."
    return "Train with --set 'models.*.training.keep_every=1' to keep every epoch."
