"""The training loop: it learns, stops, goes on bit for bit, and refuses to go on with nonsense."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zspace.errors import DeviceMissing
from zspace.guarding import Trouble
from zspace.images.faces import draw_faces, sample_factors
from zspace.images.loader import ImageBatches, epoch_order
from zspace.models import Autoencoder
from zspace.runs.tensors import arrays_digest, load_arrays, save_arrays
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings, TrainingSettings
from zspace.training import (
    Diverged,
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


def through_a_file(training, path):
    tensors, position = training.state()
    save_arrays(path, tensors, {"position": position})
    tensors, facts = load_arrays(path)
    return tensors, facts["position"]


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
        resumed.restore(*through_a_file(stopped, tmp_path / "checkpoint.safetensors"))
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


def test_changed_noise_and_order_leave_the_past_alone_and_survive_a_resume(tmp_path):
    first, changed = make_training(VAE), make_training(VAE)
    for training in (first, changed):
        run_steps(training, 4)
    changed.change_noise()
    saved = through_a_file(changed, tmp_path / "checkpoint.safetensors")
    resumed = make_training(VAE)
    resumed.restore(*saved)
    outcome = finish(changed)
    assert outcome == finish(resumed)
    assert outcome != finish(first)
    assert outcome[1][0] == first.position.history[0] or outcome[1][0].training == first.position.history[0].training


def test_an_epoch_with_a_changed_order_still_shows_every_image_once():
    training = make_training()
    run_steps(training, 1)
    before = training._order()
    training.change_noise()
    after = training._order()
    assert sorted(after) == sorted(before)
    assert list(after[:16]) == list(before[:16])
    assert list(after) != list(before)


def test_a_rollback_is_recorded_with_what_was_lost():
    training = make_training()
    run_steps(training, 1)
    early = training.state()
    run_steps(training, 4)
    late = training.position
    training.restore(*early)
    training.record_rollback(Trouble("mean radius", 66.0, 16.0), late)
    (rollback,) = training.position.rollbacks
    assert (rollback.epoch, rollback.step, rollback.quantity) == (2, 1, "mean radius")
    assert (rollback.value, rollback.usual, rollback.n_images_lost) == (66.0, 16.0, 48)
    assert training.position.changes == ((0, 1),)


def test_orders_differ_between_epochs_and_seeds():
    orders = {tuple(epoch_order(20, seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4
    assert all(sorted(order) == list(range(20)) for order in orders)


@pytest.mark.parametrize("guard", [True, False])
def test_values_that_are_not_finite_stop_training_with_or_without_a_guard(guard):
    training = make_training(learning_rate=1e30, guard=guard)
    with pytest.raises(Diverged, match=r"^a (loss|gradient norm) that is not finite$"):
        finish(training)


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
