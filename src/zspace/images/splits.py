"""Which images are trained on, watched and kept for the last word."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from zspace.errors import SettingOutOfRange
from zspace.images.duplicates import Checksums
from zspace.settings import ImageSettings

SPLITS = ("train", "validation", "test")
"""The code of a split is its place here."""

Codes = UInt8[np.ndarray, " n_images"]

_CELEBA_NAME = re.compile(r"(?:.*/)?(\d{6})\.(?:jpg|jpeg|png)", re.IGNORECASE)
_CELEBA_LAST_TRAIN, _CELEBA_LAST_VALIDATION, _CELEBA_LAST = 162_770, 182_637, 202_599


def check_fractions(settings: ImageSettings) -> None:
    """Refuse fractions that leave nothing to train on.

    Raises
    ------
    SettingOutOfRange
        When validation and test together take everything.
    """
    held_out = settings.validation_fraction + settings.test_fraction
    if held_out >= 1:
        raise SettingOutOfRange(
            "images.validation_fraction + images.test_fraction",
            "must be below 1, to leave images to train on",
            f"{held_out:g}",
            "Lower one of them.",
        )


def split_images(names: Sequence[str], checksums: Checksums, settings: ImageSettings) -> tuple[Codes, str]:
    """Return the split of every image, and the rule in words.

    Where all names are CelebA's, CelebA's official ranges hold, unless they leave training or validation empty, as in
    a part of the data or in a set that is merely numbered alike. Else the checksum of its pixels alone decides where
    an image goes: equal images land on the same side, and adding images moves no other image.

    Parameters
    ----------
    names
        Paths inside the source.
    checksums
        CRC-32 of the stored pixels.
    settings
        The fractions held out; only used when CelebA's ranges are not.

    Returns
    -------
    Array, text
        Codes into `SPLITS`, and one sentence for the report.

    Source
    ------
    Z. Liu et al., "Deep Learning Face Attributes in the Wild", 2015: the file list_eval_partition.txt.
    """
    numbers = _celeba_numbers(names)
    if numbers is None:
        return _by_checksum(checksums, settings), _checksum_rule(settings)
    codes = np.searchsorted([_CELEBA_LAST_TRAIN, _CELEBA_LAST_VALIDATION], numbers, side="left").astype(np.uint8)
    if set(SPLITS[:2]) <= {SPLITS[code] for code in np.unique(codes)}:
        return codes, "CelebA's official ranges of file numbers"
    reason = "the file numbers look like CelebA's, whose official ranges would leave no images to train on or to watch"
    return _by_checksum(checksums, settings), f"{_checksum_rule(settings)}; {reason}"


def _celeba_numbers(names: Sequence[str]) -> np.ndarray | None:
    numbers = np.empty(len(names), np.int64)
    for row, name in enumerate(names):
        match = _CELEBA_NAME.fullmatch(name)
        if match is None or not 1 <= int(match.group(1)) <= _CELEBA_LAST:
            return None
        numbers[row] = int(match.group(1))
    return numbers


def _checksum_rule(settings: ImageSettings) -> str:
    return (
        f"checksum of the stored pixels: {settings.validation_fraction:g} for validation, "
        f"{settings.test_fraction:g} for testing, the rest for training"
    )


def _by_checksum(checksums: Checksums, settings: ImageSettings) -> Codes:
    shares = checksums / 2.0**32
    ends = np.cumsum([settings.validation_fraction, settings.test_fraction])
    order = np.array([SPLITS.index("validation"), SPLITS.index("test"), SPLITS.index("train")], np.uint8)
    return order[np.searchsorted(ends, shares, side="right")]
