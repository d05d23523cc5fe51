"""Batches of stored images for the model: order, copying and scaling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from zspace.seeds import random_stream
from zspace.shapes import Images

_FITS_IN_MEMORY_BYTES = 4 << 30
"""Stores up to this size are read into memory once; larger ones stay on disk, mapped."""


class ImageBatches:
    """Batches of images as float tensors in [0, 1], on the device, channels last in memory.

    Parameters
    ----------
    images
        The store's images; often memory-mapped.
    rows
        The rows to use.
    device
        Where the batches go. Pixels travel as bytes and become floats there.
    """

    def __init__(self, images: Images, rows: Int64[np.ndarray, " n_rows"], device: torch.device) -> None:
        n_bytes = len(rows) * int(np.prod(images.shape[1:]))
        held = n_bytes <= _FITS_IN_MEMORY_BYTES
        self._images = np.ascontiguousarray(images[rows]) if held else images
        self._rows = np.arange(len(rows)) if held else rows
        self._device = device

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._rows)

    def take(self, index: Int64[np.ndarray, " n_batch"]) -> Tensor:
        """Return the images at these positions of the rows, as (n, 3, size, size)."""
        pixels = torch.from_numpy(self._images[self._rows[index]]).to(self._device)
        # Stored as (n, height, width, channels): permuting the names of the dimensions is PyTorch's channels-last.
        return pixels.permute(0, 3, 1, 2).float().div_(255.0)

    def in_order(self, batch_size: int) -> Iterator[Tensor]:
        """Yield all images in the order of the rows."""
        for start in range(0, len(self), batch_size):
            yield self.take(np.arange(start, min(start + batch_size, len(self))))


def epoch_order(n_images: int, seed: int, epoch: int) -> Int64[np.ndarray, " n_images"]:
    """Return the random order of an epoch.

    Randomness
    ----------
    The stream ("order", epoch): a resumed run makes the same order again, whatever was drawn before.
    """
    return random_stream(seed, "order", epoch).permutation(n_images)
