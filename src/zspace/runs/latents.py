"""z-points on disk, as a Zarr group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import zarr
from jaxtyping import Float32, Int64

from zspace.errors import NotARunFolder
from zspace.files import atomic_folder

_ROWS_PER_CHUNK = 8192


def write_latents(
    path: Path, arrays: Mapping[str, Float32[np.ndarray, "n_points z_dim"]], ids: Int64[np.ndarray, " n_points"]
) -> None:
    """Write z-points as a Zarr group, chunked by rows, atomically.

    Parameters
    ----------
    path
        The group's folder.
    arrays
        ``"z"`` and, for a VAE, ``"mu"`` and ``"logvar"``.
    ids
        Row of each point's image in the image store.
    """
    with atomic_folder(path) as partial:
        group = zarr.create_group(partial)
        for name, values in {**arrays, "ids": ids}.items():
            chunk = (min(_ROWS_PER_CHUNK, len(values)), *values.shape[1:])
            group.create_array(name, data=values, chunks=chunk, compressors=None)


def read_latents(path: Path, name: str) -> Float32[np.ndarray, "n_points z_dim"]:
    """Read one array of z-points."""
    return _read_array(path, name).astype(np.float32, copy=False)


def latent_names(path: Path) -> list[str]:
    """Return which arrays of points there are: z, and for a VAE mu and logvar."""
    return [name for name in ("z", "mu", "logvar") if (path / name).is_dir()]


def read_latent_ids(path: Path) -> Int64[np.ndarray, " n_points"]:
    """Read the row in the image store of every z-point."""
    return _read_array(path, "ids").astype(np.int64, copy=False)


def _read_array(path: Path, name: str) -> np.ndarray:
    if not path.is_dir():
        raise NotARunFolder(str(path), "must be a Zarr group of z-points", "nothing", "Run zspace study first.")
    return np.asarray(zarr.open_array(path, path=name, mode="r")[:])
