"""``train``: image store to run folder with weights."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, perf_counter

import torch

from zspace.errors import RunDiverged, TooFewImages
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
from zspace.results import Progress, TrainResult, Watcher, watch_nothing
from zspace.runs.checkpoints import newest_checkpoint, save_checkpoint
from zspace.runs.fingerprints import train_fingerprint, trajectory_digest
from zspace.runs.folders import RunFolder
from zspace.runs.steps import StepLog
from zspace.runs.tensors import arrays_digest, load_arrays, save_arrays
from zspace.settings import AskedRun, ModelSettings, Split
from zspace.tensorboard import require_tensorboard, write_tensorboard
from zspace.training import Diverged, Moment, Training, resolve_device, resolve_training

_REPORT_SECONDS = 0.25


def train(
    store: ImageStore,
    run: RunFolder,
    settings: ModelSettings,
    seed: int,
    watch: Watcher = watch_nothing,
    study: str = "",
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

    Raises
    ------
    TooFewImages
        When the split to train on has fewer than two images.
    LibraryMissing
        When TensorBoard was asked for and is not installed.
    RunDiverged
        When the guard had to go back too often; the checkpoints before stay.
    """
    log = StepLog(run.path)
    step = f"train {run.path.name}"
    made_from = train_fingerprint(store.result.store_digest, settings, seed)
    if done := log.finished("train", made_from, TrainResult):
        watch(Progress(step, done.epochs * done.n_images, done.epochs * done.n_images, "images", note="already done"))
        return done
    if settings.training.tensorboard:
        require_tensorboard()
    training = _prepare(store, settings, seed)
    start = perf_counter()
    _run_to_end(_Keeper(training, run, trajectory_digest(store.result.store_digest, settings, seed)), step, watch)
    weights = training.model.weights()
    result = _result(training, arrays_digest(weights), perf_counter() - start)
    if is_first():
        digest = save_arrays(run.weights, weights, {"kind": "weights"})
        asked = AskedRun(study, settings, training.model.image_size, seed, store.result.store_digest)
        log.record("train", made_from, result, {run.weights: digest}, asked)
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


@dataclass
class _Keeper:
    """Saves and restores one training in its run folder."""

    training: Training
    run: RunFolder
    trajectory: str

    def resume(self) -> bool:
        """Go to the newest checkpoint of this trajectory; return whether there was one."""
        wait_for_all()
        found = newest_checkpoint(self.run.checkpoints, self.trajectory, self.training.settings.epochs)
        wait_for_all()  # from here on the first process may delete what the others have read
        if found:
            tensors, facts = found
            self.training.restore(tensors, facts["position"])
        return found is not None

    def save(self) -> None:
        """Save the present state, which the guard has found sound."""
        if not is_first():
            return
        training = self.training
        tensors, position = training.state()
        facts = {"trajectory": self.trajectory, "position": position, "n_steps_done": training.n_steps_done}
        save_checkpoint(self.run.checkpoints, training.n_steps_done, tensors, facts)
        place, keep_every = training.position, training.settings.keep_every
        if keep_every and place.step == 0 and place.epoch > 0 and place.epoch % keep_every == 0:
            save_arrays(self.run.epoch_checkpoint(place.epoch), tensors, facts)
        write_json_lines(self.run.history, [to_mapping(row) for row in training.position.history])
        if training.settings.tensorboard:
            write_tensorboard(self.run.tensorboard, training.position.history)


def _run_to_end(keeper: _Keeper, step: str, watch: Watcher) -> None:
    training = keeper.training
    if keeper.resume():
        note = f"going on after {training.n_images_seen:,} images; {training.images.holding.reason}"
        watch(_progress(training, step, note=note))
    else:
        keeper.save()
        watch(_progress(training, step, note=training.images.holding.reason))
    while training.position.epoch < training.settings.epochs:
        try:
            _run_until_trouble(keeper, step, watch)
        except Diverged as diverged:
            _go_back(keeper, diverged.trouble)
            watch(_progress(training, step, note=f"{diverged}: back to {training.n_images_seen:,} images, other noise"))
    watch(_progress(training, step))


def _run_until_trouble(keeper: _Keeper, step: str, watch: Watcher) -> None:
    training = keeper.training
    reported = saved = monotonic()
    for moment in training.run():
        now = monotonic()
        is_last = training.n_images_seen == training.settings.epochs * len(training.images)
        if moment is Moment.AFTER_STEP and now - reported > _REPORT_SECONDS and not is_last:
            watch(_progress(training, step))
            reported = now
        is_due = moment is Moment.CHECKED and now - saved > training.settings.checkpoint_seconds
        if moment is Moment.AFTER_EPOCH or is_due:
            keeper.save()
            saved = monotonic()


def _go_back(keeper: _Keeper, trouble: Trouble) -> None:
    training, settings = keeper.training, keeper.training.settings
    before = training.position
    if not settings.guard or len(before.rollbacks) >= settings.max_rollbacks:
        raise RunDiverged(
            f"epoch {before.epoch + 1}, step {before.step}",
            f"training must stay sound, with at most {settings.max_rollbacks if settings.guard else 0} rollbacks",
            str(trouble),
            "Lower the learning rate, or try --precision float32; the last checkpoint is from before this.",
        )
    keeper.resume()
    training.record_rollback(trouble, before)
    # From now on this is the state to come back to: the same noise is never tried twice.
    keeper.save()


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
