"""A number or a curve beside draws: band and its level, p-value, effect, and what is not known."""

from dataclasses import replace

import numpy as np
import pytest

from zspace.geometry.comparing.comparisons import band_of, beside, comparison_of, curve_beside, law_comparison
from zspace.results import Curve, Estimate

KNOWN = Estimate.of(2.0, "units of z", "R", 40, n_given=50)


@pytest.mark.parametrize(
    ("n_draws", "band", "level"), [(2, (1, 2), 1 / 3), (19, (1, 19), 0.9), (39, (1, 39), 0.95), (199, (5, 195), 0.95)]
)
def test_a_band_says_how_much_of_the_null_model_it_holds(n_draws, band, level):
    found, chance = band_of(np.random.default_rng(1).permutation(np.arange(1.0, n_draws + 1)))
    assert found == band
    assert chance == pytest.approx(level)


def test_one_more_draw_lies_within_a_band_with_its_level():
    random = np.random.default_rng(2)
    rows = random.exponential(size=(4000, 80))
    inside = [low <= row[-1] <= high for row in rows for (low, high), _ in [band_of(row[:-1])]]
    assert np.mean(inside) == pytest.approx(band_of(rows[0, :-1])[1], abs=0.012)
    assert band_of(rows[0, :-1])[1] == pytest.approx(0.95)


@pytest.mark.parametrize(("tail", "p"), [("high", 0.6), ("low", 0.8), ("both", 1.0)])
def test_a_number_beside_draws_has_their_band_and_its_rank_among_them(tail, p):
    found = beside(KNOWN, "radius.mean", "null", [1.0, 2.0, 3.0, 0.0], 5, tail)
    compared = found.comparison
    assert found == replace(KNOWN, comparison=compared, seed=5)
    assert (compared.value, compared.draws, compared.band, compared.tail) == (
        2.0,
        (1.0, 2.0, 3.0, 0.0),
        (0.0, 3.0),
        tail,
    )
    assert (compared.p, compared.level, compared.n_compared) == (pytest.approx(p), pytest.approx(0.6), None)
    assert compared.effect == pytest.approx(0.5 / np.std([1, 2, 3, 0], ddof=1))


def test_an_unknown_number_and_one_without_draws_stay_as_they_are():
    unknown = Estimate.unknown("too few points", "axes", "rule", 3)
    assert beside(unknown, "a.b", "null", [1.0, 2.0], 1) is unknown
    assert beside(KNOWN, "a.b", "null", [], 1) is KNOWN


def test_draws_on_which_a_number_is_not_known_count_as_going_as_far():
    compared = beside(KNOWN, "a.b", "null", [1.0, None, 1.5], 1, "high").comparison
    assert (compared.draws, compared.n_unknown, compared.p) == ((1.0, 1.5), 1, 0.5)
    nothing = comparison_of("a.b", "null", 2.0, np.array([np.nan]), "high")
    assert (nothing.band, nothing.level, nothing.p, nothing.effect) == (None, 0.0, 1.0, None)


def test_fewer_points_may_be_compared_than_there_are():
    found = beside(KNOWN, "a.b", "null", [1.0, 2.0], 1, compared=(1.9, 20))
    assert (found.value, found.comparison.value, found.comparison.n_compared) == (2.0, 1.9, 20)


def test_what_differs_by_rounding_alone_goes_as_far():
    draws = np.full(39, 2.0) * (1 + 1e-12)
    assert comparison_of("a.b", "null", 2.0, draws, "both").p == 1.0
    assert comparison_of("a.b", "null", 2.0, draws, "both").effect is None


def test_a_law_has_no_draws():
    compared = law_comparison("planes.points", "null", 7.0, (2.0, 5.0), 0.01, "both")
    assert (compared.draws, compared.level, compared.band, compared.p) == ((), 0.95, (2.0, 5.0), 0.01)


def curve(y, kind="line"):
    edges = np.arange(y.shape[1] + (kind == "histogram"), dtype=float)
    return Curve(kind, edges, y, "x", "y", tuple("ab"[: len(y)]))


def test_curves_beside_draws_have_one_region_and_one_p_value():
    random = np.random.default_rng(5)
    draws, y = random.standard_normal((99, 2, 30)), random.standard_normal((2, 30))
    plain = curve_beside(curve(y), "null", draws)
    assert plain.null_p > 0.05
    assert plain.null_left_at == ()
    assert ((plain.null_low <= y) & (y <= plain.null_high)).all()
    y[1, 7] += 9
    found = curve_beside(curve(y), "null", draws)
    assert (found.null_name, found.null_level, found.null_p) == ("null", 0.95, pytest.approx(0.01))
    assert found.null_left_at == (7.0,)
    assert curve_beside(curve(y, "histogram"), "null", draws).null_left_at == (7.5,)


def test_curves_of_the_null_model_have_even_p_values():
    random = np.random.default_rng(4)
    # Counts of neighbouring bins, with ties and empty bins.
    p_values = [
        curve_beside(curve(rows[:1], "histogram"), "null", rows[1:, np.newaxis]).null_p
        for rows in random.poisson(np.geomspace(0.01, 20, 40), (600, 20, 40)).astype(float)
    ]
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(p_values) <= 0.5) == pytest.approx(0.5, abs=0.07)
