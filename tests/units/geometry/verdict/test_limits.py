"""What would have been missed: heights, bars, and the search for the share that is found."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import Family
from zspace.geometry.measures import Quantity, Subject
from zspace.geometry.verdict.claims import CLAIMS, Evidence
from zspace.geometry.verdict.limits import (
    FOUND,
    LARGEST,
    Base,
    Ground,
    bar_of,
    chance_curve,
    detection_limit,
    height,
    least_seen,
    share_found,
    signed_draws,
)
from zspace.seeds import random_stream

POINTS = random_stream(1, "test limits").standard_normal((100, 3)).astype(np.float32)
"""Their number in the first quantity is the highest coordinate, so that a cloud is far out by one far point."""


def subject(tail="high"):
    rows = (
        Quantity("highest", "Highest", "units", "test", tail, float),
        Quantity("p", "Chance", "probability", "test", "low", lambda seen: 0.001 if seen > 50 else 0.5),
    )
    return Subject("one", "One", "Is it?", lambda cloud: float(cloud.points.max()), rows)


def family(draws, tail="high"):
    return Family(subject(tail), "gaussian", [0.0, 0.0], {}, None, [[draw, 0.5] for draw in draws])


class Still:
    """A null model that draws the same points again and again."""

    compared = Cloud(POINTS)

    def draw(self, _random):
        return POINTS


def base(families, level=0.05):
    return Base(
        (Ground("mixture", "mixture", Still()), Ground("gaussian", "Gaussian", Still())), families, level, 1, 100
    )


ROW = replace(CLAIMS["strings"], evidence=(Evidence("one.highest", ("gaussian", "copula")),))
LOWER = replace(CLAIMS["lower_dimensional"], evidence=ROW.evidence)


# --- Heights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "expected"), [(0.05, 96.0), (0.01, 100.0), (0.0301, 98.0)])
def test_with_draws_enough_the_height_is_what_a_significant_number_exceeds(level, expected):
    """Of 1 to 99 and the cloud, p <= level where at most level * 100 - 1 draws go as far: 95 is the last of them."""
    draws = np.random.default_rng(1).permutation(np.arange(1.0, 100.0))
    found = height(family(draws), "highest", level)
    assert found == expected - 1
    for value in (found + 0.5, found - 0.5):
        p = (1 + (draws >= value).sum()) / 100
        assert (p <= level) == (value > found)


def test_with_too_few_draws_the_height_follows_the_normal_law_beyond_them():
    draws = np.random.default_rng(1).standard_normal(39)
    found = height(family(draws), "highest", 0.001)
    assert found == pytest.approx(draws.mean() + stats.norm.ppf(0.999) * draws.std())
    assert found > draws.max()
    outlier = np.append(draws, 30.0)
    assert height(family(outlier), "highest", 0.02) == 30


def test_no_draw_puts_the_height_out_of_reach():
    assert height(family([]), "highest", 0.05) == np.inf


def test_draws_are_turned_so_that_structure_is_high_and_unknown_ones_are_left_out():
    assert signed_draws(family([1.0, np.nan, -2.0]), "highest").tolist() == [1, -2]
    assert signed_draws(family([1.0, np.nan, -2.0], "low"), "highest").tolist() == [-1, 2]
    assert signed_draws(family([]), "highest").tolist() == []


# --- Bars -------------------------------------------------------------------------------------------------------------


def far_cloud(value):
    points = POINTS.copy()
    points[0, 0] = value
    return Cloud(points)


def test_a_bar_is_as_high_as_the_highest_null_model():
    families = {("one", "gaussian"): family(np.arange(1.0, 40.0)), ("one", "copula"): family(np.arange(11.0, 50.0))}
    bar = bar_of(base(families), ROW)
    assert [hurdle.height for hurdle in bar.hurdles] == [48]
    assert bar.is_passed(far_cloud(48.5))
    assert not bar.is_passed(far_cloud(47.5))


def test_a_bound_must_hold_as_well():
    bounded = replace(ROW, evidence=(Evidence("one.highest", ("gaussian",), bound="one.p"),))
    bar = bar_of(base({("one", "gaussian"): family(np.arange(1.0, 40.0))}), bounded)
    assert not bar.is_passed(far_cloud(45.0))
    assert bar.is_passed(far_cloud(55.0))


def test_several_quantities_share_the_level():
    row = replace(ROW, evidence=ROW.evidence * 2)
    bar = bar_of(base({("one", "gaussian"): family(np.arange(1.0, 100.0))}), row)
    assert [hurdle.height for hurdle in bar.hurdles] == [98, 98]


def test_without_draws_there_is_no_bar_and_no_limit():
    for families in ({}, {("one", "gaussian"): family([])}):
        assert bar_of(base(families), ROW) is None
        limit = detection_limit(base(families), ROW)
        assert (limit.value, limit.reason) == (None, "there is nothing to compare with")


def test_a_bar_that_no_structure_passes_is_told_as_missed():
    limit = detection_limit(base({("one", "gaussian"): family(np.arange(1000.0, 1099.0))}), ROW)
    assert limit.value is None
    assert limit.reason == (
        "even strings that hold 20 % of the points, at a thickness of 5 % of the cloud's size, would be missed too often "
        "with 100 points"
    )
    assert limit.unit == "share of the points"


def test_a_bar_that_everything_passes_has_a_limit_below_what_was_tried():
    limit = detection_limit(base({("one", "gaussian"): family(np.arange(-199.0, -100.0))}), ROW)
    assert 0 < limit.value <= 0.01
    assert limit.assumptions == (f"{limit.n_used} trials",)
    assert limit.source.startswith("strings of thickness 5 % of the cloud's size, planted into draws of the Gaussian")


# --- The least difference ---------------------------------------------------------------------------------------------


def test_the_least_difference_is_seen_in_as_many_clouds_as_is_said():
    random = np.random.default_rng(1)
    draws = 20 + 0.3 * random.standard_normal(399)
    limit = least_seen(base({("one", "gaussian"): family(draws, "low")}, level=0.05), LOWER)
    assert limit.unit == "dimensions"
    # Over the normal law: 1.64 deviations to be significant, as many to be so in 95 of 100.
    assert limit.value == pytest.approx(2 * stats.norm.ppf(0.95) * 0.3, rel=0.15)
    shifted = 20 + 0.3 * random.standard_normal(4000) - limit.value
    assert np.mean(-shifted > height(family(draws, "low"), "highest", 0.05)) == pytest.approx(FOUND, abs=0.03)


def test_the_null_model_that_varies_most_decides_the_least_difference():
    random = np.random.default_rng(1)
    calm, wild = (family(width * random.standard_normal(199), "low") for width in (0.1, 1.0))
    both = least_seen(base({("one", "gaussian"): calm, ("one", "copula"): wild}), LOWER)
    assert both.value == least_seen(base({("one", "copula"): wild}), LOWER).value


def test_without_draws_no_least_difference_is_known():
    for families in ({}, {("one", "gaussian"): family([1.0])}):
        assert least_seen(base(families), LOWER).reason == "there is nothing to compare with"


# --- The search -------------------------------------------------------------------------------------------------------


def seen_by_chance(middle, steepness, seed):
    """Trials of a known chance curve: logistic in the logarithm of the share."""

    def is_found(share, trial):
        chance = special.expit(steepness * (np.log(share) - np.log(middle)))
        return bool(random_stream(seed, "trial", trial).uniform() < chance)

    return is_found


@pytest.mark.parametrize(("middle", "steepness"), [(0.02, 4.0), (0.01, 8.0), (0.06, 5.0)])
def test_the_share_found_in_95_of_100_is_right_within_a_fifth_in_nearly_all_runs(middle, steepness):
    true = middle * np.exp(special.logit(FOUND) / steepness)
    errors = [share_found(2048, seen_by_chance(middle, steepness, seed))[0] / true - 1 for seed in range(50)]
    assert np.mean(np.abs(errors) < 0.2) >= 0.85
    assert np.quantile(np.abs(errors), 0.95) < 0.35
    assert abs(np.median(errors)) < 0.1


def test_what_is_never_found_takes_the_first_trials_only():
    share, n_trials = share_found(2048, lambda _share, _trial: False)
    assert share > LARGEST
    assert n_trials == 12


def test_no_trial_plants_less_than_a_point_or_more_than_the_largest_share():
    asked = []
    share_found(100, lambda share, _trial: not asked.append(share))
    assert min(asked[:10]) == 0.01
    assert max(asked) == LARGEST


def test_a_curve_lies_where_trials_turn_from_missed_to_found():
    shares = np.geomspace(0.001, 0.2, 400)
    curve = chance_curve(shares, shares > 0.02)
    assert np.exp(curve.middle) == pytest.approx(0.02, rel=0.05)
    assert curve.share_at(0.5) == pytest.approx(np.exp(curve.middle))
    assert curve.share_at(0.95) < 0.03


def test_a_known_curve_is_recovered_from_many_trials():
    random = np.random.default_rng(1)
    shares = random.choice(np.geomspace(0.005, 0.1, 40), 5000)
    hits = random.uniform(size=5000) < special.expit(5 * (np.log(shares) - np.log(0.02)))
    curve = chance_curve(shares, hits)
    assert curve.share_at(0.95) == pytest.approx(0.02 * np.exp(special.logit(0.95) / 5), rel=0.05)


@pytest.mark.parametrize("found", [True, False])
def test_where_all_is_found_or_nothing_the_curve_lies_beyond_the_shares(found):
    shares = np.repeat([0.02, 0.05, 0.1], 4)
    middle = np.exp(chance_curve(shares, np.full(12, found)).middle)
    assert middle < 0.02 if found else middle > 0.1


def test_clusters_are_planted_into_the_nearest_model_that_has_none():
    assert base({}).ground_for(CLAIMS["clusters"]).null == "gaussian"
    assert base({}).ground_for(CLAIMS["lower_dimensional"]).null == "mixture"
    assert Base((), {}, 0.05, 1, 100).ground_for(CLAIMS["clusters"]) is None
