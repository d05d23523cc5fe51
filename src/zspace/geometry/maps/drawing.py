"""Maps: the cloud laid out on a sheet, and how far a map can be trusted beside that of a cloud without structure."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np
from jaxtyping import Float64, Int64

from zspace.errors import TooFewPoints, UnknownSetting
from zspace.estimates import mean_estimate
from zspace.geometry.clouds import Cloud
from zspace.geometry.maps.methods import NEIGHBORS_PER_PERPLEXITY, lay_out
from zspace.geometry.maps.scores import NeighborScores, PerPoint, Sheet, neighbor_agreement, neighbor_scores
from zspace.geometry.nulls import laws as nulls
from zspace.machine import one_matrix_thread
from zspace.records import from_mapping, nearest
from zspace.results import Estimate, Map, MapSheet, Watcher, watch_nothing
from zspace.seeds import random_stream, stream_seed
from zspace.settings import MapSettings
from zspace.shapes import Points

NAMED_MAPS: dict[str, tuple[str, ...]] = {
    "none": (),
    "quick": ("tsne:n_points=5000",),
    "posts": (
        "tsne:perplexity=10,exaggeration=16",
        "tsne",
        "tsne:n_components=2",
        "tsne:n_components=4",
        "tsne:n_components=10",
        "tsne:n_points=0,null_twin=false",
        "pca",
    ),
}
"""Names for several maps. The posts' are t-SNE of 20,000 z-points and of their leading components, and of all points;
the plain map by two components is what each of them has to be better than."""

METHOD_TITLES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "Principal components 1 and 2"}
N_COLORED = 3
"""Attributes that a map is coloured by, at most: those that neighbours on the map share most."""

_Known = Mapping[str, Float64[np.ndarray, " n_cloud"]]


def parse_maps(specifications: tuple[str, ...]) -> dict[str, MapSettings]:
    """Return the maps that are asked for, by their specification.

    Parameters
    ----------
    specifications
        Each a method, as ``"tsne"`` with its settings, ``"tsne:n_points=80000,perplexity=10"``, or a name of
        `NAMED_MAPS`.

    Raises
    ------
    UnknownSetting, SettingOutOfRange
        Naming the specification.

    Examples
    --------
    >>> parse_maps(("pca", "tsne:perplexity=10"))["tsne:perplexity=10"].perplexity
    10.0
    """
    plain = [one for specification in specifications for one in NAMED_MAPS.get(specification, (specification,))]
    return {specification: _parse_map(specification) for specification in plain}


def _parse_map(specification: str) -> MapSettings:
    where = f"measure.maps {specification!r}"
    method, _, settings = specification.partition(":")
    if method not in METHOD_TITLES:
        known = [*METHOD_TITLES, *NAMED_MAPS]
        raise UnknownSetting("measure.maps", "must name maps", repr(specification), nearest(method, known))
    try:
        asked = tomllib.loads(settings.replace(",", "\n"))
    except tomllib.TOMLDecodeError as error:
        example = "Write for example 'tsne:n_points=5000,perplexity=10'."
        raise UnknownSetting(where, "must be METHOD or METHOD:KEY=VALUE,KEY=VALUE", repr(settings), example) from error
    return from_mapping(MapSettings, {"method": method, **asked}, where)


def distinct_maps(asked: Mapping[str, MapSettings], n_points: int) -> dict[str, MapSettings]:
    """Return the maps without those that come to the same for a cloud of that many points."""
    seen: dict[MapSettings, str] = {}
    for specification, settings in asked.items():
        n_mapped = min(settings.n_points or n_points, n_points)
        seen.setdefault(replace(settings, n_points=n_mapped, null_twin=True), specification)
    return {specification: asked[specification] for specification in seen.values()}


def map_title(asked: MapSettings, n_points: int) -> str:
    """Return what a map shows, for its headline.

    Examples
    --------
    >>> map_title(MapSettings(n_components=4), 20_000)
    't-SNE of 4 components, perplexity 30, exaggeration 12: 20,000 points'
    """
    what = f"{asked.n_components} components" if asked.n_components else "z"
    words = {
        "tsne": f" of {what}, perplexity {asked.perplexity:g}, exaggeration {asked.exaggeration:g}",
        "umap": f" of {what}, {asked.perplexity:g} neighbours",
        "pca": "",
    }
    return f"{METHOD_TITLES[asked.method]}{words[asked.method]}: {n_points:,} points"


@one_matrix_thread()
def draw_map(
    cloud: Cloud,
    name: str,
    asked: MapSettings,
    seed: int,
    known: _Known | None = None,
    colors: tuple[str, ...] = (),
    watch: Watcher = watch_nothing,
) -> tuple[Map, MapSheet]:
    """Lay the cloud out on a sheet and judge the map by the neighbours that it keeps.

    Parameters
    ----------
    name
        What the map is called in messages and records; its random stream bears the name too.
    asked
        Method and size of the map.
    known
        Attributes of the points of the cloud, NaN where unknown.
    colors
        Which of them go onto the sheet, each with an estimate of how far neighbours on the map share it; empty takes
        the `N_COLORED` that they share most.
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
    UnknownSetting
        For a colour that is no known attribute.
    """
    _refuse_unknown(colors, known or {})
    start = perf_counter()
    random = random_stream(seed, "maps", name, "rows")
    all_rows = asked.n_points == 0 or asked.n_points >= cloud.n_points
    n_points = cloud.n_points if all_rows else asked.n_points
    rows = np.sort(random.permutation(cloud.n_points)[:n_points])
    _refuse_small(n_points, name, asked)
    points = cloud.points if all_rows else cloud.points[rows]
    coordinates, scored, scores = _judged_map(cloud, points, name, asked, seed, watch)
    estimates = _estimates(scores, cloud.n_points, n_points, asked.n_neighbors)
    twin, twin_estimates = None, {}
    if asked.null_twin:
        drawn = nulls.matched_gaussian_points(cloud, n_points, random_stream(seed, "maps", name, "twin"))
        twin, _, twin_scores = _judged_map(cloud, drawn, name, asked, seed, _as_twin(watch))
        twin_estimates = _estimates(twin_scores, n_points, n_points, asked.n_neighbors)
    attributes = {key: values[rows] for key, values in (known or {}).items()}
    shared = dict(_shared_attributes(attributes, colors, scored, scores, cloud.n_points))
    title, seconds = map_title(asked, n_points), perf_counter() - start
    found = Map(name, title, n_points, asked.n_neighbors, estimates, twin_estimates, shared, seconds)
    per_point = {
        "trustworthiness": scores.trustworthiness,
        "continuity": scores.continuity,
        "neighbors_preserved": scores.preserved,
        "reach": scores.reach,
    }
    known_values = {"radius": cloud.radii[rows], **{key: attributes[key] for key in shared}}
    return found, MapSheet(rows, coordinates, scored, per_point, known_values, twin)


def _refuse_unknown(colors: tuple[str, ...], known: _Known) -> None:
    for name in colors:
        if name not in known:
            rule, got = "must name attributes of the images", repr(name)
            raise UnknownSetting("measure.map_attributes", rule, got, nearest(name, list(known)))


def _refuse_small(n_points: int, name: str, asked: MapSettings) -> None:
    needed = 2 * asked.n_neighbors
    if asked.method != "pca":
        needed = max(needed, int(NEIGHBORS_PER_PERPLEXITY * asked.perplexity))
    if n_points <= needed:
        raise TooFewPoints(
            f"map {name!r}",
            f"must have more than {needed} z-points, three times the perplexity and twice the neighbours judged by",
            str(n_points),
            "Encode more images, or lower perplexity and n_neighbors.",
        )


def _as_twin(watch: Watcher) -> Watcher:
    return lambda progress: watch(replace(progress, step=f"{progress.step}, null twin"))


def _judged_map(
    cloud: Cloud, points: Points, name: str, asked: MapSettings, seed: int, watch: Watcher
) -> tuple[Sheet, Int64[np.ndarray, " n_scored"], NeighborScores]:
    coordinates = lay_out(cloud, points, asked, stream_seed(seed, "maps", name), watch)
    scored = np.arange(len(points))
    if asked.n_scored < len(points):
        random = random_stream(seed, "maps", name, "scored")
        scored = np.sort(random.choice(len(points), asked.n_scored, replace=False))
    return coordinates, scored, neighbor_scores(points, coordinates, scored, asked.n_neighbors, watch)


def _estimates(scores: NeighborScores, n_given: int, n_points: int, n_neighbors: int) -> dict[str, Estimate]:
    """Return the means over all points of the map, which may be fewer than the cloud has."""
    rows = {
        "trustworthiness": (scores.trustworthiness, "Venna and Kaski 2001: new neighbours on the map are near in z"),
        "continuity": (scores.continuity, "Venna and Kaski 2001: neighbours in z stay near on the map"),
        "neighbors_preserved": (scores.preserved, "share of the neighbours in z that are so on the map"),
    }
    ties = _ties(scores)
    return {
        key: replace(_mean(values, n_points, f"{n_neighbors} neighbours; {source}"), n_given=n_given, warnings=ties)
        for key, (values, source) in rows.items()
    }


def _ties(scores: NeighborScores) -> tuple[str, ...]:
    """Return what there is to say of points that lie at one place."""
    n_copied, n_scored = int(scores.has_copies.sum()), len(scores.has_copies)
    if not n_copied:
        return ()
    told = f"{n_copied:,} of the {n_scored:,} judged points have copies in z"
    return (f"{told}: equally far points share a rank, and the order of the rows says which of them are neighbours",)


def _mean(values: PerPoint, n_points: int, source: str) -> Estimate:
    if len(values) == n_points:
        return Estimate.of(float(values.mean()), "share", source, n_points)
    assumptions = ("the interval is for the mean over all points of this one map",)
    return replace(mean_estimate(values, "share", source, n_points), assumptions=assumptions)


def _shared_attributes(
    attributes: Mapping[str, Float64[np.ndarray, " n_points"]],
    colors: tuple[str, ...],
    scored: Int64[np.ndarray, " n_scored"],
    scores: NeighborScores,
    n_given: int,
) -> Iterator[tuple[str, Estimate]]:
    """Yield the attributes asked for, or those that neighbours on the map share most, each with how far they do."""
    names = colors or attributes
    found = {name: neighbor_agreement(attributes[name], scored, scores.on_map) for name in names}
    source = f"correlation of a point's value with its mean over {scores.on_map.shape[1]} neighbours on the map"
    for name in colors or sorted(found, key=lambda name: (-found[name], name))[:N_COLORED]:
        if colors or found[name] > 0:
            yield name, Estimate.of(found[name], "correlation", source, len(scored), n_given)
