"""The posts' convolutional encoder and decoder, over free settings."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn

from zspace.errors import ImageSizeNotDivisible, SettingOutOfRange
from zspace.networks.convolutions import Convolution, GrowingConvolution
from zspace.networks.layers import ACTIVATIONS, ResidualBlock, after_convolution
from zspace.settings import NetworkSettings

CHANNELS = 3


def per_layer(values: tuple[int, ...], settings: NetworkSettings, name: str) -> tuple[int, ...]:
    """Return one value for each convolution; a single one serves all.

    Raises
    ------
    SettingOutOfRange
        When there are neither one nor as many as convolutions.

    Examples
    --------
    >>> per_layer((2,), NetworkSettings(filters=(4, 8)), "strides")
    (2, 2)
    """
    n_layers = len(settings.filters)
    if len(values) not in (1, n_layers):
        rule = f"must have one number, or one for each of the {n_layers} filters"
        raise SettingOutOfRange(f"network.{name}", rule, repr(list(values)), "Change this value.")
    return values * n_layers if len(values) == 1 else values


def check_image_size(settings: NetworkSettings, image_size: int, where: str) -> None:
    """Refuse image sizes that the strides do not divide without remainder.

    Raises
    ------
    ImageSizeNotDivisible
        The message names the nearest sizes that work.
    """
    strides = per_layer(settings.strides, settings, "strides")
    factor = prod(strides)
    if image_size % factor == 0 and image_size >= factor:
        return
    below, above = image_size // factor * factor, (image_size // factor + 1) * factor
    choices = f"{below} or {above}" if below else f"{above}"
    raise ImageSizeNotDivisible(
        where,
        f"must be a multiple of {factor}, since strides of {' x '.join(map(str, strides))} shrink it",
        f"{image_size} pixels",
        f"Use --size {choices}, or fewer layers.",
    )


def flat_shape(settings: NetworkSettings, image_size: int) -> tuple[int, int, int]:
    """Return channels, height and width after the last convolution of the encoder."""
    side = image_size // prod(per_layer(settings.strides, settings, "strides"))
    return settings.filters[-1], side, side


class ConvolutionalEncoder(nn.Module):
    """From images (n, 3, size, size) in [0, 1] to one or more vectors (n, z_dim).

    Parameters
    ----------
    settings
        Filters, strides, extra dense layers and so on.
    image_size
        Side of the images, in pixels.
    n_heads
        Dense layers side by side on the same features: 1 for the z-points of an AE, 2 for mu and logvar of a VAE.

    Source
    ------
    The posts' encoder: 3x3 convolutions of stride 2 with LeakyReLU, flatten, dense heads. Padding is symmetric here
    and at the lower right in Keras; parameters and shapes are the same.
    """

    def __init__(self, settings: NetworkSettings, image_size: int, n_heads: int) -> None:
        super().__init__()
        check_image_size(settings, image_size, "image size")
        layers: list[nn.Module] = []
        n_in = CHANNELS
        kernel_sizes = per_layer(settings.kernel_sizes, settings, "kernel_sizes")
        for n_out, kernel, stride in zip(
            settings.filters, kernel_sizes, per_layer(settings.strides, settings, "strides"), strict=True
        ):
            layers.append(Convolution(n_in, n_out, kernel, stride, same_padding(kernel, stride)))
            layers.extend(after_convolution(settings, n_out))
            if settings.block == "residual":
                layers.append(ResidualBlock(settings, n_out))
            n_in = n_out
        layers.append(nn.Flatten())
        width = prod(flat_shape(settings, image_size))
        for n_out in settings.dense:
            layers += [nn.Linear(width, n_out), ACTIVATIONS[settings.activation](settings)]
            width = n_out
        self.features = nn.Sequential(*layers)
        self.heads = nn.ModuleList(nn.Linear(width, settings.z_dim) for _ in range(n_heads))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the vectors of all heads."""
        features = self.features(images)
        return tuple(head(features) for head in self.heads)


def convolutional_decoder(settings: NetworkSettings, image_size: int) -> nn.Sequential:
    """Return a network from z-points (n, z_dim) to logits of images (n, 3, size, size).

    It mirrors the encoder's convolutions; extra dense layers stay with the encoder, as in the posts.
    """
    shape = flat_shape(settings, image_size)
    layers: list[nn.Module] = [nn.Linear(settings.z_dim, prod(shape)), nn.Unflatten(1, shape)]
    outputs = [*settings.filters[-2::-1], CHANNELS]
    kernel_sizes = per_layer(settings.kernel_sizes, settings, "kernel_sizes")[::-1]
    strides = per_layer(settings.strides, settings, "strides")[::-1]
    n_in = settings.filters[-1]
    for depth, (n_out, kernel, stride) in enumerate(zip(outputs, kernel_sizes, strides, strict=True), 1):
        if settings.block == "residual":
            layers.append(ResidualBlock(settings, n_in))
        layers.append(growing_convolution(n_in, n_out, kernel, stride))
        if depth < len(outputs):
            layers.extend(after_convolution(settings, n_out))
        n_in = n_out
    return nn.Sequential(*layers)


def growing_convolution(n_in: int, n_out: int, kernel: int, stride: int) -> GrowingConvolution:
    """Return a transposed convolution that grows height and width by exactly the stride.

    Its output has (in - 1) * stride - 2 * padding + kernel + rest pixels a side; the rest makes it in * stride.
    """
    padding = same_padding(kernel, stride)
    rest = stride + 2 * padding - kernel
    return GrowingConvolution(n_in, n_out, kernel, stride, padding, output_padding=rest)


def same_padding(kernel: int, stride: int) -> int:
    """Return the padding with which a convolution divides the side of an image by exactly its stride.

    Raises
    ------
    SettingOutOfRange
        For an even kernel with stride 1: no symmetric padding keeps the size.

    Examples
    --------
    >>> same_padding(3, 2), same_padding(4, 2), same_padding(1, 2)
    (1, 1, 0)
    """
    if stride == 1 and kernel % 2 == 0:
        rule = "must be odd where the stride is 1, or the size would change"
        raise SettingOutOfRange("network.kernel_sizes", rule, str(kernel), f"Use {kernel - 1} or {kernel + 1}.")
    return max(0, (kernel - stride + 1) // 2)
