"""``measure``: z-points to estimates, each with its null."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from zspace.files import tree_digest
from zspace.geometry.clouds import Cloud
from zspace.geometry.posterior import Posterior
from zspace.images.store import ImageStore
from zspace.latents import Latents, read_latents_file, usable_latents
from zspace.measuring import chosen_measures, measure_cloud
from zspace.results import CloudFacts, EncodeResult, Measurement, Progress, Watcher, watch_nothing
from zspace.runfolder import RunFolder, StepLog, fingerprint, latent_names, locked, read_latents
from zspace.settings import MeasureSettings, Split

_VERSION = 3


@dataclass(frozen=True)
class MeasureResult:
    """All measurements of one cloud."""

    measurements: dict[str, Measurement]
    elapsed_seconds: float
    cloud: CloudFacts | None = None
    """Where the points come from, and what was done to them; None for the points of a study."""


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
    encoded = log.result("encode", EncodeResult)
    made_from = fingerprint(latents=encoded.latents_digest, settings=settings, seed=seed, version=_VERSION)
    step = f"measure {run.path.name}"
    if done := log.finished("measure", made_from, MeasureResult):
        n_measures = len(done.measurements)
        watch(Progress(step, n_measures, n_measures, "measures", note="already done"))
        return done
    rows = store.rows(settings.split)
    arrays = {name: read_latents(run.latents, name)[rows] for name in latent_names(run.latents)}
    result = _measure(Latents(**arrays), None, settings, seed, step, watch)
    log.record("measure", made_from, result, [])
    return result


def measure_file(
    source: Path,
    out: Path,
    settings: MeasureSettings,
    seed: int,
    *,
    array_name: str | None = None,
    n_points: int | None = None,
    watch: Watcher = watch_nothing,
) -> MeasureResult:
    """Take the chosen measures of z-points that any program wrote, unless they have been taken.

    Parameters
    ----------
    source
        A file of points, or a Zarr folder; see `zspace.latents.read_latents_file`.
    out
        Folder for ``results.json`` and the report.
    settings
        Which measures, and their bins; the split is not used.
    seed
        The null clouds come from it, and the choice of points.
    array_name
        Which array of the file; None takes the only one, or one of a usual name.
    n_points
        Measure this many points, chosen at random; None measures all.
    watch
        Called with every progress record.

    Raises
    ------
    UnknownSetting
        For a measure that is not in the table.
    LatentsNotFound, LatentsUnreadable, TooFewPoints
        When no points can be read.
    """
    chosen_measures(settings.only, has_posterior=True)  # refuses unknown names
    with locked(out):
        log = StepLog(out)
        asked = {"array": array_name, "points": n_points}
        made_from = fingerprint(source=tree_digest(source), asked=asked, settings=settings, seed=seed, version=_VERSION)
        step = f"measure {source.name}"
        if done := log.finished("measure", made_from, MeasureResult):
            n_measures = len(done.measurements)
            watch(Progress(step, n_measures, n_measures, "measures", note="already done"))
            return done
        found = read_latents_file(source, array_name)
        latents, facts = usable_latents(found, str(source.resolve()), n_points, seed)
        result = _measure(latents, facts, settings, seed, step, watch)
        log.record("measure", made_from, result, [])
        return result


def _measure(
    latents: Latents, facts: CloudFacts | None, settings: MeasureSettings, seed: int, step: str, watch: Watcher
) -> MeasureResult:
    start = perf_counter()
    posterior = None
    if latents.mu is not None and latents.logvar is not None:
        posterior = Posterior(latents.z, latents.mu, latents.logvar)
    n_measures = len(chosen_measures(settings.only, has_posterior=posterior is not None))
    measurements = {}
    watch(Progress(step, 0, n_measures, "measures"))
    for found in measure_cloud(Cloud(latents.z), settings, seed, posterior):
        measurements[found.name] = found
        watch(Progress(step, len(measurements), n_measures, "measures"))
    return MeasureResult(measurements, perf_counter() - start, facts)


def read_cloud(store: ImageStore, run: RunFolder, split: Split) -> Cloud:
    """Return the z-points of a split, in the order of the store."""
    return Cloud(read_latents(run.latents, "z")[store.rows(split)])
