"""Repeat a run from the end of an epoch, with the same or with other noise."""

from __future__ import annotations

from pathlib import Path

from zspace.errors import EpochNotKept
from zspace.images.store import open_store
from zspace.results import TrainResult, Watcher, watch_nothing
from zspace.runs.checkpoints import save_checkpoint
from zspace.runs.folders import RunFolder, locked
from zspace.runs.reading import KnownRun, open_run
from zspace.runs.tensors import load_arrays
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
    kept, repetition = _places(known, from_epoch, fresh_noise)
    with locked(known.study.path):
        _copy_state(kept, repetition, from_epoch, fresh_noise)
        store = open_store(known.study.store)
        return repetition, train(store, repetition, known.asked.model, known.asked.seed, watch, known.asked.study)


def would_repeat(path: Path, from_epoch: int, fresh_noise: bool) -> str:
    """Return a sentence of what `repeat` would do; parameters and errors are the same."""
    known = open_run(path)
    _, repetition = _places(known, from_epoch, fresh_noise)
    epochs = f"epochs {from_epoch + 1} to {known.asked.model.training.epochs}"
    return f"Would train {epochs} of {known.folder.path.name!r} {_WORDS[fresh_noise]}, into {repetition.path}."


_WORDS = {False: "again", True: "with fresh noise"}


def _places(known: KnownRun, from_epoch: int, fresh_noise: bool) -> tuple[Path, RunFolder]:
    """Return the kept checkpoint that a repetition begins at, and its folder."""
    run = known.folder
    kept = run.epoch_checkpoint(from_epoch)
    if not kept.is_file():
        raise EpochNotKept(str(run.path), f"needs the checkpoint of epoch {from_epoch}", "none", _advice(run))
    word = "fresh" if fresh_noise else "again"
    return kept, known.study.run(f"{run.path.name}-from-{from_epoch}-{word}")


def _advice(run: RunFolder) -> str:
    epochs = [int(path.stem.removeprefix("epoch-")) for path in sorted(run.checkpoints.glob("epoch-*.safetensors"))]
    if epochs:
        return f"Kept are epochs {', '.join(map(str, epochs))}."
    return "Train with --set 'models.*.training.keep_every=1' to keep every epoch."


def _copy_state(kept: Path, repetition: RunFolder, from_epoch: int, fresh_noise: bool) -> None:
    """Make the kept state the only checkpoint of the repetition, unless that has gone further already."""
    if any(repetition.checkpoints.glob("step-*.safetensors")):
        return
    tensors, facts = load_arrays(kept)
    if fresh_noise:
        facts["position"]["changes"] = [*facts["position"]["changes"], [from_epoch, 0]]
    save_checkpoint(repetition.checkpoints, facts["n_steps_done"], tensors, facts)
