"""Models: a network and an objective put together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zspace.networks.convolutional import (
    check_image_size,
    convolutional_decoder,
    convolutional_encoder,
    initialise_glorot_uniform,
)
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.seeds import stream_seed
from zspace.settings import ModelSettings


class Autoencoder(nn.Module):
    """A plain autoencoder: images to z-points and back.

    Parameters
    ----------
    settings
        Network and objective; the training settings are not used here.
    image_size
        Side of the square images, in pixels.
    seed
        The seed of the study; the initial weights come from its stream "weights".

    Raises
    ------
    ImageSizeNotDivisible
        When the strides do not divide the image size.
    """

    def __init__(self, settings: ModelSettings, image_size: int, seed: int) -> None:
        super().__init__()
        check_image_size(settings.network, image_size, "image size")
        self.settings = settings
        self.image_size = image_size
        self.encoder = convolutional_encoder(settings.network, image_size)
        self.decoder = convolutional_decoder(settings.network, image_size)
        self.reconstruction = RECONSTRUCTIONS[settings.objective.reconstruction]
        initialise_glorot_uniform(self, stream_seed(seed, "weights"))

    def place_on(self, device: torch.device) -> Autoencoder:
        """Move the weights to a device, laid out channels last as the convolutions like them, and return the model."""
        # PyTorch's annotations of Module.to lack memory_format.
        return self.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def encode(self, images: Tensor) -> Tensor:
        """Return z-points (n, z_dim) of images (n, 3, size, size) in [0, 1]."""
        z: Tensor = self.encoder(images)
        return z

    def decode(self, z: Tensor) -> Tensor:
        """Return images (n, 3, size, size) in [0, 1] of z-points (n, z_dim)."""
        return torch.sigmoid(self.decoder(z).float())

    def loss(self, images: Tensor) -> Tensor:
        """Return the objective for a batch of images in [0, 1], always in float32."""
        logits = self.decoder(self.encode(images))
        return self.reconstruction.function(logits.float(), images)


def count_parameters(network: nn.Module) -> int:
    """Return the number of weights, counting BatchNorm's running statistics as Keras does."""
    running = sum(
        buffer.numel() for name, buffer in network.named_buffers() if not name.endswith("num_batches_tracked")
    )
    return running + sum(parameter.numel() for parameter in network.parameters())
