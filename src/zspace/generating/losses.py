"""What drawing images costs in a model's own objective: by the model, by one image for all, by each image itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from zspace.models import Autoencoder
from zspace.objectives.reconstruction import RECONSTRUCTIONS, Reconstruction
from zspace.shapes import Images, Points

_AT_ONCE = 128
_LARGEST_LOGIT = 30.0
"""Beyond it a sigmoid is 0 or 1 for float32; pixels of exactly that have no finite logit."""

PerImage = Float64[np.ndarray, " n_images"]


@dataclass(frozen=True)
class DrawingLosses:
    """Loss of every image in three ways of drawing it."""

    name: str
    """Of the reconstruction loss that they were computed with."""
    unit: str
    drawn: PerImage
    """By the model."""
    constant: PerImage
    """By the best image for all of them."""
    perfect: PerImage
    """By the image itself; not 0 for a cross-entropy, which grey pixels cost something in any case."""


@torch.inference_mode()
def drawing_losses(model: Autoencoder, codes: Points, images: Images) -> DrawingLosses:
    """Return what it costs to draw images, one by one.

    Parameters
    ----------
    codes
        z-points of the images; for a VAE the centres mu.
    images
        At least one.

    Notes
    -----
    The best constant image is that of these very images, so no constant does better on them. A loss that learns a
    variance is judged by the distance in it: at any variance the smaller distance has the smaller loss.

    Cost
    ----
    One pass of the decoder, and three losses an image; memory for all images as floats.
    """
    asked = model.objective.reconstruction
    row = RECONSTRUCTIONS[asked.judged_by or asked.name]
    model.eval()
    device = next(model.parameters()).device
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255.0
    constant = torch.logit(row.best_constant(pixels)).clamp(-_LARGEST_LOGIT, _LARGEST_LOGIT)
    parts: tuple[list[PerImage], ...] = ([], [], [])
    for start in range(0, len(pixels), _AT_ONCE):
        wanted = pixels[start : start + _AT_ONCE]
        drawn = model.decoder(torch.from_numpy(codes[start : start + _AT_ONCE]).to(device)).float().cpu()
        exact = torch.logit(wanted).clamp(-_LARGEST_LOGIT, _LARGEST_LOGIT)
        for part, logits in zip(parts, (drawn, constant.expand_as(wanted), exact), strict=True):
            part.append(_per_image(row, logits, wanted))
    return DrawingLosses(row.name, row.unit, *(np.concatenate(part) for part in parts))


def _per_image(row: Reconstruction, logits: Tensor, images: Tensor) -> PerImage:
    no_variance = torch.zeros(())
    rows = [slice(place, place + 1) for place in range(len(images))]
    return np.array([float(row.function(logits[one], images[one], no_variance)) for one in rows])
