"""Arrays in a file of z-points: what the file says of them, and which of them is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, Real

from zspace.errors import LatentsUnreadable, ZspaceError
from zspace.machine import free_memory
from zspace.records import nearest

_USUAL_NAMES = ("z", "mu", "latents", "embeddings", "points", "x")
"""Tried in this order where a file holds several arrays and none was named."""
_TEXTS = (".csv", ".tsv", ".txt")
_REASON_LENGTH = 200
_N_SHOWN = 8


@dataclass(frozen=True)
class Latents:
    """z-points as a file holds them, in the file's own kind of numbers; as float32 once they are usable."""

    z: Real[np.ndarray, "n_points z_dim"]
    mu: Real[np.ndarray, "n_points z_dim"] | None = None
    """Centres of a VAE's posteriors, beside z."""
    logvar: Real[np.ndarray, "n_points z_dim"] | None = None
    """Logarithms of their variances."""
    notes: tuple[str, ...] = ()
    rows: Int64[np.ndarray, " n_points"] | None = None
    """Which rows of the file these are; None for all of them."""


@dataclass(frozen=True)
class Selection:
    """Which of a file's numbers to measure."""

    array: str | None = None
    """Name of an array; None takes the only one, or one of a usual name."""
    columns: tuple[str, ...] = ()
    """Of a table: names, numbers counted from 1, or ranges first:last; all that can be dimensions when empty."""
    drop: tuple[str, ...] = ()
    """Of a table, likewise: columns to leave out."""
    n_points: int | None = None
    """Take this many, chosen at random; None takes all."""


@dataclass(frozen=True)
class StoredArray:
    """An array of a file: what the file says of it, and how to read it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any] | str
    """Of its values once they are read; the file's own word for numbers that cannot be read."""
    read: Callable[[], np.ndarray]
    is_mapped: bool = False
    """Whether its values stay on the disk until they are used."""

    @property
    def is_real(self) -> bool:
        """Whether it holds real numbers that can be read."""
        return isinstance(self.dtype, np.dtype) and self.dtype.kind in "fiu"

    @property
    def can_be_points(self) -> bool:
        """Whether it could be measured."""
        return self.is_real and len(self.shape) > 1

    @property
    def n_bytes(self) -> int:
        """Memory that reading it takes."""
        return 0 if self.is_mapped else math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True)
class LatentsFile:
    """A file of z-points that has been opened; its arrays are read when they are asked for."""

    path: Path
    arrays: Mapping[str, StoredArray]
    notes: tuple[str, ...] = ()

    def choose(self, asked: str | None) -> str:
        """Return the name of the array to measure.

        Raises
        ------
        LatentsUnreadable
            When there is none of the name that was asked for, or several and none of a usual name.
        """
        names = list(self.arrays)
        if asked is not None:
            if asked not in names:
                rule, next_step = f"must hold an array {asked!r}", nearest(asked, names)
                raise LatentsUnreadable(str(self.path), rule, name_list(names), next_step)
            return asked
        possible = [name for name in names if self.arrays[name].can_be_points]
        usual = [name for name in _USUAL_NAMES if name in names]
        for some in (names, usual[:1], possible):
            if len(some) == 1:
                return some[0]
        rule = "must hold one array, or one of a usual name"
        next_step = "Name one with --array." if names else "Look at how it was written."
        raise LatentsUnreadable(str(self.path), rule, name_list(names), next_step)

    def read(self, name: str) -> tuple[Real[np.ndarray, "n_points z_dim"], tuple[str, ...]]:
        """Return one array as points, one a row, in its own kind of numbers, and what was done to it.

        Raises
        ------
        LatentsUnreadable
            When it holds no real numbers, has no rows of values, is damaged, or is larger than the memory.
        """
        array, place = self.arrays[name], f"{self.path}, {name}"
        if isinstance(array.dtype, str):
            rule, next_step = "must be a whole array of known numbers", "Save it again, as float32."
            raise LatentsUnreadable(place, rule, array.dtype, next_step)
        if not array.is_real:
            raise LatentsUnreadable(place, "must hold real numbers", str(array.dtype), "Save it as float32.")
        if len(array.shape) < 2:
            rule, next_step = "must be an array of points, one a row", "Reshape it to (points, dimensions)."
            raise LatentsUnreadable(place, rule, f"shape {array.shape}", next_step)
        check_memory(place, array.n_bytes)
        with reading(self.path, place):
            values = array.read()
        if values.ndim == 2:
            return values, ()
        n_values = math.prod(values.shape[1:])
        note = f"{name} of shape {values.shape} was flattened to {n_values:,} dimensions"
        return values.reshape(len(values), n_values), (note,)


@contextmanager
def reading(path: Path, place: str | None = None) -> Iterator[None]:
    """Turn whatever a library raises over a file that other programs wrote into one error about it.

    Damage comes out of zarr, pyarrow and NumPy as nearly every kind of exception, so all of them are caught here; the
    original stays the error's cause.

    Parameters
    ----------
    path
        The file.
    place
        What in it is being read; None for the file as a whole.

    Raises
    ------
    LatentsUnreadable
        With the first line of the reason.
    """
    try:
        yield
    except ZspaceError:
        raise
    except MemoryError as error:
        raise _too_large(place or str(path), "more than there is") from error
    except Exception as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = next(filter(None, map(str.strip, said.splitlines())), type(error).__name__).rstrip(".")
        kind = "Zarr" if path.suffix in ("", ".zarr") else path.suffix
        next_step = "Look at how it was written; arrays of Python objects are never read."
        if path.suffix.lower() in _TEXTS:
            next_step = "Every line must have as many fields as the first; drop lines of comments."
        shown = reason if len(reason) <= _REASON_LENGTH else reason[:_REASON_LENGTH] + " ..."
        raise LatentsUnreadable(
            place or str(path), f"must be a whole file of the kind {kind}", shown, next_step
        ) from error


def check_memory(place: str, n_bytes: int) -> None:
    """Refuse to read what does not fit into memory.

    Raises
    ------
    LatentsUnreadable
        With both sizes.
    """
    free = free_memory()
    if n_bytes > free:
        raise _too_large(place, f"{n_bytes / 1e9:,.1f} GB where {free / 1e9:,.1f} GB are free")


def _too_large(place: str, got: str) -> LatentsUnreadable:
    return LatentsUnreadable(place, "must fit into memory", got, "Check what it claims to hold, or save fewer rows.")


def name_list(names: list[str]) -> str:
    """Return names for a sentence, the first of many.

    Examples
    --------
    >>> name_list(["z", "mu"]), name_list([])
    ("'z', 'mu'", 'none')
    """
    more = f" and {len(names) - _N_SHOWN} more" if len(names) > _N_SHOWN else ""
    return (", ".join(map(repr, names[:_N_SHOWN])) or "none") + more
