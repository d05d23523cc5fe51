"""Ways to lay a cloud out on a sheet: t-SNE, UMAP, principal components."""

from collections.abc import Callable, Mapping
from types import ModuleType

import numpy as np
import openTSNE
from jaxtyping import Float32
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.nearest_neighbors import PrecomputedNeighbors

from zspace.errors import SettingOutOfRange
from zspace.geometry.clouds import Cloud
from zspace.geometry.maps.scores import Sheet
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.machine import over_blocks, usable_cores
from zspace.results import Progress, Watcher
from zspace.seeds import random_stream
from zspace.settings import MapSettings
from zspace.shapes import Points

NEIGHBORS_PER_PERPLEXITY = 3
"""Neighbours whose attraction t-SNE counts, for each unit of perplexity (van der Maaten 2014)."""
_EXAGGERATED_SHARE = 0.25
_CALLBACK_EVERY = 25
_START_DEVIATION = 1e-4


def lay_out(cloud: Cloud, points: Points, asked: MapSettings, seed: int, watch: Watcher) -> Sheet:
    """Lay points out on a sheet.

    Parameters
    ----------
    cloud
        Whose principal components are the axes.
    points
        Of the cloud, or drawn from a null model of it.
    seed
        Of the method's own random numbers.
    watch
        Told of neighbours found and iterations done.
    """
    mapped = component_scores(cloud, points, asked.n_components) if asked.n_components else points
    return _METHODS[asked.method](cloud, mapped, asked, seed, watch)


def component_scores(cloud: Cloud, points: Points, n_components: int) -> Float32[np.ndarray, "n_points n_components"]:
    """Return the leading principal components of points, by the axes of the whole cloud; computed in float64."""
    axes = np.ascontiguousarray(cloud.principal[1][:, :n_components])
    scores = np.empty((len(points), axes.shape[1]), np.float32)

    def turn(part: slice) -> None:
        scores[part] = (points[part] - cloud.mean) @ axes

    over_blocks(turn, [slice(start, start + cloud.block_rows) for start in range(0, len(points), cloud.block_rows)])
    return scores


def _principal_map(cloud: Cloud, points: Points, _asked: MapSettings, _seed: int, _watch: Watcher) -> Sheet:
    scores = component_scores(cloud, points, 2) if points.shape[1] == cloud.z_dim else points[:, :2]
    return np.ascontiguousarray(np.pad(scores, ((0, 0), (0, 2 - scores.shape[1]))))


def _tsne_map(cloud: Cloud, points: Points, asked: MapSettings, seed: int, watch: Watcher) -> Sheet:
    """Lay points out by t-SNE, from exact neighbours and from their two leading components.

    Source
    ------
    van der Maaten and Hinton 2008; interpolation by Linderman et al. 2019 as in openTSNE; learning rate by
    Belkina et al. 2019. As in the posts' program the exaggerated iterations count among all iterations.
    """
    n_neighbors = int(NEIGHBORS_PER_PERPLEXITY * asked.perplexity)
    near = nearest_neighbors(points, n_neighbors, watch=watch)
    given = PrecomputedNeighbors(near.indices, near.distances)
    n_jobs = usable_cores()
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


def check_methods(maps: Mapping[str, MapSettings]) -> None:
    """Refuse maps whose method is not installed.

    Raises
    ------
    SettingOutOfRange
        For UMAP without the extra that brings it.
    """
    if any(asked.method == "umap" for asked in maps.values()):
        _umap_package()


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
