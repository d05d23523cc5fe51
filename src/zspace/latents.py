"""z-points in files of any program: NumPy, safetensors, Parquet, CSV and Zarr.

What is found is told, never mended in silence: rows that are not finite are left out and counted; constant axes and
duplicate rows stay and are counted; arrays of more than two dimensions are flattened row by row, with a note.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import zarr
from jaxtyping import Bool, Float32, Int64
from safetensors import SafetensorError, safe_open

from zspace.errors import LatentsNotFound, LatentsUnreadable, TooFewPoints
from zspace.records import nearest
from zspace.results import CloudFacts
from zspace.seeds import random_stream
from zspace.shapes import Points

_KINDS = ".npy, .npz, .parquet, .csv, .safetensors or a Zarr folder"
_USUAL_NAMES = ("z", "mu", "latents", "embeddings", "points", "x")
"""Tried in this order where a file holds several arrays and none was named."""
_BLOCK_VALUES = 1 << 22


@dataclass(frozen=True)
class Latents:
    """z-points as a file holds them."""

    z: Points
    mu: Points | None = None
    """Centres of a VAE's posteriors, beside z."""
    logvar: Points | None = None
    """Logarithms of their variances."""
    notes: tuple[str, ...] = ()
    rows: Int64[np.ndarray, " n_points"] | None = None
    """Which rows of the file these are; None for all of them."""


@dataclass
class _Arrays:
    """The arrays of a file by name; each is read when it is asked for."""

    path: Path
    read: Mapping[str, Callable[[], np.ndarray]]
    notes: list[str] = field(default_factory=list)

    def choose(self, asked: str | None) -> str:
        """Return the name of the array to measure."""
        names = list(self.read)
        if asked is not None:
            if asked not in names:
                rule, next_step = f"must hold an array {asked!r}", nearest(asked, names)
                raise LatentsUnreadable(str(self.path), rule, _list(names), next_step)
            return asked
        usual = [name for name in _USUAL_NAMES if name in names]
        if len(names) == 1 or usual:
            return names[0] if len(names) == 1 else usual[0]
        rule = "must hold one array, or one of a usual name"
        raise LatentsUnreadable(str(self.path), rule, _list(names), "Name one with --array.")

    def points(self, name: str) -> Points:
        """Return one array as points: float32, one row each."""
        array = self.read[name]()
        if array.ndim < 2:
            shape = f"shape {array.shape}"
            rule, next_step = "must be an array of points, one a row", "Reshape it to (points, dimensions)."
            raise LatentsUnreadable(f"{self.path}, {name}", rule, shape, next_step)
        if array.dtype.kind not in "fiu":
            rule, next_step = "must hold real numbers", "Save it as float32."
            raise LatentsUnreadable(f"{self.path}, {name}", rule, str(array.dtype), next_step)
        if array.ndim > 2:
            n_values = int(np.prod(array.shape[1:]))
            self.notes.append(f"{name} of shape {array.shape} was flattened to {n_values:,} dimensions")
            array = array.reshape(len(array), n_values)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is told as such
            return np.ascontiguousarray(array, np.float32)


def read_latents_file(path: Path, array_name: str | None = None) -> Latents:
    """Read z-points, and a VAE's mu and logvar where they lie beside them.

    Parameters
    ----------
    path
        A file, or the folder of a Zarr array or group.
    array_name
        Which array to measure where the file holds several; None takes the only one, or one called z, mu, latents,
        embeddings, points or x, in this order.

    Raises
    ------
    LatentsNotFound
        When there is nothing at the path.
    LatentsUnreadable
        When it is of no known kind, damaged, or holds no such array.

    Cost
    ----
    The points as float32, and the file's own array while it is converted; a float32 .npy is mapped, not copied.
    """
    if not path.exists():
        rule = f"must be {_KINDS}, or a run folder"
        raise LatentsNotFound(str(path), rule, "nothing there", "Check the path.")
    arrays = _open(path)
    chosen = arrays.choose(array_name)
    z = arrays.points(chosen)
    beside = {name: arrays.points(name) for name in ("mu", "logvar") if name in arrays.read and name != chosen}
    if any(points.shape != z.shape for points in beside.values()):
        arrays.notes.append("mu and logvar were left out: they are not of the shape of the points")
        beside = {}
    if len(arrays.read) > 1:
        arrays.notes.append(f"of the arrays {_list(list(arrays.read))} the points are {chosen!r}")
    return Latents(z, beside.get("mu"), beside.get("logvar"), tuple(arrays.notes))


def _open(path: Path) -> _Arrays:
    kinds: dict[str, Callable[[Path], _Arrays]] = {
        ".npy": _open_npy,
        ".npz": _open_npz,
        ".safetensors": _open_safetensors,
        ".parquet": lambda path: _from_table(path, pq.read_table(path)),
        ".csv": lambda path: _from_table(path, pyarrow.csv.read_csv(path)),
    }
    opener = _open_zarr if path.is_dir() else kinds.get(path.suffix.lower())
    if opener is None:
        next_step = "Save it as .npy." if path.suffix in (".pt", ".pth", ".pkl", ".pickle") else "Convert it first."
        raise LatentsUnreadable(str(path), f"must be {_KINDS}", f"the file {path.name}", next_step)
    try:
        return opener(path)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, SafetensorError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        next_step = "Look at how it was written; arrays of Python objects are never read."
        raise LatentsUnreadable(
            str(path), f"must be a whole file of the kind {path.suffix}", reason, next_step
        ) from error


def _open_npy(path: Path) -> _Arrays:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return _Arrays(path, {path.stem: lambda: array})


def _open_npz(path: Path) -> _Arrays:
    def read(name: str) -> np.ndarray:
        with np.load(path, allow_pickle=False) as archive:
            array: np.ndarray = archive[name]
            return array

    with np.load(path, allow_pickle=False) as archive:
        return _Arrays(path, {name: _reader(read, name) for name in archive.files})


def _open_safetensors(path: Path) -> _Arrays:
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    return _Arrays(path, {name: _reader(arrays.__getitem__, name) for name in arrays})


def _open_zarr(path: Path) -> _Arrays:
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        return _Arrays(path, {path.stem: lambda: np.asarray(opened[:])})
    arrays: dict[str, Any] = {name: array for name, array in sorted(opened.arrays()) if array.ndim > 1}
    return _Arrays(path, {name: _reader(lambda name: np.asarray(arrays[name][:]), name) for name in arrays})


def _reader(read: Callable[[str], np.ndarray], name: str) -> Callable[[], np.ndarray]:
    return lambda: read(name)


def _from_table(path: Path, table: pa.Table) -> _Arrays:
    """Take every column of vectors as one array; without such columns, all columns of numbers as one."""
    arrays: dict[str, Callable[[], np.ndarray]] = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
            arrays[name] = _reader(lambda name: _vectors(path, table, name), name)
    if arrays:
        return _Arrays(path, arrays)
    numbers = [name for name in table.column_names if _is_number(table.schema.field(name).type)]
    left_out = [name for name in table.column_names if name not in numbers]
    notes = [f"columns without numbers were left out: {_list(left_out)}"] if left_out else []
    if not numbers:
        rule = "must have columns of numbers, or one of vectors"
        raise LatentsUnreadable(str(path), rule, _list(table.column_names), "Check the file.")
    columns = [table.column(name).to_numpy().astype(np.float32) for name in numbers]
    return _Arrays(path, {path.stem: lambda: np.stack(columns, axis=1)}, notes)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _vectors(path: Path, table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    lengths = pc.list_value_length(column).unique().to_pylist()
    if len(lengths) != 1 or lengths[0] is None:
        shown = ", ".join("missing" if length is None else str(length) for length in lengths[:5]) or "no rows"
        rule, next_step = "must hold vectors of one length", "Drop the other rows."
        raise LatentsUnreadable(f"{path}, {name}", rule, shown, next_step)
    return pc.list_flatten(column).to_numpy().reshape(len(column), lengths[0])


def _list(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def usable_latents(found: Latents, source: str, n_points: int | None, seed: int) -> tuple[Latents, CloudFacts]:
    """Return what of the points can be measured, and what was done to them.

    Parameters
    ----------
    found
        As read.
    source
        Where they were read from.
    n_points
        Take this many at random, in their order; None takes all.
    seed
        Only used when some are drawn.

    Raises
    ------
    TooFewPoints
        When fewer than two rows are finite, or a row has no values.

    Randomness
    ----------
    The stream "points".
    """
    if not found.z.shape[1]:
        raise TooFewPoints(source, "must have at least 1 dimension", "0", "Look at how the points were written.")
    arrays = [points for points in (found.z, found.mu, found.logvar) if points is not None]
    finite = np.logical_and.reduce([_finite_rows(points) for points in arrays])
    rows = np.flatnonzero(finite)
    if len(rows) < 2:
        got = f"{len(rows)} of {len(finite)}"
        raise TooFewPoints(source, "must hold at least 2 finite z-points", got, "Look at how they were written.")
    if n_points is not None and n_points < len(rows):
        rows = np.sort(random_stream(seed, "points").choice(rows, n_points, replace=False))
    z = _take(found.z, rows)
    mu, logvar = (points if points is None else _take(points, rows) for points in (found.mu, found.logvar))
    facts = CloudFacts(
        source=source,
        n_given=len(finite),
        n_used=len(rows),
        z_dim=found.z.shape[1],
        n_not_finite=int((~finite).sum()),
        n_duplicates=len(z) - _count_distinct(z),
        n_constant_axes=int((z.min(axis=0) == z.max(axis=0)).sum()),
        has_posterior=logvar is not None,
        notes=found.notes,
    )
    return Latents(z, mu, logvar, found.notes, rows), facts


def _take(points: Points, rows: Int64[np.ndarray, " n_rows"]) -> Float32[np.ndarray, "n_rows z_dim"]:
    return points if len(rows) == len(points) else points[rows]


def _finite_rows(points: Points) -> Bool[np.ndarray, " n_points"]:
    step = max(1, _BLOCK_VALUES // max(1, points.shape[1]))
    blocks = [np.isfinite(points[first : first + step]).all(axis=1) for first in range(0, len(points), step)]
    return np.concatenate(blocks) if blocks else np.zeros(0, bool)


def _count_distinct(points: Points) -> int:
    """Return how many different points there are."""
    # Adding 0 turns -0 into 0: equal numbers are then equal bytes. Hashes of 64 bits tell them apart.
    return len({hash((row + np.float32(0)).tobytes()) for row in points})
