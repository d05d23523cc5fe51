"""One loss in every unit in which people compare losses."""

from __future__ import annotations

from dataclasses import dataclass

from zspace.objectives.reconstruction import Reconstruction
from zspace.results import LossAccount, LossParts


@dataclass(frozen=True)
class Scale:
    """What a loss is shared out over."""

    n_pixels: int
    """Pixels of an image, without channels."""
    n_channels: int
    z_dim: int


def account_loss(parts: LossParts, loss: Reconstruction, scale: Scale, kl_weight: float | None) -> LossAccount:
    """Write a loss down in every unit.

    Parameters
    ----------
    parts
        Means over images.
    loss
        The reconstruction loss they were computed with.
    scale
        Pixels, channels and latent dimensions.
    kl_weight
        Factor of the KL term; None for an AE.

    Source
    ------
    The posts take the mean over channels where a likelihood takes the sum: times the channels, their objective is the
    full-sum one with beta = channels * weight.
    """
    divergence = parts.divergence
    negative_elbo = None
    if loss.in_nats and divergence is not None:
        negative_elbo = scale.n_channels * parts.reconstruction + divergence
    return LossAccount(
        total=parts.total,
        unit=loss.unit,
        nats_per_image=parts.total if loss.in_nats else None,
        per_pixel=parts.total / scale.n_pixels,
        per_latent_dimension=parts.total / scale.z_dim,
        reconstruction=parts.reconstruction,
        divergence=divergence,
        divergence_per_latent_dimension=None if divergence is None else divergence / scale.z_dim,
        kl_weight=kl_weight,
        kl_term=None if divergence is None else parts.kl_term,
        kl_share=parts.kl_share,
        equivalent_beta=None if kl_weight is None else scale.n_channels * kl_weight,
        negative_elbo=negative_elbo,
    )
