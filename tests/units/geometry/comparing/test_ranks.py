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


def test_holm_by_hand():
    # 0.01 * 4, 0.02 * 3, 0.03 * 2 = 0.06 as before, 0.9 * 1.
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([None, 0.2]) == [None, 0.2]
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]
