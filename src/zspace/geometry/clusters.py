"""Clusters: how far k centres account for the cloud, and whether any number of them stands out."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from zspace.geometry import nulls
from zspace.geometry.clouds import Cloud
from zspace.geometry.elbows import ELBOW_RULE, GAP_RULE, SHARP, Corner, gap_choice, gaps_of, sharpest_corner
from zspace.geometry.inertia import (
    N_STARTS,
    Look,
    centred_points,
    compared_points,
    look_at,
    look_at_nulls,
    possible_ks,
)
from zspace.geometry.kmeans import CentredPoints, Fits, Places, exact_inertias, move_by_batches, refine
from zspace.machine import one_matrix_thread
from zspace.results import Curve, Estimate, Measurement

N_REFERENCES = 10
"""Null clouds that the gap and the elbow are taken against."""
_EVERY_UP_TO = 12
"""Up to this many clusters every number is tried, whatever the step."""
_AGREED = 0.9
"""Clusters that stand apart are found by nearly every start; starts that agree less have cut something continuous."""
_PASSES, _TOLERANCE = 10, 1e-4
_AGREEMENT = f"mean adjusted Rand index (Hubert and Arabie 1985) over pairs of {N_STARTS} independent starts"
_COMPACT = "clusters are compact: k-means cuts a curved sheet or a string into pieces too, and k then counts the pieces"


def cluster_curves(cloud: Cloud, max_clusters: int, step: int, n_null_clouds: int, seed: int) -> Measurement:
    """Measure how inertia falls with the number of clusters, and what that says beside clouds without clusters.

    Parameters
    ----------
    cloud
        The z-points.
    max_clusters, step
        Numbers of clusters to fit: every one up to 12, from there the multiples of the step up to the largest, and
        those beside a number that elbow or gap choose; as far as the points allow.
    n_null_clouds
        Gaussian clouds that go through the same procedure, for bands and p-values.
    seed
        Only bands and p-values depend on it: starts and reference clouds come from fixed streams.

    Notes
    -----
    Inertia, the sum over points of the squared distance to the nearest centre, is found on all points: by one pass of
    mini-batches, and by full k-means from there. What is compared with the null model is found on at most 4096
    points, chosen evenly by their distance from the centre, and the same way on every null cloud: by full k-means
    from three starts, and from the best fit with more clusters.

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
    2 * points * z_dim * (sum of the numbers of clusters) operations; as much again for 11 of the clouds where numbers
    beside a choice are tried too, and twice as much for clouds of tight clusters far apart, which take float64. Memory
    for blocks of points and for the compared points, a few times for every core.
    """
    asked = sorted({*range(2, min(_EVERY_UP_TO, max_clusters) + 1), *range(step, max_clusters + 1, step)} - {1})
    centred, order = centred_points(cloud)
    if centred.unit == 0:
        return _nothing_found(cloud, "all points are equal, so there is no spread to share out")
    points = compared_points(centred, order)
    possible = possible_ks(points, list(range(2, max_clusters + 1)))
    fitted = [k for k in asked if k in possible]
    if not fitted:
        return _nothing_found(cloud, f"{cloud.n_points} points are too few to look for clusters, two points for each")
    with one_matrix_thread():  # the points are spread over the cores, and each part is summed in one order
        finding, best = _look_beside_references(points, fitted)
        beside = [k for k in possible if any(abs(k - choice) < step for choice in finding.choices) and k not in fitted]
        if beside:
            fitted = sorted({*fitted, *beside})
            finding, best = _look_beside_references(points, fitted)
        null_looks = look_at_nulls(points, fitted, n_null_clouds, "cluster nulls", seed)
        inertias = _inertias_of_all(centred, order, best)
    null_findings = [replace(finding, look=one) for one in null_looks]
    curves = {"inertia": _inertia_curve(cloud, centred.unit, fitted, inertias), **_curves(finding, null_findings)}
    estimates = _estimates(cloud, len(points), finding, null_findings, seed)
    assumptions = (_COMPACT, _tried_words(fitted[-1], step, beside))
    estimates |= {name: replace(estimates[name], assumptions=assumptions) for name in ("elbow_k", "gap_k")}
    if fitted[-1] < asked[-1]:
        warning = (
            f"looked for at most {fitted[-1]} clusters: the cloud has no two points, or no place, for each of more"
        )
        estimates = {
            name: replace(estimate, warnings=(*estimate.warnings, warning)) for name, estimate in estimates.items()
        }
    return Measurement("clusters", estimates, curves)


def _look_beside_references(points: Places, ks: list[int]) -> tuple["_Finding", Fits]:
    look, best = look_at(points, ks)
    references = look_at_nulls(points, ks, N_REFERENCES, "cluster references", 0)
    return _Finding(np.array([1, *ks]), look, np.array([one.log_shares for one in references])), best


@dataclass(frozen=True)
class _Finding:
    """One cloud beside the references."""

    ks: Int64[np.ndarray, " n_ks"]
    look: Look
    references: Float64[np.ndarray, "n_references n_ks"]

    @cached_property
    def gaps(self) -> Float64[np.ndarray, " n_ks"]:
        return gaps_of(self.look.log_shares, self.references)

    @cached_property
    def gap_k(self) -> int | None:
        return gap_choice(self.ks, self.gaps, self.references)

    @cached_property
    def corner(self) -> Corner | None:
        return sharpest_corner(self.ks, self.look.log_shares, self.references.mean(axis=0))

    @property
    def elbow_k(self) -> int | None:
        return self.corner.k if self.corner and self.corner.bend >= SHARP else None

    @property
    def choices(self) -> list[int]:
        """Numbers of clusters that elbow and gap choose, where they speak for clusters."""
        return [k for k in (self.elbow_k, self.gap_k) if k is not None and k > 1]

    def agreement_at(self, k: int) -> float:
        """Return how far independent starts agree on this many clusters, 2 or more."""
        return float(self.look.agreements[np.flatnonzero(self.ks == k)[0] - 1])


def _tried_words(last: int, step: int, beside: list[int]) -> str:
    """Return which numbers of clusters were tried, as what is assumed of all others.

    Examples
    --------
    >>> _tried_words(80, 2, [19, 21])
    'no other number of clusters fits better than those tried: 1 to 12, multiples of 2 up to 80, 19, 21'
    """
    whole = last if step == 1 else min(_EVERY_UP_TO, last)
    parts = [f"1 to {whole}", *([f"multiples of {step} up to {last}"] if last > whole else []), *map(str, beside)]
    return f"no other number of clusters fits better than those tried: {', '.join(parts)}"


_UNITS = {
    "inertia_share": "share of variance",
    "elbow_k": "clusters",
    "elbow_bend": "share of slope",
    "gap_k": "clusters",
    "largest_gap": "nats",
    "agreement": "adjusted Rand index",
    "agreement_at_elbow_k": "adjusted Rand index",
    "agreement_at_gap_k": "adjusted Rand index",
}


def _nothing_found(cloud: Cloud, reason: str) -> Measurement:
    n_points = cloud.n_points
    estimates = {
        name: Estimate(None, unit, n_points, n_points, "k-means", reason=reason) for name, unit in _UNITS.items()
    }
    unit = float(np.sqrt(cloud.covariance.trace() * (n_points - 1) / n_points))
    return Measurement(
        "clusters", estimates, {"inertia": _inertia_curve(cloud, unit, [], {"full k-means": np.empty(0)})}
    )


def _estimates(
    cloud: Cloud, n_compared: int, finding: _Finding, null_findings: list[_Finding], seed: int
) -> dict[str, Estimate]:
    largest_k = int(finding.ks[-1])

    def estimate(
        name: str, source: str, value: float | None, null_values: list[float], more: Literal["low", "high"] | None
    ) -> Estimate:
        plain = Estimate(value, _UNITS[name], cloud.n_points, n_compared, source)
        if value is None or not null_values:
            return plain
        band = (min(null_values), max(null_values))
        as_far = sum(null >= value if more == "high" else null <= value for null in null_values)
        p_value = (1 + as_far) / (1 + len(null_values)) if more else None
        return replace(plain, null_name=nulls.MATCHED_GAUSSIAN, null_band=band, p_value=p_value, seed=seed)

    def share(one: _Finding) -> float:
        return float(np.exp(one.look.log_shares[-1]))

    def largest_gap(one: _Finding) -> float:
        return float(one.gaps[1:].max())

    def agreement(one: _Finding) -> float:
        return float(one.look.agreements.mean())

    def agreement_at(choice: Estimate, name: str) -> Estimate:
        k = int(choice.value or 0)
        if k < 2:
            reason = choice.reason or "one cluster is found by every start"
            return replace(estimate(name, _AGREEMENT, None, [], None), reason=reason)
        values = [one.agreement_at(k) for one in null_findings]
        return estimate(name, f"{_AGREEMENT}, of {k} clusters", finding.agreement_at(k), values, "high")

    bends = [one.corner.bend for one in null_findings if one.corner]
    gap_ks = [float(one.gap_k) for one in null_findings if one.gap_k]
    gap_k = estimate("gap_k", GAP_RULE, float(finding.gap_k) if finding.gap_k else None, gap_ks, None)
    if gap_k.value is None:
        gap_k = replace(gap_k, reason=f"the gap still grows at {largest_k} clusters, the most that were looked for")
    bend = estimate(
        "elbow_bend",
        f"share of the expected slope that is lost after the sharpest corner; {ELBOW_RULE}",
        finding.corner.bend if finding.corner else None,
        bends,
        "high",
    )
    if bend.value is None:
        bend = replace(bend, reason=f"a curve up to {largest_k} clusters is too short to have an elbow")
    elbow_k = _elbow_k(estimate("elbow_k", ELBOW_RULE, None, [], None), finding.corner, bend)
    elbow_agreement, gap_agreement = (
        agreement_at(choice, name)
        for choice, name in ((elbow_k, "agreement_at_elbow_k"), (gap_k, "agreement_at_gap_k"))
    )
    return {
        "inertia_share": estimate(
            "inertia_share",
            f"inertia of {largest_k} clusters / inertia about the mean, by full k-means",
            share(finding),
            [share(one) for one in null_findings],
            "low",
        ),
        "elbow_k": _with_doubt(elbow_k, elbow_agreement),
        "elbow_bend": bend,
        "gap_k": _with_doubt(gap_k, gap_agreement),
        "largest_gap": estimate(
            "largest_gap",
            "largest gap over all numbers of clusters; " + GAP_RULE,
            largest_gap(finding),
            [largest_gap(one) for one in null_findings],
            "high",
        ),
        "agreement": estimate(
            "agreement",
            f"{_AGREEMENT}, then over numbers of clusters",
            agreement(finding),
            [agreement(one) for one in null_findings],
            "high",
        ),
        "agreement_at_elbow_k": elbow_agreement,
        "agreement_at_gap_k": gap_agreement,
    }


def _with_doubt(choice: Estimate, agreement: Estimate) -> Estimate:
    """Add a warning to a number of clusters on which independent starts do not agree."""
    if agreement.value is None or agreement.value >= _AGREED:
        return choice
    warning = (
        f"independent starts agree on these clusters by {agreement.value:.2f} only (adjusted Rand index): "
        "they may be pieces of something continuous"
    )
    return replace(choice, warnings=(*choice.warnings, warning))


def _elbow_k(unknown: Estimate, corner: Corner | None, bend: Estimate) -> Estimate:
    if corner is None:
        return replace(unknown, reason=bend.reason)
    if corner.bend < SHARP:
        reason = (
            f"no elbow: the sharpest corner, at k = {corner.k}, loses {corner.bend:.0%} of the slope, not {SHARP:.0%}"
        )
        return replace(unknown, reason=reason)
    return replace(unknown, value=float(corner.k))


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


def _curves(finding: _Finding, null_findings: list[_Finding]) -> dict[str, Curve]:
    def curve(
        y: Float64[np.ndarray, " n_y"], null_ys: list[Float64[np.ndarray, " n_y"]], y_label: str, x: list[int]
    ) -> Curve:
        return Curve(
            "line",
            np.array(x, dtype=np.float64),
            y[np.newaxis],
            "number of clusters k",
            y_label,
            ("z-points",),
            null_name=nulls.MATCHED_GAUSSIAN,
            null_low=np.min(null_ys, axis=0)[np.newaxis],
            null_high=np.max(null_ys, axis=0)[np.newaxis],
        )

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
