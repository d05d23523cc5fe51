"""Batches of stored images for the model: where the pixels are held meanwhile, order, copying and scaling."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from zspace.errors import StoreIncomplete
from zspace.images.pixels import StoredPixels, pack_anew
from zspace.machine import free_memory
from zspace.seeds import random_stream
from zspace.shapes import Images

_N_READERS = 4
"""Threads that read from the disk: enough to keep its queue filled."""
_N_BATCHES_AHEAD = 8
_MOST_SHARE = 0.5
"""Of the free memory that pixels may take."""

Index = Int64[np.ndarray, " _n_batch"]
"""Positions of images; the underscore says that batches side by side may differ in size."""


@dataclass(frozen=True)
class Holding:
    """Where the pixels are while a model trains on them, and why."""

    place: Literal["device", "memory", "disk"]
    reason: str


def choose_holding(n_bytes: int, device: torch.device) -> Holding:
    """Return the fastest place that has room for this many bytes of pixels.

    That is the GPU's memory, else the main memory, as long as they take no more than half of what is free; else the
    disk, from which batches are read ahead.
    """
    size = _gigabytes(n_bytes)
    free = {"memory": free_memory()}
    if device.type == "cuda":
        free = {"device": torch.cuda.mem_get_info(device)[0], **free}
    titles = {"device": "on the GPU", "memory": "in memory"}
    for place, n_free in free.items():
        if n_bytes <= _MOST_SHARE * n_free:
            reason = f"images held {titles[place]}: {size} of {_gigabytes(n_free)} free"
            return Holding("device" if place == "device" else "memory", reason)
    reason = f"images read from disk, ahead of each step: their {size} are more than half of the free memory"
    return Holding("disk", reason)


def _gigabytes(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.2f} GB"


class ImageBatches:
    """Batches of images as float tensors in [0, 1], on the device, channels last in memory.

    Parameters
    ----------
    images
        A store's images, which are checked when they are first used, or any array.
    rows
        The rows to use.
    device
        Where the batches go. Pixels travel as bytes and become floats there.
    holding
        Where the pixels are meanwhile; None chooses. Only a store's images can stay on the disk.

    Raises
    ------
    FileDamaged
        When an image is not what was packed: here, or once it is read where they stay on the disk.
    """

    def __init__(
        self,
        images: Images | StoredPixels,
        rows: Int64[np.ndarray, " n_rows"],
        device: torch.device,
        holding: Holding | None = None,
    ) -> None:
        self._rows, self._device = rows, device
        self.holding = holding or choose_holding(len(rows) * int(np.prod(images.shape[1:])), device)
        if self.holding.place == "disk":
            if isinstance(images, StoredPixels):
                self._disk = _Disk(images)
                return
            self.holding = Holding("memory", "images are in memory already")
        # One whole range is a view until it is copied; any other choice of rows is a copy already.
        pixels = torch.from_numpy(np.ascontiguousarray(images[rows]))
        self._pixels = pixels.to(device) if self.holding.place == "device" else pixels

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._rows)

    def take(self, index: Index) -> Tensor:
        """Return the images at these positions of the rows, as (n, 3, size, size)."""
        if self.holding.place == "disk":
            return self._to_model(self._disk.read(self._rows[index]))
        return self._to_model(self._pixels[torch.from_numpy(index).to(self._pixels.device)])

    def stream(self, batches: Sequence[Index]) -> Generator[Tensor]:
        """Yield the images of one batch of positions after the other, reading ahead where they lie on the disk."""
        if self.holding.place != "disk":
            yield from map(self.take, batches)
            return
        pending = iter(batches)
        reading: deque[Future[Tensor]] = deque()
        readers = ThreadPoolExecutor(_N_READERS, thread_name_prefix="read")
        try:
            for index in islice(pending, _N_BATCHES_AHEAD):
                reading.append(readers.submit(self._disk.read, self._rows[index]))
            while reading:
                pixels = reading.popleft().result()
                for index in islice(pending, 1):
                    reading.append(readers.submit(self._disk.read, self._rows[index]))
                yield self._to_model(pixels)
        finally:
            readers.shutdown(cancel_futures=True)

    def in_order(self, batch_size: int) -> Iterator[Tensor]:
        """Yield all images in the order of the rows."""
        return self.stream(cut(np.arange(len(self)), batch_size))

    def _to_model(self, pixels: Tensor) -> Tensor:
        # Stored as (n, height, width, channels): permuting the names of the dimensions is PyTorch's channels-last.
        return pixels.to(self._device).permute(0, 3, 1, 2).float().div_(255.0)


class _Disk:
    """Rows of a store, read without mapping: what was read is not held on to."""

    def __init__(self, images: StoredPixels) -> None:
        self._images, self._path, self._offset = images, images.path, images.offset
        self._shape = images.shape[1:]
        self._row_bytes = int(np.prod(self._shape))

    def read(self, rows: Int64[np.ndarray, " n_rows"]) -> Tensor:
        """Return the pixels of these rows, in this order; the disk is asked in ascending order."""
        pixels = np.empty((len(rows), *self._shape), np.uint8)
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            for place in np.argsort(rows).tolist():
                start = self._offset + int(rows[place]) * self._row_bytes
                if os.preadv(descriptor, [pixels[place].data], start) != self._row_bytes:
                    rule, got = "must be a whole image store", f"no pixels of image {int(rows[place])}"
                    raise StoreIncomplete(str(self._path), rule, got, pack_anew(self._path.parent))
        finally:
            os.close(descriptor)
        self._images.check(rows, pixels)
        return torch.from_numpy(pixels)


def cut(order: Int64[np.ndarray, " n_images"], batch_size: int) -> list[Index]:
    """Return an order in batches; the last one holds what is left.

    Examples
    --------
    >>> [batch.tolist() for batch in cut(np.array([3, 1, 2]), 2)]
    [[3, 1], [2]]
    """
    return [order[first : first + batch_size] for first in range(0, len(order), batch_size)]


def epoch_order(n_images: int, seed: int, epoch: int) -> Int64[np.ndarray, " n_images"]:
    """Return the random order of an epoch: every order is equally likely, wherever the pixels are held.

    Randomness
    ----------
    The stream ("order", epoch): a resumed run makes the same order again, whatever was drawn before.
    """
    return random_stream(seed, "order", epoch).permutation(n_images)
