"""What is said of clusters: numbers beside the same of null clouds, and how far starts agree on the chosen k."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from zspace.geometry.clustering.elbows import ELBOW_RULE, GAP_RULE, SHARP, Corner, gap_choice, gaps_of, sharpest_corner
from zspace.geometry.clustering.inertia import N_STARTS, Look
from zspace.geometry.comparing.comparisons import beside
from zspace.geometry.nulls import laws as nulls
from zspace.results import Estimate, Tail

UNITS = {
    "inertia_share": "share of variance",
    "elbow_k": "clusters",
    "elbow_bend": "share of slope",
    "gap_k": "clusters",
    "largest_gap": "nats",
    "agreement": "adjusted Rand index",
    "agreement_at_elbow_k": "adjusted Rand index",
    "agreement_at_gap_k": "adjusted Rand index",
}
EVERY_UP_TO = 12
"""Up to this many clusters every number is tried, whatever the step."""
_AGREED = 0.9
"""Clusters that stand apart are found by nearly every start; starts that agree less have cut something continuous."""
_AGREEMENT = f"mean adjusted Rand index (Hubert and Arabie 1985) over pairs of {N_STARTS} independent starts"
_COMPACT = "clusters are compact: k-means cuts a curved sheet or a string into pieces too, and k then counts the pieces"


@dataclass(frozen=True)
class Finding:
    """What k-means shows of one cloud, beside the clouds that gap and elbow are taken against."""

    ks: Int64[np.ndarray, " n_ks"]
    look: Look
    references: Float64[np.ndarray, "n_references n_ks"]

    @cached_property
    def gaps(self) -> Float64[np.ndarray, " n_ks"]:
        """How far log inertia lies below that of the references."""
        return gaps_of(self.look.log_shares, self.references)

    @cached_property
    def gap_k(self) -> int | None:
        """What the gap chooses; 1 speaks against clusters, None says that it still grows."""
        return gap_choice(self.ks, self.gaps, self.references)

    @cached_property
    def corner(self) -> Corner | None:
        """The sharpest corner of the curve, sharp enough or not; None where it is too short."""
        return sharpest_corner(self.ks, self.look.log_shares, self.references.mean(axis=0))

    @property
    def elbow_k(self) -> int | None:
        """Where the corner is sharp enough to be an elbow."""
        return self.corner.k if self.corner and self.corner.bend >= SHARP else None

    @property
    def choices(self) -> list[int]:
        """Numbers of clusters that elbow and gap choose, where they speak for clusters."""
        return [k for k in (self.elbow_k, self.gap_k) if k is not None and k > 1]

    def agreement_at(self, k: int) -> float:
        """Return how far independent starts agree on this many clusters, 2 or more."""
        return float(self.look.agreements[np.flatnonzero(self.ks == k)[0] - 1])


@dataclass(frozen=True)
class Judged:
    """A finding beside those of null clouds, ready to be told as estimates."""

    finding: Finding
    null_findings: list[Finding]
    n_points: int
    n_compared: int
    seed: int

    def estimates(self) -> dict[str, Estimate]:
        """Return all numbers by name, in the order of `UNITS`."""
        bend, largest_k = self._bend(), int(self.finding.ks[-1])
        choices = {"elbow_k": self._elbow_k(bend), "gap_k": self._gap_k()}
        agreements = {name: self._agreement_at(name, choice) for name, choice in choices.items()}
        found = {
            **{name: _with_doubt(choice, agreements[name]) for name, choice in choices.items()},
            **{f"agreement_at_{name}": agreement for name, agreement in agreements.items()},
            "elbow_bend": bend,
            "inertia_share": self._estimate(
                "inertia_share",
                f"inertia of {largest_k} clusters / inertia about the mean, by full k-means",
                lambda one: float(np.exp(one.look.log_shares[-1])),
                "low",
            ),
            "largest_gap": self._estimate(
                "largest_gap",
                "largest gap over all numbers of clusters; " + GAP_RULE,
                lambda one: float(one.gaps[1:].max()),
                "high",
            ),
            "agreement": self._estimate(
                "agreement",
                f"{_AGREEMENT}, then over numbers of clusters",
                lambda one: float(one.look.agreements.mean()),
                "high",
            ),
        }
        return {name: found[name] for name in UNITS}

    def _estimate(self, name: str, source: str, read: Callable[[Finding], float | None], tail: Tail) -> Estimate:
        """Return a number beside the same of the null clouds that have one; without a value, the reason is to come."""
        plain = Estimate(read(self.finding), UNITS[name], self.n_points, self.n_compared, source)
        null_values = [read(one) for one in self.null_findings]
        return beside(plain, f"clusters.{name}", nulls.MATCHED_GAUSSIAN, null_values, self.seed, tail)

    def _bend(self) -> Estimate:
        source = f"share of the expected slope that is lost after the sharpest corner; {ELBOW_RULE}"
        bend = self._estimate("elbow_bend", source, lambda one: one.corner.bend if one.corner else None, "high")
        if bend.value is not None:
            return bend
        return replace(bend, reason=f"a curve up to {self.finding.ks[-1]} clusters is too short to have an elbow")

    def _elbow_k(self, bend: Estimate) -> Estimate:
        corner, k = self.finding.corner, self.finding.elbow_k
        reason = bend.reason
        if corner is not None and k is None:
            reason = (
                f"no elbow: the sharpest corner, at k = {corner.k}, loses {corner.bend:.0%} of the slope, "
                f"not {SHARP:.0%}"
            )
        return self._choice("elbow_k", ELBOW_RULE, k, reason)

    def _gap_k(self) -> Estimate:
        reason = f"the gap still grows at {self.finding.ks[-1]} clusters, the most that were looked for"
        choice = self._choice("gap_k", GAP_RULE, self.finding.gap_k, reason)
        null_values = [one.gap_k for one in self.null_findings]
        return beside(choice, "clusters.gap_k", nulls.MATCHED_GAUSSIAN, null_values, self.seed, "high")

    def _choice(self, name: str, source: str, k: int | None, reason: str | None) -> Estimate:
        value = None if k is None else float(k)
        plain = Estimate(value, UNITS[name], self.n_points, self.n_compared, source)
        return replace(
            plain, assumptions=(_COMPACT, tried_words(self.finding.ks.tolist())), reason=reason if k is None else None
        )

    def _agreement_at(self, name: str, choice: Estimate) -> Estimate:
        key = f"agreement_at_{name}"
        if choice.value is None or choice.value < 2:
            reason = choice.reason or "one cluster is found by every start"
            return Estimate.unknown(reason, UNITS[key], _AGREEMENT, self.n_compared, self.n_points)
        k = int(choice.value)
        return self._estimate(key, f"{_AGREEMENT}, of {k} clusters", lambda one: one.agreement_at(k), "high")


def _with_doubt(choice: Estimate, agreement: Estimate) -> Estimate:
    """Add a warning to a number of clusters on which independent starts do not agree."""
    if agreement.value is None or agreement.value >= _AGREED:
        return choice
    warning = (
        f"independent starts agree on these clusters by {agreement.value:.2f} only (adjusted Rand index): "
        "they may be pieces of something continuous"
    )
    return replace(choice, warnings=(*choice.warnings, warning))


def tried_words(ks: list[int]) -> str:
    """Return which numbers of clusters were tried, as what is assumed of all others.

    Examples
    --------
    >>> tried_words([1, 2, 3, 4, 15, 19, 20])
    'no other number of clusters fits better than those tried: 1 to 4, 15, 19, 20'
    """
    runs: list[list[int]] = []
    for k in ks:
        if runs and k == runs[-1][-1] + 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    parts = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return f"no other number of clusters fits better than those tried: {', '.join(parts)}"
