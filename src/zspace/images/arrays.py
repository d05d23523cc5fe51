"""Images inside .npy and .npz files: bytes, truth values, or floats of a known range."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import Candidate, ImageSource, clean_name, pixels_to_rgb
from zspace.images.folders import stamp
from zspace.npy import (
    NpyHeader,
    NpyUnreadable,
    Readable,
    npy_trouble_told,
    npz_names,
    opened_npz,
    read_npy_header,
)
from zspace.shapes import Image

_BYTES_AT_ONCE = 4 << 20
_TOLERANCE = 0.001
"""How far values may lie outside a range, in units of white: what rounding does to them, also in 16 bits."""
_DARKEST_WHITE = 16
"""Floats up to 255 reach further than this: those of a set whose largest is 1.2 are rather of the range up to 1."""
_LIGHTEST_BLACK = -0.5
"""Floats from -1 reach further down than this: those of a set whose smallest is -0.02 are rather of the range from 0.
"""


@dataclass(frozen=True)
class _Array:
    """One array of a file: everything but its values."""

    path: Path
    member: str | None
    """Name inside the .npz; None for a .npy."""
    header: NpyHeader

    @property
    def n_rows(self) -> int:
        """Images in it."""
        return self.header.shape[0]

    @property
    def row_bytes(self) -> int:
        """Bytes of an image."""
        return math.prod(self.header.shape[1:]) * self.header.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.member or self.path.name} {self.header}"


@dataclass(frozen=True)
class _Range:
    """Which values of an array mean black and white."""

    black: float
    white: float
    low: float
    """The smallest value found."""
    high: float

    def holds(self) -> bool:
        """Return whether all values lie within it, but for rounding."""
        reach = _TOLERANCE * self.white
        return self.black - reach <= self.low and self.high <= self.white + reach

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        shares = (values.astype(np.float64) - self.black) / (self.white - self.black)
        return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)

    def __str__(self) -> str:
        is_clipped = self.low < self.black or self.high > self.white
        clipped = f", its values from {self.low:.9g} to {self.high:.9g} cut to that" if is_clipped else ""
        return f"{self.black:g} being black and {self.white:g} white{clipped}"


def open_array(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a .npy file, or for the one array of a .npz file that looks like images.

    Shapes are (n, height, width), (n, height, width, 1) or (n, height, width, 3). The range of all values together
    tells what they mean. Floats from 0 to 1 and from -1 to 1 are shares, those up to 255 bytes; what rounding puts a
    thousandth outside is cut, and a note says so. Truth values, and bytes that are all 0 or 1, are black and white.

    Parameters
    ----------
    path
        The file.
    max_bytes
        An image may have as many bytes.

    Raises
    ------
    SourceUnreadable
        When the file is damaged, has no such array or several, holds NaN, or values outside those ranges; when its
        images are larger than allowed.
    NoImagesFound
        When the array has no rows.

    Cost
    ----
    The file is streamed, 4 MiB at a time; floats twice, first for their range, and bytes again up to the first above 1.
    """
    array = _only_images(path)
    if not array.header.n_bytes:
        raise NoImagesFound(str(path), "must hold rows", f"the array {array}", "Check the path.")
    if array.row_bytes > max_bytes:
        rule, got = f"must hold images of at most {max_bytes:,} bytes", f"{array.row_bytes:,} in {array}"
        raise SourceUnreadable(str(path), rule, got, "Raise --max-megapixels.")
    value_range = _float_range(array) if array.header.dtype.kind == "f" else _byte_range(array)

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        yield _candidates(array, value_range)

    return ImageSource(
        kind="array",
        open=candidates,
        expected=lambda _n_done: array.n_rows,
        fingerprint=lambda: stamp(path),
        notes=() if value_range is None else (_note(array, value_range),),
    )


def _note(array: _Array, value_range: _Range) -> str:
    kind = "floats" if array.header.dtype.kind == "f" else "masks"
    return f"{array} was read as {kind}, {value_range}."


def _only_images(path: Path) -> _Array:
    try:
        arrays = _arrays(path)
    except NpyUnreadable as error:
        raise _damaged(path, error) from error
    shaped = [array for array in arrays if _is_shaped_as_images(array)]
    pixels = [array for array in shaped if array.header.dtype == np.uint8 or array.header.dtype.kind == "f"]
    images = pixels or [array for array in shaped if array.header.dtype.kind == "b"]
    if len(images) == 1 and not images[0].header.is_fortran:
        return images[0]
    raise SourceUnreadable(
        str(path),
        "must hold one array of uint8 or float images in C order, of shape (n, height, width), (n, height, width, 1) "
        "or (n, height, width, 3)",
        f"{len(images)} such among {', '.join(map(str, arrays)) or 'no arrays'}",
        "Save the images alone as a .npy file, as uint8 from 0 to 255.",
    )


def _damaged(path: Path, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(str(path), "must be a whole NumPy file", str(error), "Save it again.")


def _arrays(path: Path) -> list[_Array]:
    if path.suffix.lower() != ".npy":
        return [_array(path, name) for name in npz_names(path)]
    return [_array(path, None)]


def _array(path: Path, member: str | None) -> _Array:
    with _opened(path, member) as (_stream, header):
        return _Array(path, member, header)


def _is_shaped_as_images(array: _Array) -> bool:
    shape = array.header.shape
    return len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[tuple[Readable, NpyHeader]]:
    if member is not None:
        with opened_npz(path, member) as opened:
            yield opened
        return
    with npy_trouble_told(), path.open("rb") as file:
        yield file, read_npy_header(file, os.fstat(file.fileno()).st_size)


def _blocks(array: _Array) -> Iterator[np.ndarray]:
    n_at_once = max(1, _BYTES_AT_ONCE // array.row_bytes)
    try:
        with _opened(array.path, array.member) as (stream, header):
            for start in range(0, array.n_rows, n_at_once):
                n_rows = min(n_at_once, array.n_rows - start)
                data = stream.read(n_rows * array.row_bytes)
                yield np.frombuffer(data, header.dtype).reshape(n_rows, *header.shape[1:])
    except NpyUnreadable as error:
        raise _damaged(array.path, error) from error


def _float_range(array: _Array) -> _Range:
    low, high, n_before = np.inf, -np.inf, 0
    for block in _blocks(array):
        # The sum over an image is finite exactly when all its values are, unless they are far out of any range.
        finite = np.isfinite(block.reshape(len(block), -1).sum(axis=1, dtype=np.float64))
        if not finite.all():
            row = n_before + int(np.argmin(finite))
            raise _bad_values(array, "must hold finite numbers", f"NaN or infinity in row {row}")
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        n_before += len(block)
    ranges = [_Range(0, 1, low, high)]
    ranges += [_Range(-1, 1, low, high)] if low < _LIGHTEST_BLACK else []
    ranges += [_Range(0, 255, low, high)] if high > _DARKEST_WHITE else []
    fitting = [value_range for value_range in ranges if value_range.holds()]
    if not fitting:
        raise _bad_values(array, "must hold floats from 0 to 1, -1 to 1 or 0 to 255", f"{low:g} to {high:g}")
    return fitting[0]


def _byte_range(array: _Array) -> _Range | None:
    """Return the range of masks of 0 and 1; None for bytes."""
    if array.header.dtype.kind == "b":
        return _Range(0, 1, 0, 1)
    high = 0
    for block in _blocks(array):
        high = max(high, int(block.max()))
        if high > 1:
            return None
    return _Range(0, 1, 0, 1) if high else None


def _bad_values(array: _Array, rule: str, got: str) -> SourceUnreadable:
    return SourceUnreadable(f"{array.path}, array {array}", rule, got, "Rescale the array.")


def _candidates(array: _Array, value_range: _Range | None) -> Iterator[Candidate]:
    row = 0
    for block in _blocks(array):
        for pixels in block:
            name = clean_name(f"{array.path.stem}/{row:09d}")
            yield Candidate(name, partial(_pixels, pixels, value_range), n_bytes=pixels.nbytes)
            row += 1


def _pixels(values: np.ndarray, value_range: _Range | None) -> Image:
    return pixels_to_rgb(values if value_range is None else value_range.to_bytes(values))
