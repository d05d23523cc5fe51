"""The Kullback-Leibler term of a VAE: its value, and the rules by which it is weighed."""

from __future__ import annotations

import torch
from torch import Tensor

from zspace.settings import ObjectiveSettings


def divergence_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the divergence of N(mu, exp(logvar)) from N(0, 1), in nats, for each image and dimension.

    Parameters
    ----------
    mu, logvar
        Both (n, z_dim), float32.

    Source
    ------
    -0.5 * (1 + logvar - mu^2 - exp(logvar)); Kingma and Welling 2014, appendix B.
    """
    return -0.5 * (1 + logvar - mu.square() - logvar.exp())


def penalised_divergence(per_dimension: Tensor, settings: ObjectiveSettings) -> Tensor:
    """Return what of the divergence is charged, in nats per image, before it is weighed.

    Parameters
    ----------
    per_dimension
        Divergence (z_dim,) in nats, mean over the batch.
    settings
        Free bits and capacity; without them this is the plain divergence.

    Source
    ------
    Free bits: Kingma et al. 2016, eq. 15, one group per dimension, mean over the batch. Capacity: Burgess et al. 2018.
    """
    if settings.free_bits:
        per_dimension = per_dimension.clamp(min=settings.free_bits)
    charged = per_dimension.sum()
    return (charged - settings.capacity).abs() if settings.capacity else charged


def scheduled_weight(settings: ObjectiveSettings, epochs_done: float) -> float:
    """Return the factor of the KL term at this moment of training.

    Parameters
    ----------
    settings
        Weight, schedule and length of warm-up or cycle.
    epochs_done
        Epochs since the start, with fractions.

    Source
    ------
    Warm-up: Sonderby et al. 2016, linear. Cyclic: Fu et al. 2019, rising over the first half of each cycle.

    Examples
    --------
    >>> warm_up = ObjectiveSettings(kl_weight=4.0, kl_schedule="warm-up", kl_epochs=2.0)
    >>> scheduled_weight(warm_up, 0.0), scheduled_weight(warm_up, 1.0), scheduled_weight(warm_up, 9.0)
    (0.0, 2.0, 4.0)
    """
    if settings.kl_schedule == "warm-up":
        return settings.kl_weight * min(1.0, epochs_done / settings.kl_epochs)
    if settings.kl_schedule == "cyclic":
        place = epochs_done / settings.kl_epochs % 1.0
        return settings.kl_weight * min(1.0, 2.0 * place)
    return settings.kl_weight


_CONTROL_GAIN = 0.02
"""Share of the error, in logarithms, that the controller takes back at every step."""
_LARGEST_CORRECTION = 0.1
"""In logarithms of the weight: one odd batch cannot throw the controller off."""
_LARGEST_WEIGHT = 1e3
"""Where a share is out of reach the encoder gives up (its posterior collapses), and no weight brings it back."""


@torch.no_grad()
def steer_weight(weight: Tensor, reconstruction: Tensor, divergence: Tensor, target_share: float) -> None:
    """Move the factor of the KL term, in place, towards the value at which the term has its target share.

    The share that a weight gives shrinks as the encoder answers to it, so the weight is moved in proportion to the
    error, a little at every step, until the error is gone (an integral controller in logarithms). Everything stays
    on the device.

    Parameters
    ----------
    weight, reconstruction, divergence
        Scalars: the factor, the reconstruction loss and the charged divergence of the batch.
    target_share
        weight * divergence / (reconstruction + weight * divergence) to hold, 0 to 1.
    """
    # The weight at which this very batch would have the target share.
    odds = target_share / (1 - target_share)
    wanted = odds * reconstruction.clamp(min=1e-12) / divergence.clamp(min=1e-12)
    error = (wanted.log() - weight.log()).mul(_CONTROL_GAIN)
    weight.mul_(error.clamp(-_LARGEST_CORRECTION, _LARGEST_CORRECTION).exp()).clamp_(max=_LARGEST_WEIGHT)
