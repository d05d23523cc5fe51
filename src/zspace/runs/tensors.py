"""Named arrays as safetensors files that carry their own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from zspace.errors import FileDamaged
from zspace.files import atomic_path, to_json

_METADATA = "zspace"
"""The one key of the file's metadata: safetensors writes several in a random order, and equal arrays shall give equal
bytes."""


def arrays_digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a digest of names, types, shapes and values.

    Cost
    ----
    About a second a gigabyte.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> str:
    """Write arrays and facts about them as one safetensors file, atomically, and return the digest.

    Equal arrays and facts give equal bytes.
    """
    # reshape: ascontiguousarray makes one dimension out of none
    plain = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    digest = arrays_digest(plain)
    with atomic_path(path) as partial:
        partial.write_bytes(save(plain, {_METADATA: to_json({"digest": digest, "facts": facts})}))
    return digest


def load_arrays(path: Path, digest: str | None = None) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_arrays` wrote, and check it.

    Parameters
    ----------
    path
        The file.
    digest
        What `save_arrays` returned, where it is on record elsewhere; a whole file of other arrays is then noticed too.

    Raises
    ------
    FileDamaged
        When the file is missing, cut short, or holds other bytes than were written.
    """
    with _opened(path) as (file, written):
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        claimed, facts = written["digest"], dict(written["facts"])
    found = arrays_digest(arrays)
    if claimed != found:
        raise _damaged(path, "other bytes than were written")
    if digest not in (None, found):
        raise _damaged(path, "a whole file, but another one than results.json tells of")
    return arrays, facts


def load_facts(path: Path) -> dict[str, Any]:
    """Read only the facts, unchecked and at once, however large the arrays are.

    Raises
    ------
    FileDamaged
        When the file is missing, or its head is damaged.
    """
    with _opened(path) as (_, written):
        return dict(written["facts"])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """Give the open file and what its head says, and turn all that can be wrong with both into one error."""
    if not path.is_file():
        rule, next_step = "must be a whole safetensors file", "Run zspace study again, which makes it anew."
        raise FileDamaged(str(path), rule, "no plain file" if path.exists() else "no such file", next_step)
    try:
        with safe_open(path, framework="numpy") as file:
            yield file, json.loads((file.metadata() or {})[_METADATA])
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # The first for types that NumPy does not have.
        raise _damaged(path, "one without zspace's own facts") from error


def _damaged(path: Path, got: str) -> FileDamaged:
    next_step = "Delete it and run zspace study again, which makes it anew."
    return FileDamaged(str(path), "must be a whole safetensors file", got, next_step)
