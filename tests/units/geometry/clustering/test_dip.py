"""The dip statistic."""

import numpy as np
import pytest

from zspace.geometry.clustering import dip as dip_module
from zspace.geometry.clustering.dip import dip, dip_p
from zspace.seeds import random_stream


def test_equal_values_have_no_dip():
    assert dip(np.full(7, 3.0)) == 0


def test_two_equal_spikes_have_the_largest_dip_there_is():
    assert dip(np.repeat([0.0, 1.0], 50)) == pytest.approx(0.25)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_dip_of_two_spikes_is_half_the_smaller_ones_share(share):
    n_small = int(200 * share)
    assert dip(np.repeat([0.0, 1.0], [n_small, 200 - n_small])) == pytest.approx(share / 2)


def test_even_steps_have_the_smallest_dip():
    assert dip(np.arange(40.0)) == pytest.approx(1 / 80)


def test_neither_place_nor_unit_nor_order_nor_sign_matters():
    values = random_stream(1, "dip").standard_normal(200)
    expected = dip(values)
    for same in (values[::-1], 1e6 * values, values + 3, -values):
        assert dip(same) == pytest.approx(expected, rel=1e-6)


def test_chances_fall_with_the_dip_and_stay_within_the_table():
    chances = [dip_p(found, 500) for found in np.linspace(0, 0.25, 40)]
    assert chances[0] == 1
    assert chances[-1] == pytest.approx(0.001)
    assert (np.diff(chances) <= 0).all()


@pytest.mark.parametrize("n_values", [60, 1000])
def test_one_uniform_sample_in_ten_has_a_chance_below_a_tenth(n_values):
    random = random_stream(2, "dip", n_values)
    chances = np.array([dip_p(dip(random.random(n_values)), n_values) for _ in range(600)])
    assert (chances <= 0.1).mean() == pytest.approx(0.1, abs=0.037)  # three standard errors


@pytest.mark.slow
@pytest.mark.parametrize("n_values", [10, 100, 1000, 10_000])
def test_the_table_can_be_had_again(n_values):
    random = random_stream(0, "dip", n_values)
    dips = np.sqrt(n_values) * np.array([dip(random.random(n_values)) for _ in range(8000)])
    table = np.array(dip_module._QUANTILES[n_values][1:-1])
    chances = np.array(dip_module._CHANCES[1:-1])
    assert np.quantile(dips, 1 - chances) == pytest.approx(table, rel=0.02)
