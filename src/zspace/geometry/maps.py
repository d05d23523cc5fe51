"""Maps: the cloud laid out on a sheet by t-SNE, UMAP or principal components, and how far a map can be trusted."""

import os
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from types import ModuleType

import numpy as np
import openTSNE
from jaxtyping import Float32, Float64, Int64
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors
from scipy import stats
from scipy.spatial import cKDTree

from zspace.errors import SettingOutOfRange, TooFewPoints
from zspace.geometry import nulls
from zspace.geometry.clouds import Cloud
from zspace.geometry.neighbors import nearest_neighbors
from zspace.results import Estimate, Map, Progress, Watcher, watch_nothing
from zspace.seeds import random_stream, stream_seed
from zspace.settings import MapSettings
from zspace.shapes import Points

POSTS_MAPS: dict[str, MapSettings] = {
    "z": MapSettings(),
    "z, perplexity 10": MapSettings(perplexity=10.0, exaggeration=16.0),
    "2 components": MapSettings(n_components=2),
    "4 components": MapSettings(n_components=4),
    "10 components": MapSettings(n_components=10),
    "z, all points": MapSettings(n_points=0, null_twin=False),
    "principal components": MapSettings(method="pca", n_points=0),
}
"""The posts' maps, and the plain one that each t-SNE has to be better than."""

_NEIGHBORS_PER_PERPLEXITY = 3
"""Neighbours whose attraction t-SNE counts, for each unit of perplexity (van der Maaten 2014)."""
_EXAGGERATED_SHARE = 0.25
_CALLBACK_EVERY = 25
_START_DEVIATION = 1e-4
_RANKED_ROWS, _RANKED_CHUNK = 256, 8192
"""Distances that are looked at together when ranks are counted: 16 MiB."""
_LEVEL = 0.95

Sheet = Float32[np.ndarray, "n_points 2"]


def draw_map(cloud: Cloud, name: str, asked: MapSettings, seed: int, watch: Watcher = watch_nothing) -> Map:
    """Lay the cloud out on a sheet and judge the map by the neighbours that it keeps.

    Parameters
    ----------
    name
        What the map is called in messages and records; its random stream bears the name too.
    asked
        Method and size of the map.
    watch
        Told of neighbours found and iterations done.

    Notes
    -----
    Trustworthiness, continuity and the share of neighbours kept always compare the map with z itself, also where
    only leading components were mapped. The null twin is the same map of points drawn from the Gaussian of the same
    mean and covariance: what it shows too, heaps and gaps included, is the method's own doing.

    Randomness
    ----------
    The same seed gives the same map on the same machine and library versions, whatever the number of threads.

    Cost
    ----
    t-SNE: exact neighbours, n_points ** 2 * z_dim operations, then time and memory in proportion to n_points.
    Scores: n_scored * n_points * z_dim operations in bounded memory. The null twin doubles the time.

    Raises
    ------
    TooFewPoints
        When there are not more points on the map than three times the perplexity, or twice the neighbours it is
        judged by.
    SettingOutOfRange
        For UMAP without the extra that brings it.
    """
    start = perf_counter()
    random = random_stream(seed, "maps", name, "rows")
    all_rows = asked.n_points == 0 or asked.n_points >= cloud.n_points
    n_points = cloud.n_points if all_rows else asked.n_points
    rows = np.sort(random.permutation(cloud.n_points)[:n_points])
    _refuse_small(n_points, name, asked)
    points = cloud.points if all_rows else cloud.points[rows]
    found = _judged_map(cloud, points, name, asked, seed, watch)
    found = replace(found, rows=rows, estimates=_of_cloud(found.estimates, cloud.n_points))
    if asked.null_twin:
        drawn = nulls.matched_gaussian_points(cloud, n_points, random_stream(seed, "maps", name, "twin"))
        twin = _judged_map(cloud, drawn, name, asked, seed, _as_twin(watch))
        found = replace(found, null_coordinates=twin.coordinates, null_estimates=twin.estimates)
    return replace(found, elapsed_seconds=perf_counter() - start)


def _refuse_small(n_points: int, name: str, asked: MapSettings) -> None:
    needed = 2 * asked.n_neighbors
    if asked.method != "pca":
        needed = max(needed, int(_NEIGHBORS_PER_PERPLEXITY * asked.perplexity))
    if n_points <= needed:
        raise TooFewPoints(
            f"map {name!r}",
            f"must have more than {needed} z-points, three times the perplexity and twice the neighbours judged by",
            str(n_points),
            "Encode more images, or lower perplexity and n_neighbors.",
        )


def _as_twin(watch: Watcher) -> Watcher:
    return lambda progress: watch(replace(progress, step=f"{progress.step}, null twin"))


def _of_cloud(estimates: dict[str, Estimate], n_given: int) -> dict[str, Estimate]:
    return {key: replace(estimate, n_given=n_given) for key, estimate in estimates.items()}


def _judged_map(cloud: Cloud, points: Points, name: str, asked: MapSettings, seed: int, watch: Watcher) -> Map:
    mapped = _scores(cloud, points, asked.n_components) if asked.n_components else points
    coordinates = _METHODS[asked.method](cloud, mapped, asked, stream_seed(seed, "maps", name), watch)
    scored = np.arange(len(points))
    if asked.n_scored < len(points):
        random = random_stream(seed, "maps", name, "scored")
        scored = np.sort(random.choice(len(points), asked.n_scored, replace=False))
    trust, continuity, preserved = neighbor_scores(points, coordinates, scored, asked.n_neighbors, watch)
    estimates = {
        "trustworthiness": _mean(trust, len(points), "Venna and Kaski 2001: new neighbours on the map are near in z"),
        "continuity": _mean(continuity, len(points), "Venna and Kaski 2001: neighbours in z stay near on the map"),
        "neighbors_preserved": _mean(preserved, len(points), "share of the neighbours in z that are so on the map"),
    }
    source = f"{asked.n_neighbors} neighbours; "
    estimates = {key: replace(estimate, source=source + estimate.source) for key, estimate in estimates.items()}
    return Map(name, np.arange(len(points)), coordinates, scored, preserved, estimates)


def _scores(cloud: Cloud, points: Points, n_components: int) -> Float32[np.ndarray, "n_points n_components"]:
    """Return the leading principal components of points, by the axes of the whole cloud."""
    _, components = cloud.principal
    centred = points - cloud.mean.astype(np.float32)
    return np.asarray(centred @ components[:, :n_components].astype(np.float32))


# --- Methods ----------------------------------------------------------------------------------------------------------


def _principal_map(cloud: Cloud, points: Points, _asked: MapSettings, _seed: int, _watch: Watcher) -> Sheet:
    scores = _scores(cloud, points, 2) if points.shape[1] == cloud.z_dim else points[:, :2]
    return np.ascontiguousarray(np.pad(scores, ((0, 0), (0, 2 - scores.shape[1]))))


def _tsne_map(cloud: Cloud, points: Points, asked: MapSettings, seed: int, watch: Watcher) -> Sheet:
    """Lay points out by t-SNE, from exact neighbours and from their two leading components.

    Source
    ------
    van der Maaten and Hinton 2008; interpolation by Linderman et al. 2019 as in openTSNE; learning rate by
    Belkina et al. 2019. As in the posts' program the exaggerated iterations count among all iterations.
    """
    n_neighbors = int(_NEIGHBORS_PER_PERPLEXITY * asked.perplexity)
    near = nearest_neighbors(points, n_neighbors, watch=watch)
    given = PrecomputedNeighbors(near.indices, near.distances)
    n_jobs = _n_cores()
    affinities = PerplexityBasedNN(perplexity=asked.perplexity, knn_index=given, n_jobs=n_jobs)
    start = _principal_map(cloud, points, asked, seed, watch).astype(np.float64)
    start *= _START_DEVIATION / (start[:, 0].std() or 1.0)
    # Equal starting places exert no force on each other: a breath of noise tells copies apart.
    start += 1e-2 * _START_DEVIATION * random_stream(seed, "start").standard_normal(start.shape)
    sheet = openTSNE.TSNEEmbedding(start, affinities, n_jobs=n_jobs, random_state=seed % 2**32)
    n_early = int(_EXAGGERATED_SHARE * asked.n_iterations)
    for n_before, n_steps, factor in ((0, n_early, asked.exaggeration), (n_early, asked.n_iterations - n_early, 1.0)):
        told = _progress_callback(n_before, asked.n_iterations, watch)
        sheet.optimize(
            n_steps,
            exaggeration=factor,
            momentum=0.8,
            inplace=True,
            callbacks=[told],
            callbacks_every_iters=min(_CALLBACK_EVERY, n_steps),
        )
    watch(Progress("t-SNE", asked.n_iterations, asked.n_iterations, "iterations"))
    return np.asarray(sheet, dtype=np.float32)


def _progress_callback(n_before: int, n_iterations: int, watch: Watcher) -> Callable[[int, float, object], None]:
    def told(n_done: int, divergence: float, _sheet: object) -> None:
        watch(Progress("t-SNE", n_before + n_done, n_iterations, "iterations", {"divergence": float(divergence)}))

    return told


def _umap_map(_cloud: Cloud, points: Points, asked: MapSettings, seed: int, watch: Watcher) -> Sheet:
    umap = _umap_package()
    # With a seed UMAP takes one thread; asking for it keeps it from warning.
    method = umap.UMAP(n_neighbors=round(asked.perplexity), random_state=seed % 2**32, n_jobs=1)
    sheet = np.asarray(method.fit_transform(points), dtype=np.float32)
    watch(Progress("UMAP", 1, 1, "maps"))
    return sheet


def _umap_package() -> ModuleType:
    try:
        import umap  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise SettingOutOfRange(
            "map.method",
            "must be 'tsne' or 'pca' where the extra for UMAP is missing",
            "'umap'",
            "Install it with: pip install 'zspace[umap]'.",
        ) from error
    package: ModuleType = umap
    return package


_METHODS: dict[str, Callable[[Cloud, Points, MapSettings, int, Watcher], Sheet]] = {
    "tsne": _tsne_map,
    "pca": _principal_map,
    "umap": _umap_map,
}
"""A new kind of map is one function and one row here."""


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- Scores -----------------------------------------------------------------------------------------------------------

_PerPoint = Float64[np.ndarray, " n_scored"]


def neighbor_scores(
    points: Points,
    coordinates: Sheet,
    scored: Int64[np.ndarray, " n_scored"],
    n_neighbors: int,
    watch: Watcher = watch_nothing,
) -> tuple[_PerPoint, _PerPoint, _PerPoint]:
    """Return trustworthiness, continuity and the share of neighbours kept, at some points of a map.

    The means over all points are the quantities of that name. Trustworthiness and continuity are 1 when all
    neighbours stay and about one half for a map at random, where the share kept is n_neighbors / (n_points - 1).

    Source
    ------
    Venna and Kaski 2001: 1 - 2 / (k (2 n - 3 k - 1)) * sum of (rank - k) over the k neighbours on the map that are no
    neighbours in z, with their rank in z; for continuity with map and z exchanged. Equally far points share a rank.

    Cost
    ----
    n_scored * n_points * (z_dim + 2 * n_neighbors) operations; memory for blocks of distances, whatever n_points.
    """
    in_z = nearest_neighbors(points, n_neighbors, scored, watch).indices
    sheet = coordinates.astype(np.float64)
    on_map = _sheet_neighbors(sheet, scored, n_neighbors)
    scale = 2 / (n_neighbors * (2 * len(points) - 3 * n_neighbors - 1))
    kept = (in_z[:, :, np.newaxis] == on_map[:, np.newaxis, :]).any(axis=2).mean(axis=1)
    ranks_in_z = _ranks(points, scored, on_map, watch)
    ranks_on_map = _ranks(coordinates, scored, in_z, watch)
    trust = 1 - scale * (ranks_in_z - n_neighbors).clip(min=0).sum(axis=1)
    continuity = 1 - scale * (ranks_on_map - n_neighbors).clip(min=0).sum(axis=1)
    return trust, continuity, kept


def _sheet_neighbors(
    sheet: Float64[np.ndarray, "n_points 2"], scored: Int64[np.ndarray, " n_scored"], n_neighbors: int
) -> Int64[np.ndarray, "n_scored n_neighbors"]:
    found = np.asarray(cKDTree(sheet).query(sheet[scored], n_neighbors + 1)[1])
    itself = found == scored[:, np.newaxis]
    itself[~itself.any(axis=1), -1] = True  # so many copies that the point itself is not among them
    return np.asarray(found[~itself].reshape(len(scored), n_neighbors), dtype=np.int64)


def _ranks(
    points: Float32[np.ndarray, "n_points n_dimensions"],
    scored: Int64[np.ndarray, " n_scored"],
    others: Int64[np.ndarray, "n_scored n_others"],
    watch: Watcher,
) -> Int64[np.ndarray, "n_scored n_others"]:
    """Return the place of other points in the order of distance from each scored point, 1 being the nearest."""
    centre = points.mean(axis=0, dtype=np.float64)
    ranks = np.ones(others.shape, dtype=np.int64)
    for start in range(0, len(scored), _RANKED_ROWS):
        rows, block_others = scored[start : start + _RANKED_ROWS], others[start : start + _RANKED_ROWS]
        queries = points[rows].astype(np.float64) - centre
        differences = points[block_others].astype(np.float64) - centre - queries[:, np.newaxis]
        limits = np.square(differences).sum(axis=2)
        # Rounding in the products below must not count a point as nearer than itself.
        limits -= 1e-11 * (limits + np.square(queries).sum(axis=1)[:, np.newaxis])
        for first in range(0, len(points), _RANKED_CHUNK):
            chunk = points[first : first + _RANKED_CHUNK].astype(np.float64) - centre
            squares = np.square(chunk).sum(axis=1) - 2 * queries @ chunk.T
            squares += np.square(queries).sum(axis=1)[:, np.newaxis]
            own = np.flatnonzero((rows >= first) & (rows < first + len(chunk)))
            squares[own, rows[own] - first] = np.inf
            for place in range(others.shape[1]):
                counted = (squares < limits[:, place : place + 1]).sum(axis=1)
                ranks[start : start + len(rows), place] += counted
        watch(Progress("judging the map", min(start + _RANKED_ROWS, len(scored)), len(scored), "points"))
    return ranks


def _mean(values: _PerPoint, n_points: int, source: str) -> Estimate:
    mean = float(values.mean())
    if len(values) == n_points:
        return Estimate(mean, "share", n_points, n_points, source)
    # Drawn without replacement: the part of the map that was looked at does not scatter.
    error = float(stats.sem(values)) * np.sqrt(1 - len(values) / n_points)
    reach = error * float(stats.t.ppf((1 + _LEVEL) / 2, len(values) - 1))
    return Estimate(
        mean,
        "share",
        n_points,
        len(values),
        source,
        interval=(mean - reach, mean + reach),
        level=_LEVEL,
        interval_method="Student t, over points drawn without replacement",
        assumptions=("the interval is for the mean over all points of this one map",),
    )
