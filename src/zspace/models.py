"""Models: a network and an objective put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from zspace.errors import WeightsDoNotFit
from zspace.networks.convolutional import ConvolutionalEncoder, convolutional_decoder
from zspace.networks.layers import initialise
from zspace.objectives.divergence import divergence_per_dimension, penalised_divergence
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.processes import mean_over_processes
from zspace.seeds import stream_seed
from zspace.settings import ModelSettings, ObjectiveSettings


def on_host(tensor: Tensor) -> np.ndarray:
    """Return the values of a tensor as an array on the host."""
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array


class Posterior(NamedTuple):
    """Where the encoder puts images: for an AE points, for a VAE normal distributions."""

    mu: Tensor
    """(n, z_dim); for an AE the z-points themselves."""
    logvar: Tensor | None
    """(n, z_dim), logarithm of the variance; None for an AE."""


class Losses(NamedTuple):
    """The parts of the objective for one batch, over all processes, each a scalar on the device."""

    total: Tensor
    reconstruction: Tensor
    """In the unit of the reconstruction loss."""
    divergence: Tensor
    """Plain KL divergence in nats per image, not weighed; 0 for an AE."""
    charged: Tensor
    """What of it is charged, after free bits and capacity, not weighed."""
    mean_radius: Tensor
    """Mean distance of the batch's mu from the origin."""


class Sampling(nn.Module):
    """From where the encoder puts images to z-points: mu for an AE, mu + exp(logvar / 2) * noise for a VAE.

    Source
    ------
    The posts' limit: |noise| beyond it becomes the limit itself.
    """

    def __init__(self, settings: ObjectiveSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, posterior: Posterior, noise: Tensor) -> Tensor:
        """Return z-points (n, z_dim); noise is standard normal of that shape, limited and scaled here."""
        if posterior.logvar is None:
            return posterior.mu
        if self.settings.noise_limit:
            noise = noise.clamp(-self.settings.noise_limit, self.settings.noise_limit)
        return posterior.mu + (posterior.logvar / 2).exp() * noise * self.settings.noise_factor


class Objective(nn.Module):
    """What training minimises: a reconstruction loss and, for a VAE, the weighed KL term; always in float32."""

    def __init__(self, settings: ObjectiveSettings) -> None:
        super().__init__()
        self.settings = settings
        self.reconstruction = RECONSTRUCTIONS[settings.reconstruction]
        self.log_variance: Tensor
        if self.reconstruction.learns_variance:
            self.log_variance = nn.Parameter(torch.zeros(()))
        else:
            self.register_buffer("log_variance", torch.zeros(()), persistent=False)

    def forward(self, logits: Tensor, images: Tensor, posterior: Posterior, kl_weight: Tensor) -> Losses:
        """Return the parts of the loss; logits and images are (n, 3, size, size), images in [0, 1]."""
        logits = logits.float()
        reconstruction = mean_over_processes(self.reconstruction.function(logits, images, self.log_variance), logits)
        radii = posterior.mu.detach().norm(dim=1)
        mean_radius = mean_over_processes(radii.mean(), radii)
        if posterior.logvar is None:
            zero = torch.zeros_like(reconstruction)
            return Losses(reconstruction, reconstruction, zero, zero, mean_radius)
        divergences = divergence_per_dimension(posterior.mu, posterior.logvar)
        per_dimension = mean_over_processes(divergences.mean(dim=0), divergences)
        charged = penalised_divergence(per_dimension, self.settings)
        divergence = per_dimension.detach().sum()
        return Losses(reconstruction + kl_weight * charged, reconstruction, divergence, charged, mean_radius)


class Autoencoder(nn.Module):
    """An AE or a VAE: images to z-points and back.

    Parameters
    ----------
    settings
        Kind, network and objective; the training settings are not used here.
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
        self.settings = settings
        self.image_size = image_size
        self.is_variational = settings.kind == "vae"
        # In the order of the forward pass, which `budget` shows them in.
        self.encoder = ConvolutionalEncoder(settings.network, image_size, n_heads=2 if self.is_variational else 1)
        self.sampling = Sampling(settings.objective)
        self.decoder = convolutional_decoder(settings.network, image_size)
        self.objective = Objective(settings.objective)
        initialise(self, settings.network.initializer, stream_seed(seed, "weights"))

    def place_on(self, device: torch.device) -> Autoencoder:
        """Move the weights to a device, laid out channels last as the convolutions like them, and return the model."""
        # PyTorch's annotations of Module.to lack memory_format.
        return self.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def weights(self) -> dict[str, np.ndarray]:
        """Return all weights and running statistics by name, on the host."""
        return {name: on_host(tensor) for name, tensor in self.state_dict().items()}

    def load_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take over what `weights` gave.

        Raises
        ------
        WeightsDoNotFit
            When they are those of another network.
        """
        try:
            self.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        except RuntimeError as error:
            got = f"others: {str(error).splitlines()[-1].strip()}"
            rule, next_step = "must be the weights of this network", "Train the model again."
            raise WeightsDoNotFit("weights", rule, got, next_step) from error

    def encode(self, images: Tensor) -> Posterior:
        """Return where images (n, 3, size, size) in [0, 1] lie in z-space, in float32."""
        mu, *rest = (head.float() for head in self.encoder(images))
        return Posterior(mu, rest[0] if rest else None)

    def decode(self, z: Tensor) -> Tensor:
        """Return images (n, 3, size, size) in [0, 1] of z-points (n, z_dim)."""
        return torch.sigmoid(self.decoder(z).float())

    def losses(self, images: Tensor, noise: Tensor, kl_weight: Tensor) -> Losses:
        """Return the objective for a batch of images in [0, 1].

        Parameters
        ----------
        images
            (n, 3, size, size).
        noise
            Standard normal numbers (n, z_dim); an AE does not read them.
        kl_weight
            Scalar factor of the KL term; an AE does not read it.
        """
        posterior = self.encode(images)
        losses: Losses = self.objective(self.decoder(self.sampling(posterior, noise)), images, posterior, kl_weight)
        return losses
