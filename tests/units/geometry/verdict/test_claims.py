"""What the comparisons say of a claim."""

from dataclasses import replace

import numpy as np
import pytest

from zspace.geometry.comparing.comparisons import comparison_of
from zspace.geometry.nulls.ladder import LADDER
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths.planting import STRUCTURES
from zspace.geometry.verdict.claims import CLAIMS, OUTDONE, UNSTRUCTURED, Evidence, finding_of

ROW = replace(CLAIMS["hollow"], evidence=(Evidence("a.x", ("gaussian", "copula")),))
TWO = replace(ROW, evidence=(Evidence("a.x", ("gaussian",)), Evidence("b.y", ("gaussian", "copula"))))
BOUND = replace(ROW, evidence=(Evidence("a.x", ("gaussian",), bound="a.p"),))
OUTDONE_ROW = replace(ROW, outdone_by="a.other")


def at(quantity, null, p, value=1.0, effect=3.0):
    comparison = comparison_of(quantity, null, value, np.array([0.1, 0.2, 0.3]), "high")
    return replace(comparison, p=p, effect=effect)


def unknown(quantity, null):
    return comparison_of(quantity, null, np.nan, np.array([0.1, 0.2]), "high")


def test_the_null_model_that_comes_nearest_decides():
    low, high, elsewhere = at("a.x", "gaussian", 0.01), at("a.x", "copula", 0.2), at("a.x", "mixture", 0.9)
    found = finding_of(ROW, [low, high, elsewhere, at("a.y", "gaussian", 0.8)])
    assert (found.p, found.comparison) == (0.2, high)


def test_of_equal_p_values_the_smaller_effect_decides():
    far, near = at("a.x", "gaussian", 0.01, effect=-9.0), at("a.x", "copula", 0.01, effect=4.0)
    assert finding_of(ROW, [far, near]).comparison is near


def test_a_null_model_that_could_not_be_compared_does_not_decide():
    known = at("a.x", "gaussian", 0.01)
    assert finding_of(ROW, [known]).p == 0.01
    assert finding_of(ROW, [known, unknown("a.x", "copula")]).p == 0.01


def test_any_of_several_quantities_makes_the_claim_at_its_share_of_the_level():
    best = at("b.y", "copula", 0.02)
    comparisons = [at("a.x", "gaussian", 0.3), at("b.y", "gaussian", 0.01), best]
    found = finding_of(TWO, comparisons)
    assert (found.p, found.comparison) == (0.04, best)
    assert finding_of(TWO, [at("a.x", "gaussian", 0.8), at("b.y", "gaussian", 0.9)]).p == 1.0
    # What could not be found still takes its share of the level.
    assert finding_of(TWO, [at("a.x", "gaussian", 0.3)]).p == 0.6


@pytest.mark.parametrize(("bound", "p"), [(0.001, 0.01), (0.3, 0.3)])
def test_a_bound_on_the_p_value_holds_whatever_the_draws_say(bound, p):
    found = finding_of(BOUND, [at("a.x", "gaussian", 0.01), at("a.p", "gaussian", 0.5, value=bound)])
    assert found.p == p


def test_without_its_bound_nothing_is_claimed():
    assert finding_of(BOUND, [at("a.x", "gaussian", 0.01)]).p == 1.0
    assert finding_of(BOUND, [at("a.x", "gaussian", 0.01), unknown("a.p", "gaussian")]).p == 1.0


@pytest.mark.parametrize(("other", "p"), [(OUTDONE * 0.5, 0.01), (OUTDONE * 0.5 + 0.1, 1.0)])
def test_a_structure_that_is_much_larger_explains_this_one_away(other, p):
    found = finding_of(
        OUTDONE_ROW, [at("a.x", "gaussian", 0.01, value=0.5), at("a.other", "gaussian", 0.9, value=other)]
    )
    assert found.p == p
    assert found.comparison.quantity == "a.x"


def test_nothing_to_compare_gives_a_reason():
    for comparisons in ([], [unknown("a.x", "gaussian")], [at("a.y", "gaussian", 0.1)]):
        found = finding_of(ROW, comparisons)
        assert (found.p, found.comparison, found.reason) == (None, None, "too few points to look for it")


def test_claims_rest_on_quantities_and_null_models_that_there_are():
    quantities = {f"{name}.{one.name}" for name, subject in SUBJECTS.items() for one in subject.quantities}
    for name, row in CLAIMS.items():
        assert row.name == name
        assert row.planted is None or row.planted in STRUCTURES
        assert row.outdone_by is None or row.outdone_by in quantities
        for evidence in row.evidence:
            assert {evidence.quantity, evidence.bound} <= {*quantities, None}
            assert set(evidence.without) <= {*UNSTRUCTURED, "mixture"} < set(LADDER)
    assert {"gaussian", *CLAIMS} == {"gaussian", "clusters", "strings", "sheets", "hollow", "lower_dimensional"}


def test_what_decides_may_begin_the_sentence_in_its_own_words():
    assert [one.yes for one in CLAIMS["clusters"].evidence] == [None, "Some of its points form groups of their own"]
