"""Dimension from ratios of distances."""

import numpy as np
import pytest

from zspace.geometry.dimension.ratios import gride_dimension, two_nn_dimension


def test_ratios_at_their_quantiles_give_the_dimension_exactly():
    """Facco's law of the ratio is Pareto: its quantiles lie on the line whose slope is the dimension."""
    n_points, dimension = 500, 7.0
    shares = np.arange(1, n_points + 1) / n_points
    ratios = np.append((1 - shares[:-1]) ** (-1 / dimension), 1e9)
    assert two_nn_dimension(np.stack([np.ones(n_points), ratios], axis=1)) == pytest.approx(dimension)


def test_gride_of_first_neighbours_is_the_mean_logarithm_inverted():
    ratios = np.array([1.1, 1.5, 2.0, 1.05])
    found = gride_dimension(np.stack([np.ones(4), ratios], axis=1), 1)
    assert found == pytest.approx(1 / np.log(ratios).mean())


@pytest.mark.parametrize("nearer", [2, 8, 32])
def test_gride_has_the_likelihood_at_its_peak(nearer):
    random = np.random.default_rng(3)
    near = random.uniform(1, 2, 300)
    distances = np.empty((300, 64))
    distances[:, nearer - 1], distances[:, 2 * nearer - 1] = near, near * (1 + random.beta(2, 5, 300))
    logs = np.log(distances[:, 2 * nearer - 1] / near)

    def log_likelihood(d):
        return (np.log(d) + (nearer - 1) * np.log(np.expm1(d * logs)) - ((2 * nearer - 1) * d + 1) * logs).sum()

    found = gride_dimension(distances, nearer)
    assert log_likelihood(found) > max(log_likelihood(found * 1.001), log_likelihood(found / 1.001))


def test_what_cannot_be_told_is_unknown():
    lattice, few = np.ones((50, 4)), np.array([[1.0, 2.0], [1.0, 3.0]])
    copies = np.zeros((50, 4))
    for distances in (lattice, few, copies):
        assert two_nn_dimension(distances) is None
        assert gride_dimension(distances, 1) is None
    assert gride_dimension(np.ones((50, 4)), 4) is None


def test_points_with_copies_are_left_out():
    random = np.random.default_rng(1)
    distances = np.sort(random.uniform(1, 2, (200, 4)), axis=1)
    with_copies = np.concatenate([distances, np.zeros((30, 4))])
    assert two_nn_dimension(with_copies) == two_nn_dimension(distances)
    assert gride_dimension(with_copies, 2) == gride_dimension(distances, 2)


def test_almost_equal_distances_are_not_called_a_dimension():
    distances = np.stack([np.ones(100), 1 + np.linspace(1e-9, 1e-8, 100)], axis=1)
    assert two_nn_dimension(distances) is None
    assert gride_dimension(distances, 1) is None
