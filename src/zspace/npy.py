"""NumPy's files, read so that a crafted or damaged one gives one reason and nothing else.

NumPy trusts a header: it sets aside what the header asks for, fails with a dozen kinds of exceptions, and reads Python
objects if it may. Here a header is believed only as far as the file has bytes for it, objects are never read, and
whatever goes wrong is `NpyUnreadable`, whose text is the reason in a few words.
"""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np

_ENDING = ".npy"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_READ_BYTES = 1 << 20


class NpyUnreadable(ValueError):
    """The file or member is no whole NumPy array; callers say it in the words of their own family of errors."""


@runtime_checkable
class Readable(Protocol):
    """An open file, or an open member of an archive."""

    def read(self, n_bytes: int = ..., /) -> bytes:
        """Return the next bytes, at most this many; none at the end."""
        ...

    def tell(self) -> int:
        """Return how many bytes lie before the next."""
        ...


@dataclass(frozen=True)
class NpyHeader:
    """What a NumPy file says of its array."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    is_fortran: bool

    @property
    def n_bytes(self) -> int:
        """Bytes of the array's values; exact, however large the shape."""
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}{' in Fortran order' if self.is_fortran else ''}"


@contextmanager
def npy_trouble_told() -> Iterator[None]:
    """Turn whatever reading a NumPy file or its archive can raise into `NpyUnreadable`."""
    try:
        yield
    except NpyUnreadable:
        raise
    except MemoryError as error:
        raise NpyUnreadable("an array larger than the memory") from error
    except (
        *(ValueError, KeyError, OverflowError, OSError, EOFError, zipfile.BadZipFile, zlib.error, LZMAError),
        *(RuntimeError, NotImplementedError),  # an archive's member that is encrypted, or packed by a strange method
    ) as error:
        raise NpyUnreadable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def read_npy_header(file: Readable, n_bytes: int) -> NpyHeader:
    """Read the header from the beginning of a file, which then stands at the first value.

    Parameters
    ----------
    file
        At its beginning.
    n_bytes
        Size of the file, which must have room for all that the header announces.

    Raises
    ------
    NpyUnreadable
        When it is no NumPy file, or announces a negative side or more than there is. Python objects are announced as
        such, for a list of what a file holds; their values must not be read.
    """
    try:
        version = np.lib.format.read_magic(file)
        # Versions 2 and 3 differ in the encoding of field names alone.
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except Exception as error:  # NumPy parses the header as Python text: errors of the parser and of types come through
        raise NpyUnreadable(f"a header that cannot be read ({_first_line(error)})") from error
    header = NpyHeader(shape, dtype, is_fortran)
    if not dtype.itemsize:
        raise NpyUnreadable(f"values of no bytes, {header}")
    if min(shape, default=0) < 0:
        raise NpyUnreadable(f"a header with a negative side, {header}")
    n_left = n_bytes - file.tell()
    if header.n_bytes > n_left and not dtype.hasobject:
        raise NpyUnreadable(f"a header of {header}, {header.n_bytes:,} bytes, before {n_left:,} bytes")
    return header


def _refuse_objects(header: NpyHeader) -> None:
    if header.dtype.hasobject:
        raise NpyUnreadable(f"an array of Python objects, {header}")


def map_npy(path: Path) -> np.memmap:
    """Return the array of a .npy file, mapped read-only: its values stay on the disk until they are used.

    Raises
    ------
    NpyUnreadable
        When the file is no whole NumPy array, or one of Python objects.
    """
    with npy_trouble_told():
        with path.open("rb") as file:
            _refuse_objects(read_npy_header(file, os.fstat(file.fileno()).st_size))
        array: np.memmap = np.load(path, mmap_mode="r", allow_pickle=False)
        return array


@contextmanager
def opened_npz(path: Path, name: str) -> Iterator[tuple[Readable, NpyHeader]]:
    """Open one array of a .npz file: its stream, which stands at the first value, and its header.

    Parameters
    ----------
    path
        The archive.
    name
        Name of the array, without an ending.

    Raises
    ------
    NpyUnreadable
        When archive or array is damaged, also inside the block: the checksum is compared after the last value.
    """
    with npy_trouble_told(), zipfile.ZipFile(path) as archive:
        member = archive.getinfo(name + _ENDING)
        if member.compress_type not in _METHODS:  # no NumPy writes them, and zipfile unpacks them without bound
            raise NpyUnreadable(f"{name} packed by the method {member.compress_type}")
        with archive.open(member) as stream:
            yield stream, read_npy_header(stream, member.file_size)


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in a .npz file.

    Raises
    ------
    NpyUnreadable
        When the file is no archive.
    """
    with npy_trouble_told(), zipfile.ZipFile(path) as archive:
        return [name.removesuffix(_ENDING) for name in archive.namelist() if name.endswith(_ENDING)]


def read_npz(path: Path, name: str) -> np.ndarray:
    """Return one array of a .npz file.

    Raises
    ------
    NpyUnreadable
        When archive or array is damaged, larger than the memory, or of Python objects.
    """
    with opened_npz(path, name) as (stream, header):
        _refuse_objects(header)
        values = bytearray()
        while missing := header.n_bytes - len(values):
            block = stream.read(min(missing, _READ_BYTES))
            if not block:
                raise NpyUnreadable(f"{len(values):,} bytes of {header}")
            values += block
        order: Literal["F", "C"] = "F" if header.is_fortran else "C"
        return np.frombuffer(values, header.dtype).reshape(header.shape, order=order)
