"""Ways to make an estimate: a mean with its interval, an unknown with its reason, a number beside null clouds."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from zspace.estimates import mean_estimate
from zspace.results import Estimate, Measurement

KNOWN = Estimate.of(2.0, "units of z", "R", 40, n_given=50, assumptions=("draws",), warnings=("few",))


def test_a_mean_has_the_interval_of_student():
    values = np.random.default_rng(1).standard_normal(12) + 3
    found = mean_estimate(values, "units of z", "R")
    expected = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))
    assert found.interval == pytest.approx(expected, rel=1e-12)
    assert (found.value, found.n_given, found.n_used) == (values.mean(), 12, 12)
    assert found.interval_method == "Student t"


def test_means_of_draws_without_replacement_are_covered_as_promised():
    random = np.random.default_rng(1)
    population = random.standard_normal(200)
    draws = [random.choice(population, 120, replace=False) for _ in range(3000)]
    found = [mean_estimate(draw, "share", "mean", n_population=200) for draw in draws]
    covered = np.mean([one.interval[0] <= population.mean() <= one.interval[1] for one in found])
    assert 0.94 < covered < 0.96
    assert (found[0].n_given, found[0].n_used) == (200, 120)
    assert found[0].interval_method == "Student t, over values drawn without replacement"


def test_a_number_as_it_is_rests_on_all_that_was_given_unless_said():
    assert (KNOWN.n_given, KNOWN.n_used, KNOWN.assumptions, KNOWN.warnings) == (50, 40, ("draws",), ("few",))
    assert Estimate.of(2.0, "axes", "rule", 7).n_given == 7


def test_an_unknown_number_has_a_reason_and_stays_so_beside_null_clouds():
    unknown = Estimate.unknown("too few points", "axes", "rule", 3, n_given=9)
    assert unknown == Estimate(None, "axes", 9, 3, "rule", reason="too few points")
    assert unknown.beside("null", [1.0, 2.0], 1, "high") is unknown
    assert KNOWN.beside("null", [], 1, "high") is KNOWN


@pytest.mark.parametrize(("tail", "p_value"), [(None, None), ("high", 0.6), ("low", 0.8)])
def test_a_number_beside_null_clouds_has_their_range_and_its_rank_among_them(tail, p_value):
    found = KNOWN.beside("null", [1.0, 2.0, 3.0, 0.0], 5, tail)
    assert found == replace(KNOWN, null_name="null", null_band=(0.0, 3.0), p_value=p_value, seed=5)


def test_a_measure_that_was_not_taken_says_why_in_its_only_estimate():
    nothing = Measurement.not_taken("axes", "bins too fine", 12)
    assert nothing.why_not_taken == nothing.estimates["axes"].reason == "bins too fine"
    assert Measurement("axes", {"n_special_axes": KNOWN}, {}).why_not_taken is None
