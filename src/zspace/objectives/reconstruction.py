"""Distances between an image and its reconstruction, computed from logits.

All follow the posts' convention: mean over the channels, summed over the pixels, mean over the images. With full-sum
likelihoods the channels are summed as well; for three channels that is three times these numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Reconstruction:
    """One row of the table of reconstruction losses."""

    name: str
    unit: str
    function: Callable[[Tensor, Tensor], Tensor]


def _per_image(mean_per_value: Tensor, images: Tensor) -> Tensor:
    """Turn a mean over every value into a sum over pixels of means over channels, averaged over images."""
    height, width = images.shape[-2:]
    return mean_per_value * (height * width)


def binary_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """Return the binary cross-entropy in nats per image.

    Parameters
    ----------
    logits, images
        Both (n, channels, height, width); images in [0, 1].

    Source
    ------
    log(1 + exp(x)) - x * y, evaluated without overflow for any x.
    """
    return _per_image(functional.binary_cross_entropy_with_logits(logits, images), images)


def squared_error(logits: Tensor, images: Tensor) -> Tensor:
    """Return the squared error of sigmoid(logits), summed over pixels."""
    return _per_image(functional.mse_loss(torch.sigmoid(logits), images), images)


RECONSTRUCTIONS: dict[str, Reconstruction] = {
    row.name: row
    for row in (
        Reconstruction("binary-cross-entropy", "nats per image", binary_cross_entropy),
        Reconstruction("squared-error", "squared intensity per image", squared_error),
    )
}
