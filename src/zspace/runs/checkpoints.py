"""Checkpoints of a training, whole or not there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zspace.errors import FileDamaged
from zspace.files import make_folder
from zspace.runs.tensors import load_arrays, save_arrays

_N_KEPT = 2
"""Newest checkpoints that are kept: should the last be damaged, the one before it still serves."""


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write the checkpoint of a step and delete all but the newest ones."""
    make_folder(folder)
    save_arrays(folder / f"step-{step:09d}.safetensors", tensors, facts)
    for old in _checkpoint_paths(folder)[_N_KEPT:]:
        old.unlink(missing_ok=True)


def newest_checkpoint(
    folder: Path, trajectory: str, epochs: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
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
            tensors, facts = load_arrays(path)
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
