"""Files that hold arrays: .npy, .npz, .safetensors and Zarr folders."""

from __future__ import annotations

import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from safetensors import safe_open

from zspace.latents.arrays import LatentsFile, StoredArray
from zspace.npy import NpyUnreadable, map_npy, npz_names, opened_npz, read_npz

_SAFETENSORS_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
_ZARR_METADATA = ("zarr.json", ".zarray")


def open_npy(path: Path) -> LatentsFile:
    """Open a .npy file; its array is mapped."""
    array = map_npy(path)
    return LatentsFile(path, {path.stem: StoredArray(array.shape, array.dtype, lambda: array, is_mapped=True)})


def open_npz(path: Path) -> LatentsFile:
    """Open a .npz file; members that are no arrays hinder nothing unless they are asked for."""
    return LatentsFile(path, {name: _npz_member(path, name) for name in npz_names(path)})


def _npz_member(path: Path, name: str) -> StoredArray:
    read = partial(read_npz, path, name)
    try:
        with opened_npz(path, name) as (_, header):
            return StoredArray(header.shape, header.dtype, read)
    except NpyUnreadable as error:
        return StoredArray((), str(error), read)


def open_safetensors(path: Path) -> LatentsFile:
    """Open a .safetensors file; its tensors are mapped, those of fewer than 4 bytes a number become float32."""
    with safe_open(path, framework="numpy"):
        pass  # the library has checked the header: every tensor lies within the file, and no byte belongs to two
    with path.open("rb") as file:
        n_bytes = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(n_bytes).decode("utf-8"), object_pairs_hook=_each_once)
    header.pop("__metadata__", None)
    return LatentsFile(path, {name: _tensor(path, 8 + n_bytes, facts) for name, facts in header.items()})


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a table; no reader could tell which of two tensors of one name is meant."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name twice in the header")
    return table


def _tensor(path: Path, start: int, facts: dict[str, Any]) -> StoredArray:
    kind, shape, offset = facts["dtype"], tuple(facts["shape"]), start + facts["data_offsets"][0]
    if kind in _SAFETENSORS_TYPES:
        dtype = np.dtype(_SAFETENSORS_TYPES[kind])
        return StoredArray(shape, dtype, lambda: _mapped(path, dtype, offset, shape), is_mapped=True)
    if kind == "BF16":
        return StoredArray(shape, np.dtype(np.float32), lambda: _from_bf16(_mapped(path, "<u2", offset, shape)))
    if kind in _FLOAT8:
        return StoredArray(
            shape, np.dtype(np.float32), lambda: np.take(_FLOAT8[kind], _mapped(path, "u1", offset, shape))
        )
    return StoredArray(shape, f"numbers of the kind {kind}", lambda: np.empty(0))


def _mapped(path: Path, dtype: np.dtype[Any] | str, offset: int, shape: tuple[int, ...]) -> np.ndarray:
    if not math.prod(shape):
        return np.empty(shape, dtype)  # nothing can be mapped
    mapped: np.ndarray = np.memmap(path, dtype, "r", offset, shape)
    return mapped


def _from_bf16(bits: np.ndarray) -> np.ndarray:
    """Return float32 numbers: bfloat16 is their upper half."""
    wide: np.ndarray = bits.astype(np.uint32) << 16
    return wide.view(np.float32)


def _e4m3_numbers() -> np.ndarray:
    """Return what each byte means: sign, 4 bits of exponent, 3 of fraction; no infinity, all ones are NaN."""
    byte = np.arange(256)
    exponent, fraction = (byte >> 3) & 15, byte & 7
    size: np.ndarray = np.where(exponent > 0, np.ldexp(8.0 + fraction, exponent - 10), np.ldexp(fraction, -9))
    size[(byte & 127) == 127] = np.nan
    return np.where(byte < 128, size, -size).astype(np.float32)


_FLOAT8 = {
    "F8_E4M3": _e4m3_numbers(),
    "F8_E5M2": (np.arange(256, dtype="<u2") << 8).view("<f2").astype(np.float32),  # the upper half of a float16
}
"""float32 number of every byte."""


def open_zarr(path: Path) -> LatentsFile:
    """Open the folder of a Zarr array or group; arrays of a group that cannot be opened hinder nothing."""
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        return _zarr_file(path, {path.stem: opened})
    children = sorted(child for child in path.iterdir() if any((child / name).is_file() for name in _ZARR_METADATA))
    found: dict[str, Any] = {}
    for child in children:
        try:
            found[child.name] = zarr.open(child, mode="r")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is told when it is asked for
            found[child.name] = str(error).splitlines()[0] if str(error) else type(error).__name__
    return _zarr_file(path, {name: array for name, array in found.items() if not isinstance(array, zarr.Group)})


def _zarr_file(path: Path, arrays: dict[str, Any]) -> LatentsFile:
    stored, notes = {}, []
    for name, array in arrays.items():
        if isinstance(array, str):
            stored[name] = StoredArray((), array, lambda: np.empty(0))
        elif array.ndim > 1 or len(arrays) == 1:  # a group's row numbers and labels are no points
            stored[name] = StoredArray(array.shape, array.dtype, partial(_read_zarr, array))
            if n_missing := array.nchunks - array.nchunks_initialized:
                fill = f"their values are the fill value {array.fill_value}"
                notes.append(f"{n_missing:,} of {array.nchunks:,} chunks of {name} are not there: {fill}")
    return LatentsFile(path, stored, tuple(notes))


def _read_zarr(array: zarr.Array[Any]) -> np.ndarray:
    return np.asarray(array[:])
