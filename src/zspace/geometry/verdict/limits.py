"""What would have been missed: structures are planted into clouds without any, and the share that is found is counted.

The detection limit of a claim is the share of the points that has to lie on strings, on sheets, in clusters or out of
a hole for the claim to be made in 95 of 100 clouds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import special, stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import Family, read, sight_of
from zspace.geometry.measures import Quantity, Subject
from zspace.geometry.nulls.ladder import Fitted
from zspace.geometry.truths.planting import STRUCTURES, plant
from zspace.geometry.verdict.claims import CLAIMS, ClaimRow, Evidence
from zspace.geometry.verdict.words import share_words
from zspace.machine import each_block
from zspace.results import Estimate, Progress, Watcher
from zspace.seeds import random_stream

FOUND = 0.95
"""Share of the clouds in which the claim has to be made."""
THICKNESS = 0.05
"""Of planted structures, as a share of the cloud's size, the root of its total variance."""
LARGEST = 0.2
"""Of the shares that are tried: structures that need more than that are missed."""
_FIRST_SHARES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
_FIRST_TRIALS, _ROUNDS, _TRIALS_A_ROUND = 2, 6, 12
_AIMS = (0.6, 0.85, 0.97)
"""Chances of being found at which further trials are placed, by what is known so far."""
_STEP = "what would have been missed"
_STEEPEST = 12.0
"""Of the curve of chances over the log of the share: steeper than any that was seen, so that few trials do not make it
a step."""

Families = Mapping[tuple[str, str], Family]
"""By subject and null model."""


@dataclass(frozen=True)
class Ground:
    """A null model, fitted, to draw clouds from and plant into."""

    null: str
    title: str
    fitted: Fitted


@dataclass(frozen=True)
class Base:
    """What structures are planted into, and what they are held against."""

    grounds: tuple[Ground, ...]
    """The null model that comes nearest to the cloud first."""
    families: Families
    level: float
    """To which a p-value must fall before any correction is counted out."""
    seed: int
    n_points: int
    """That were compared."""

    def ground_for(self, row: ClaimRow) -> Ground | None:
        """Return the nearest null model that has none of the structure itself; None where there is none."""
        without = {null for evidence in row.evidence for null in evidence.without}
        return next((ground for ground in self.grounds if ground.null in without), None)


def detection_limits(base: Base, watch: Watcher) -> dict[str, Estimate]:
    """Return the detection limit of every claim that has a structure to plant.

    Parameters
    ----------
    base
        Clouds to plant into.
    watch
        Told of every round of trials.

    Randomness
    ----------
    Every trial has a stream of its own: a cloud of the null model, and a structure planted into it.

    Cost
    ----
    Some 80 views of clouds for every claim.
    """
    limits = {}
    for number, row in enumerate(CLAIMS.values()):
        watch(Progress(_STEP, number, len(CLAIMS), "claims", doing=row.name.replace("_", " ")))
        limits[row.name] = detection_limit(base, row) if row.planted else least_seen(base, row)
    watch(Progress(_STEP, len(CLAIMS), len(CLAIMS), "claims"))
    return limits


def detection_limit(base: Base, row: ClaimRow) -> Estimate:
    """Return the detection limit of one claim, as a share of the points."""
    n_points, ground, bar = base.n_points, base.ground_for(row), bar_of(base, row)
    source = (
        f"{row.planted} of thickness {share_words(THICKNESS)} of the cloud's size, planted into draws of the "
        f"{ground.title if ground else 'null model'}: share of the points with which the claim is made in "
        f"{share_words(FOUND)} of the clouds"
    )
    if bar is None or ground is None:
        return Estimate.unknown("there is nothing to compare with", "share of the points", source, n_points)

    def is_found(share: float, trial: int) -> bool:
        random = random_stream(base.seed, "planted", row.name, trial)
        drawn = ground.fitted.draw(random)
        return bar.is_passed(Cloud(plant(STRUCTURES[row.planted or ""], drawn, share, THICKNESS, random)))

    share, n_trials = share_found(n_points, is_found)
    if share > LARGEST:
        largest = row.planted_words.format(share=share_words(LARGEST), difference="")
        reason = f"even {largest} would be missed too often with {n_points:,} points"
        return Estimate.unknown(reason, "share of the points", source, n_trials)
    return Estimate.of(share, "share of the points", source, n_trials, assumptions=(f"{n_trials} trials",))


def share_found(n_points: int, is_found: Callable[[float, int], bool]) -> tuple[float, int]:
    """Return the share of the points that is found with the chance `FOUND`, and the number of trials that it took.

    A few trials at shares that are set say where the chance rises; further ones are placed, by what is known so far,
    where they tell most.

    Parameters
    ----------
    n_points
        Of a cloud: less than one point cannot be planted.
    is_found
        Function of a share and the number of the trial, which may be called by several threads at once.

    Returns
    -------
    A share above `LARGEST` where none up to that is found often enough; how far above is not known then.
    """
    shares: list[float] = []
    hits: list[bool] = []
    asked = [share for share in _FIRST_SHARES if share * n_points >= 1] * _FIRST_TRIALS
    for _ in range(1 + _ROUNDS):
        hits += each_block(lambda trial: is_found(trial[1], trial[0]), list(enumerate(asked, start=len(shares))))
        shares += asked
        curve = chance_curve(np.array(shares), np.array(hits))
        if curve.share_at(_AIMS[0]) > LARGEST:
            break
        asked = [min(curve.share_at(aim), LARGEST) for aim in _AIMS] * (_TRIALS_A_ROUND // len(_AIMS))
    return curve.share_at(FOUND), len(hits)


def least_seen(base: Base, row: ClaimRow) -> Estimate:
    """Return the smallest difference from the null models that would have made a claim without a structure to plant."""
    [evidence] = row.evidence
    subject, name = evidence.quantity.split(".", 1)
    source = f"difference of {name} with which the claim is made in {FOUND:.0%} of the clouds, by the normal law"
    differences = []
    for null in evidence.without:
        family = base.families.get((subject, null))
        if family is not None and len(draws := signed_draws(family, name)) > 1:
            reach = special.ndtri(FOUND) * draws.std(ddof=1)
            differences.append(height(family, name, base.level) - draws.mean() + reach)
    n_points, unit = base.n_points, "dimensions"
    if not differences:
        return Estimate.unknown("there is nothing to compare with", unit, source, n_points)
    return Estimate.of(float(max(differences)), unit, source, n_points)


# --- When is a claim made? --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hurdle:
    """One quantity, and how far it must go beyond every null model without the structure."""

    subject: Subject
    evidence: Evidence
    height: float
    bound_level: float

    def is_passed(self, cloud: Cloud) -> bool:
        """Return whether a cloud goes so far."""
        sight = sight_of(self.subject, cloud)
        values = {
            f"{self.subject.name}.{quantity.name}": sign_of(quantity) * read(self.subject, quantity, sight, None)
            for quantity in self.subject.quantities
        }
        bound = self.evidence.bound
        if bound is not None and not abs(values[bound]) <= self.bound_level:
            return False
        return values[self.evidence.quantity] > self.height


@dataclass(frozen=True)
class Bar:
    """What a claim takes: any of its hurdles."""

    hurdles: tuple[Hurdle, ...]

    def is_passed(self, cloud: Cloud) -> bool:
        """Return whether the claim would be made of a cloud."""
        return any(hurdle.is_passed(cloud) for hurdle in self.hurdles)


def bar_of(base: Base, row: ClaimRow) -> Bar | None:
    """Return what a claim takes beside the draws that are there; None where nothing was drawn."""
    level = base.level / len(row.evidence)
    hurdles = []
    for evidence in row.evidence:
        name, quantity = evidence.quantity.split(".", 1)
        beside = [base.families[name, null] for null in evidence.without if (name, null) in base.families]
        heights = [height(family, quantity, level) for family in beside if family.draws]
        if heights:
            hurdles.append(Hurdle(beside[0].subject, evidence, max(heights), level))
    return Bar(tuple(hurdles)) if hurdles else None


def height(family: Family, quantity: str, level: float) -> float:
    """Return what a quantity, by its sign of `signed_draws`, must exceed to be significant beside these draws.

    Where the draws are too few to tell, because the family was settled before, the normal law is taken beyond them.
    """
    draws = signed_draws(family, quantity)
    if not len(draws):
        return float("inf")
    n_above = int(level * (1 + len(draws))) - 1
    if n_above >= 0:
        return float(np.sort(draws)[len(draws) - 1 - n_above])
    return float(max(draws.max(), draws.mean() + special.ndtri(1 - level) * draws.std()))


def signed_draws(family: Family, quantity: str) -> Float64[np.ndarray, " n_known"]:
    """Return a quantity of the draws, turned so that structure shows where it is large."""
    place = [one.name for one in family.subject.quantities].index(quantity)
    draws = np.array([values[place] for values in family.draws], dtype=np.float64)
    return np.asarray(sign_of(family.subject.quantities[place]) * draws[~np.isnan(draws)])


def sign_of(quantity: Quantity) -> float:
    """Return 1 where structure shows in large values, -1 where in small ones."""
    return -1.0 if quantity.tail == "low" else 1.0


# --- The chance of being found ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ChanceCurve:
    """The chance of being found over the share of the points: logistic in the log of the share."""

    middle: float
    """Log of the share that is found in half of the clouds."""
    steepness: float

    def share_at(self, chance: float) -> float:
        """Return the share that is found with this chance."""
        return float(np.exp(self.middle + special.logit(chance) / self.steepness))


def chance_curve(shares: Float64[np.ndarray, " n_trials"], hits: Bool[np.ndarray, " n_trials"]) -> ChanceCurve:
    """Return the most likely curve of chances, no steeper than `_STEEPEST`.

    Where everything was found, or nothing, the curve lies just beyond the shares that were tried.
    """
    tried, place = np.unique(np.log(shares), return_inverse=True)
    middles = np.linspace(tried.min() - 1.5, tried.max() + 1.5, 301)
    steepnesses = np.geomspace(0.8, _STEEPEST, 40)
    arguments = (tried - middles[:, np.newaxis, np.newaxis]) * steepnesses[:, np.newaxis]
    # The logarithm of the chance to be found, and that to be missed, which differ by the argument.
    found = special.log_expit(arguments)
    likely = found @ np.bincount(place, hits) + (found - arguments) @ np.bincount(place, ~hits)
    # A weak wish for a curve in the middle of the range decides where the trials do not.
    likely += stats.norm.logpdf(np.log(steepnesses), np.log(4.0), 0.7)
    middle, steepness = np.unravel_index(likely.argmax(), likely.shape)
    return ChanceCurve(float(middles[middle]), float(steepnesses[steepness]))
