"""Elbows and gaps on curves that are written down by hand."""

import numpy as np
import pytest

from zspace.geometry.clustering.elbows import gap_choice, gaps_of, sharpest_corner

KS = np.array([1, *range(2, 41, 2)])
STRAIGHT = -0.3 * np.log(KS)


def bent(k, steeper=2.0):
    """Fall steeply up to k, then as a null model does."""
    return STRAIGHT - steeper * np.log(np.minimum(KS, k))


@pytest.mark.parametrize("k", [4, 8, 20])
def test_a_corner_is_found_where_it_is(k):
    corner = sharpest_corner(KS, bent(k), STRAIGHT)
    assert corner.k == k
    assert corner.bend == pytest.approx(1 - 0.3 / 2.3, abs=0.05)


def test_a_curve_that_bends_as_the_null_model_does_has_no_corner():
    assert sharpest_corner(KS, bent(8), bent(8)).bend == pytest.approx(0)
    assert sharpest_corner(KS, 3 * bent(8), bent(8)).bend == pytest.approx(0)


def test_a_flat_curve_has_no_corner():
    assert sharpest_corner(KS, np.zeros(len(KS)), STRAIGHT).bend == 0
    assert sharpest_corner(KS, STRAIGHT, np.zeros(len(KS))).bend == pytest.approx(0)


def test_a_curve_of_two_numbers_is_too_short():
    assert sharpest_corner(KS[:2], STRAIGHT[:2], STRAIGHT[:2]) is None


def test_the_gap_is_what_the_curve_lies_below_the_mean_of_the_references():
    references = np.array([[0.0, -1.0], [0.0, -3.0]])
    assert gaps_of(np.array([0.0, -5.0]), references).tolist() == [0.0, 3.0]


@pytest.mark.parametrize(("gaps", "k"), [([0, 0.1, 0.2], 1), ([0, 3, 2], 2), ([0, 3, 9], None)])
def test_the_gap_chooses_the_first_number_that_the_next_does_not_clearly_beat(gaps, k):
    references = np.array([[0.0, -1.0, -1.0], [0.0, -2.0, -2.0]])
    assert gap_choice(np.array([1, 2, 4]), np.array(gaps, dtype=np.float64), references) == k
