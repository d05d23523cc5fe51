"""``encode``: run and images to z-points."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from zspace.encoding import Latents, encode_images
from zspace.files import document_digest
from zspace.images.loader import ImageBatches
from zspace.images.store import ImageStore
from zspace.models import Autoencoder
from zspace.results import EncodeResult, Progress, TrainResult, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, fingerprint, write_latents
from zspace.seeds import random_stream

_VERSION = 1


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
    log = StepLog(run.path)
    step = f"encode {run.path.name}"
    weights = log.result("train", TrainResult).weights_digest
    made_from = fingerprint(weights=weights, store=store.result.store_digest, seed=seed, version=_VERSION)
    if done := log.finished("encode", made_from, EncodeResult):
        watch(Progress(step, done.n_points, done.n_points, "images", note="already done"))
        return done
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
    write_latents(run.latents, arrays, rows)
    result = EncodeResult(
        n_points=len(points),
        z_dim=points.shape[1],
        latents_digest=document_digest({"made_from": made_from}),
        elapsed_seconds=perf_counter() - start,
    )
    log.record("encode", made_from, result, [run.latents])
    return result
