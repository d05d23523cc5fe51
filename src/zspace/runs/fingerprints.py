"""What each step depends on, as digests: by them a reader knows whether what lies in a folder is what was asked."""

from __future__ import annotations

from dataclasses import replace

from zspace.files import document_digest
from zspace.records import deciding_mapping, to_mapping
from zspace.settings import GenerateSettings, MapSettings, MeasureSettings, ModelSettings, Split

_TRAIN, _ENCODE, _MEASURE, _GENERATE = 3, 1, 8, 3
"""Versions, each raised when the same settings would give another outcome than before."""


def fingerprint(**parts: object) -> str:
    """Return the digest of all that a step's outcome depends on."""
    return document_digest({name: to_mapping(part) for name, part in parts.items()})


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
    parts = {"store": store_digest, "settings": deciding_mapping(settings), "seed": seed, "version": _TRAIN}
    return document_digest(parts)


def train_fingerprint(store_digest: str, settings: ModelSettings, seed: int) -> str:
    """Return the digest of all that decides the weights at the end of a training; parameters as above."""
    trajectory = trajectory_digest(store_digest, settings, seed)
    return document_digest({"trajectory": trajectory, "epochs": settings.training.epochs})


def encode_fingerprint(weights_digest: str, store_digest: str, seed: int) -> str:
    """Return what the z-points of a store depend on."""
    return fingerprint(weights=weights_digest, store=store_digest, seed=seed, version=_ENCODE)


def cloud_fingerprint(latents_digest: str, split: Split) -> str:
    """Return what the cloud of a run depends on."""
    return fingerprint(latents=latents_digest, split=split)


def measure_fingerprint(cloud: str, asked: MeasureSettings, seed: int) -> str:
    """Return what the measurements of a cloud depend on; maps are steps of their own."""
    measures = replace(asked, maps=(), only=tuple(name for name in asked.only if name != "maps"))
    return fingerprint(points=cloud, settings=measures, seed=seed, version=_MEASURE)


def map_fingerprint(cloud: str, asked: MapSettings, colors: tuple[str, ...], seed: int) -> str:
    """Return what one map of a cloud depends on."""
    return fingerprint(points=cloud, map=asked, colors=colors, seed=seed, version=_MEASURE)


def generate_fingerprint(latents_digest: str, asked: GenerateSettings, split: Split, seed: int) -> str:
    """Return what the generated images of a run, and their scores, depend on."""
    return fingerprint(latents=latents_digest, settings=asked, split=split, seed=seed, version=_GENERATE)
