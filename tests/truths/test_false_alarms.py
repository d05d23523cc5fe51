"""False alarms: families and claims are significant on clouds without structure as often as their level says."""

from collections import Counter

import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import compare
from zspace.geometry.nulls.ladder import NULLS
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths.shapes import SHAPES
from zspace.geometry.verdict.claims import CLAIMS, finding_of

N_TRIALS, N_DRAWS, LEVEL = 400, 39, 0.05
SAFE = {"family shapes", "claim strings", "claim sheets", "claim clusters"}
"""Rarer alarms are right: shares that are 0 for nearly all Gaussians, where ties count as going as far, and a claim
that shares its level between two quantities, one of which must also pass a bound."""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_families_and_claims_beside_a_gaussian_are_significant_in_one_of_twenty_gaussian_clouds():
    hits = Counter()
    for trial in range(N_TRIALS):
        cloud = Cloud(SHAPES["turned-gaussian"].draw(120, 4, trial))
        # Draws of their own for every trial: with the same ones, what no linear map changes would be the same again.
        compared = compare("gaussian", NULLS["gaussian"].fit(cloud, trial), [*SUBJECTS.values()], N_DRAWS, trial)
        comparisons = compared.comparisons()
        p = {f"family {family.subject.name}": family.p for family in compared.families}
        p |= {f"claim {name}": finding_of(row, comparisons).p for name, row in CLAIMS.items()}
        hits.update(name for name, found in p.items() if found is not None and found <= LEVEL)
    assert len(p) == len(SUBJECTS) + len(CLAIMS)
    # So many shares are looked at that each may be off by what chance does in one of 2,000 cases.
    low, high = (int(one) for one in stats.binom(N_TRIALS, LEVEL).ppf([0.00025, 0.99975]))
    for name in p:
        assert hits[name] <= high, (name, hits)
        assert hits[name] >= (0 if name in SAFE else low), (name, hits)
