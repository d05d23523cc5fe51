"""The posts' plain convolutional encoder and decoder, over free settings."""

from math import prod

import torch
from torch import nn

from zspace.errors import ImageSizeNotDivisible
from zspace.settings import NetworkSettings

CHANNELS = 3
KERAS_EPSILON, KERAS_MOMENTUM = 1e-3, 0.01
"""Keras' constants of BatchNorm; its momentum 0.99 is PyTorch's 0.01."""


def check_image_size(settings: NetworkSettings, image_size: int, where: str) -> None:
    """Refuse image sizes that the strides do not divide without remainder.

    Raises
    ------
    ImageSizeNotDivisible
        The message names the nearest sizes that work.
    """
    factor = settings.stride ** len(settings.filters)
    if image_size % factor == 0 and image_size >= factor:
        return
    below, above = image_size // factor * factor, (image_size // factor + 1) * factor
    choices = f"{below} or {above}" if below else f"{above}"
    raise ImageSizeNotDivisible(
        where,
        f"must be a multiple of {factor}, since {len(settings.filters)} layers of stride {settings.stride} shrink it",
        f"{image_size} pixels",
        f"Use --size {choices}, or fewer layers.",
    )


def flat_shape(settings: NetworkSettings, image_size: int) -> tuple[int, int, int]:
    """Return channels, height and width after the last convolution of the encoder."""
    side = image_size // settings.stride ** len(settings.filters)
    return settings.filters[-1], side, side


def convolutional_encoder(settings: NetworkSettings, image_size: int) -> nn.Sequential:
    """Return a network from images (n, 3, size, size) in [0, 1] to z-points (n, z_dim).

    Source
    ------
    The posts' encoder: 3x3 convolutions of stride 2 with LeakyReLU, flatten, one dense layer. Padding is symmetric
    here and at the lower right in Keras; parameters and shapes are the same.
    """
    layers: list[nn.Module] = []
    n_in = CHANNELS
    for n_out in settings.filters:
        padding = settings.kernel_size // 2
        layers.append(nn.Conv2d(n_in, n_out, settings.kernel_size, settings.stride, padding))
        layers.extend(_after_convolution(settings, n_out))
        n_in = n_out
    layers += [nn.Flatten(), nn.Linear(prod(flat_shape(settings, image_size)), settings.z_dim)]
    return nn.Sequential(*layers)


def convolutional_decoder(settings: NetworkSettings, image_size: int) -> nn.Sequential:
    """Return a network from z-points (n, z_dim) to logits of images (n, 3, size, size)."""
    shape = flat_shape(settings, image_size)
    layers: list[nn.Module] = [nn.Linear(settings.z_dim, prod(shape)), nn.Unflatten(1, shape)]
    outputs = [*settings.filters[-2::-1], CHANNELS]
    n_in = settings.filters[-1]
    for depth, n_out in enumerate(outputs, 1):
        layers.append(_growing_convolution(settings, n_in, n_out))
        if depth < len(outputs):
            layers.extend(_after_convolution(settings, n_out))
        n_in = n_out
    return nn.Sequential(*layers)


def _growing_convolution(settings: NetworkSettings, n_in: int, n_out: int) -> nn.ConvTranspose2d:
    """Grow height and width by exactly the stride: out = (in - 1) * stride - 2 * padding + kernel + rest."""
    padding = settings.kernel_size // 2
    rest = settings.stride + 2 * padding - settings.kernel_size
    return nn.ConvTranspose2d(n_in, n_out, settings.kernel_size, settings.stride, padding, output_padding=rest)


def _after_convolution(settings: NetworkSettings, n_channels: int) -> list[nn.Module]:
    activation = nn.LeakyReLU(settings.leaky_slope)
    if settings.batch_norm:
        return [nn.BatchNorm2d(n_channels, KERAS_EPSILON, KERAS_MOMENTUM), activation]
    return [activation]


def initialise_glorot_uniform(network: nn.Module, seed: int) -> None:
    """Set all weights to Keras' initial values: Glorot uniform kernels, zero biases.

    Randomness
    ----------
    All numbers come from one generator with this seed, in the order of the network's layers.

    Source
    ------
    Glorot and Bengio 2010, eq. 16.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
