"""Walks through the latent space."""

import numpy as np
import pytest

from zspace.generating.paths import COMPONENT_STEPS, component_walks
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import gaussian_points

POINTS = gaussian_points(5000, np.array([1.0, -2.0, 0.5]), np.diag([9.0, 4.0, 1.0]), 1)


def test_walks_pass_the_centre_at_even_standard_deviations():
    walks = component_walks(Cloud(POINTS), 2).reshape(2, len(COMPONENT_STEPS), 3)
    middle = COMPONENT_STEPS.index(0.0)
    np.testing.assert_allclose(walks[:, middle], np.tile(POINTS.mean(axis=0), (2, 1)), atol=1e-5)
    for walk, axis, deviation in zip(walks, (0, 1), (3.0, 2.0), strict=True):
        step = walk[middle + 1] - walk[middle]
        assert np.linalg.norm(step) == pytest.approx(deviation, rel=0.05)
        assert abs(step[axis]) / np.linalg.norm(step) > 0.99
        np.testing.assert_allclose(np.diff(walk, axis=0), np.tile(step, (len(COMPONENT_STEPS) - 1, 1)), atol=1e-5)


def test_there_is_at_most_one_walk_for_each_dimension():
    assert component_walks(Cloud(POINTS), 8).shape == (3 * len(COMPONENT_STEPS), 3)
