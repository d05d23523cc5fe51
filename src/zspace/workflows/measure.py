"""``measure``: z-points to estimates, each with its null."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from zspace.geometry.clouds import Cloud
from zspace.images.store import ImageStore
from zspace.measuring import chosen_measures, measure_cloud
from zspace.results import EncodeResult, Measurement, Progress, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, fingerprint, read_latents
from zspace.settings import MeasureSettings, Split

_VERSION = 2


@dataclass(frozen=True)
class MeasureResult:
    """All measurements of one cloud."""

    measurements: dict[str, Measurement]
    elapsed_seconds: float


def measure(
    store: ImageStore, run: RunFolder, settings: MeasureSettings, seed: int, watch: Watcher = watch_nothing
) -> MeasureResult:
    """Take the chosen measures of a run's z-points, unless they have been taken.

    Parameters
    ----------
    store
        The images: they say which z-points belong to which split.
    run
        An encoded run.
    settings
        Which measures, and their bins.
    seed
        The seed of the study; the null clouds come from it.
    watch
        Called with every progress record.
    """
    log = StepLog(run.path)
    step = f"measure {run.path.name}"
    latents = log.result("encode", EncodeResult).latents_digest
    made_from = fingerprint(latents=latents, settings=settings, seed=seed, version=_VERSION)
    n_measures = len(chosen_measures(settings.only))
    if done := log.finished("measure", made_from, MeasureResult):
        watch(Progress(step, n_measures, n_measures, "measures", note="already done"))
        return done
    start = perf_counter()
    cloud = read_cloud(store, run, settings.split)
    measurements = {}
    watch(Progress(step, 0, n_measures, "measures"))
    for found in measure_cloud(cloud, settings, seed):
        measurements[found.name] = found
        watch(Progress(step, len(measurements), n_measures, "measures"))
    result = MeasureResult(measurements, perf_counter() - start)
    log.record("measure", made_from, result, [])
    return result


def read_cloud(store: ImageStore, run: RunFolder, split: Split) -> Cloud:
    """Return the z-points of a split, in the order of the store."""
    return Cloud(read_latents(run.latents, "z")[store.rows(split)])
