"""Distances between an image and its reconstruction, computed from logits.

All follow the posts' convention: mean over the channels, summed over the pixels, mean over the images. With full-sum
likelihoods the channels are summed as well; for three channels that is three times these numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import torch
from torch import Tensor
from torch.nn import functional


def _mean_image(images: Tensor) -> Tensor:
    return images.mean(dim=0)


def _median_image(images: Tensor) -> Tensor:
    return images.median(dim=0).values


@dataclass(frozen=True)
class Reconstruction:
    """One row of the table of reconstruction losses."""

    name: str
    unit: str
    function: Callable[[Tensor, Tensor, Tensor], Tensor]
    """Logits, images, and the logarithm of the pixel variance, which only the Gaussian reads."""
    in_nats: bool
    """Whether it is a negative log-likelihood, so that it can be set against a KL term in nats."""
    learns_variance: bool = False
    best_constant: Callable[[Tensor], Tensor] = _mean_image
    """Of images (n, channels, height, width), the one that costs least when it is drawn for all of them."""
    judged_by: str = ""
    """Row whose distance says how good a drawing is, where this one's depends on a variance as well; empty for its own.
    """


def _per_image(mean_per_value: Tensor, images: Tensor) -> Tensor:
    """Turn a mean over every value into a sum over pixels of means over channels, averaged over images."""
    height, width = images.shape[-2:]
    return mean_per_value * (height * width)


def binary_cross_entropy(logits: Tensor, images: Tensor, _log_variance: Tensor) -> Tensor:
    """Return the binary cross-entropy in nats per image.

    Parameters
    ----------
    logits, images
        Both (n, channels, height, width); images in [0, 1].

    Source
    ------
    log(1 + exp(x)) - x * y, evaluated without overflow for any x.
    """
    # PyTorch would copy what lies channels last, as the pixels do, to the order in which the dimensions are named.
    in_memory_order = logits.permute(0, 2, 3, 1), images.permute(0, 2, 3, 1)
    return _per_image(functional.binary_cross_entropy_with_logits(*in_memory_order), images)


def squared_error(logits: Tensor, images: Tensor, _log_variance: Tensor) -> Tensor:
    """Return the squared error of sigmoid(logits), summed over pixels."""
    return _per_image(functional.mse_loss(torch.sigmoid(logits), images), images)


def absolute_error(logits: Tensor, images: Tensor, _log_variance: Tensor) -> Tensor:
    """Return the absolute error of sigmoid(logits), summed over pixels."""
    return _per_image(functional.l1_loss(torch.sigmoid(logits), images), images)


def gaussian(logits: Tensor, images: Tensor, log_variance: Tensor) -> Tensor:
    """Return the negative log-likelihood of a Gaussian around sigmoid(logits), in nats per image.

    One variance, shared by all values and learned with the weights, balances reconstruction and KL term by itself.

    Source
    ------
    0.5 * (log(2 pi s^2) + (x - y)^2 / s^2); Rybkin et al. 2021, "Simple and effective VAE training with calibrated
    decoders", with s learned by gradient descent.
    """
    error = functional.mse_loss(torch.sigmoid(logits), images)
    return _per_image(0.5 * (log(2 * pi) + log_variance + error * torch.exp(-log_variance)), images)


RECONSTRUCTIONS: dict[str, Reconstruction] = {
    row.name: row
    for row in (
        Reconstruction("binary-cross-entropy", "nats per image", binary_cross_entropy, in_nats=True),
        Reconstruction("squared-error", "squared intensity per image", squared_error, in_nats=False),
        Reconstruction(
            "absolute-error", "intensity per image", absolute_error, in_nats=False, best_constant=_median_image
        ),
        Reconstruction(
            "gaussian", "nats per image", gaussian, in_nats=True, learns_variance=True, judged_by="squared-error"
        ),
    )
}
