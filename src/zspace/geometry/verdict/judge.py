"""The verdict on a cloud: the ladder of null models, the claims, and what would have been missed."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from zspace.errors import GeometryError
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import Compared, compare
from zspace.geometry.comparing.ranks import holm
from zspace.geometry.nulls.ladder import LADDER, NULLS, Fitted, Null
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.verdict.claims import CLAIMS, UNSTRUCTURED, ClaimRow, Finding, finding_of
from zspace.geometry.verdict.limits import Limits, limits_of
from zspace.geometry.verdict.words import claim_of, gaussian_claim, verdict_sentence
from zspace.results import (
    Claim,
    Comparison,
    Estimate,
    RungTest,
    Verdict,
    Watcher,
    watch_nothing,
)
from zspace.seeds import random_stream
from zspace.settings import VerdictSettings

LEVEL = 0.05
"""Chance of a false alarm of each rung, and of any of the claims."""
_CHEAP = ("radius", "axes")
"""Subjects that are enough where they tell a cloud from the prior."""


@dataclass(frozen=True)
class _Rung:
    """What came of one null model."""

    test: RungTest
    compared: Compared | None
    fitted: Fitted | None


def judge(cloud: Cloud, asked: VerdictSettings, seed: int, watch: Watcher = watch_nothing) -> Verdict:
    """Return what a cloud is, beside the simplest models of a cloud.

    Parameters
    ----------
    cloud
        The z-points.
    asked
        How many points are compared, how many clouds drawn.
    seed
        Of the choice of points and of all draws.
    watch
        Told which null model is drawn from, and how far that has come.

    Units
    -----
    Scaling and moving the cloud changes nothing but what is said of the prior; so does turning it.

    Randomness
    ----------
    The points that are compared, and every draw, come from streams of their own.

    Cost
    ----
    Depends on the points compared, not on how many there are: some minutes for 2,048 points of 256 dimensions.
    """
    start = perf_counter()
    compared = _compared_points(cloud, asked.n_compared, seed)
    rungs = [_climb(NULLS[name], compared, asked, seed, watch) for name in (*LADDER, *asked.nulls)]
    by_name = {rung.test.null: rung for rung in rungs}
    comparisons = _comparisons_of(rungs)
    findings = {name: finding_of(row, _by_place(comparisons)) for name, row in CLAIMS.items()}
    closest = next((name for name in LADDER if by_name[name].test.answer == "no"), "none")
    limits = limits_of(_limit_base(closest, by_name), by_name_of_draws(rungs), asked, seed, watch)
    claims = _claims(by_name["gaussian"].test, findings, limits, compared)
    return Verdict(
        closest_null=closest,
        sentence=verdict_sentence(closest, claims, [rung.test for rung in rungs]),
        claims=claims,
        rungs=tuple(rung.test for rung in rungs),
        comparisons=tuple(comparisons),
        envelopes=tuple(one for rung in rungs if rung.compared for one in rung.compared.envelopes()),
        n_compared=compared.n_points,
        n_points=cloud.n_points,
        seed=seed,
        elapsed_seconds=perf_counter() - start,
    )
