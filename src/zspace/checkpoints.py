"""Weights and checkpoints as safetensors files that carry their own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from zspace.errors import FileDamaged
from zspace.files import atomic_path, make_folder

_N_KEPT = 2
"""Newest checkpoints that are kept: should the last be damaged, the one before it still serves."""


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of names, shapes and values."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> str:
    """Write tensors and facts about them as one safetensors file, atomically, and return the digest."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    digest = tensors_digest(plain)
    with atomic_path(path) as partial:
        partial.write_bytes(save(plain, {"digest": digest, "facts": json.dumps(facts, allow_nan=False)}))
    return digest


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises
    ------
    FileDamaged
        When the file is cut short, or its checksum does not fit.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    if metadata.get("digest") != tensors_digest(tensors):
        raise _damaged(path, "other bytes than were written")
    return tensors, json.loads(metadata["facts"])


def _damaged(path: Path, got: str) -> FileDamaged:
    return FileDamaged(str(path), "must be a whole safetensors file", got, "Delete it and run the same command again.")


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write the checkpoint of a step and delete all but the newest ones."""
    make_folder(folder)
    save_tensors(folder / f"step-{step:09d}.safetensors", tensors, facts)
    for old in _checkpoint_paths(folder)[_N_KEPT:]:
        old.unlink(missing_ok=True)


def newest_checkpoint(folder: Path, trajectory: str, epochs: int) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return the newest whole checkpoint of this trajectory, or None.

    Parameters
    ----------
    folder
        Where `save_checkpoint` wrote.
    trajectory
        Digest of all that decides the weights at a given step; a checkpoint of another one is no use.
    epochs
        Checkpoints of a longer run, from beyond this epoch, are no use either.
    """
    for path in _checkpoint_paths(folder):
        try:
            tensors, facts = load_tensors(path)
        except FileDamaged:
            continue  # the one before it may be whole
        position = facts["position"]
        beyond = position["epoch"] > epochs or (position["epoch"] == epochs and position["step"] > 0)
        if facts["trajectory"] == trajectory and not beyond:
            return tensors, facts
    return None


def _checkpoint_paths(folder: Path) -> list[Path]:
    """Return the checkpoints, newest first."""
    return sorted(folder.glob("step-*.safetensors"), reverse=True)
