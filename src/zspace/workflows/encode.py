"""``encode``: run and images to z-points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from zspace.encoding import Latents, encode_images
from zspace.files import place_name
from zspace.images.loader import ImageBatches
from zspace.images.store import ImageStore, open_store
from zspace.models import Autoencoder
from zspace.results import EncodeResult, Progress, TrainResult, Watcher, watch_nothing
from zspace.runs.fingerprints import encode_fingerprint
from zspace.runs.folders import RunFolder, locked
from zspace.runs.latents import write_latents
from zspace.runs.reading import KnownRun, open_run
from zspace.runs.steps import Files, StepLog
from zspace.seeds import random_stream
from zspace.settings import ImageSettings
from zspace.workflows.pack import pack, would_pack
from zspace.workflows.train import load_model


def encode(
    store: ImageStore, run: RunFolder, model: Autoencoder, seed: int, watch: Watcher = watch_nothing
) -> EncodeResult:
    """Encode every image of the store, of all splits, unless these weights have already done so.

    Parameters
    ----------
    store
        The images.
    run
        A trained run; its ``latents.zarr`` is written.
    model
        The run's model.
    seed
        The seed of the study; a VAE samples z with its stream "encode".
    watch
        Called with every progress record.
    """
    weights = StepLog(run.path).result("train", TrainResult).weights_digest
    return _encode(store, run, lambda: model, weights, seed, watch)


def encode_study(path: Path, watch: Watcher = watch_nothing) -> EncodeResult:
    """Encode every image of a run's own study, unless these weights have already done so.

    Raises
    ------
    NotARunFolder
        When the folder is no trained run of a study.
    """
    run = open_run(path)
    with locked(run.study.path):
        store = open_store(run.study.store)
        model = load_model(run.folder, run.asked)
        return _noted(encode(store, run.folder, model, run.asked.seed, watch), run)


def default_place(path: Path, images: ImageSettings) -> Path:
    """Return the folder for other images' z-points where none is named."""
    return path / "encoded" / place_name(images.source)


def encode_others(path: Path, images: ImageSettings, out: Path, watch: Watcher = watch_nothing) -> EncodeResult:
    """Encode other images with the model of a run: pack them into ``out``, and write their z-points beside them.

    One image is enough, and they are not split: nothing is trained on them.

    Parameters
    ----------
    path
        A trained run folder.
    images
        Which images; their size is the model's.
    out
        Folder for the image store ``images`` and the z-points ``latents.zarr``, whose ids are rows of that store.
    watch
        Called with every progress record.

    Raises
    ------
    NotARunFolder
        When the folder is no run of a study.
    ImagesError
        When the images cannot be packed.
    """
    run = open_run(path)
    with locked(out):
        settings = replace(images, size=run.asked.image_size)
        pack(settings, run.asked.seed, out / "images", watch, for_training=False)
        store = open_store(out / "images")
        weights = StepLog(run.folder.path).result("train", TrainResult).weights_digest
        load = partial(load_model, run.folder, run.asked)
        return _noted(_encode(store, RunFolder(out), load, weights, run.asked.seed, watch), run)


def _noted(result: EncodeResult, run: KnownRun) -> EncodeResult:
    """Return the result with what has to be known of the run that encoded it."""
    return replace(result, notes=run.notes)


def would_encode(path: Path, images: ImageSettings | None, out: Path) -> list[str]:
    """Return sentences of what `encode_study` or `encode_others` would do: which images, which model, or nothing.

    Parameters
    ----------
    path
        A trained run folder.
    images
        Other images; None for those of the run's own study.
    out
        Folder of the z-points.

    Raises
    ------
    NotARunFolder
        When the folder is no trained run of a study.
    ImagesError
        When the images cannot be read.
    """
    run = open_run(path)
    weights = StepLog(run.folder.path).result("train", TrainResult).weights_digest
    into = RunFolder(run.folder.path if images is None else out)
    packing = []
    if images is not None:
        sized = replace(images, size=run.asked.image_size)
        packing.append(would_pack(sized, run.asked.seed, out / "images", for_training=False))
    asked = run.asked.model
    model = f"the {asked.kind.upper()} {run.folder.path.name!r}, z of {asked.network.z_dim:,}"
    if any(sentence.startswith("Would") for sentence in packing):
        return [*packing, f"Would encode them with {model}, into {into.latents}."]
    store = open_store(run.study.store if images is None else out / "images")
    what = f"{store.result.n_images:,} images with {model}"
    made_from = encode_fingerprint(weights, store.result.store_digest, run.asked.seed)
    if StepLog(into.path).finished("encode", made_from, EncodeResult):
        return [*packing, f"Nothing to encode: {into.latents} holds the z-points of the {what}, already."]
    return [*packing, f"Would encode {what}, into {into.latents}."]


def _encode(
    store: ImageStore, into: RunFolder, model: Callable[[], Autoencoder], weights: str, seed: int, watch: Watcher
) -> EncodeResult:
    """Write the z-points of a store into a folder, unless these weights have already done so."""
    made_from = encode_fingerprint(weights, store.result.store_digest, seed)
    step = f"encode {into.path.name}"

    def take() -> tuple[EncodeResult, Files]:
        result = _write_points(store, model(), seed, into.latents, step, watch)
        return result, {into.latents: result.latents_digest}

    return StepLog(into.path).once("encode", made_from, EncodeResult, take, watch, step)


def _write_points(
    store: ImageStore, model: Autoencoder, seed: int, path: Path, step: str, watch: Watcher
) -> EncodeResult:
    start = perf_counter()
    rows = store.rows("all")
    images = ImageBatches(store.images, rows, next(model.parameters()).device)
    blocks: list[Latents] = []
    n_done = 0
    for block in encode_images(model, images, random_stream(seed, "encode")):
        blocks.append(block)
        n_done += len(block.z)
        watch(Progress(step, n_done, len(images), "images"))
    points = np.concatenate([block.z for block in blocks])
    arrays = {"z": points}
    for name in ("mu", "logvar"):
        parts = [part for block in blocks if (part := getattr(block, name)) is not None]
        if parts:
            arrays[name] = np.concatenate(parts)
    digest = write_latents(path, arrays, rows)
    return EncodeResult(
        n_points=len(points),
        z_dim=points.shape[1],
        latents_digest=digest,
        store_digest=store.result.store_digest,
        elapsed_seconds=perf_counter() - start,
    )
