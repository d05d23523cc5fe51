"""The training loop: it learns, stops, goes on bit for bit, and refuses to go on with nonsense."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zspace.checkpoints import load_tensors, save_tensors, tensors_digest
from zspace.errors import DeviceMissing, LossNotFinite
from zspace.images.loader import ImageBatches
from zspace.models import Autoencoder
from zspace.settings import ModelSettings, NetworkSettings, TrainingSettings
from zspace.training import Training, resolve_device, resolve_precision

SETTINGS = ModelSettings(
    network=NetworkSettings(filters=(4, 8), z_dim=3),
    training=TrainingSettings(epochs=2, batch_size=16, learning_rate=5e-3, device="cpu", precision="float32"),
)
N_STEPS = 2 * 4


def make_training(**changes):
    images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    images[:, :, 8:] //= 4  # something to learn: the right half is dark
    cpu = torch.device("cpu")
    return Training(
        Autoencoder(SETTINGS, 16, seed=1),
        ImageBatches(images, np.arange(48, dtype=np.int64), cpu),
        ImageBatches(images, np.arange(48, 60, dtype=np.int64), cpu),
        replace(SETTINGS.training, **changes),
        seed=1,
    )


def without_seconds(training):
    return [replace(row, elapsed_seconds=0.0) for row in training.position.history]


def finish(training):
    for _ in training.run():
        pass
    return tensors_digest(training.model.state_dict()), without_seconds(training)


def test_losses_fall_on_images_with_something_to_learn():
    training = make_training(epochs=8)
    finish(training)
    history = training.position.history
    assert [row.epoch for row in history] == list(range(1, 9))
    assert history[-1].n_images_seen == 8 * 48
    assert history[-1].training_loss < 0.97 * history[0].training_loss
    assert history[-1].validation_loss < history[0].validation_loss


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_run_stopped_after_any_step_and_resumed_ends_bit_for_bit_the_same(tmp_path, precision):
    undisturbed = finish(make_training(precision=precision))
    for n_steps in range(1, N_STEPS):
        stopped = make_training(precision=precision)
        moments = stopped.run()
        while stopped.position.epoch * 3 + stopped.position.step < n_steps and stopped.position.epoch < 2:
            next(moments)
        tensors, position = stopped.state()
        save_tensors(tmp_path / "checkpoint.safetensors", tensors, {"position": position})
        tensors, facts = load_tensors(tmp_path / "checkpoint.safetensors")
        resumed = make_training(precision=precision)
        resumed.restore(tensors, facts["position"])
        assert finish(resumed) == undisturbed


def test_the_order_of_images_differs_between_epochs_and_seeds():
    from zspace.images.loader import epoch_order

    orders = {tuple(epoch_order(20, seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4
    assert all(sorted(order) == list(range(20)) for order in orders)


def test_a_loss_that_is_not_finite_stops_training_with_advice():
    training = make_training(learning_rate=1e30)
    with pytest.raises(LossNotFinite, match=r"^epoch 1, step 3: the loss must be finite, got \S+\. Lower the learning"):
        finish(training)


def test_the_mean_loss_is_unknown_before_the_first_step():
    assert make_training().mean_loss() is None


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


def test_a_batch_holds_the_right_pixels_scaled_to_one():
    images = np.zeros((3, 4, 4, 3), dtype=np.uint8)
    images[2, 1, 0] = (255, 51, 0)
    batch = ImageBatches(images, np.array([0, 2]), torch.device("cpu")).take(np.array([1]))
    assert batch.shape == (1, 3, 4, 4)
    assert batch[0, :, 1, 0].tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert float(batch.sum()) == pytest.approx(1.2)
