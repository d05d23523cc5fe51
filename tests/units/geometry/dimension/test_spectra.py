"""Local spectra: lines, discs and balls."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.spectra import local_spectra, mean_participation
from zspace.geometry.truths import line_points, standard_normal_points

EVERY = np.arange(200)


def in_plane(z_dim=6):
    flat = np.zeros((400, z_dim), np.float32)
    flat[:, :2] = standard_normal_points(400, 2, 1)
    return Cloud(flat)


def test_a_line_spreads_along_one_direction():
    pairs = Cloud(line_points(200, np.array([3.0, 1.0, -2.0]), 1)).pairs
    assert local_spectra(pairs, EVERY, (8,))[8].leading[:, 0] == pytest.approx(1, abs=1e-5)
    assert mean_participation(pairs, EVERY, (8,))[8] == pytest.approx(1, abs=1e-5)


def test_a_plane_spreads_along_two_directions():
    pairs = in_plane().pairs
    leading = local_spectra(pairs, EVERY, (32,))[32].leading
    assert leading[:, :2].sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert leading[:, 1].mean() > 0.25
    assert 1.5 < mean_participation(pairs, EVERY, (32,))[32] < 2


def test_a_ball_spreads_along_nearly_all_directions():
    pairs = Cloud(standard_normal_points(600, 12, 1)).pairs
    assert local_spectra(pairs, EVERY, (64,))[64].leading.max() < 0.4
    assert 9 < mean_participation(pairs, EVERY, (64,))[64] < 12


def test_more_neighbours_than_there_are_give_no_spectrum():
    found = local_spectra(Cloud(standard_normal_points(20, 3, 1)).pairs, np.arange(20), (8, 16, 32))
    assert list(found) == [8, 16]


def test_places_where_all_neighbours_are_equal_are_left_out():
    points = np.concatenate([np.repeat(np.ones((1, 3), np.float32), 20, axis=0), standard_normal_points(30, 3, 1)])
    found = local_spectra(Cloud(points).pairs, np.arange(50), (8,))[8]
    assert len(found.leading) == 30
    assert np.isfinite(found.leading).all()


def test_places_that_all_lie_on_copies_give_no_spectrum():
    points = np.repeat(standard_normal_points(4, 3, 1), 20, axis=0)
    pairs = Cloud(points).pairs
    assert local_spectra(pairs, np.arange(80), (8, 16)) == mean_participation(pairs, np.arange(80), (8, 16)) == {}
