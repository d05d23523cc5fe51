"""Ways to make an estimate: a mean with its interval, a number as it is, an unknown with its reason."""

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


def test_an_unknown_number_has_a_reason():
    unknown = Estimate.unknown("too few points", "axes", "rule", 3, n_given=9)
    assert unknown == Estimate(None, "axes", 9, 3, "rule", reason="too few points")


def test_a_measure_that_was_not_taken_says_why_in_its_only_estimate():
    nothing = Measurement.not_taken("axes", "bins too fine", 12)
    assert nothing.why_not_taken == nothing.estimates["axes"].reason == "bins too fine"
    assert Measurement("axes", {"n_special_axes": KNOWN}, {}).why_not_taken is None
