"""Clusters: how far k centres account for the cloud, and whether any number of them stands out."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64
from scipy import sparse

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.estimates import EVERY_UP_TO, UNITS, Finding, Judged
from zspace.geometry.clustering.inertia import (
    centred_points,
    compared_points,
    leading_components,
    look_at,
    look_at_nulls,
    possible_ks,
)
from zspace.geometry.clustering.kmeans import CentredPoints, Fits, Places, exact_inertias, move_by_batches, refine
from zspace.geometry.comparing.comparisons import curve_beside
from zspace.geometry.nulls import laws as nulls
from zspace.machine import one_matrix_thread
from zspace.results import Curve, Estimate, Measurement, Watcher, watch_nothing

N_REFERENCES = 10
"""Null clouds that the gap and the elbow are taken against."""
_SPACING = 1.4
_PASSES, _TOLERANCE = 10, 1e-4


def cluster_curves(
    cloud: Cloud, max_clusters: int, step: int, n_null_clouds: int, seed: int, watch: Watcher = watch_nothing
) -> Measurement:
    """Measure how inertia falls with the number of clusters, and what that says beside clouds without clusters.

    Parameters
    ----------
    cloud
        The z-points.
    max_clusters, step
        Numbers of clusters to fit: every one up to 12, from there the multiples of the step up to the largest; as far
        as the points allow. Those that null clouds are fitted with too lie two fifths apart beyond 12, and closer and
        closer about a number that elbow or gap choose.
    n_null_clouds
        Gaussian clouds that go through the same procedure, for bands and p-values.
    seed
        Only bands and p-values depend on it: starts and reference clouds come from fixed streams.
    watch
        Called after every null cloud.

    Notes
    -----
    Inertia, the sum over points of the squared distance to the nearest centre, is found on all points: by one pass of
    mini-batches, and by full k-means from there. What is compared with the null model is found on at most 4096
    points, chosen evenly by their distance from the centre, along the 64 broadest principal components, and the same
    way on every null cloud: by full k-means from three starts, and from the best fit with more clusters. What lies
    along narrower components is the same to k-means as noise, and takes time.

    Units
    -----
    Inertia scales with c ** 2 when z is scaled by c; no estimate changes. Nothing changes under rotation.

    Assumes
    -------
    Clusters that k-means can find: compact ones of like size. It cuts up shells, strings and other curved shapes, and
    then k counts the pieces; starts that do not agree on where to cut give them away, though not always.

    Cost
    ----
    Up to 12 passes over all points, and about 50 over the compared ones of each of 11 + n_null_clouds clouds, each of
    2 * points * components * (sum of the numbers of clusters) operations; for 11 of the clouds once more each time that
    numbers closer to a choice are tried, and twice as much for clouds of tight clusters far apart, which take float64.
    Memory for blocks of points and for the compared points, a few times for every core.
    """
    asked = sorted({*range(2, min(EVERY_UP_TO, max_clusters) + 1), *range(step, max_clusters + 1, step)} - {1})
    centred, order = centred_points(cloud)
    if centred.unit == 0:
        return _nothing_found(cloud, "all points are equal, so there is no spread to share out")
    points = compared_points(centred, order)
    possible = possible_ks(points, list(range(2, max_clusters + 1)))
    fitted = [k for k in asked if k in possible]
    if not fitted:
        return _nothing_found(cloud, f"{cloud.n_points} points are too few to look for clusters, two points for each")
    with one_matrix_thread():  # the points are spread over the cores, and each part is summed in one order
        broad = leading_components(cloud, points)
        finding = _look_closer(broad, spaced(fitted), possible)
        tried = finding.ks[1:].tolist()
        null_looks = look_at_nulls(broad, tried, n_null_clouds, "cluster nulls", seed, watch)
        fitted = sorted({*fitted, *tried})
        inertias = _inertias_of_all(centred, order, _lifted(points, look_at(broad, fitted)[1]))
    null_findings = [replace(finding, look=one) for one in null_looks]
    curves = {"inertia": _inertia_curve(cloud, centred.unit, fitted, inertias), **_curves(finding, null_findings)}
    estimates = Judged(finding, null_findings, cloud.n_points, len(points), seed).estimates()
    if fitted[-1] < asked[-1]:
        warning = (
            f"looked for at most {fitted[-1]} clusters: the cloud has no two points, or no place, for each of more"
        )
        estimates = {
            name: replace(estimate, warnings=(*estimate.warnings, warning)) for name, estimate in estimates.items()
        }
    return Measurement("clusters", estimates, curves)


def spaced(ks: list[int]) -> list[int]:
    """Return the numbers of clusters up to 12, and beyond each two fifths more than the one before; the last stays.

    Examples
    --------
    >>> spaced([10, 11, 12, 14, 16, 18, 20, 22, 24, 26, 28])
    [10, 11, 12, 18, 26, 28]
    """
    kept: list[int] = []
    for k in ks:
        if k <= EVERY_UP_TO or k == ks[-1] or k >= _SPACING * max(kept, default=0):
            kept.append(k)
    return kept


def _look_closer(points: Places, ks: list[int], possible: list[int]) -> Finding:
    """Look beside references, and at ever more numbers of clusters about those that elbow and gap choose."""
    while True:
        look, _ = look_at(points, ks)
        references = look_at_nulls(points, ks, N_REFERENCES, "cluster references", 0)
        finding = Finding(np.array([1, *ks]), look, np.array([one.log_shares for one in references]))
        more = {k for choice in finding.choices for k in _between(choice, ks) if k in possible} - {*ks}
        if not more:
            return finding
        ks = sorted({*ks, *more})


def _between(choice: int, ks: list[int]) -> list[int]:
    """Return the numbers half way to the next smaller and the next larger that were tried."""
    smaller, larger = (k for k in ks if k < choice), (k for k in ks if k > choice)
    return [(max(smaller, default=choice) + choice) // 2, (choice + min(larger, default=choice) + 1) // 2]


def _nothing_found(cloud: Cloud, reason: str) -> Measurement:
    n_points = cloud.n_points
    estimates = {name: Estimate.unknown(reason, unit, "k-means", n_points) for name, unit in UNITS.items()}
    unit = float(np.sqrt(cloud.covariance.trace() * (n_points - 1) / n_points))
    return Measurement(
        "clusters", estimates, {"inertia": _inertia_curve(cloud, unit, [], {"full k-means": np.empty(0)})}
    )


def _lifted(points: Places, best: Fits) -> Fits:
    """Return fits along the broadest components as fits along all of them, moved on from there."""
    if best.centres[0].shape[1] == points.shape[1]:
        return best
    precision, stacks = best.centres[0].dtype, []
    for labels, sizes in zip(best.labels.T, best.sizes, strict=True):
        members = sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), (len(sizes), len(labels)))
        stacks.append(((members @ points) / sizes.clip(min=1)[:, np.newaxis]).astype(precision))
    return exact_inertias(points, refine(points, stacks, _PASSES, _TOLERANCE)[0])


def _inertias_of_all(
    centred: CentredPoints, order: Int64[np.ndarray, " n_points"], best: Fits
) -> dict[str, Float64[np.ndarray, " n_clusterings"]]:
    """Return inertia on all points, in units of the squared distance that the points are measured in."""
    if len(best.labels) == len(centred):
        return {"full k-means": best.inertias}
    moved = move_by_batches(centred, order, best)
    found = dict(zip(("full k-means", "mini-batches"), refine(centred, moved, _PASSES, _TOLERANCE), strict=True))
    return {name: exact_inertias(centred, fits).inertias for name, fits in found.items()}


def _inertia_curve(
    cloud: Cloud, unit: float, ks: list[int], inertias: dict[str, Float64[np.ndarray, " n_clusterings"]]
) -> Curve:
    about_mean = [float(cloud.n_points)]
    return Curve(
        "line",
        np.array([1.0, *ks]),
        np.array([np.concatenate([about_mean, row]) for row in inertias.values()]) * unit**2,
        "number of clusters k",
        "inertia (squared units of z)",
        tuple(inertias),
    )


def _curves(finding: Finding, null_findings: list[Finding]) -> dict[str, Curve]:
    def curve(
        y: Float64[np.ndarray, " n_y"], null_ys: list[Float64[np.ndarray, " n_y"]], y_label: str, x: list[int]
    ) -> Curve:
        own = Curve(
            "line", np.array(x, dtype=np.float64), y[np.newaxis], "number of clusters k", y_label, ("z-points",)
        )
        return curve_beside(own, nulls.MATCHED_GAUSSIAN, np.array(null_ys)[:, np.newaxis])

    ks = finding.ks.tolist()
    return {
        "inertia share": curve(
            np.exp(finding.look.log_shares),
            [np.exp(one.look.log_shares) for one in null_findings],
            "inertia / inertia about the mean",
            ks,
        ),
        "gap": curve(finding.gaps, [one.gaps for one in null_findings], "gap in log inertia (nats)", ks),
        "agreement": curve(
            finding.look.agreements,
            [one.look.agreements for one in null_findings],
            "adjusted Rand index of two starts",
            ks[1:],
        ),
    }
