"""``train``: image store to run folder with weights."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic, perf_counter

import torch

from zspace.checkpoints import load_tensors, newest_checkpoint, save_checkpoint, save_tensors
from zspace.errors import TooFewImages
from zspace.files import write_json_lines
from zspace.images.loader import ImageBatches
from zspace.images.store import ImageStore
from zspace.models import Autoencoder, count_parameters
from zspace.records import to_mapping
from zspace.results import Progress, TrainResult, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, fingerprint
from zspace.settings import ModelSettings, Split
from zspace.training import Moment, Training, resolve_device, resolve_precision

_VERSION = 1
"""Raised when the same settings would give other weights than before."""
_REPORT_SECONDS = 0.25


def train(
    store: ImageStore, run: RunFolder, settings: ModelSettings, seed: int, watch: Watcher = watch_nothing
) -> TrainResult:
    """Train a model, or go on with it from its newest checkpoint, or return at once if it is finished.

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

    Raises
    ------
    TooFewImages
        When the split to train on has fewer than two images.
    LossNotFinite
        When training diverges; the checkpoints before stay.
    """
    log = StepLog(run.path)
    step = f"train {run.path.name}"
    made_from = fingerprint(trajectory=trajectory_digest(store, settings, seed), epochs=settings.training.epochs)
    if done := log.finished("train", made_from, TrainResult):
        watch(Progress(step, done.epochs * done.n_images, done.epochs * done.n_images, "images", note="already done"))
        return done
    training = _prepare(store, settings, seed)
    start = perf_counter()
    _run_to_end(training, run, trajectory_digest(store, settings, seed), step, watch)
    result = _result(training, run, perf_counter() - start)
    log.record("train", made_from, result, [run.weights])
    return result


def trajectory_digest(store: ImageStore, settings: ModelSettings, seed: int) -> str:
    """Return the digest of all that decides the weights at a given step.

    The number of epochs is not part of it: a longer run of the same settings goes on where the shorter one ended.
    """
    training = replace(settings.training, epochs=1, checkpoint_seconds=0.0)
    return fingerprint(
        store=store.result.store_digest, settings=replace(settings, training=training), seed=seed, version=_VERSION
    )


def load_model(run: RunFolder, settings: ModelSettings, image_size: int, seed: int) -> Autoencoder:
    """Return the trained model of a run, on its device.

    Raises
    ------
    FileDamaged
        When the weights are missing or damaged.
    """
    model = Autoencoder(settings, image_size, seed)
    tensors, _ = load_tensors(run.weights)
    model.load_state_dict(tensors)
    device, _ = resolve_device(settings.training.device)
    return model.place_on(torch.device(device))


def _prepare(store: ImageStore, settings: ModelSettings, seed: int) -> Training:
    device, _ = resolve_device(settings.training.device)
    precision, _ = resolve_precision(settings.training.precision, device)
    resolved = replace(settings.training, device=device, precision=precision)
    rows = store.rows(resolved.split)
    if len(rows) < 2:
        raise TooFewImages(
            f"split {resolved.split!r}", "needs at least 2 images to train on", str(len(rows)), "Give more images."
        )
    watched: Split = "validation"
    place = torch.device(device)
    return Training(
        Autoencoder(settings, store.images.shape[1], seed),
        ImageBatches(store.images, rows, place),
        ImageBatches(store.images, store.rows(watched), place),
        resolved,
        seed,
    )


def _run_to_end(training: Training, run: RunFolder, trajectory: str, step: str, watch: Watcher) -> None:
    if found := newest_checkpoint(run.checkpoints, trajectory, training.settings.epochs):
        tensors, facts = found
        training.restore(tensors, facts["position"])
        watch(_progress(training, step, note=f"going on after {training.n_images_seen:,} images"))
    else:
        watch(_progress(training, step))
    reported = saved = monotonic()
    for moment in training.run():
        now = monotonic()
        is_last = training.n_images_seen == training.settings.epochs * len(training.images)
        if moment is Moment.AFTER_STEP and now - reported > _REPORT_SECONDS and not is_last:
            watch(_progress(training, step))
            reported = now
        if moment is Moment.AFTER_EPOCH or now - saved > training.settings.checkpoint_seconds:
            _save(training, run, trajectory)
            saved = monotonic()
    watch(_progress(training, step))


def _save(training: Training, run: RunFolder, trajectory: str) -> None:
    training.mean_loss()  # a state whose loss is not finite is never saved
    tensors, position = training.state()
    n_steps = training.position.epoch * training.steps_per_epoch + training.position.step
    save_checkpoint(run.checkpoints, n_steps, tensors, {"trajectory": trajectory, "position": position})
    write_json_lines(run.history, [to_mapping(row) for row in training.position.history])


def _progress(training: Training, step: str, note: str = "") -> Progress:
    n_images, epochs = len(training.images), training.settings.epochs
    values = {"epoch": float(min(training.position.epoch + 1, epochs))}
    if (loss := training.mean_loss()) is not None:
        values["loss"] = loss
    elif training.position.history:
        values["loss"] = training.position.history[-1].training_loss
    if training.position.history and (validation := training.position.history[-1].validation_loss) is not None:
        values["validation"] = validation
    return Progress(step, training.n_images_seen, epochs * n_images, "images", values, note)


def _result(training: Training, run: RunFolder, elapsed_seconds: float) -> TrainResult:
    model, history = training.model, training.position.history
    digest = save_tensors(run.weights, model.state_dict(), {"kind": "weights"})
    seconds = sum(row.elapsed_seconds for row in history)
    return TrainResult(
        n_images=len(training.images),
        epochs=len(history),
        steps_per_epoch=training.steps_per_epoch,
        history=tuple(history),
        loss_name=model.reconstruction.name,
        loss_unit=model.reconstruction.unit,
        n_pixels=model.image_size**2,
        encoder_parameters=count_parameters(model.encoder),
        decoder_parameters=count_parameters(model.decoder),
        device=training.settings.device,
        precision=training.settings.precision,
        images_per_second=len(history) * len(training.images) / seconds,
        weights_digest=digest,
        elapsed_seconds=elapsed_seconds,
    )
