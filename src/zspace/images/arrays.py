"""Images inside .npy and .npz files: uint8, or floats of a known range."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import Candidate, ImageSource, pixels_to_rgb
from zspace.images.folders import stamp
from zspace.shapes import Image

_BYTES_AT_ONCE = 4 << 20
_DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


@runtime_checkable
class _Readable(Protocol):
    """An open file, or an open member of an archive."""

    def read(self, n_bytes: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class _Array:
    """One array of a file: everything but its values."""

    path: Path
    member: str | None
    """Name inside the .npz; None for a .npy."""
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    is_fortran: bool

    def __str__(self) -> str:
        order = " in Fortran order" if self.is_fortran else ""
        return f"{self.member or self.path.name} {self.dtype} {self.shape}{order}"


@dataclass(frozen=True)
class _Range:
    """Which values of a float array mean black and white."""

    black: float
    white: float

    def to_bytes(self, values: np.ndarray) -> np.ndarray:
        shares = (values.astype(np.float64) - self.black) / (self.white - self.black)
        return np.rint(shares * 255).astype(np.uint8)


def open_array(path: Path) -> ImageSource:
    """Return the source for a .npy file, or for the one array of a .npz file that looks like images.

    Shapes are (n, height, width), (n, height, width, 1) or (n, height, width, 3). Floats are read by the range of all
    their values: from 0 to 1 and from -1 to 1 as shares, anything else within 0 to 255 as bytes.

    Raises
    ------
    SourceUnreadable
        When the file is damaged, has no such array or several, holds NaN, or values outside those ranges.
    NoImagesFound
        When the array has no rows.

    Cost
    ----
    The file is streamed, 4 MiB at a time; floats twice, first for their range.
    """
    array = _only_images(path)
    if not array.shape[0]:
        raise NoImagesFound(str(path), "must hold rows", f"the array {array}", "Check the path.")
    value_range = _find_range(array) if array.dtype.kind == "f" else None

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        yield _candidates(array, value_range)

    return ImageSource(
        kind="array",
        open=candidates,
        expected=lambda _n_done: array.shape[0],
        fingerprint=lambda: stamp(path),
        notes=() if value_range is None else (_note(array, value_range),),
    )


def _note(array: _Array, value_range: _Range) -> str:
    return f"{array} was read as floats, {value_range.black:g} being black and {value_range.white:g} white."


def _only_images(path: Path) -> _Array:
    try:
        arrays = _arrays(path)
    except _DAMAGED as error:
        raise _damaged(path, error) from error
    images = [array for array in arrays if _looks_like_images(array)]
    if len(images) == 1 and not images[0].is_fortran:
        return images[0]
    raise SourceUnreadable(
        str(path),
        "must hold one array of uint8 or float images in C order, of shape (n, height, width), (n, height, width, 1) "
        "or (n, height, width, 3)",
        f"{len(images)} such among {', '.join(map(str, arrays)) or 'no arrays'}",
        "Save the images alone as a .npy file.",
    )


def _damaged(path: Path, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(str(path), "must be a whole NumPy file", str(error), "Save it again.")


def _arrays(path: Path) -> list[_Array]:
    if path.suffix.lower() == ".npy":
        with path.open("rb") as file:
            return [_Array(path, None, *_header(file))]
    arrays = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as stream:
                    arrays.append(_Array(path, member.removesuffix(".npy"), *_header(stream)))
    return arrays


def _header(file: _Readable) -> tuple[tuple[int, ...], np.dtype[np.generic], bool]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(file)
    return shape, dtype, is_fortran


def _looks_like_images(array: _Array) -> bool:
    is_pixels = array.dtype == np.uint8 or array.dtype.kind == "f"
    return is_pixels and (len(array.shape) == 3 or (len(array.shape) == 4 and array.shape[3] in (1, 3)))


@contextmanager
def _opened(array: _Array) -> Iterator[_Readable]:
    if array.member is None:
        with array.path.open("rb") as file:
            yield file
    else:
        with zipfile.ZipFile(array.path) as archive, archive.open(f"{array.member}.npy") as stream:
            yield stream


def _blocks(array: _Array) -> Iterator[np.ndarray]:
    n_row_bytes = int(np.prod(array.shape[1:])) * array.dtype.itemsize
    n_at_once = max(1, _BYTES_AT_ONCE // max(n_row_bytes, 1))
    try:
        with _opened(array) as file:
            _header(file)
            for start in range(0, array.shape[0], n_at_once):
                n_rows = min(n_at_once, array.shape[0] - start)
                data = file.read(n_rows * n_row_bytes)
                yield np.frombuffer(data, array.dtype).reshape(n_rows, *array.shape[1:])
    except _DAMAGED as error:
        raise _damaged(array.path, error) from error


def _find_range(array: _Array) -> _Range:
    low, high, n_before = np.inf, -np.inf, 0
    for block in _blocks(array):
        # The sum over an image is finite exactly when all its values are, unless they are far out of any range.
        finite = np.isfinite(block.reshape(len(block), -1).sum(axis=1, dtype=np.float64))
        if not finite.all():
            row = n_before + int(np.argmin(finite))
            raise _bad_values(array, "must hold finite numbers", f"NaN or infinity in row {row}")
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        n_before += len(block)
    if low >= 0 and high <= 255:
        return _Range(0, 1 if high <= 1 else 255)
    if low >= -1 and high <= 1:
        return _Range(-1, 1)
    raise _bad_values(array, "must hold floats from 0 to 1, -1 to 1 or 0 to 255", f"{low:g} to {high:g}")


def _bad_values(array: _Array, rule: str, got: str) -> SourceUnreadable:
    return SourceUnreadable(f"{array.path}, array {array}", rule, got, "Rescale the array.")


def _candidates(array: _Array, value_range: _Range | None) -> Iterator[Candidate]:
    row = 0
    for block in _blocks(array):
        for pixels in block:
            name = f"{array.path.stem}/{row:09d}"
            yield Candidate(name, partial(_pixels, pixels, value_range), n_bytes=pixels.nbytes)
            row += 1


def _pixels(values: np.ndarray, value_range: _Range | None) -> Image:
    return pixels_to_rgb(values if value_range is None else value_range.to_bytes(values))
