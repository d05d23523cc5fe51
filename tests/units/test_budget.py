"""Budgets: what is predicted without memory is what a real step takes."""

from dataclasses import replace

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from zspace.budget import model_budget, training_time
from zspace.errors import ImageSizeNotDivisible, SettingOutOfRange
from zspace.models import Autoencoder
from zspace.networks.layers import count_parameters
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings, TrainingSettings

SIZE = 32
NETWORK = NetworkSettings(filters=(4, 8), z_dim=5)
TRAINING = TrainingSettings(batch_size=6, precision="float32")
AE = ModelSettings(network=NETWORK, training=TRAINING)
VAE = replace(AE, kind="vae")


def with_network(settings, **changes):
    return replace(settings, network=replace(settings.network, **changes))


def in_bf16(settings):
    return replace(settings, training=replace(settings.training, precision="bf16"))


CASES = {
    "ae": AE,
    "vae": VAE,
    "batch norm": with_network(VAE, batch_norm=True),
    "residual": with_network(VAE, block="residual", batch_norm=True),
    "residual without batch norm": with_network(AE, block="residual"),
    "dense": with_network(VAE, dense=(7, 6), batch_norm=True),
    "strides": with_network(AE, filters=(4, 6, 8), kernel_sizes=(5, 3, 4), strides=(2, 1, 4), activation="silu"),
    "gaussian": replace(VAE, objective=ObjectiveSettings(reconstruction="gaussian", free_bits=0.1, noise_limit=0.0)),
    "squared error": replace(VAE, objective=ObjectiveSettings(reconstruction="squared-error", capacity=2.0)),
}
EVERY_CASE = pytest.mark.parametrize(
    "settings",
    [case for settings in CASES.values() for case in (settings, in_bf16(settings))],
    ids=[f"{name}, {precision}" for name in CASES for precision in ("float32", "bf16")],
)


class RealStep:
    """The training loop's step on real tensors."""

    def __init__(self, settings, size=SIZE, device="cpu"):
        self.settings, self.device = settings, device
        self.model = Autoencoder(settings, size, seed=1).place_on(torch.device(device))
        self.optimizer = torch.optim.Adam(self.model.parameters(), fused=True)
        self.kl_weight = torch.ones((), device=device)
        self.size = size

    def losses(self):
        n_images = self.settings.training.batch_size
        images = torch.rand(n_images, self.size, self.size, 3, device=self.device).permute(0, 3, 1, 2)
        noise = torch.randn(n_images, self.settings.network.z_dim, device=self.device)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.settings.training.precision == "bf16"):
            return self.model.losses(images, noise, self.kl_weight)

    def take(self):
        losses = self.losses()
        self.optimizer.zero_grad()
        losses.total.backward()
        self.optimizer.step()


@EVERY_CASE
def test_autograd_keeps_in_a_real_step_exactly_what_was_predicted(settings):
    step = RealStep(settings)
    own = {tensor.untyped_storage().data_ptr() for tensor in (*step.model.parameters(), *step.model.buffers())}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # held, so that its address stays its own
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step.losses()
    assert model_budget(settings, SIZE).activations_bytes == sum(storage.nbytes() for storage in kept.values())


@EVERY_CASE
def test_weights_gradients_and_adams_state_are_those_of_a_real_step(settings):
    step, found = RealStep(settings), model_budget(settings, SIZE)
    step.take()
    trained = [parameter for parameter in step.model.parameters() if parameter.grad is not None]
    state = [value for parameter in trained for value in step.optimizer.state[parameter].values()]
    assert found.gradients_bytes == sum(parameter.grad.nbytes for parameter in trained)
    assert found.optimizer_bytes == sum(value.nbytes for value in state)
    assert found.weights_bytes == sum(tensor.nbytes for tensor in (*trained, *step.model.buffers()))
    assert found.encoder_parameters == count_parameters(step.model.encoder)
    assert found.decoder_parameters == count_parameters(step.model.decoder)


@EVERY_CASE
def test_the_rows_and_kinds_of_memory_add_up(settings):
    found = model_budget(settings, SIZE)
    for name in ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes"):
        assert getattr(found, name) == sum(getattr(layer, name) for layer in found.layers)
    whole = sum(layer.total_bytes for layer in found.layers)
    assert found.peak_bytes == whole + found.transient_bytes
    assert found.transient_bytes >= 0
    for part in ("encoder", "decoder"):
        rows = sum(layer.parameters for layer in found.layers if layer.part == part)
        assert rows == getattr(found, f"{part}_parameters")


@EVERY_CASE
def test_the_peak_is_what_the_allocator_saw(settings):
    settings = with_network(settings, filters=tuple(4 * n for n in settings.network.filters))
    step = RealStep(replace(settings, training=replace(settings.training, batch_size=64)))
    step.take()
    held = sum(tensor.nbytes for tensor in (*step.model.parameters(), *step.model.buffers()))
    held += sum(parameter.grad.nbytes for parameter in step.model.parameters() if parameter.grad is not None)
    held += sum(value.nbytes for state in step.optimizer.state.values() for value in state.values())
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as observed:
        step.take()
    now = peak = held
    for event in observed.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    assert model_budget(step.settings, SIZE).peak_bytes == pytest.approx(peak, rel=0.02)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_peak_is_within_ten_percent_of_cudas_own_count(precision):
    training = TrainingSettings(batch_size=128, precision=precision)
    settings = ModelSettings("vae", NetworkSettings(z_dim=512, batch_norm=True), training=training)
    step = RealStep(settings, 96, "cuda")
    for _ in range(2):
        step.take()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    step.take()
    assert model_budget(settings, 96).peak_bytes == pytest.approx(torch.cuda.max_memory_allocated(), rel=0.1)


def test_operations_are_those_of_the_textbook():
    found = model_budget(AE, SIZE)
    # Multiplications and additions of one pass, per image: kernel x channels in x values out.
    first, second = 2 * 27 * 4 * 16**2, 2 * 36 * 8 * 8**2
    head, dense = 2 * 512 * 5, 2 * 5 * 512
    # A transposed convolution multiplies its kernel with every value that comes in.
    third, fourth = 2 * 9 * 8 * 4 * 8**2, 2 * 9 * 4 * 3 * 16**2
    # Backward there are two such passes, for weights and for inputs; the images need no gradient.
    assert found.flops_per_image == 3 * (first + second + head + dense + third + fourth) - first


def test_nothing_is_allocated():
    huge = ModelSettings("vae", training=TrainingSettings(batch_size=1_000_000, precision="float32"))
    assert model_budget(huge, 96).activations_bytes > 1 << 40


def test_a_residual_block_is_one_row_with_all_its_weights():
    rows = [layer for layer in model_budget(CASES["residual"], SIZE).layers if layer.layer == "residual block"]
    # Two 3x3 convolutions with bias, each normalised: scale, shift, running mean and variance.
    assert [row.parameters for row in rows] == [2 * (n * n * 9 + n + 4 * n) for n in (4, 8, 8, 4)]
    assert [row.output_shape for row in rows] == [(4, 16, 16), (8, 8, 8), (8, 8, 8), (4, 16, 16)]


def test_variants_are_the_models_they_name():
    settings = with_network(VAE, filters=(4, 6, 8), kernel_sizes=(3, 5, 3), strides=(2,))
    found = model_budget(settings, SIZE)
    extra, fewer = found.variants
    changes = ({"dense": (5,)}, {"filters": (4, 8), "kernel_sizes": (3, 3), "strides": (2, 2)})
    for variant, change in zip((extra, fewer), changes, strict=True):
        alone = model_budget(with_network(settings, **change), SIZE)
        model = Autoencoder(with_network(settings, **change), SIZE, seed=1)
        assert variant.encoder_parameters == count_parameters(model.encoder)
        assert variant.decoder_parameters == count_parameters(model.decoder)
        saved = found.encoder_parameters + found.decoder_parameters
        saved -= count_parameters(model.encoder) + count_parameters(model.decoder)
        assert variant.parameters_saved == saved
        assert variant.peak_bytes == alone.peak_bytes == found.peak_bytes - variant.peak_bytes_saved
    assert (extra.flatten_factor, fewer.flatten_factor) == (1.0, 4.0)


def test_a_model_with_dense_layers_is_compared_with_one_without_and_one_convolution_cannot_be_fewer():
    (variant,) = model_budget(with_network(VAE, filters=(4,), dense=(5,)), SIZE).variants
    assert (variant.name, variant.dense) == ("without the extra dense layers", ())


def test_a_time_follows_from_a_measured_rate_only():
    found = model_budget(AE, SIZE)
    assert found.time is None
    time = training_time(found, epochs=3, images_per_second=50.0, n_images=1000)
    assert (time.epoch_seconds, time.training_seconds) == (20.0, 60.0)
    assert time.flops_per_second == 50 * found.flops_per_image
    assert training_time(found, 3, 50.0, None).epoch_seconds is None
    with pytest.raises(SettingOutOfRange, match=r"images per second: must be above 0, got 0.0\. Take what training"):
        training_time(found, 3, 0.0, None)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ImageSizeNotDivisible, match=r"image size: must be a multiple of 4, .* got 30 pixels"):
        model_budget(AE, 30)
    auto = replace(AE, training=TrainingSettings())
    with pytest.raises(SettingOutOfRange, match=r"training\.precision: must be resolved .* got 'auto'\. Give float32"):
        model_budget(auto, SIZE)
    single = replace(with_network(AE, batch_norm=True), training=replace(TRAINING, batch_size=1))
    with pytest.raises(SettingOutOfRange, match=r"training\.batch_size: must be at least 2 where BatchNorm .* got 1\."):
        model_budget(single, 4)
