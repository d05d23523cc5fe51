"""Follow one training step on tensors without numbers: what autograd keeps, what is alive, what is computed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

# The names PyTorch's own manual gives for these two; there are no shorter ones.
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter
from torch.utils.flop_counter import FlopCounterMode

from zspace.budget.records import LayerBudget
from zspace.models import Autoencoder
from zspace.networks.convolutional import CHANNELS, ConvolutionalEncoder
from zspace.networks.layers import BatchNorm, ResidualBlock, count_parameters
from zspace.settings import ModelSettings

ADAM_MOMENTS, ADAM_STEP_BYTES = 2, 4


def _fake_model(settings: ModelSettings, image_size: int) -> Autoencoder:
    """Return the model without numbers, its convolutions laid out channels last as `place_on` lays them out."""
    model = Autoencoder(settings, image_size, seed=0)
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter.dim() == 4:  # Module.to cannot swap tensors that hold no numbers
                weight = parameter.detach().contiguous(memory_format=torch.channels_last)
                module.register_parameter(name, nn.Parameter(weight))
    return model


def _batch(settings: ModelSettings, image_size: int) -> tuple[Tensor, Tensor]:
    """Return images as `zspace.images.loader` lays them out, and noise."""
    n_images = settings.training.batch_size
    images = torch.empty(n_images, image_size, image_size, CHANNELS).permute(0, 3, 1, 2)
    return images, torch.empty(n_images, settings.network.z_dim)


def _autocast(settings: ModelSettings) -> torch.autocast:
    # The same operations go to bf16 on a GPU, and torch.autocast("cuda") turns itself off where there is none.
    return torch.autocast("cpu", torch.bfloat16, enabled=settings.training.precision == "bf16")


def count_flops(settings: ModelSettings, image_size: int) -> int:
    """Return the operations of one training step."""
    with FakeTensorMode():
        model = _fake_model(settings, image_size)
        images, noise = _batch(settings, image_size)
        with FlopCounterMode(display=False) as counter:
            with _autocast(settings):
                loss = model.losses(images, noise, torch.ones(())).total
            loss.backward()  # type: ignore[no-untyped-call]
    n_operations: int = counter.get_total_flops()
    return n_operations


def trace_memory(settings: ModelSettings, image_size: int) -> Ledger:
    """Take one training step and return what was kept, by layer, and the peak."""
    with FakeTensorMode():
        model = _fake_model(settings, image_size)
        ledger = Ledger(model)
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
                loss = model.losses(images, noise, torch.ones(())).total
            model.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
    # Adam's state is there all the time, and its fused step makes nothing large.
    ledger.peak_bytes = live.peak + sum(map(_adam_bytes, model.parameters()))
    return ledger


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
    torch.ops.aten.binary_cross_entropy_with_logits.default: 2,
    torch.ops.aten.mse_loss.default: 1,
}
"""Tensors of the size of its input that a kernel makes for itself, as PyTorch's allocator shows on a CPU.

For the cross-entropy log sigmoid(x) and (1 - y) x; for the squared error the squares.
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


class Ledger:
    """Notes for every row of the table its output shape and the bytes that autograd keeps there."""

    def __init__(self, model: Autoencoder) -> None:
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
                parameters=count_parameters(module),
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
    BatchNorm: "batch norm",
    nn.LeakyReLU: "leaky relu",
    nn.Linear: "dense",
    ResidualBlock: "residual block",
}


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
