"""From images to z-points and back, in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float32

from zspace.images.loader import ImageBatches
from zspace.models import Autoencoder
from zspace.shapes import Images, Points

BATCH_SIZE = 256


def encode_images(model: Autoencoder, images: ImageBatches) -> Iterator[Points]:
    """Yield the z-points of the images, batch after batch, in their order.

    Always in float32, whatever the precision of training, so that geometry never sees rounding of the hardware.
    """
    model.eval()
    for batch in images.in_order(BATCH_SIZE):
        # Not around the loop: the caller must not run in this mode between two batches.
        with torch.inference_mode():
            points = model.encode(batch).cpu().numpy()
        yield points


@torch.inference_mode()
def decode_points(model: Autoencoder, points: Float32[np.ndarray, "n_points z_dim"]) -> Images:
    """Return the decoded images of z-points, as bytes in RGB.

    Cost
    ----
    One pass of the decoder; batches keep the memory below that of a training step.
    """
    model.eval()
    device = next(model.parameters()).device
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
