"""``train``: image store to run folder with weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic, perf_counter

import torch

from zspace.errors import EpochNotKept, TooFewImages
from zspace.files import write_json_lines
from zspace.guarding import Trouble
from zspace.images.loader import ImageBatches
from zspace.images.store import ImageStore
from zspace.models import Autoencoder
from zspace.networks.convolutional import CHANNELS
from zspace.networks.layers import count_parameters
from zspace.objectives.accounting import Scale, account_loss
from zspace.processes import is_first, process_count, wait_for_all
from zspace.records import to_mapping
from zspace.results import EpochRecord, Progress, TrainResult, Watcher, watch_nothing
from zspace.runs.checkpoints import Checkpoints
from zspace.runs.fingerprints import train_fingerprint, trajectory_digest
from zspace.runs.folders import RunFolder
from zspace.runs.steps import StepLog
from zspace.runs.tensors import arrays_digest, load_arrays, save_arrays
from zspace.settings import AskedRun, ModelSettings, Split, TrainingSettings
from zspace.states import State
from zspace.tensorboard import require_tensorboard, write_tensorboard
from zspace.training import Moment, Training, resolve_device, resolve_training

_REPORT_SECONDS = 0.25


def train(
    store: ImageStore,
    run: RunFolder,
    settings: ModelSettings,
    seed: int,
    watch: Watcher = watch_nothing,
    *,
    study: str = "",
    start: State | None = None,
) -> TrainResult:
    """Train a model, or go on with it from its newest checkpoint, or return at once if it is finished.

    Under torchrun all processes call this; the first one alone writes.

    Parameters
    ----------
    store
        The images.
    run
        Where weights, checkpoints and history go.
    settings
        Network, objective and training; "auto" is resolved here.
    seed
        The seed of the study.
    watch
        Called with every progress record.
    study
        Name of the study, to be kept beside the weights.
    start
        Where to begin while there is no checkpoint; None begins with fresh weights.

    Raises
    ------
    TooFewImages
        When the split to train on has fewer than two images.
    LibraryMissing
        When TensorBoard was asked for and is not installed.
    EpochNotKept
        When ``start`` is not a state of this training.
    RunDiverged
        When the guard had to go back too often; the checkpoints before stay.
    """
    identity = (store.result.store_digest, settings, seed)
    log, made_from = StepLog(run.path), train_fingerprint(*identity)
    checkpoints = Checkpoints(run.checkpoints, trajectory_digest(*identity))
    step = f"train {run.path.name}"
    if settings.training.tensorboard:
        require_tensorboard()
    others = checkpoints.gather() if is_first() else []
    if done := log.finished("train", made_from, TrainResult):
        notes = ["already done", *_write_beside(run, checkpoints, settings.training, done.history)]
        n_images = done.epochs * done.n_images
        watch(Progress(step, n_images, n_images, "images", note="; ".join(notes)))
        return done
    training = _prepare(store, settings, seed)
    begun = perf_counter()
    _begin(training, checkpoints, start)
    notes = [training.images.holding.reason, *_about_others(others)]
    if training.n_steps_done:
        notes.insert(0, f"going on after {training.n_images_seen:,} images")
        notes += _write_beside(run, checkpoints, settings.training, training.position.history)
    _run_to_end(training, checkpoints, run, notes, watch)
    weights = training.model.weights()
    result = _result(training, arrays_digest(weights), perf_counter() - begun)
    if is_first():
        digest = save_arrays(run.weights, weights, {"kind": "weights"})
        notes = _forget_others(checkpoints)
        asked = AskedRun(study, settings, training.model.image_size, seed, store.result.store_digest)
        log.record("train", made_from, result, {run.weights: digest}, asked)
    watch(_progress(training, step, "; ".join(notes)))
    return result


def load_model(run: RunFolder, asked: AskedRun) -> Autoencoder:
    """Return the trained model of a run, on its device.

    Parameters
    ----------
    run
        Where the weights lie.
    asked
        What they were trained as; see `zspace.runs.reading.open_run`.

    Raises
    ------
    NotARunFolder
        When the run was never trained to its end.
    FileDamaged, WeightsDoNotFit
        When the weights are missing, damaged, or those of another run.
    """
    model = Autoencoder(asked.model, asked.image_size, asked.seed)
    digest = StepLog(run.path).result("train", TrainResult).weights_digest
    weights, _ = load_arrays(run.weights, digest)
    model.load_weights(weights)
    device, _ = resolve_device(asked.model.training.device)
    return model.place_on(torch.device(device))


def _prepare(store: ImageStore, settings: ModelSettings, seed: int) -> Training:
    resolved, _ = resolve_training(settings.training)
    rows = store.rows(resolved.split)
    if len(rows) < 2:
        raise TooFewImages(
            f"split {resolved.split!r}", "needs at least 2 images to train on", str(len(rows)), "Give more images."
        )
    watched: Split = "validation"
    place = torch.device(resolved.device)
    return Training(
        Autoencoder(settings, store.images.shape[1], seed),
        ImageBatches(store.images, rows, place),
        ImageBatches(store.images, store.rows(watched), place),
        resolved,
        seed,
    )


def _begin(training: Training, checkpoints: Checkpoints, start: State | None) -> None:
    """Go to the newest checkpoint, or to ``start`` where there is none."""
    wait_for_all()
    found = checkpoints.newest(training.fits) or start
    wait_for_all()  # from here on the first process may delete what the others have read
    if found is None:
        return
    if not training.fits(found):
        rule, got = f"must belong to this training of {training.settings.epochs} epochs", "another one"
        raise EpochNotKept(
            str(checkpoints.folder), rule, got, "Name an earlier epoch, or the settings of that training."
        )
    training.restore(found)


def _run_to_end(training: Training, checkpoints: Checkpoints, run: RunFolder, notes: list[str], watch: Watcher) -> None:
    """Train to the last epoch: save at every sound moment that is due, tell what is to be told."""
    step, epochs = f"train {run.path.name}", training.settings.epochs
    reported = saved = monotonic()
    for moment in training.run():
        is_due = moment is not Moment.SOUND or monotonic() - saved > training.settings.checkpoint_seconds
        if moment.is_sound and is_due:
            _save(training, checkpoints, run)
            saved = monotonic()
        if moment is Moment.WENT_BACK:
            notes.append(_about_trouble(training))
        if notes or (monotonic() - reported > _REPORT_SECONDS and training.position.epoch < epochs):
            watch(_progress(training, step, "; ".join(notes)))
            reported, notes = monotonic(), []


def _save(training: Training, checkpoints: Checkpoints, run: RunFolder) -> None:
    """Save the present state, which the guard has found sound."""
    if not is_first():
        return
    state, settings = training.state(), training.settings
    # In this order: a process killed in between resumes before what is missing, and writes it again.
    if settings.keep_every and state.ends_epoch and state.position.epoch % settings.keep_every == 0:
        checkpoints.keep(state)
    checkpoints.save(state)
    _write_history(run, state.position.history, settings.tensorboard)


def _write_history(run: RunFolder, history: Sequence[EpochRecord], tensorboard: bool) -> None:
    write_json_lines(run.history, [to_mapping(row) for row in history])
    if tensorboard:
        write_tensorboard(run.tensorboard, history)


def _write_beside(
    run: RunFolder, checkpoints: Checkpoints, settings: TrainingSettings, history: Sequence[EpochRecord]
) -> list[str]:
    """Write what is asked for now of the epochs that were trained before, and return what to say of the rest."""
    if not is_first():
        return []
    _write_history(run, history, settings.tensorboard)
    missing = checkpoints.keep_passed(settings.keep_every, len(history))
    if not missing:
        return []
    epochs = ", ".join(map(str, missing))
    return [f"not kept when they were trained: epochs {epochs}; to have them, delete {run.path} and train anew"]


def _about_others(folders: Sequence[Path]) -> list[str]:
    if not folders:
        return []
    names = ", ".join(folder.name for folder in folders)
    trainings = "1 other training lie" if len(folders) == 1 else f"{len(folders)} other trainings lie"
    return [f"checkpoints of {trainings} in {folders[0].parent} ({names}) until this one is finished"]


def _forget_others(checkpoints: Checkpoints) -> list[str]:
    n_others = len(checkpoints.forget_others())
    if not n_others:
        return []
    return [f"deleted the checkpoints of {n_others} other training{'s' * (n_others > 1)}, but for kept epochs"]


def _about_trouble(training: Training) -> str:
    last = training.position.rollbacks[-1]
    trouble = Trouble(last.quantity, last.value, last.usual)
    return f"{trouble}: back to {training.n_images_seen:,} images, other noise"


def _progress(training: Training, step: str, note: str = "") -> Progress:
    position, epochs = training.position, training.settings.epochs
    values = {"epoch": float(min(position.epoch + 1, epochs))}
    last = position.history[-1] if position.history else None
    if parts := training.losses_so_far() or (last.training if last else None):
        values["loss"] = parts.total
        if parts.kl_share is not None:
            values["KL share"] = parts.kl_share
    if last and last.validation:
        values["validation"] = last.validation.total
    return Progress(step, training.n_images_seen, epochs * len(training.images), "images", values, note)


def _result(training: Training, weights_digest: str, elapsed_seconds: float) -> TrainResult:
    model, history = training.model, training.position.history
    objective, last = model.objective.reconstruction, history[-1]
    scale = Scale(model.image_size**2, CHANNELS, model.settings.network.z_dim)
    seconds = sum(row.elapsed_seconds for row in history)
    return TrainResult(
        n_images=len(training.images),
        epochs=len(history),
        steps_per_epoch=training.steps_per_epoch,
        history=history,
        loss_name=objective.name,
        loss_unit=objective.unit,
        n_pixels=model.image_size**2,
        kind=model.settings.kind,
        z_dim=model.settings.network.z_dim,
        training_account=account_loss(last.training, objective, scale, last.kl_weight),
        validation_account=None
        if last.validation is None
        else account_loss(last.validation, objective, scale, last.kl_weight),
        rollbacks=training.position.rollbacks,
        encoder_parameters=count_parameters(model.encoder),
        decoder_parameters=count_parameters(model.decoder),
        device=training.settings.device,
        precision=training.settings.precision,
        images_per_second=len(history) * len(training.images) / seconds,
        weights_digest=weights_digest,
        images_held=training.images.holding.reason,
        n_processes=process_count(),
        elapsed_seconds=elapsed_seconds,
    )
