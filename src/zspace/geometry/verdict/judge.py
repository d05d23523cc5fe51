"""The verdict on a cloud: the ladder of null models, the claims, and what would have been missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from time import perf_counter

from zspace.errors import GeometryError, TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import Compared, compare
from zspace.geometry.comparing.ranks import holm
from zspace.geometry.lineup import line_up
from zspace.geometry.measures import Subject
from zspace.geometry.nulls.ladder import LADDER, NULLS, Fitted, Null
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.verdict import words
from zspace.geometry.verdict.claims import CLAIMS, Evidence, Finding, finding_of
from zspace.geometry.verdict.limits import Base, Families, Ground, detection_limits
from zspace.geometry.verdict.words import GAUSSIAN
from zspace.results import (
    NO_NULL,
    Answer,
    Claim,
    Comparison,
    Estimate,
    LineUp,
    RungTest,
    Verdict,
    Watcher,
    watch_nothing,
)
from zspace.seeds import random_stream
from zspace.settings import VerdictSettings

_ROUNDING = 1e-9
FEWEST_POINTS = 100
"""With fewer, hardly any structure would be found."""
_PRIOR, _ENOUGH_FOR_THE_PRIOR = "prior", ("radius", "axes")
"""Whoever is told from N(0, I) by these need not be told from it by the others."""


@dataclass(frozen=True)
class Rung:
    """What came of one null model; nothing to compare where it could not be fitted."""

    null: Null
    test: RungTest
    compared: Compared | None = None
    fitted: Fitted | None = None

    @property
    def distance(self) -> float:
        """How far the cloud is from it: the largest effect of any quantity, in standard deviations of the draws."""
        if self.compared is None:
            return float("inf")
        effects = [one.effect for family in self.compared.families for one in family.comparisons()]
        return max((abs(effect) for effect in effects if effect is not None), default=float("inf"))


def judge(cloud: Cloud, asked: VerdictSettings, seed: int, watch: Watcher = watch_nothing) -> Verdict:
    """Return what a cloud is, beside the simplest models of a cloud.

    Parameters
    ----------
    cloud
        The z-points.
    asked
        How many points are compared, how many clouds drawn, at which level.
    seed
        Of the choice of points and of all draws.
    watch
        Told which null model is drawn from, and how far that has come.

    Units
    -----
    Scaling or moving the cloud changes nothing but what is said of the prior; turning it, that and the copula, whose
    axes are those of z.

    Randomness
    ----------
    The points that are compared, and every draw, come from streams of their own.

    Cost
    ----
    Depends on the points compared, not on how many there are: some minutes for 2,048 points of 256 dimensions on 2
    cores, seconds for a few hundred.

    Raises
    ------
    TooFewPoints
        For fewer than 100.
    """
    start = perf_counter()
    if cloud.n_points < FEWEST_POINTS:
        rule, got = f"must have at least {FEWEST_POINTS} z-points for a verdict", str(cloud.n_points)
        raise TooFewPoints("cloud", rule, got, "Encode more images.")
    compared = compared_points(cloud, asked.n_compared, seed)
    rungs: list[Rung] = []
    for name in (*LADDER, *asked.nulls):
        rungs.append(_climbed(NULLS[name], compared, asked, seed, _watched(name, rungs, asked.level), watch))
    closest = next((rung for rung in rungs if rung.null.name in LADDER and rung.test.answer == "no"), None)
    comparisons = [one for rung in rungs if rung.compared for one in rung.compared.comparisons()]
    found = {name: finding_of(row, comparisons) for name, row in CLAIMS.items()}
    nearest = closest or nearest_of(rungs)
    limits = _limits(nearest, rungs, asked, seed, compared.n_points, watch) if asked.limits else {}
    closest_null = closest.null.name if closest else NO_NULL
    claims = _claims(rungs, found, limits, closest_null, asked.level)
    return Verdict(
        closest_null=closest_null,
        sentence=words.verdict_sentence(closest.null if closest else None, nearest.null, claims),
        claims=claims,
        rungs=tuple(rung.test for rung in rungs),
        comparisons=tuple(comparisons),
        envelopes=tuple(one for rung in rungs if rung.compared for one in rung.compared.envelopes()),
        n_compared=compared.n_points,
        n_points=cloud.n_points,
        seed=seed,
        elapsed_seconds=perf_counter() - start,
        level=asked.level,
        line_ups=tuple(_line_ups(rungs, nearest, seed)),
    )


def compared_points(cloud: Cloud, n_compared: int, seed: int) -> Cloud:
    """Return points of a cloud chosen at random, in no order; all of them where there are no more."""
    order = random_stream(seed, "verdict", "compared").permutation(cloud.n_points)
    return Cloud(cloud.points[order[:n_compared]])


def nearest_of(rungs: Sequence[Rung]) -> Rung:
    """Return the null model that comes nearest to a cloud that can be told from all of them.

    The prior is left out: it is looked at with two families alone, in which it may come nearer than those that were
    looked at with all, and it has neither the cloud's place nor its spread.
    """
    return min((rung for rung in rungs if rung.null.name != _PRIOR), key=lambda rung: rung.distance)


# --- The ladder -------------------------------------------------------------------------------------------------------


def _watched(null: str, rungs: Sequence[Rung], level: float) -> dict[str, int]:
    """Return the quantities whose claims this null model decides, and how many draws each takes to make its claim.

    So many that the smallest p-value is small enough after both corrections, over claims and evidence. Those that a
    null model before refuted are left out.
    """
    known = [one for rung in rungs if rung.compared is not None for one in rung.compared.comparisons()]
    return {
        wanted.quantity: ceil(len(CLAIMS) * len(row.evidence) / level - _ROUNDING) - 1
        for row in CLAIMS.values()
        for wanted in row.evidence
        if null in wanted.without and not any(_refutes(one, wanted, level) for one in known)
    }


def _refutes(one: Comparison, wanted: Evidence, level: float) -> bool:
    return one.quantity == wanted.quantity and one.null in wanted.without and one.p is not None and one.p > level


def _climbed(
    null: Null, cloud: Cloud, asked: VerdictSettings, seed: int, watched: dict[str, int], watch: Watcher
) -> Rung:
    """Compare a cloud with one null model, or say why that cannot be."""

    def against(fitted: Fitted, subjects: Sequence[Subject]) -> Rung:
        compared = compare(null.name, fitted, subjects, asked.n_draws, seed, asked.level, watched, watch)
        return Rung(null, _tested(null, compared, asked.level), compared, fitted)

    try:
        fitted = null.fit(cloud, seed)
    except GeometryError as error:
        return Rung(null, _untested(null, cloud.n_points, str(error)))
    subjects = [told for subject in SUBJECTS.values() if (told := subject.without(null.kept)) is not None]
    if null.name == _PRIOR:
        quick = against(fitted, [subject for subject in subjects if subject.name in _ENOUGH_FOR_THE_PRIOR])
        if quick.test.answer == "yes":
            return quick
    return against(fitted, subjects)


def _tested(null: Null, compared: Compared, level: float) -> RungTest:
    families = compared.tests()
    known = [one.p_corrected for one in families if one.p_corrected is not None]
    p = min(known, default=None)
    answer: Answer = "cannot tell" if p is None else "yes" if p <= level else "no"
    reason = "none of the quantities could be found" if p is None else None
    n_compared, n_draws = compared.n_compared, compared.n_draws
    return RungTest(null.name, null.title, null.keeps, null.destroys, answer, p, n_compared, n_draws, families, reason)


def _untested(null: Null, n_compared: int, reason: str) -> RungTest:
    return RungTest(null.name, null.title, null.keeps, null.destroys, "cannot tell", None, n_compared, 0, (), reason)


def _line_ups(rungs: list[Rung], nearest: Rung, seed: int) -> list[LineUp]:
    shown = [rung for rung in rungs if rung.fitted is not None and (rung.null.name == GAUSSIAN or rung is nearest)]
    return [line_up(rung.null, rung.fitted, seed) for rung in shown if rung.fitted is not None]


# --- The claims -------------------------------------------------------------------------------------------------------


def _limits(
    nearest: Rung, rungs: list[Rung], asked: VerdictSettings, seed: int, n_points: int, watch: Watcher
) -> dict[str, Estimate]:
    families: Families = {
        (family.subject.name, rung.null.name): family
        for rung in rungs
        if rung.compared is not None
        for family in rung.compared.families
    }
    others = sorted((rung for rung in rungs if rung is not nearest), key=lambda rung: rung.distance)
    grounds = tuple(
        Ground(rung.null.name, rung.null.title, rung.fitted) for rung in (nearest, *others) if rung.fitted is not None
    )
    return detection_limits(Base(grounds, families, asked.level / len(CLAIMS), seed, n_points), watch)


def _claims(
    rungs: list[Rung], found: dict[str, Finding], limits: dict[str, Estimate], closest_null: str, level: float
) -> dict[str, Claim]:
    gaussian = next(rung for rung in rungs if rung.null.name == GAUSSIAN)
    comparisons = gaussian.compared.comparisons() if gaussian.compared else []
    claims = {GAUSSIAN: words.gaussian_claim(gaussian.test, comparisons, closest_null, level)}
    corrected = holm([finding.p for finding in found.values()])
    for (name, finding), p_corrected in zip(found.items(), corrected, strict=True):
        claims[name] = words.claim_of(
            CLAIMS[name], finding, p_corrected, limits.get(name), level, gaussian.test.n_compared
        )
    return words.without_doubles(claims)
