"""Contact sheets: many images in one, and the bytes of a PNG."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from zspace.shapes import Images

Sheet = UInt8[np.ndarray, "_ _ 3"]
"""One image of any size, such as a row or a whole sheet."""

GUTTER = 3
"""White pixels between images."""
PAIR_GUTTER = 12
"""White pixels between one pair of rows and the next."""

_WHITE = 255


def contact_sheet(images: Images, n_columns: int = 8) -> Sheet:
    """Return images in rows, as one image with white gutters.

    Parameters
    ----------
    images
        At least one; the last row is filled up with white.
    n_columns
        Images in a row; fewer when there are fewer images.
    """
    rows = _rows(images, n_columns)
    return np.concatenate(_between(rows, GUTTER), axis=0)


def paired_sheet(originals: Images, reconstructions: Images, n_columns: int = 8) -> Sheet:
    """Return originals above their reconstructions, row by row; the two stacks have one shape, as pairs do."""
    rows = zip(_rows(originals, n_columns), _rows(reconstructions, n_columns), strict=True)
    pairs = [np.concatenate(_between(list(pair), GUTTER), axis=0) for pair in rows]
    return np.concatenate(_between(pairs, PAIR_GUTTER), axis=0)


def to_png(image: Sheet) -> bytes:
    """Return the image as the bytes of a PNG; equal images give equal bytes."""
    # OpenCV thinks in blue, green, red.
    _, encoded = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return bytes(encoded)


def _rows(images: Images, n_columns: int) -> list[Sheet]:
    n_columns = max(1, min(n_columns, len(images)))
    blank = np.full_like(images[0], _WHITE)
    padded = [*images, *[blank] * (-len(images) % n_columns)]
    starts = range(0, len(padded), n_columns)
    return [np.concatenate(_between(padded[start : start + n_columns], GUTTER, axis=1), axis=1) for start in starts]


def _between(images: list[Sheet], gutter: int, axis: int = 0) -> list[Sheet]:
    """Put a white gutter between neighbours along an axis."""
    shape = list(images[0].shape)
    shape[axis] = gutter
    white = np.full(shape, _WHITE, dtype=np.uint8)
    return [part for image in images for part in (image, white)][:-1]
