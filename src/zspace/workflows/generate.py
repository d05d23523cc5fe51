"""``generate``: run and samplers to images and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from zspace.encoding import decode_points
from zspace.generating.learning import learning_of, spread_share
from zspace.generating.losses import drawing_losses
from zspace.generating.paths import COMPONENT_STEPS, component_walks
from zspace.generating.samplers import draw_points, sampler_title
from zspace.generating.scores import face_rate, find_faces
from zspace.geometry.clouds import Cloud
from zspace.images.store import ImageStore
from zspace.models import Autoencoder
from zspace.results import EncodeResult, GenerateResult, Learning, Progress, SampleScore, Watcher, watch_nothing
from zspace.runs.fingerprints import generate_fingerprint
from zspace.runs.folders import RunFolder
from zspace.runs.latents import read_latents
from zspace.runs.pictures import save_pictures
from zspace.runs.steps import Files, StepLog
from zspace.seeds import random_stream
from zspace.settings import GenerateSettings, Split
from zspace.shapes import Images, Points, Rows
from zspace.workflows.measure import read_cloud

ORIGINALS, RECONSTRUCTIONS = "originals", "reconstructions"
COMPONENTS = "components"
"""Pictures along the first principal components."""


@dataclass(frozen=True)
class _Sources:
    """What pictures are made of."""

    model: Autoencoder
    cloud: Cloud
    originals: Images
    codes: Points
    """z-points of the originals; for a VAE the centres mu."""
    reconstructions: Images
    originals_split: Split


def generate(
    store: ImageStore,
    run: RunFolder,
    model: Autoencoder,
    settings: GenerateSettings,
    cloud_split: Split,
    seed: int,
    watch: Watcher = watch_nothing,
) -> GenerateResult:
    """Decode originals and random z-points and score what comes out, unless that has been done.

    Parameters
    ----------
    store
        The images.
    run
        An encoded run; its pictures are written.
    model
        The run's model.
    settings
        Which samplers, and how many images.
    cloud_split
        Whose z-points the samplers are fitted to.
    seed
        The seed of the study; each sampler has its own stream.
    watch
        Called with every progress record.
    """
    log = StepLog(run.path)
    latents = log.result("encode", EncodeResult).latents_digest
    made_from = generate_fingerprint(latents, settings, cloud_split, seed)
    step = f"generate {run.path.name}"

    def take() -> tuple[GenerateResult, Files]:
        sources = _gather(store, run, model, cloud_split, _random_rows(store, settings.n_scored, cloud_split, seed))
        result, pictures = _generated(sources, settings, seed, step, watch)
        return result, {run.pictures: save_pictures(run, pictures)}

    return log.once("generate", made_from, GenerateResult, take, watch, step)


def _generated(
    sources: _Sources, settings: GenerateSettings, seed: int, step: str, watch: Watcher
) -> tuple[GenerateResult, dict[str, Images]]:
    start = perf_counter()
    names = (ORIGINALS, RECONSTRUCTIONS, *settings.samplers)
    pictures: dict[str, Images] = {}
    scores: list[SampleScore] = []
    rate_of_originals = 0.0
    for name in names:
        watch(Progress(step, len(scores), len(names), "samplers"))
        images = _images_of(name, sources, settings.n_scored, seed)
        hits = find_faces(images)
        if name == ORIGINALS:
            rate_of_originals = float(hits.mean())
        pictures[name] = images[: settings.n_shown]
        spread = spread_share(images, sources.originals, paired=name in (ORIGINALS, RECONSTRUCTIONS))
        scores.append(SampleScore(name, _title(name), face_rate(hits, rate_of_originals, seed), spread))
    if settings.n_components:
        pictures[COMPONENTS] = decode_points(sources.model, component_walks(sources.cloud, settings.n_components))
    watch(Progress(step, len(names), len(names), "samplers"))
    result = GenerateResult(
        tuple(scores),
        settings.n_shown,
        COMPONENT_STEPS,
        sources.originals_split,
        perf_counter() - start,
        _learning(sources),
    )
    return result, pictures


def _learning(sources: _Sources) -> Learning:
    """Judge the model by the originals; nobody's face is needed for that."""
    losses = drawing_losses(sources.model, sources.codes, sources.originals)
    costs = (losses.drawn, losses.constant, losses.perfect)
    return learning_of(costs, f"{losses.unit} ({losses.name})", sources.originals, sources.reconstructions)


def _random_rows(store: ImageStore, n_images: int, cloud_split: Split, seed: int) -> tuple[Split, Rows]:
    """Choose the originals among held-out images, or among the cloud's own where nothing is held out."""
    held_out: Split = "validation"
    split = held_out if len(store.rows(held_out)) else cloud_split
    rows = random_stream(seed, "originals").permutation(store.rows(split))
    return split, rows[:n_images]


def _gather(
    store: ImageStore, run: RunFolder, model: Autoencoder, cloud_split: Split, chosen: tuple[Split, Rows]
) -> _Sources:
    split, rows = chosen
    codes = read_latents(run, "mu" if model.is_variational else "z")[rows]
    originals, reconstructions = np.asarray(store.images[rows]), decode_points(model, codes)
    return _Sources(model, read_cloud(store, run, cloud_split), originals, codes, reconstructions, split)


def _images_of(name: str, sources: _Sources, n_images: int, seed: int) -> Images:
    if name == ORIGINALS:
        return sources.originals
    if name == RECONSTRUCTIONS:
        return sources.reconstructions
    return decode_points(sources.model, draw_points(name, sources.cloud, n_images, seed))


def _title(name: str) -> str:
    return name if name in (ORIGINALS, RECONSTRUCTIONS) else sampler_title(name)
