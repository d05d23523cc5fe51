"""Loops along a graph of neighbours."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.connectivity.loops import longest_loop, neighbour_ways
from zspace.geometry.truths import cube_points, line_points, standard_normal_points


def loop_of(points):
    return longest_loop(Cloud(np.asarray(points, np.float32)).pairs.squares)


def ring(n_points, z_dim, width, seed=1):
    random = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(n_points) / n_points
    points = np.zeros((n_points, z_dim))
    points[:, 0], points[:, 1] = np.cos(angles), np.sin(angles)
    return points + random.standard_normal(points.shape) * width / np.sqrt(z_dim)


def test_a_bare_ring_is_as_long_as_its_edges_allow():
    """Twelve neighbours reach six steps to either side; the median edge is between three and four steps long."""
    assert loop_of(ring(240, 2, 0)) == pytest.approx(240 / 3.5, rel=0.15)


def test_an_open_line_has_no_loop():
    assert loop_of(line_points(200, np.array([1.0, 1.0]), 1)) < 6


def test_a_ring_in_noise_of_many_dimensions_stands_out():
    plain = standard_normal_points(256, 100, 1)
    assert loop_of(ring(256, 100, 0.3)) > 3 * loop_of(plain)


def test_a_filled_square_has_short_loops_only():
    assert loop_of(cube_points(256, 2, 1.0, 1)) < loop_of(ring(256, 2, 0.2)) / 2


def test_the_graph_holds_together_across_a_gap():
    apart = np.concatenate([standard_normal_points(30, 3, 1), standard_normal_points(30, 3, 2) + np.float32(50)])
    ways, edge = neighbour_ways(Cloud(apart).pairs.squares)
    assert np.isfinite(ways).all()
    assert edge > 0


def test_copies_have_no_loop_of_their_own():
    assert np.isfinite(loop_of(np.repeat(standard_normal_points(4, 3, 1), 20, axis=0)))
