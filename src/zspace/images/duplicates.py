"""Exact duplicates among stored images: found by checksum, confirmed pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt32

Checksums = UInt32[np.ndarray, " n_images"]
Originals = Int64[np.ndarray, " n_images"]


def find_originals(checksums: Checksums, images: Path) -> Originals:
    """Return for every image the row of the first image with the same pixels, which is often its own.

    Parameters
    ----------
    checksums
        CRC-32 of every stored image. Among a million different images about a hundred pairs share theirs by chance.
    images
        The .npy file of the images. Those that share a checksum are compared pixel by pixel, so a duplicate is one
        for certain.

    Cost
    ----
    One sort, and reading each image that shares its checksum, one at a time.
    """
    originals = np.arange(len(checksums))
    mapped = np.load(images, mmap_mode="r", allow_pickle=False)
    n_bytes = int(np.prod(mapped.shape[1:]))
    for rows in _sharing(checksums):
        firsts: dict[bytes, int] = {}
        for row in rows:
            # Read, not mapped: mapped pages would stay in this process, and a set may be all duplicates.
            pixels = np.fromfile(images, np.uint8, n_bytes, offset=mapped.offset + row * n_bytes)
            originals[row] = firsts.setdefault(pixels.tobytes(), row)
    return originals


def _sharing(checksums: Checksums) -> Iterator[list[int]]:
    """Yield the rows of each checksum that occurs more than once, in ascending order."""
    order = np.argsort(checksums, kind="stable")
    ordered = checksums[order]
    for checksum in np.unique(ordered[1:][ordered[1:] == ordered[:-1]]):
        first, end = (np.searchsorted(ordered, checksum, side=side) for side in ("left", "right"))
        yield order[first:end].tolist()
