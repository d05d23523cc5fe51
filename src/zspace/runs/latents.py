"""z-points on disk: a Zarr group whose chunks carry checksums, and whose arrays are on record by their digests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import zarr
from jaxtyping import Float32, Int64
from zarr.codecs import Crc32cCodec

from zspace.errors import FileDamaged, NotARunFolder
from zspace.files import atomic_folder, document_digest, irregular_entry
from zspace.runs.folders import RunFolder
from zspace.runs.steps import StepLog
from zspace.runs.tensors import arrays_digest

_ROWS_PER_CHUNK = 8192
_DIGESTS = "digests"
"""Attribute of the group: the digest of every array."""


def write_latents(
    path: Path, arrays: Mapping[str, Float32[np.ndarray, "n_points z_dim"]], ids: Int64[np.ndarray, " n_points"]
) -> str:
    """Write z-points as a Zarr group, chunked by rows, atomically, and return the digest of it all.

    Parameters
    ----------
    path
        The group's folder.
    arrays
        ``"z"`` and, for a VAE, ``"mu"`` and ``"logvar"``.
    ids
        Row of each point's image in the image store.
    """
    everything: dict[str, np.ndarray] = {**arrays, "ids": ids}
    digests = {name: arrays_digest({name: values}) for name, values in everything.items()}
    with atomic_folder(path) as partial:
        group = zarr.create_group(partial, attributes={_DIGESTS: digests})
        for name, values in everything.items():
            chunk = (min(_ROWS_PER_CHUNK, len(values)), *values.shape[1:])
            group.create_array(name, data=values, chunks=chunk, compressors=[Crc32cCodec()])
    return document_digest(digests)


def read_latents(run: RunFolder, name: str) -> Float32[np.ndarray, "n_points z_dim"]:
    """Read one array of a run's z-points, and check it.

    Raises
    ------
    NotARunFolder
        When there are none.
    FileDamaged
        When they are not those that were encoded here.
    """
    return _read_array(run, name).astype(np.float32, copy=False)


def latent_names(run: RunFolder) -> list[str]:
    """Return which arrays of points there are: z, and for a VAE mu and logvar."""
    return [name for name in ("z", "mu", "logvar") if (run.latents / name).is_dir()]


def read_latent_ids(run: RunFolder) -> Int64[np.ndarray, " n_points"]:
    """Read the row in the image store of every z-point, and check it; errors are those of `read_latents`."""
    return _read_array(run, "ids").astype(np.int64, copy=False)


def check_latents(path: Path) -> None:
    """Check every array of a Zarr group that `write_latents` wrote; leave those of other programs alone.

    Raises
    ------
    FileDamaged
        When an array is not what was encoded here.
    """
    if are_own_latents(path):
        run = RunFolder(path.resolve().parent)
        for name in [*latent_names(run), "ids"]:
            _read_array(run, name)


def are_own_latents(path: Path) -> bool:
    """Return whether z-points were encoded by zspace, by the log beside them."""
    place = Path(os.path.realpath(path))  # a link onto itself leads nowhere, and is told elsewhere
    return place == RunFolder(place.parent).latents and StepLog(place.parent).digest("encode", place) is not None


def _read_array(run: RunFolder, name: str) -> np.ndarray:
    path = run.latents
    if not path.is_dir():
        raise NotARunFolder(str(path), "must be a Zarr group of z-points", "nothing", f"Run zspace encode {run.path}.")
    if (strange := irregular_entry(path)) is not None:
        raise _damaged(path, f"{strange.name}, which is no file")
    try:
        written = zarr.open_group(path, mode="r").attrs.get(_DIGESTS)
        digests = dict(written) if isinstance(written, Mapping) else {}
        values = np.asarray(zarr.open_array(path, path=name, mode="r")[:])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise _damaged(path, f"a damaged array {name!r}") from error
    recorded = StepLog(run.path).digest("encode", path)
    if recorded is not None and recorded != document_digest(digests):
        raise _damaged(path, "z-points of another run or of other weights")
    if digests.get(name) != arrays_digest({name: values}):
        raise _damaged(path, f"other values of {name!r} than were written")
    return values


def _damaged(path: Path, got: str) -> FileDamaged:
    next_step = f"Delete it and run zspace encode {path.parent}, which makes it anew."
    return FileDamaged(str(path), "must hold the z-points that were encoded here", got, next_step)
