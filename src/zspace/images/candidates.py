"""What every kind of source hands over: candidates, each with a name and a way to its bytes or pixels.

The order of candidates is part of the data: a folder and a zip give natural order of their names (``img2`` before
``img10``, folder by folder), whatever order the file system or the archive keeps; tar, Parquet and arrays keep their
own order, because they are read in one go from front to back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import features

from zspace.shapes import Image

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
NOT_A_FILE = "not a regular file"
TOO_MANY_BYTES = "more bytes than the largest image allowed could need"
KNOWN_KINDS = "JPEG, PNG, WebP, BMP or TIFF"

_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"})
_N_ENDINGS_SHOWN = 5
_UNCLEAN = re.compile(r"\\|(?:^|/)\.{0,2}(?:/|$)")
_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX(?:/|$))")
_ENDING = re.compile(r"(?:\.[a-z0-9_-]{1,16})?")
_DIGITS = re.compile(r"\d+")


class Skipped(Exception):
    """One candidate gives no usable image; packing notes the reason and goes on, so no user ever sees this raised.

    Parameters
    ----------
    reason
        The same words for every file with the same trouble, so that reasons can be counted.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that may be an image."""

    name: str
    """Path inside the source with ``/`` between the parts; names need not be unique."""
    read: Callable[[], bytes | Image]
    """Gives the encoded bytes, or finished pixels (height, width, RGB); called once, on any thread."""
    attributes: tuple[float, ...] = ()
    """Values of the source's own attributes; NaN where one is unknown."""
    n_bytes: int = 0
    """Memory that the candidate itself holds on to, in bytes; 0 when ``read`` goes to the disk."""
    n_bytes_read: int = 0
    """Memory that ``read`` will take, in bytes, where it is known before; else 0."""


@dataclass(frozen=True)
class Table:
    """A file of attributes that was found with the images."""

    name: str
    read: Callable[[], bytes]
    path: Path | None = None
    """None when it lies inside an archive."""


@dataclass(frozen=True)
class ImageSource:
    """A source that was recognised, and is about to be read."""

    kind: str
    """``"folder"``, ``"zip"``, ``"tar"``, ``"parquet"``, ``"array"`` or ``"faces"``."""
    open: Callable[[], AbstractContextManager[Iterator[Candidate]]]
    """Opens the source for one pass; candidates may be read until the context ends."""
    expected: Callable[[int], int]
    """How many candidates there are, given how many came so far; an estimate only for archives read front to back."""
    fingerprint: Callable[[], list[object]]
    """Gives names, sizes and times, which change when the source changes; nothing is decoded."""
    attribute_names: tuple[str, ...] = ()
    celeba_table: Table | None = None
    """``list_attr_celeba.txt`` or ``.csv``, if it lies with the images."""
    notes: tuple[str, ...] = ()
    """Sentences about how the source was read that belong in the report."""
    late_notes: Callable[[], tuple[str, ...]] = tuple
    """Gives those sentences that are known only after a pass, such as what an archive read front to back holds."""


def natural_key(name: str) -> tuple[str, ...]:
    """Return the key that sorts names as people do: numbers by value, folder by folder.

    Examples
    --------
    >>> sorted(["a10.png", "a9.png", "a/2.png"], key=natural_key)
    ['a/2.png', 'a9.png', 'a10.png']
    """
    # Padding digits keeps every key one string a folder: a million names sort within a few hundred MiB.
    parts = [_DIGITS.sub(lambda digits: digits.group().zfill(20), part) for part in name.split("/")]
    return (*parts, name)


def clean_name(name: str) -> str:
    """Return the name with ``/`` between its parts and nothing that climbs out of the source.

    Nothing is ever written under such a name; this only keeps lists and joins readable. Bytes that are no UTF-8 are
    shown as escapes, because Parquet and CSV hold text.

    Examples
    --------
    >>> clean_name("/../faces/./one.jpg")
    'faces/one.jpg'
    """
    if name.isascii() and not _UNCLEAN.search(name):
        return name
    parts = name.replace("\\", "/").split("/")
    kept = "/".join(part for part in parts if part not in ("", ".", ".."))
    return kept.encode("utf-8", "backslashreplace").decode()


@cache
def image_suffixes() -> frozenset[str]:
    """Return the endings of images that can be decoded here: HEIC only beside pillow-heif, AVIF as Pillow was built."""
    heif = HEIF_SUFFIXES if find_spec("pillow_heif") else frozenset()
    avif = {".avif", ".avifs"} if "avif" in features.modules and features.check_module("avif") else frozenset()
    return _IMAGE_SUFFIXES | heif | avif


def is_image_name(name: str) -> bool:
    """Return whether a file of this (clean) name is a candidate: an image's ending, and nothing hidden on the way."""
    return ending_of(name) in image_suffixes() and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Return whether a file of this (clean) name, or a folder on the way to it, is hidden."""
    return _HIDDEN.search(name) is not None


def ending_of(name: str) -> str:
    """Return the ending of a name in small letters with its dot, or nothing.

    Examples
    --------
    >>> ending_of("faces/IMG_1.HEIC")
    '.heic'
    """
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return (dot + suffix).lower() if stem else ""


def count_endings(others: Mapping[str, int]) -> str:
    """Return the commonest endings in words.

    Examples
    --------
    >>> count_endings({".txt": 2, ".gif": 1, "": 1})
    '2 .txt, 1 without an ending, 1 .gif'
    """
    # A name may hold anything, also what a terminal obeys: only endings that look like some are shown.
    known = [item for item in others.items() if _ENDING.fullmatch(item[0])]
    commonest = sorted(known, key=lambda item: (-item[1], item[0]))[:_N_ENDINGS_SHOWN]
    shown = [f"{count:,} {ending or 'without an ending'}" for ending, count in commonest]
    n_more = sum(others.values()) - sum(count for _, count in commonest)
    return ", ".join([*shown, f"{n_more:,} of other endings"] if n_more else shown)


def left_out_note(others: Counter[str]) -> tuple[str, ...]:
    """Return what is to be said of the files that were left out for their endings; nothing where there are none."""
    if not others:
        return ()
    note = f"Left out unread, for their endings are not those of {KNOWN_KINDS}: {count_endings(others)}."
    if HEIF_SUFFIXES & others.keys():
        note += " HEIC is read once the extra is installed: pip install 'zspace[heic]'."
    return (note,)


def pixels_to_rgb(pixels: np.ndarray) -> Image:
    """Return uint8 pixels of shape (h, w), (h, w, 1) or (h, w, 3) as (h, w, 3)."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
