"""Repeat a run from the end of an epoch, with the same or with other noise."""

from __future__ import annotations

from pathlib import Path

from zspace.checkpoints import load_tensors, save_checkpoint
from zspace.errors import EpochNotKept, NotARunFolder
from zspace.images.store import open_store
from zspace.results import TrainResult, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StudyFolder, locked, read_plan
from zspace.settings import asked_models, model_seed
from zspace.workflows.train import train


def repeat(
    run: RunFolder, from_epoch: int, fresh_noise: bool, watch: Watcher = watch_nothing
) -> tuple[RunFolder, TrainResult]:
    """Train a second run that shares its first epochs with one that is there, and leave that one alone.

    Parameters
    ----------
    run
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
    study = StudyFolder(run.path.parent.parent)
    if not study.plan.is_file():
        rule = "--resume takes the folder of a run, such as OUT/runs/NAME"
        raise NotARunFolder(str(run.path), rule, "another folder", "Look below runs/ in the folder of the study.")
    plan = read_plan(study)
    # Checkpoints belong to what was asked for, not to what "auto" came to on this machine.
    asked = asked_models(plan).get(run.path.name)
    if asked is None:
        names = ", ".join(plan.settings.models)
        raise NotARunFolder(str(run.path), "must be a run of the study around it", run.path.name, f"Runs are: {names}.")
    kept = run.epoch_checkpoint(from_epoch)
    if not kept.is_file():
        raise EpochNotKept(str(run.path), f"needs the checkpoint of epoch {from_epoch}", "none", _advice(run))
    word = "fresh" if fresh_noise else "again"
    repetition = study.run(f"{run.path.name}-from-{from_epoch}-{word}")
    with locked(study.path):
        _copy_state(kept, repetition, from_epoch, fresh_noise)
        store = open_store(study.store)
        return repetition, train(store, repetition, asked, model_seed(plan.settings, asked), watch)


def _advice(run: RunFolder) -> str:
    epochs = [int(path.stem.removeprefix("epoch-")) for path in sorted(run.checkpoints.glob("epoch-*.safetensors"))]
    if epochs:
        return f"Kept are epochs {', '.join(map(str, epochs))}."
    return "Train with --set 'models.*.training.keep_every=1' to keep every epoch."


def _copy_state(kept: Path, repetition: RunFolder, from_epoch: int, fresh_noise: bool) -> None:
    """Make the kept state the only checkpoint of the repetition, unless that has gone further already."""
    if any(repetition.checkpoints.glob("step-*.safetensors")):
        return
    tensors, facts = load_tensors(kept)
    if fresh_noise:
        facts["position"]["changes"] = [*facts["position"]["changes"], [from_epoch, 0]]
    save_checkpoint(repetition.checkpoints, facts["n_steps_done"], tensors, facts)
