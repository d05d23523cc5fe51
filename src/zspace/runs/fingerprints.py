"""What a step's outcome depends on, as one digest: equal digests, equal outcome."""

from __future__ import annotations

from zspace.files import document_digest
from zspace.records import deciding_mapping
from zspace.settings import ModelSettings

_TRAIN_VERSION = 3
"""Raised when the same settings would give other weights than before."""


def trajectory_digest(store_digest: str, settings: ModelSettings, seed: int) -> str:
    """Return the digest of all that decides the weights at a given step.

    Parameters
    ----------
    store_digest
        Of the images.
    settings
        As they were asked for, "auto" included; fields marked NEUTRAL do not count. The number of epochs is one: a
        longer run of the same settings goes on where the shorter one ended.
    seed
        Of this model.
    """
    parts = {"store": store_digest, "settings": deciding_mapping(settings), "seed": seed, "version": _TRAIN_VERSION}
    return document_digest(parts)


def train_fingerprint(store_digest: str, settings: ModelSettings, seed: int) -> str:
    """Return the digest of all that decides the weights at the end of a training; parameters as above."""
    trajectory = trajectory_digest(store_digest, settings, seed)
    return document_digest({"trajectory": trajectory, "epochs": settings.training.epochs})
