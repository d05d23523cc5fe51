"""What a model costs before it is trained: parameters, memory of one training step, floating-point operations.

Nothing is estimated by formula. The networks themselves take one training step on tensors that have a shape, a type
and a device but no memory behind them, and three observers count: which storages autograd keeps, how many bytes are
alive at each moment, and how many operations are done. The table can therefore not disagree with the network.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

# The names PyTorch's own manual gives for these two; there are no shorter ones.
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import FlopCounterMode

from zspace.errors import SettingOutOfRange
from zspace.networks.convolutional import (
    CHANNELS,
    ConvolutionalEncoder,
    check_image_size,
    convolutional_decoder,
    flat_shape,
    per_layer,
)
from zspace.networks.layers import ResidualBlock
from zspace.objectives.divergence import divergence_per_dimension, penalised_divergence
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.settings import ModelSettings, NetworkSettings

ASSUMPTIONS = (
    "The step is the training loop's: the last step's gradients are still there during the forward pass.",
    "Adam keeps two moments and a step count of every trained parameter, in float32.",
    "Not counted: workspaces inside kernels (cuDNN, cuBLAS, oneDNN), the allocator's gaps, the images of the data set.",
)
"""What the predicted peak rests on."""

ADAM_MOMENTS, ADAM_STEP_BYTES = 2, 4


@dataclass(frozen=True)
class LayerBudget:
    """One layer, or one residual block, of a model; for memory at the batch size of the settings."""

    part: str
    """``"encoder"``, ``"sampling"``, ``"decoder"`` or ``"loss"``."""
    name: str
    """Its place in the model, such as ``"encoder.features.0"``."""
    layer: str
    """What it is, such as ``"conv 3x3 /2"``."""
    is_dense: bool
    output_shape: tuple[int, ...]
    """Without the batch dimension."""
    parameters: int
    """Weights, with BatchNorm's running statistics, as Keras counts."""
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    """What autograd keeps for the backward pass; a tensor that several layers keep counts at the first of them.

    Under bf16 this holds the bf16 copies of the weights as well.
    """

    @property
    def total_bytes(self) -> int:
        """Sum of the four."""
        return self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes


@dataclass(frozen=True)
class Variant:
    """A model that differs in one thing, and what that would save."""

    name: str
    filters: tuple[int, ...]
    dense: tuple[int, ...]
    encoder_parameters: int
    decoder_parameters: int
    flatten_factor: float
    """Values after the last convolution, as a multiple of the model's own."""
    peak_bytes: int
    parameters_saved: int
    """Negative for a variant that costs more."""
    peak_bytes_saved: int
    """Negative for a variant that costs more."""


@dataclass(frozen=True)
class TimeBudget:
    """How long training takes at a rate that was measured."""

    images_per_second: float
    flops_per_second: float
    """What the rate amounts to."""
    epoch_seconds: float | None
    """None when the number of images was not given."""
    training_seconds: float | None
    """All epochs of the settings; None when the number of images was not given."""


@dataclass(frozen=True)
class ModelBudget:
    """What one model costs."""

    kind: str
    """``"ae"`` or ``"vae"``."""
    image_size: int
    batch_size: int
    precision: str
    encoder_parameters: int
    decoder_parameters: int
    flatten_width: int
    """Values after the last convolution of the encoder."""
    weights_bytes: int
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    transient_bytes: int
    """What else is alive at the moment of the peak: batch, noise and intermediate results on their way."""
    peak_bytes: int
    """Most bytes alive at one moment of a training step: the sum of the five."""
    flops_per_image: int
    """Floating-point operations of forward and backward pass; a multiplication with an addition counts as two."""
    layers: tuple[LayerBudget, ...]
    variants: tuple[Variant, ...] = ()
    time: TimeBudget | None = None
    """None where no measured rate was given: a rate is never guessed."""
    assumptions: tuple[str, ...] = ASSUMPTIONS


def model_budget(settings: ModelSettings, image_size: int) -> ModelBudget:
    """Return what a model costs, and what it would with an extra dense layer or one convolution less.

    Parameters
    ----------
    settings
        Kind, network, objective, batch size and precision; precision must be resolved.
    image_size
        Side of the square images, in pixels.

    Raises
    ------
    ImageSizeNotDivisible
        When the strides do not divide the image size.
    SettingOutOfRange
        When precision is still "auto", or BatchNorm would see a single value of each channel.

    Units
    -----
    Bytes, and operations per image.

    Assumes
    -------
    `ASSUMPTIONS`; and that layers keep on a GPU what they keep on a CPU.

    Cost
    ----
    About a second, whatever the size of the model: no tensor holds numbers.
    """
    found = _measure(settings, image_size)
    variants = tuple(
        _compare(found, name, network, _measure(replace(settings, network=network), image_size), image_size)
        for name, network in _changed_networks(settings.network)
    )
    return replace(found, variants=variants)


def training_time(found: ModelBudget, epochs: int, images_per_second: float, n_images: int | None) -> TimeBudget:
    """Return how long training takes.

    Parameters
    ----------
    found
        What `model_budget` gave.
    epochs
        Passes over the images.
    images_per_second
        A rate measured on the machine that will train, as training prints it.
    n_images
        Images in the training split; None when unknown.

    Raises
    ------
    SettingOutOfRange
        When the rate is not above zero, or there are no images.
    """
    for name, number in (("images per second", images_per_second), ("number of images", n_images)):
        if number is not None and not 0 < number < float("inf"):
            raise SettingOutOfRange(name, "must be above 0", repr(number), "Take what training prints.")
    epoch_seconds = None if n_images is None else n_images / images_per_second
    return TimeBudget(
        images_per_second=images_per_second,
        flops_per_second=found.flops_per_image * images_per_second,
        epoch_seconds=epoch_seconds,
        training_seconds=None if epoch_seconds is None else epoch_seconds * epochs,
    )


def _changed_networks(network: NetworkSettings) -> Iterator[tuple[str, NetworkSettings]]:
    if network.dense:
        yield "without the extra dense layers", replace(network, dense=())
    else:
        yield f"with an extra dense layer of width {network.z_dim:,}", replace(network, dense=(network.z_dim,))
    n_layers = len(network.filters)
    if n_layers > 1:
        fewer = replace(
            network,
            filters=_without_last_but_one(network.filters),
            kernel_sizes=_without_last_but_one(per_layer(network.kernel_sizes, network, "kernel_sizes")),
            strides=_without_last_but_one(per_layer(network.strides, network, "strides")),
        )
        plural = "convolutions" if n_layers > 2 else "convolution"
        yield f"with {n_layers - 1} {plural}, filters {', '.join(map(str, fewer.filters))}", fewer


def _without_last_but_one(values: tuple[int, ...]) -> tuple[int, ...]:
    """Leave a layer out so that the first and the last stay."""
    return (*values[:-2], values[-1])


def _compare(found: ModelBudget, name: str, network: NetworkSettings, other: ModelBudget, image_size: int) -> Variant:
    parameters_saved = (
        found.encoder_parameters + found.decoder_parameters - other.encoder_parameters - other.decoder_parameters
    )
    return Variant(
        name=name,
        filters=network.filters,
        dense=network.dense,
        encoder_parameters=other.encoder_parameters,
        decoder_parameters=other.decoder_parameters,
        flatten_factor=prod(flat_shape(network, image_size)) / found.flatten_width,
        peak_bytes=other.peak_bytes,
        parameters_saved=parameters_saved,
        peak_bytes_saved=found.peak_bytes - other.peak_bytes,
    )


def _measure(settings: ModelSettings, image_size: int) -> ModelBudget:
    """Return the budget without variants."""
    _check(settings, image_size)
    ledger = _trace_memory(settings, image_size)
    layers = tuple(ledger.layers())
    sums = {
        name: sum(getattr(layer, name) for layer in layers)
        for name in ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes")
    }
    return ModelBudget(
        kind=settings.kind,
        image_size=image_size,
        batch_size=settings.training.batch_size,
        precision=settings.training.precision,
        encoder_parameters=sum(layer.parameters for layer in layers if layer.part == "encoder"),
        decoder_parameters=sum(layer.parameters for layer in layers if layer.part == "decoder"),
        flatten_width=prod(flat_shape(settings.network, image_size)),
        **sums,
        transient_bytes=ledger.peak_bytes - sum(sums.values()),
        peak_bytes=ledger.peak_bytes,
        flops_per_image=_count_flops(settings, image_size) // settings.training.batch_size,
        layers=layers,
    )


def _check(settings: ModelSettings, image_size: int) -> None:
    training, network = settings.training, settings.network
    if training.precision == "auto":
        rule = "must be resolved before memory can be counted"
        raise SettingOutOfRange("training.precision", rule, "'auto'", "Give float32 or bf16.")
    check_image_size(network, image_size, "image size")
    if network.batch_norm and training.batch_size == 1 and flat_shape(network, image_size)[1] == 1:
        rule = "must be at least 2 where BatchNorm sees one value of each channel and image"
        raise SettingOutOfRange("training.batch_size", rule, "1", "Use larger batches, larger images or fewer layers.")


# --- the model and its step, as zspace.models and zspace.training have them ------------------------------------------


class _Sampling(nn.Module):
    """From the heads to z-points; the words are those of `zspace.models`, a sibling of this module.

    A test compares both, byte by byte.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.objective = settings.objective

    def forward(self, heads: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        mu, *rest = (head.float() for head in heads)
        if not rest:
            return mu, mu, None
        (logvar,) = rest
        if self.objective.noise_limit:
            noise = noise.clamp(-self.objective.noise_limit, self.objective.noise_limit)
        return mu + (logvar / 2).exp() * noise * self.objective.noise_factor, mu, logvar


class _Loss(nn.Module):
    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.objective = settings.objective
        self.reconstruction = RECONSTRUCTIONS[settings.objective.reconstruction]
        self.log_variance = torch.zeros(())
        if self.reconstruction.learns_variance:
            self.log_variance = nn.Parameter(self.log_variance)
        self.kl_weight = torch.ones(())

    def forward(self, logits: Tensor, images: Tensor, mu: Tensor, logvar: Tensor | None) -> Tensor:
        reconstruction = self.reconstruction.function(logits.float(), images, self.log_variance)
        if logvar is None:
            return reconstruction
        charged = penalised_divergence(divergence_per_dimension(mu, logvar), self.objective)
        return reconstruction + self.kl_weight * charged


class _Model(nn.Module):
    """All that a training step runs through, each part a module so that one kind of hook sees them all."""

    def __init__(self, settings: ModelSettings, image_size: int) -> None:
        super().__init__()
        self.encoder = ConvolutionalEncoder(settings.network, image_size, n_heads=2 if settings.kind == "vae" else 1)
        self.sampling = _Sampling(settings)
        self.decoder = convolutional_decoder(settings.network, image_size)
        self.loss = _Loss(settings)
        for module in self.modules():
            for name, parameter in list(module.named_parameters(recurse=False)):
                if parameter.dim() == 4:  # Module.to cannot swap tensors that hold no numbers
                    weight = parameter.detach().contiguous(memory_format=torch.channels_last)
                    module.register_parameter(name, nn.Parameter(weight))

    def forward(self, images: Tensor, noise: Tensor) -> Tensor:
        z, mu, logvar = self.sampling(self.encoder(images), noise)
        loss: Tensor = self.loss(self.decoder(z), images, mu, logvar)
        return loss


def _batch(settings: ModelSettings, image_size: int) -> tuple[Tensor, Tensor]:
    """Return images as `zspace.images.loader` lays them out, and noise."""
    n_images = settings.training.batch_size
    images = torch.empty(n_images, image_size, image_size, CHANNELS).permute(0, 3, 1, 2)
    return images, torch.empty(n_images, settings.network.z_dim)


def _autocast(settings: ModelSettings) -> torch.autocast:
    # The same operations go to bf16 on a GPU, and torch.autocast("cuda") turns itself off where there is none.
    return torch.autocast("cpu", torch.bfloat16, enabled=settings.training.precision == "bf16")


def _count_flops(settings: ModelSettings, image_size: int) -> int:
    """Return the operations of one training step."""
    with FakeTensorMode():
        model = _Model(settings, image_size)
        images, noise = _batch(settings, image_size)
        with FlopCounterMode(display=False) as counter:
            with _autocast(settings):
                loss = model(images, noise)
            loss.backward()
    n_operations: int = counter.get_total_flops()
    return n_operations


def _trace_memory(settings: ModelSettings, image_size: int) -> _Ledger:
    """Take one training step and return what was kept, by layer, and the peak."""
    with FakeTensorMode():
        model = _Model(settings, image_size)
        ledger = _Ledger(model)
        for parameter in model.parameters():
            parameter.grad = torch.empty_like(parameter)
        live = _LiveBytes()
        for tensor in (*model.parameters(), *model.buffers()):
            live.follow(tensor)
            if tensor.grad is not None:
                live.follow(tensor.grad)
        with live:
            images, noise = _batch(settings, image_size)
            with _autocast(settings), saved_tensors_hooks(ledger.keep, lambda tensor: tensor):
                loss = model(images, noise)
            model.zero_grad()
            loss.backward()
    # Adam's state is there all the time, and its fused step makes nothing large.
    ledger.peak_bytes = live.peak + sum(map(_adam_bytes, model.parameters()))
    return ledger


# --- the observers ---------------------------------------------------------------------------------------------------


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows every storage from the operation that makes it to its end, and remembers the most at one moment."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        function: Callable[..., Any],
        _types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operation returns
        scratch = [torch.empty_like(args[0]) for _ in range(_SCRATCH_TENSORS.get(function, 0))]
        for tensor in scratch:
            self.follow(tensor)
        del scratch
        result = _as_kernels_return(function, args, function(*args, **(kwargs or {})))
        for item in tree_iter(result):
            if isinstance(item, Tensor):
                self.follow(item)
        return result

    def follow(self, tensor: Tensor) -> None:
        """Count the tensor's storage, once, until it is freed."""
        storage = tensor.untyped_storage()
        if id(storage) in self._known:
            return
        self._known.add(id(storage))
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, id(storage), storage.nbytes())

    def _forget(self, key: int, n_bytes: int) -> None:
        self._known.discard(key)
        self.now -= n_bytes


_SCRATCH_TENSORS: dict[object, int] = {
    torch.ops.aten.binary_cross_entropy_with_logits.default: 3,
    torch.ops.aten.mse_loss.default: 1,
}
"""Tensors of the size of its input that a kernel makes for itself, as PyTorch's allocator shows on a CPU.

For the cross-entropy log sigmoid(x), its buffer (empty on a GPU) and (1 - y) x; for the squared error the squares.
"""


def _as_kernels_return(function: object, args: tuple[Any, ...], result: Any) -> Any:  # noqa: ANN401
    """Return the result with the memory that real kernels give it, where PyTorch's model of them departs from it."""
    if function is torch.ops.aten.native_batch_norm.default:
        # The statistics of a batch in bf16 are kept in float32.
        return result[0], result[1].float(), result[2].float()
    if function is torch.ops.aten.mse_loss.default and result.dim() == 0:
        # The mean lies in the memory that was first made for all the squares.
        return torch.empty_like(args[0]).resize_(())
    return result


class _Ledger:
    """Notes for every row of the table its output shape and the bytes that autograd keeps there."""

    def __init__(self, model: _Model) -> None:
        self.peak_bytes = 0
        self._rows = dict(_rows(model))
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._kept = dict.fromkeys(self._rows, 0)
        self._place = ""
        self._known = {id(tensor.untyped_storage()) for tensor in (*model.parameters(), *model.buffers())}
        for name, module in self._rows.items():
            module.register_forward_pre_hook(self._entered(name))
            module.register_forward_hook(self._left(name))

    def _entered(self, name: str) -> Callable[..., None]:
        def enter(_module: nn.Module, _inputs: object) -> None:
            self._place = name

        return enter

    def _left(self, name: str) -> Callable[..., None]:
        def leave(_module: nn.Module, _inputs: object, output: object) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, Tensor):
                self._shapes[name] = tuple(first.shape[1:])

        return leave

    def keep(self, tensor: Tensor) -> Tensor:
        """Note a tensor that autograd saves; its storage lives until the backward pass, so its id is its own."""
        storage = tensor.untyped_storage()
        if id(storage) not in self._known:
            self._known.add(id(storage))
            self._kept[self._place] += storage.nbytes()
        return tensor

    def layers(self) -> Iterator[LayerBudget]:
        """Yield the rows of the table, in the order of the forward pass."""
        for name, module in self._rows.items():
            parameters = list(module.parameters())
            yield LayerBudget(
                part=name.partition(".")[0],
                name=name,
                layer=self._describe(name, module),
                is_dense=isinstance(module, nn.Linear),
                output_shape=self._shapes.get(name, ()),
                parameters=_count_parameters(module),
                weights_bytes=_n_bytes((*parameters, *module.buffers())),
                gradients_bytes=_n_bytes(parameters),
                optimizer_bytes=sum(map(_adam_bytes, parameters)),
                activations_bytes=self._kept[name],
            )

    def _describe(self, name: str, module: nn.Module) -> str:
        """Return what a layer is, short enough for a table of 80 columns."""
        if ".heads." in name:
            titles = ("mu", "logvar") if "encoder.heads.1" in self._rows else ("z",)
            return f"head {titles[int(name.rpartition('.')[2])]}"
        if isinstance(module, nn.Conv2d):
            return f"conv {'x'.join(map(str, module.kernel_size))} /{module.stride[0]}"
        if isinstance(module, nn.ConvTranspose2d):
            return f"conv {'x'.join(map(str, module.kernel_size))} x{module.stride[0]}"
        return _LAYER_NAMES.get(type(module), type(module).__name__.lower().removeprefix("_"))


_LAYER_NAMES: dict[type[nn.Module], str] = {
    nn.BatchNorm2d: "batch norm",
    nn.LeakyReLU: "leaky relu",
    nn.Linear: "dense",
    ResidualBlock: "residual block",
}


def _count_parameters(module: nn.Module) -> int:
    """Return the weights of a layer, with running statistics; BatchNorm's count of batches is no weight."""
    running = sum(tensor.numel() for tensor in module.buffers() if tensor.is_floating_point())
    return running + sum(parameter.numel() for parameter in module.parameters())


def _rows(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers by name; containers are opened, blocks stay whole."""
    for name, child in module.named_children():
        if isinstance(child, (nn.Sequential, nn.ModuleList, ConvolutionalEncoder)):
            yield from _rows(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child


def _n_bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _adam_bytes(parameter: Tensor) -> int:
    return ADAM_MOMENTS * parameter.nbytes + ADAM_STEP_BYTES
