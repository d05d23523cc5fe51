"""The training loop: it learns, stops, goes on bit for bit, and refuses to go on with nonsense."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zspace.errors import DeviceMissing, RunDiverged
from zspace.images.faces import draw_faces, sample_factors
from zspace.images.loader import ImageBatches, epoch_order
from zspace.models import Autoencoder
from zspace.runs.checkpoints import Checkpoints
from zspace.runs.tensors import arrays_digest
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings, TrainingSettings
from zspace.training import (
    Moment,
    Training,
    resolve_compile,
    resolve_device,
    resolve_precision,
    resolve_training,
)

SETTINGS = ModelSettings(
    network=NetworkSettings(filters=(4, 8), z_dim=3),
    training=TrainingSettings(epochs=2, batch_size=16, learning_rate=5e-3, device="cpu", precision="float32"),
)
VAE = replace(SETTINGS, kind="vae", network=replace(SETTINGS.network, batch_norm=True))
STEERED = replace(VAE, objective=ObjectiveSettings(kl_schedule="target-share", kl_weight=1e-2))
STEPS_PER_EPOCH = 3
FACES = draw_faces(sample_factors(60, seed=1), 16)


def make_training(model_settings=SETTINGS, **changes):
    images = FACES
    cpu = torch.device("cpu")
    return Training(
        Autoencoder(model_settings, 16, seed=1),
        ImageBatches(images, np.arange(48, dtype=np.int64), cpu),
        ImageBatches(images, np.arange(48, 60, dtype=np.int64), cpu),
        replace(model_settings.training, **changes),
        seed=1,
    )


def finish(training):
    for _ in training.run():
        pass
    history = [replace(row, elapsed_seconds=0.0) for row in training.position.history]
    return arrays_digest(training.model.weights()), history


def run_steps(training, n_steps):
    moments = training.run()
    while training.n_steps_done < n_steps:
        next(moments)


def through_a_file(training, folder):
    checkpoints = Checkpoints(folder, "0" * 32)
    checkpoints.save(training.state())
    return checkpoints.newest(training.fits)


def leap_at(monkeypatch, *looks):
    """Let the guard see a leap of the radius at these looks, counted from 1."""
    look, n_looks = Training._look, []

    def leap(training):
        n_looks.append(None)
        if len(n_looks) in looks:
            training._check_sums.values[3] = torch.inf
        return look(training)

    monkeypatch.setattr(Training, "_look", leap)


def wreck(training):
    """Leave nothing of a training as it was, as diverged steps do."""
    with torch.no_grad():
        for tensor in training._tensors.values():
            tensor.fill_(torch.nan if tensor.is_floating_point() else 7)


def test_losses_fall_on_images_with_something_to_learn():
    training = make_training(epochs=8)
    finish(training)
    history = training.position.history
    assert [row.epoch for row in history] == list(range(1, 9))
    assert history[-1].n_images_seen == 8 * 48
    assert history[-1].training_loss < 0.99 * history[0].training_loss
    assert history[-1].validation_loss < history[0].validation_loss
    assert history[-1].training.divergence is None
    assert history[-1].kl_weight is None
    assert history[-1].largest_gradient > 0


@pytest.mark.parametrize(
    ("settings", "precision"),
    [(SETTINGS, "float32"), (SETTINGS, "bf16"), (VAE, "float32"), (VAE, "bf16"), (STEERED, "float32")],
    ids=["ae", "ae bf16", "vae", "vae bf16", "steered vae"],
)
def test_a_run_stopped_after_any_step_and_resumed_ends_bit_for_bit_the_same(tmp_path, settings, precision):
    undisturbed = finish(make_training(settings, precision=precision))
    for n_steps in range(1, 2 * STEPS_PER_EPOCH):
        stopped = make_training(settings, precision=precision)
        run_steps(stopped, n_steps)
        resumed = make_training(settings, precision=precision)
        resumed.restore(through_a_file(stopped, tmp_path))
        assert resumed.n_steps_done == n_steps
        assert finish(resumed) == undisturbed


def test_a_vae_accounts_for_every_part_of_its_loss():
    training = make_training(VAE, epochs=1)
    finish(training)
    row = training.position.history[0]
    parts = row.training
    assert row.kl_weight == 5.0
    assert parts.total == pytest.approx(parts.reconstruction + 5.0 * parts.divergence, rel=1e-6)
    assert parts.kl_share == pytest.approx(5.0 * parts.divergence / parts.total, rel=1e-5)
    assert parts.mean_radius > 0


def test_the_controller_settles_within_a_tenth_of_its_target_share():
    training = make_training(replace(VAE, objective=replace(STEERED.objective, kl_target_share=0.01)), epochs=250)
    finish(training)
    shares = [row.training.kl_share for row in training.position.history[-20:]]
    assert np.mean(shares) == pytest.approx(0.01, rel=0.1)


def test_after_trouble_the_weights_are_bit_for_bit_those_of_the_last_look(monkeypatch):
    undisturbed, training = make_training(VAE), make_training(VAE)
    run_steps(undisturbed, STEPS_PER_EPOCH)
    sound = undisturbed.state()
    leap_at(monkeypatch, 2)
    for moment in training.run():
        if training.n_steps_done == STEPS_PER_EPOCH + 1:
            wreck(training)
        if moment is Moment.WENT_BACK:
            break
    state = training.state()
    assert arrays_digest(state.arrays) == arrays_digest(sound.arrays)
    (rollback,) = state.position.rollbacks
    assert (rollback.epoch, rollback.step, rollback.quantity) == (2, STEPS_PER_EPOCH, "loss")
    assert (rollback.value, rollback.usual, rollback.n_images_lost) == (None, None, 48)
    assert state.position.changes == ((1, 0),)
    assert state.position.guard == sound.position.guard


def test_trouble_before_anything_was_found_sound_leads_back_to_the_first_weights(monkeypatch):
    leap_at(monkeypatch, 1)
    training = make_training()
    first = arrays_digest(training.state().arrays)
    moments = training.run()
    while next(moments) is not Moment.WENT_BACK:
        wreck(training)
    assert training.n_steps_done == 0
    assert arrays_digest(training.state().arrays) == first


def test_a_run_that_went_back_goes_on_with_other_noise_and_ends_the_same_wherever_it_is_stopped(tmp_path, monkeypatch):
    calm = finish(make_training(VAE))
    leap_at(monkeypatch, 2)
    once = make_training(VAE)
    undisturbed = finish(once)
    assert undisturbed != calm
    assert undisturbed[1][0] == calm[1][0]
    assert [row.epoch for row in undisturbed[1]] == [1, 2]

    leap_at(monkeypatch, 2)
    stopped = make_training(VAE)
    for moment in stopped.run():
        if moment is Moment.WENT_BACK:
            break
    state = through_a_file(stopped, tmp_path)
    monkeypatch.undo()
    resumed = make_training(VAE)
    resumed.restore(state)
    assert finish(resumed) == undisturbed
    assert resumed.position.rollbacks == once.position.rollbacks


def test_an_epoch_with_a_changed_order_still_shows_every_image_once():
    training = make_training()
    run_steps(training, 1)
    before = training._order()
    training.position.changes = ((0, 1),)
    after = training._order()
    assert sorted(after) == sorted(before)
    assert list(after[:16]) == list(before[:16])
    assert list(after) != list(before)


def test_a_state_of_another_shape_place_or_length_is_no_state_of_this_training():
    training = make_training()
    run_steps(training, 4)
    state = training.state()
    assert training.fits(state)
    fewer = {name: array for name, array in state.arrays.items() if name != "kl_weight"}
    other_type = {name: array.astype(np.float64) for name, array in state.arrays.items()}
    for arrays in (fewer, other_type, {}):
        assert not training.fits(replace(state, arrays=arrays))
    assert not training.fits(replace(state, n_steps_done=5))
    for change in ({"step": 3}, {"epoch": 2}, {"history": ()}):
        assert not training.fits(replace(state, position=replace(state.position, **change)))
    assert not make_training(VAE).fits(state)
    assert not make_training(epochs=1).fits(state)
    ended = make_training()
    finish(ended)
    assert make_training().fits(ended.state())


def test_orders_differ_between_epochs_and_seeds():
    orders = {tuple(epoch_order(20, seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4
    assert all(sorted(order) == list(range(20)) for order in orders)


@pytest.mark.parametrize(("guard", "n_rollbacks"), [(True, 3), (False, 0)])
def test_values_that_are_not_finite_stop_training_with_or_without_a_guard(guard, n_rollbacks):
    training = make_training(learning_rate=1e30, guard=guard)
    message = (
        rf"^epoch 1, step 3: training must stay sound, with at most {n_rollbacks} rollbacks, "
        r"got a (loss|gradient norm) that is not finite\. Lower the learning rate"
    )
    with pytest.raises(RunDiverged, match=message):
        finish(training)
    assert len(training.position.rollbacks) == n_rollbacks


def test_weights_ruined_by_the_last_step_of_an_epoch_are_trouble_as_well():
    training = make_training(learning_rate=1e30, batch_size=48, epochs=1)
    with pytest.raises(RunDiverged, match=r"^epoch 1, step 1: .* got a validation loss that is not finite\."):
        finish(training)
    assert training.position.history == ()


def test_the_losses_are_unknown_before_the_first_step():
    assert make_training().losses_so_far() is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_missing_device_is_refused_and_auto_says_what_it_took():
    with pytest.raises(DeviceMissing, match=r"training\.device: must be a device of this machine.* Use --device cpu\."):
        resolve_device("cuda")
    device, origin = resolve_device("auto")
    assert (device, origin.reason) == ("cpu", "auto: no CUDA device was found")


def test_precision_asked_for_is_precision_used_and_auto_gives_its_reason():
    assert resolve_precision("float32", "cpu") == ("float32", None)
    assert resolve_precision("bf16", "cpu") == ("bf16", None)
    precision, origin = resolve_precision("auto", "cpu")
    expected = "multiplies" if precision == "bf16" else "does not multiply"
    assert origin.reason == f"auto: this cpu {expected} bf16 in hardware"


def test_compiling_is_left_out_on_a_cpu_and_says_why():
    assert resolve_compile("on", "cpu") == ("on", None)
    compiled, origin = resolve_compile("auto", "cpu")
    assert (compiled, origin.reason) == ("off", "auto: on a CPU compiling costs more than it saves")
    compiled, origin = resolve_compile("auto", "cuda")
    assert (compiled, origin.reason) == ("on", "auto: a CUDA device runs the compiled step as CUDA graphs")


def test_a_resolved_training_leaves_nothing_open_and_gives_every_reason():
    resolved, origins = resolve_training(TrainingSettings(device="cpu", precision="float32"))
    assert (resolved.device, resolved.precision, resolved.compile) == ("cpu", "float32", "off")
    assert set(origins) == {"compile"}


@pytest.mark.slow
def test_a_compiled_step_learns_what_a_plain_one_does():
    _, plain = finish(make_training(VAE))
    _, compiled = finish(make_training(VAE, compile="on"))
    for one, other in zip(plain, compiled, strict=True):
        assert other.training.total == pytest.approx(one.training.total, rel=1e-5)
        assert other.validation.total == pytest.approx(one.validation.total, rel=1e-5)
