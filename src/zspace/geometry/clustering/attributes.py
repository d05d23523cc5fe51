"""Attributes of the images beside the clusters of their z-points: which clusters carry which."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from zspace.errors import SettingOutOfRange
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.inertia import N_STARTS, centred_points, compared_points, look_at, possible_ks
from zspace.geometry.clustering.kmeans import refine
from zspace.geometry.clustering.partitions import AttributeShares, attribute_shares
from zspace.geometry.comparing.comparisons import LEVEL, law_comparison
from zspace.machine import one_matrix_thread
from zspace.results import Curve, Estimate, Law, Measurement

BETWEEN = "between_clusters: "
"""How the estimate of an attribute begins; its name follows."""
INDEPENDENT = "clusters and attribute independent"
_ALARM = 0.05
"""Corrected p-values below this count as found."""
_REACH = 1.96
_PASSES, _TOLERANCE = 10, 1e-4
_X_LABEL = "clusters, the largest first"
_SHARE_SOURCE = (
    "variance of the attribute between clusters / variance (eta squared, for yes or no Cramer's V squared), "
    "less what chance gives (Kelley 1935), at least 0; p-value corrected for all attributes (Holm 1979)"
)
_UNITS = {"n_attributes_in_clusters": "attributes", "n_clusters": "clusters", "agreement": "adjusted Rand index"}
_SOURCES = {
    "n_attributes_in_clusters": f"attributes whose share between clusters has a corrected p-value below {_ALARM}",
    "n_clusters": "k-means on all points",
    "agreement": f"mean adjusted Rand index (Hubert and Arabie 1985) over pairs of {N_STARTS} independent starts",
}


@dataclass(frozen=True)
class Attributes:
    """What is known of the images behind the points of a cloud.

    Parameters
    ----------
    names
        One for each attribute, none twice.
    values
        One row per point and one column per attribute: 0 or 1 for yes or no, or any number; NaN where unknown.

    Raises
    ------
    SettingOutOfRange
        When names and columns do not match, a name comes twice, or a value is infinite.
    """

    names: tuple[str, ...]
    values: Float32[np.ndarray, "n_points n_attributes"]

    def __post_init__(self) -> None:
        n_names, n_columns = len(self.names), self.values.shape[1]
        if n_names != n_columns:
            rule = f"must have one name for each of {n_columns} columns"
            raise SettingOutOfRange("attributes", rule, f"{n_names} names", "Take both from one table.")
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise SettingOutOfRange("attributes", "must have different names", f"{twice[0]!r} twice", "Rename one.")
        if np.isinf(self.values).any():
            name = self.names[int(np.isinf(self.values).any(axis=0).argmax())]
            rule = "must be finite, or NaN where unknown"
            raise SettingOutOfRange(f"attributes, column {name}", rule, "infinity", "Take the value out of the table.")


def cluster_attributes(cloud: Cloud, attributes: Attributes, n_clusters: int, seed: int) -> Measurement:
    """Measure which clusters of the cloud carry which attributes of its images.

    Parameters
    ----------
    cloud
        The z-points.
    attributes
        Of the same points, row by row.
    n_clusters
        Clusters to look for, at least 2; fewer are made where there are not two points, or no place, for each.
    seed
        Only null bands and p-values of rare attributes and of heavy tails depend on it.

    Notes
    -----
    An attribute's share is that of its variance which lies between clusters, less what chance gives: 1 where the
    cluster tells the attribute, 0 where it tells no more than a random one. With many points a share far too small to
    matter has a tiny p-value. Clusters are found by k-means: on at most 4096 points, from three starts and from a fit
    with twice as many clusters, and from there on all.

    Units
    -----
    Nothing changes when z is scaled or rotated, but for points that lie exactly between two clusters.

    Assumes
    -------
    z-points are independent draws, and the attributes had no part in making the clusters.

    Raises
    ------
    SettingOutOfRange
        For fewer than 2 clusters, and for attributes of another number of points.

    Cost
    ----
    Up to 10 passes over all points of 2 * n_points * z_dim * n_clusters operations, some 100 over the compared ones
    with up to twice as many clusters, and what
    `partitions.attribute_shares` takes.
    """
    if n_clusters < 2:
        raise SettingOutOfRange("n_clusters", "must be at least 2", str(n_clusters), "Ask for more clusters.")
    if len(attributes.values) != cloud.n_points:
        rule, got = f"must have one row for each of {cloud.n_points} z-points", f"{len(attributes.values)} rows"
        raise SettingOutOfRange("attributes", rule, got, "Take those of the images that were encoded.")
    clusters = _find_clusters(cloud, n_clusters)
    if isinstance(clusters, str):
        return _nothing_found(cloud, attributes, clusters)
    shares = attribute_shares(clusters.labels, attributes.values, seed)
    estimates = {
        **_overall(cloud, clusters, shares),
        **{f"{BETWEEN}{name}": _share(cloud, shares, j, seed) for j, name in enumerate(attributes.names)},
    }
    if len(clusters.sizes) < n_clusters:
        n_made = len(clusters.sizes)
        warning = (
            f"made {n_made} clusters, not {n_clusters}: the cloud has no two points, or no place, for each of more"
        )
        estimates = {name: replace(one, warnings=(*one.warnings, warning)) for name, one in estimates.items()}
    return Measurement("attributes", estimates, _curves(clusters, attributes.names, shares))


@dataclass(frozen=True)
class _Clusters:
    """The clusters of all points, the largest first."""

    labels: Int64[np.ndarray, " n_points"]
    sizes: Int64[np.ndarray, " n_clusters"]
    agreement: float
    n_compared: int


def _find_clusters(cloud: Cloud, n_clusters: int) -> _Clusters | str:
    """Return the clusters, or why there are none."""
    centred, order = centred_points(cloud)
    if centred.unit == 0:
        return "all points are equal, so there are no clusters"
    points = compared_points(centred, order)
    possible = possible_ks(points, list(range(2, 2 * n_clusters + 1)))
    if not possible:
        return f"{cloud.n_points} points are too few for two clusters, two points for each"
    with one_matrix_thread():  # the points are spread over the cores, and each part is summed in one order
        # With twice as many, no cluster is overlooked; the centres that are missed least are then taken away.
        look, best = look_at(points, sorted({min(n_clusters, possible[-1]), possible[-1]}))
        fits, _ = refine(centred, best.centres[:1], _PASSES, _TOLERANCE)
    sizes, centres = fits.sizes[0], fits.centres[0]
    # Clusters of one size stand in the order of their distance from the centre of the cloud.
    ranked = np.lexsort((np.einsum("ij,ij->i", centres, centres), -sizes))
    places = np.empty(len(ranked), dtype=np.int64)
    places[ranked] = np.arange(len(ranked))
    sizes = sizes[ranked]
    return _Clusters(places[fits.labels[:, 0]], sizes[sizes > 0], float(look.agreements[0]), len(points))


def _nothing_found(cloud: Cloud, attributes: Attributes, reason: str) -> Measurement:
    n_points, n_known = cloud.n_points, (~np.isnan(attributes.values)).sum(axis=0).tolist()
    estimates = {name: Estimate.unknown(reason, unit, _SOURCES[name], n_points) for name, unit in _UNITS.items()} | {
        f"{BETWEEN}{name}": Estimate.unknown(reason, "share of variance", _SHARE_SOURCE, known, n_points)
        for name, known in zip(attributes.names, n_known, strict=True)
    }
    return Measurement("attributes", estimates, {})


def _overall(cloud: Cloud, clusters: _Clusters, shares: AttributeShares) -> dict[str, Estimate]:
    n_points = cloud.n_points
    n_found = int((shares.p_value < _ALARM).sum())  # NaN, for what cannot be told, is not below anything
    values = {"n_clusters": float(len(clusters.sizes)), "agreement": clusters.agreement}
    n_used = {"n_clusters": n_points, "agreement": clusters.n_compared}
    unit, source = _UNITS["n_attributes_in_clusters"], _SOURCES["n_attributes_in_clusters"]
    if any(reason is None for reason in shares.reasons):
        # Any at all is a false alarm, which comes once in twenty such clouds.
        found = replace(
            Estimate.of(float(n_found), unit, source, n_points),
            comparison=law_comparison(
                "attributes.n_attributes_in_clusters",
                INDEPENDENT,
                float(n_found),
                (0.0, 0.0),
                float(np.nanmin(shares.p_value)),
                "high",
            ),
        )
    else:
        found = Estimate.unknown("no attribute can be told", unit, source, n_points)
    return {
        "n_attributes_in_clusters": found,
        **{
            name: Estimate.of(value, _UNITS[name], _SOURCES[name], n_used[name], n_points)
            for name, value in values.items()
        },
    }


def _share(cloud: Cloud, shares: AttributeShares, j: int, seed: int) -> Estimate:
    unit, n_known = "share of variance", int(shares.n_known[j])
    if (reason := shares.reasons[j]) is not None:
        return Estimate.unknown(reason, unit, _SHARE_SOURCE, n_known, cloud.n_points)
    return replace(
        Estimate.of(float(shares.beyond_chance[j]), unit, _SHARE_SOURCE, n_known, cloud.n_points),
        interval=_pair(shares.intervals[j]),
        level=LEVEL,
        interval_method="Wilson's form, with the jackknife's variance",
        comparison=law_comparison(
            "attributes.between_clusters",
            INDEPENDENT,
            float(shares.beyond_chance[j]),
            _pair(shares.null_bands[j]),
            float(shares.p_value[j]),
            "high",
        ),
        seed=seed,
        assumptions=("z-points are independent draws", "the attributes had no part in making the clusters"),
        warnings=_empty_clusters(shares, j),
    )


def _pair(ends: Float64[np.ndarray, "2"]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def _empty_clusters(shares: AttributeShares, j: int) -> tuple[str, ...]:
    empty = np.flatnonzero(np.isnan(shares.means[:, j])) + 1
    if not len(empty):
        return ()
    named = "cluster " + ", ".join(map(str, empty.tolist()))
    return (f"it is known for no point of {named}, so it has no curve of means",)


def _curves(clusters: _Clusters, names: tuple[str, ...], shares: AttributeShares) -> dict[str, Curve]:
    x = np.arange(1.0, len(clusters.sizes) + 1)
    sizes = Curve("line", x, clusters.sizes[np.newaxis].astype(np.float64), _X_LABEL, "points", ("points",))
    told = _shown(shares)
    shown = np.flatnonzero(told)[np.argsort(-shares.beyond_chance[told], kind="stable")]
    if not len(shown):
        return {"sizes": sizes}
    labels = tuple(names[j] for j in shown)
    overall = np.repeat(shares.overall[shown, np.newaxis], len(x), axis=1)
    reach = _REACH * shares.standard_errors[:, shown].T
    return {
        "means": Curve(
            "line",
            x,
            shares.means[:, shown].T,
            _X_LABEL,
            "mean of the attribute",
            labels,
            laws=(Law("mean over all points", overall),),
        ),
        "deviations": Curve(
            "line",
            x,
            shares.deviations[:, shown].T,
            _X_LABEL,
            "mean in the cluster less mean over all points (standard deviations of the attribute)",
            labels,
            INDEPENDENT,
            -reach,
            reach,
            null_level=LEVEL,
        ),
        "sizes": sizes,
    }


def _shown(shares: AttributeShares) -> Bool[np.ndarray, " n_attributes"]:
    """Return which attributes can be told, and are known for points of every cluster."""
    can_be_told = np.array([reason is None for reason in shares.reasons], dtype=bool)
    return np.asarray(can_be_told & ~np.isnan(shares.means).any(axis=0))
