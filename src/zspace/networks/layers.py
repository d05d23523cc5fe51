"""What the layers of encoder and decoder have in common: activations, normalisation, blocks, initial weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zspace.networks.convolutions import Convolution
from zspace.processes import process_count, sum_over_processes
from zspace.settings import NetworkSettings

KERAS_EPSILON, KERAS_MOMENTUM = 1e-3, 0.01
"""Keras' constants of BatchNorm; its momentum 0.99 is PyTorch's 0.01."""

ACTIVATIONS: dict[str, Callable[[NetworkSettings], nn.Module]] = {
    "leaky-relu": lambda settings: nn.LeakyReLU(settings.leaky_slope, inplace=True),
    "relu": lambda _: nn.ReLU(inplace=True),
    "elu": lambda _: nn.ELU(inplace=True),
    "silu": lambda _: nn.SiLU(),
}
"""In place where the gradient follows from the output: nothing before an activation needs what it overwrites."""


class BatchNorm(nn.BatchNorm2d):
    """BatchNorm whose statistics are those of the whole batch, over all processes.

    Source
    ------
    Ioffe and Szegedy 2015, algorithm 1. PyTorch's SyncBatchNorm does the same, on GPUs only.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features, (n, channels, height, width)."""
        if process_count() == 1 or not self.training:
            return super().forward(x)
        features, places = x.float(), (0, 2, 3)
        n_values = sum_over_processes(torch.tensor(x.numel() / x.shape[1], device=x.device))
        mean = sum_over_processes(features.sum(places)) / n_values
        centred = features - mean.view(-1, 1, 1)
        variance = sum_over_processes(centred.square().sum(places)) / n_values
        self._remember(mean.detach(), variance.detach() * n_values / (n_values - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(-1, 1, 1) + self.bias.view(-1, 1, 1)).to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.lerp_(mean, KERAS_MOMENTUM)
            self.running_var.lerp_(variance, KERAS_MOMENTUM)
            self.num_batches_tracked += 1


def after_convolution(settings: NetworkSettings, n_channels: int) -> list[nn.Module]:
    """Return what follows a convolution: normalisation if asked for, then the activation."""
    activation = ACTIVATIONS[settings.activation](settings)
    if settings.batch_norm:
        return [BatchNorm(n_channels, KERAS_EPSILON, KERAS_MOMENTUM), activation]
    return [activation]


class ResidualBlock(nn.Module):
    """A shallow residual block: x + two 3x3 convolutions of x, which keep its shape.

    Source
    ------
    He et al. 2016, the basic block; without BatchNorm unless the settings ask for it.
    """

    def __init__(self, settings: NetworkSettings, n_channels: int) -> None:
        super().__init__()
        first, second = (Convolution(n_channels, n_channels, 3, padding=1) for _ in range(2))
        *normalise, self.activation = after_convolution(settings, n_channels)
        self.branch = nn.Sequential(first, *after_convolution(settings, n_channels), second, *normalise)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        result: Tensor = self.activation(x + self.branch(x))
        return result


def _glorot_uniform(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.xavier_uniform_(weight, generator=generator)


def _he_normal(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)


def _pytorch(weight: Tensor, generator: torch.Generator) -> None:
    nn.init.kaiming_uniform_(weight, a=5**0.5, generator=generator)


INITIALIZERS: dict[str, Callable[[Tensor, torch.Generator], None]] = {
    "glorot-uniform": _glorot_uniform,
    "he-normal": _he_normal,
    "pytorch": _pytorch,
}
"""Each sets a kernel in place. Glorot and Bengio 2010, eq. 16; He et al. 2015, eq. 10; PyTorch's default bound."""


def initialise(network: nn.Module, initializer: str, seed: int) -> None:
    """Set the initial weights of every convolution and dense layer; biases become zero, as in Keras.

    Randomness
    ----------
    All numbers come from one generator with this seed, in the order of the network's layers.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            INITIALIZERS[initializer](layer.weight, generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights, counting BatchNorm's running statistics as Keras does."""
    # What is saved and is no counter: parameters, and of the buffers the running means and variances.
    return sum(tensor.numel() for tensor in network.state_dict().values() if tensor.is_floating_point())
