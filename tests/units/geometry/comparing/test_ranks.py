"""Ranks among draws, worked out by hand, and their levels."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.comparing.ranks import (
    extreme_rank_lengths,
    global_envelope,
    holm,
    joint_p,
    monte_carlo_p,
    pointwise_ranks,
    studentised_envelope,
)


@pytest.mark.parametrize(
    ("value", "tail", "p"),
    [
        (9.0, "high", 0.2),
        (0.0, "high", 1.0),
        (0.0, "low", 0.2),
        (2.0, "high", 0.8),
        (2.0, "low", 0.6),
        (9.0, "both", 0.4),
    ],
)
def test_p_counts_the_value_itself_and_ties_as_far(value, tail, p):
    assert monte_carlo_p(value, np.array([1.0, 2.0, 3.0, 4.0]), tail) == pytest.approx(p)


def test_p_of_an_unknown_draw_counts_as_far_on_either_side():
    draws = np.array([1.0, np.nan, 2.0])
    assert monte_carlo_p(9.0, draws, "high") == 0.5
    assert monte_carlo_p(0.0, draws, "low") == 0.5


def test_ranks_count_from_the_nearer_end_and_ties_share_the_worse():
    rows = np.array([[5.0], [1.0], [3.0], [4.0], [4.0]])
    assert pointwise_ranks(rows)[:, 0].tolist() == [1, 1, 2, 3, 3]


def test_one_number_far_out_is_enough_among_many():
    rows = np.random.default_rng(1).standard_normal((200, 30))
    rows[0, 7] = 9.0
    assert joint_p(rows, ["both"] * 30) == pytest.approx(1 / 200)
    assert joint_p(rows, ["low"] * 30) > 0.02


def test_numbers_that_all_rows_share_or_that_draws_lack_decide_nothing():
    rows = np.column_stack([[9.0, 1.0, 2.0, 3.0], np.full(4, 7.0)])
    assert joint_p(rows, ["high", "both"]) == 0.25
    rows[2, 0] = np.nan
    assert joint_p(rows, ["high", "both"]) == 0.5
    assert joint_p(np.full((4, 1), 0.1), ["both"]) == 1.0


def test_joint_p_is_as_small_as_said():
    random = np.random.default_rng(1)
    tails = ["both", "high", "low"]
    p_values = [joint_p(random.standard_exponential((20, 3)), tails) for _ in range(2000)]
    for level in (0.05, 0.25, 0.5):
        low, high = stats.binom.interval(0.9999, 2000, level)
        assert low <= np.sum(np.array(p_values) <= level + 1e-9) <= high


def test_the_row_that_is_extreme_more_often_comes_first():
    shares = extreme_rank_lengths(np.array([[1, 1, 4], [1, 4, 4], [4, 3, 1], [3, 3, 3]]))
    assert shares.tolist() == [0.25, 0.75, 0.5, 1.0]


def test_an_envelope_holds_the_least_extreme_curves_and_says_where_it_is_left():
    random = np.random.default_rng(2)
    draws = random.standard_normal((199, 30))
    curve = np.zeros(30)
    curve[7:13] = 9.0
    found = global_envelope(curve, draws, 0.95)
    assert found.p == pytest.approx(1 / 200)
    assert np.flatnonzero(found.outside).tolist() == [*range(7, 13)]
    within = ((draws >= found.low) & (draws <= found.high)).all(axis=1).mean()
    assert within == pytest.approx(0.955, abs=0.01)


def test_a_curve_leaves_the_envelope_as_often_as_said():
    random = np.random.default_rng(3)
    n_left = 0
    for _ in range(400):
        curves = random.standard_normal((100, 1)) + 0.5 * random.standard_normal((100, 12))
        found = global_envelope(curves[0], curves[1:], 0.95)
        n_left += found.outside.any()
        assert found.outside.any() == (found.p <= 0.05)
    low, high = stats.binom.interval(0.9999, 400, 0.05)
    assert low <= n_left <= high


def test_few_draws_are_enough_for_a_spike_to_leave_a_studentised_envelope():
    random = np.random.default_rng(5)
    draws = random.standard_normal((39, 300)) * np.geomspace(1e-3, 1e3, 300)
    curve = np.zeros(300)
    curve[12] = -9e-3 * (1e6 ** (12 / 299))
    found = studentised_envelope(curve, draws, 0.95)
    assert found.p == pytest.approx(1 / 40)
    assert np.flatnonzero(found.outside).tolist() == [12]
    assert found.low[12] > curve[12]
    # One curve may leave it beside the cloud's own, as 2 of 40 are 5 %.
    assert ((draws >= found.low) & (draws <= found.high)).all(axis=1).sum() == 38
    assert global_envelope(curve, draws, 0.95).p > 0.1


def test_a_curve_leaves_the_studentised_envelope_as_often_as_said():
    random = np.random.default_rng(6)
    n_left = 0
    for _ in range(400):
        curves = random.standard_exponential((40, 1)) + 0.5 * random.standard_exponential((40, 100))
        found = studentised_envelope(curves[0], curves[1:], 0.95)
        n_left += found.outside.any()
        assert found.outside.any() == (found.p <= 0.05)
        assert found.outside.any() == ((curves[0] < found.low) | (curves[0] > found.high)).any()
    low, high = stats.binom.interval(0.9999, 400, 0.05)
    assert low <= n_left <= high


def test_single_points_in_bins_empty_otherwise_do_not_hide_a_spike():
    counts = np.vstack([np.full(80, 5.0), np.tile(np.resize([4.0, 5.0, 6.0], 39), (80, 1)).T])
    counts[:, :40] = 0.0
    counts[range(1, 40), range(39)] = 1.0  # every draw has a point where no other has
    counts[0, 60] = 14.0
    assert studentised_envelope(counts[0], counts[1:], 0.95).p == 1.0
    assert studentised_envelope(counts[0], counts[1:], 0.95, step=1.0).p == pytest.approx(1 / 40)


def test_what_all_curves_share_is_no_deviation():
    found = studentised_envelope(np.full(3, 0.1), np.full((39, 3), 0.1), 0.95)
    assert (found.p, found.outside.any(), found.low.tolist()) == (1.0, False, found.high.tolist())


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, 0.03 * 2 = 0.06 as before, 0.9 * 1.
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([None, 0.2]) == [None, 0.2]
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]
