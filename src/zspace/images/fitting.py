"""Cut and scale pixels to the one size of the store."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from jaxtyping import UInt8

from zspace.errors import SettingOutOfRange
from zspace.images.candidates import Skipped
from zspace.shapes import Image

SMALLEST_SIDE = 8

Box = tuple[int, int, int, int]
"""Left, top, width, height."""
Crop = Callable[[int, int], Box]
"""Gives the box to cut from an image of this height and width."""


def crop_rule(text: str) -> Crop:
    """Return what ``ImageSettings.crop`` asks for.

    Raises
    ------
    SettingOutOfRange
        When the text is neither "square" nor "none" nor four whole numbers that make a box.

    Examples
    --------
    >>> crop_rule("square")(218, 178)
    (0, 20, 178, 178)
    """
    if text == "square":
        return _centre_square
    if text == "none":
        return _whole
    numbers = [int(part) for part in text.split(",")] if re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*){3}", text) else []
    if not numbers or min(numbers[2:]) < SMALLEST_SIDE:
        raise SettingOutOfRange(
            "images.crop",
            f"must be 'square', 'none' or 'left,top,width,height' in pixels with sides of at least {SMALLEST_SIDE}",
            repr(text),
            "For CelebA's inner face write '25,45,128,128'.",
        )
    left, top, width, height = numbers
    return partial(_box, (left, top, width, height))


def _centre_square(height: int, width: int) -> Box:
    side = min(height, width)
    return (width - side) // 2, (height - side) // 2, side, side


def _whole(height: int, width: int) -> Box:
    return 0, 0, width, height


def _box(box: Box, height: int, width: int) -> Box:
    left, top, box_width, box_height = box
    if left + box_width > width or top + box_height > height:
        raise Skipped("smaller than the crop box reaches")
    return box


def fit_image(pixels: Image, crop: Crop, fitted: UInt8[np.ndarray, "size size channels"]) -> bool:
    """Cut and scale an image into a square array, and return whether it had to be enlarged.

    A side that shrinks is averaged over areas, a side that grows is interpolated by cubics.

    Parameters
    ----------
    pixels
        RGB.
    crop
        From `crop_rule`.
    fitted
        Where the result is written, of the wanted size.

    Raises
    ------
    Skipped
        When the image does not contain the box, or what is cut has a side below 8 pixels.
    """
    left, top, width, height = crop(*pixels.shape[:2])
    if min(width, height) < SMALLEST_SIDE:
        raise Skipped(f"fewer than {SMALLEST_SIDE} pixels a side")
    cut = pixels[top : top + height, left : left + width]
    size = len(fitted)
    if width > size or height > size:
        smaller = (min(width, size), min(height, size))
        cut = cv2.resize(cut, smaller, interpolation=cv2.INTER_AREA)
    if cut.shape == fitted.shape:
        fitted[:] = cut
    else:
        cv2.resize(cut, (size, size), dst=fitted, interpolation=cv2.INTER_CUBIC)
    return width < size or height < size
