"""``measure``: z-points to estimates, each with its null, and to maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter

import numpy as np
from jaxtyping import Int64

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.attributes import Attributes
from zspace.geometry.maps.drawing import draw_map, map_title
from zspace.geometry.posterior import Posterior
from zspace.images.near_copies import StoredImages
from zspace.images.store import ImageStore
from zspace.latents import Latents, cloud_sentence, usable_latents
from zspace.measuring import (
    MEASURES,
    Beside,
    chosen_maps,
    chosen_measures,
    judge_cloud,
    measure_cloud,
    wants_verdict,
)
from zspace.results import CloudFacts, EncodeResult, Estimate, Map, MeasureResult, Progress, Watcher, watch_nothing
from zspace.runs.fingerprints import cloud_fingerprint, map_fingerprint, measure_fingerprint
from zspace.runs.folders import RunFolder
from zspace.runs.latents import latent_names, read_latents
from zspace.runs.pictures import map_path, map_step, save_sheet
from zspace.runs.steps import Files, StepLog
from zspace.settings import MapSettings, MeasureSettings, Split


@dataclass(frozen=True)
class Gathered:
    """Points that have been read, with all that is known of them."""

    cloud: Cloud
    beside: Beside
    facts: CloudFacts

    def noted(self, notes: tuple[str, ...]) -> Gathered:
        """Return the same with more to be known of where the points come from."""
        return replace(self, facts=replace(self.facts, notes=(*self.facts.notes, *notes)))


@dataclass(frozen=True)
class MeasureTask:
    """Which points to measure, how, and where what is found goes."""

    folder: RunFolder
    """Gets ``results.json`` and ``maps/``."""
    step: str
    """What it is called on the screen."""
    made_from: str
    """Digest of all that the points and what is known of them depend on."""
    gather: Callable[[], Gathered]
    """Reads the points; called only when there is something left to do."""
    settings: MeasureSettings
    seed: int


def measure(
    store: ImageStore, run: RunFolder, settings: MeasureSettings, seed: int, watch: Watcher = watch_nothing
) -> tuple[MeasureResult, dict[str, Map]]:
    """Take the chosen measures of a run's z-points and draw its maps, as far as that has not been done.

    Parameters
    ----------
    store
        The images: they say which z-points belong to which split, and carry the attributes.
    run
        An encoded run.
    settings
        Which measures, their bins, and which maps.
    seed
        The seed of the study; the null clouds come from it.
    watch
        Called with every progress record.
    """
    latents = StepLog(run.path).result("encode", EncodeResult).latents_digest

    def gather() -> Gathered:
        rows = store.rows(settings.split)
        found = Latents(**{name: read_latents(run, name)[rows] for name in latent_names(run)})
        return gather_points(found, str(run.latents), store, rows)

    made_from = cloud_fingerprint(latents, settings.split)
    task = MeasureTask(run, f"measure {run.path.name}", made_from, gather, settings, seed)
    return take_measures(task, watch)


def gather_points(
    found: Latents,
    source: str,
    store: ImageStore | None,
    image_rows: Int64[np.ndarray, " n_given"],
    n_points: int | None = None,
    seed: int = 0,
) -> Gathered:
    """Return what of the points can be measured, with all that is known of them.

    Parameters
    ----------
    found
        As read.
    source
        Where they were read from.
    store
        Their images; None where there are none.
    image_rows
        Of the store, one for each point.
    n_points, seed
        Take so many, chosen at random; None takes all.
    """
    used, facts = usable_latents(found, source, n_points, seed)
    posterior = None if used.mu is None or used.logvar is None else Posterior(used.z, used.mu, used.logvar)
    if store is None:
        return Gathered(Cloud(used.z), Beside(posterior), facts)
    rows = image_rows if used.rows is None else image_rows[used.rows]
    attributes = None
    if store.attributes is not None:
        attributes = Attributes(store.attribute_names, store.attributes[rows])
    return Gathered(Cloud(used.z), Beside(posterior, attributes, StoredImages(store.images, store.names, rows)), facts)


def take_measures(task: MeasureTask, watch: Watcher) -> tuple[MeasureResult, dict[str, Map]]:
    """Take the measures of a task and draw its maps, each of which is a step of its own.

    Raises
    ------
    UnknownSetting
        For a measure that is not in the table, or that these points do not allow.
    """
    gather = cache(task.gather)
    log = StepLog(task.folder.path)
    made_from = measure_fingerprint(task.made_from, task.settings, task.seed)
    found = log.once(
        "measure", made_from, MeasureResult, lambda: (_measured(task, gather(), watch), {}), watch, task.step
    )
    maps = {}
    for name, one in chosen_maps(task.settings, found.cloud.n_used).items():
        colors = task.settings.map_attributes
        made_from = map_fingerprint(task.made_from, one, colors, task.seed)

        def take(name: str = name, one: MapSettings = one) -> tuple[Map, Files]:
            return _drawn(task, gather(), name, one, watch)

        maps[name] = log.once(map_step(name), made_from, Map, take, watch)
    return found, maps


def _measured(task: MeasureTask, gathered: Gathered, watch: Watcher) -> MeasureResult:
    start = perf_counter()
    names = chosen_measures(task.settings.only, gathered.beside)
    n_steps = len(names) + wants_verdict(task.settings)
    measurements = {}
    watch(Progress(task.step, 0, n_steps, "measures", note=cloud_sentence(gathered.facts)))

    def told(progress: Progress) -> None:
        watch(replace(progress, step=f"{task.step}, {progress.step}"))

    found = measure_cloud(gathered.cloud, task.settings, task.seed, gathered.beside, told)
    for number, name in enumerate(names):
        watch(Progress(task.step, number, n_steps, "measures", doing=MEASURES[name].title))
        measurements[name] = taken = next(found)
        if taken.why_not_taken:
            watch(Progress(task.step, number, n_steps, "measures", note=f"{name} not measured: {taken.why_not_taken}"))
    verdict, no_verdict = None, ""
    if wants_verdict(task.settings):
        watch(Progress(task.step, len(names), n_steps, "measures", doing="the verdict"))
        verdict, no_verdict = judge_cloud(gathered.cloud, task.settings, task.seed, told)
    watch(Progress(task.step, n_steps, n_steps, "measures"))
    return MeasureResult(measurements, gathered.facts, perf_counter() - start, verdict, no_verdict)


def _drawn(task: MeasureTask, gathered: Gathered, name: str, asked: MapSettings, watch: Watcher) -> tuple[Map, Files]:
    """Draw one map; a cloud that is too small for it gets none, with the reason."""

    def told(progress: Progress) -> None:
        watch(replace(progress, step=f"map {name}: {progress.step}"))

    attributes = gathered.beside.attributes
    known = dict(zip(attributes.names, attributes.values.T.astype(np.float64), strict=True)) if attributes else {}
    try:
        found, sheet = draw_map(gathered.cloud, name, asked, task.seed, known, task.settings.map_attributes, told)
    except TooFewPoints as error:
        n_points = gathered.cloud.n_points
        missing = Estimate.unknown(str(error), "share", "Venna and Kaski 2001", 0, n_points)
        return Map(name, map_title(asked, n_points), n_points, asked.n_neighbors, {"trustworthiness": missing}), {}
    path = map_path(task.folder, name)
    return found, {path: save_sheet(path, sheet)}


def read_cloud(store: ImageStore, run: RunFolder, split: Split) -> Cloud:
    """Return the z-points of a split, in the order of the store."""
    return Cloud(read_latents(run, "z")[store.rows(split)])
