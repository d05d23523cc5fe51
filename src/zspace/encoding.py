"""From images to z-points and back, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from zspace.images.loader import ImageBatches
from zspace.machine import freed_memory_kept
from zspace.models import Autoencoder
from zspace.shapes import Images, Points

BATCH_SIZE = 256


@dataclass(frozen=True)
class Latents:
    """Where a batch of images lies in z-space."""

    z: Points
    mu: Points | None
    """None for an AE, where it is z itself."""
    logvar: Points | None


def encode_images(model: Autoencoder, images: ImageBatches, random: np.random.Generator) -> Iterator[Latents]:
    """Yield the z-points of the images, batch after batch, in their order.

    Always in float32, whatever the precision of training, so that geometry never sees rounding of the hardware.

    Randomness
    ----------
    A VAE samples z with ``random``; the numbers do not depend on the batch size.
    """
    model.eval()
    with freed_memory_kept():
        for batch in images.in_order(BATCH_SIZE):
            yield _encode_batch(model, batch, random)


@torch.inference_mode()
def _encode_batch(model: Autoencoder, batch: Tensor, random: np.random.Generator) -> Latents:
    posterior = model.encode(batch)
    mu = posterior.mu.cpu().numpy()
    if posterior.logvar is None:
        return Latents(mu, None, None)
    noise = torch.from_numpy(random.standard_normal(mu.shape, dtype=np.float32)).to(posterior.mu.device)
    return Latents(model.sampling(posterior, noise).cpu().numpy(), mu, posterior.logvar.cpu().numpy())


@torch.inference_mode()
def decode_points(model: Autoencoder, points: Float32[np.ndarray, "n_points z_dim"]) -> Images:
    """Return the decoded images of z-points, as bytes in RGB.

    Cost
    ----
    One pass of the decoder; batches keep the memory below that of a training step.
    """
    model.eval()
    device = next(model.parameters()).device
    with freed_memory_kept():
        decoded = [
            (model.decode(torch.from_numpy(points[start : start + BATCH_SIZE]).to(device)) * 255.0)
            .round_()
            .byte()
            .permute(0, 2, 3, 1)
            .cpu()
            .numpy()
            for start in range(0, len(points), BATCH_SIZE)
        ]
    return np.ascontiguousarray(np.concatenate(decoded))
