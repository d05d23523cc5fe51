"""Spectra and directions that known clouds are built in."""

import numpy as np
import pytest

from zspace.geometry.truths.frames import averaging_one, power_law, resized, rotation, size_of, turned


@pytest.mark.parametrize("z_dim", [1, 2, 256])
def test_variances_fall_as_a_power_of_their_rank_and_average_one(z_dim):
    variances = power_law(z_dim, exponent=0.5)
    assert variances.mean() == pytest.approx(1)
    np.testing.assert_allclose(variances / variances[0], np.arange(1, z_dim + 1) ** -0.5)


def test_averaging_one_keeps_proportions():
    assert averaging_one(np.array([6.0, 2.0, 1.0])).tolist() == [2, pytest.approx(2 / 3), pytest.approx(1 / 3)]


def test_a_rotation_is_orthogonal_of_its_seed_and_mixes_all_axes():
    found = rotation(5, 1)
    np.testing.assert_allclose(found.T @ found, np.eye(5), atol=1e-12)
    assert (np.abs(found) > 1e-3).all()
    assert np.array_equal(found, rotation(5, 1))
    assert not np.allclose(found, rotation(5, 2))


def test_turning_keeps_distances_and_rotation_undoes_it():
    coordinates = np.arange(12.0).reshape(4, 3) ** 2
    points = turned(coordinates, 1)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points @ rotation(3, 1), coordinates, rtol=1e-5, atol=1e-4)


def test_size_is_the_root_of_the_trace_and_resizing_makes_it_that_of_the_standard_normal():
    coordinates = np.array([[0.0, 0], [6, 8]])
    assert size_of(coordinates) == 5
    assert size_of(resized(coordinates)) == pytest.approx(np.sqrt(2))
