"""Strings and sheets: lines, discs, balls, lumps and copies."""

import numpy as np
import pytest

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.shapes import SUBJECT, _spreads_evenly, on_sheet, on_string, shapes_of
from zspace.geometry.truths import line_points, standard_normal_points

ROWS = {quantity.name: quantity.value for quantity in SUBJECT.quantities}


def shown(points):
    return shapes_of(Cloud(np.asarray(points, np.float32)))


def shares(points):
    """Of all points on strings and on sheets."""
    seen = shown(points)
    return ROWS["string_share"](seen), ROWS["sheet_share"](seen)


def disc_points(n_points, z_dim, seed=1):
    random = np.random.default_rng(seed)
    angles, radii = 2 * np.pi * random.uniform(size=n_points), np.sqrt(random.uniform(size=n_points))
    return np.pad(np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1), ((0, 0), (0, z_dim - 2)))


@pytest.mark.parametrize(
    ("leading", "is_string", "is_sheet"),
    [
        ([1.0, 0.0, 0.0], True, False),
        ([0.5, 0.1, 0.05], True, False),
        ([0.49, 0.05, 0.05], False, False),
        ([0.7, 0.15, 0.15], False, False),
        ([0.5, 0.4, 0.1], False, True),
        ([0.4, 0.3, 0.08], False, True),
        ([0.4, 0.3, 0.1], False, False),
        ([0.34, 0.33, 0.33], False, False),
    ],
)
def test_shares_of_three_directions_make_a_string_or_a_sheet(leading, is_string, is_sheet):
    assert on_string(np.array([leading])).tolist() == [is_string]
    assert on_sheet(np.array([leading])).tolist() == [is_sheet]


@pytest.mark.parametrize("z_dim", [2, 3, 30])
def test_points_of_a_line_lie_on_a_string(z_dim):
    on_strings, on_sheets = shares(line_points(600, np.arange(1.0, z_dim + 1), 1))
    assert on_strings > 0.8
    assert on_sheets == 0


@pytest.mark.parametrize("z_dim", [3, 30])
def test_points_of_a_disc_lie_on_a_sheet(z_dim):
    on_strings, on_sheets = shares(disc_points(600, z_dim))
    assert on_strings < 0.02
    assert on_sheets > 0.9


@pytest.mark.parametrize("z_dim", [5, 30, 256])
def test_points_of_a_ball_lie_on_neither(z_dim):
    assert max(shares(standard_normal_points(600, z_dim, 1))) < 0.02


@pytest.mark.parametrize("n_each", [6, 12, 20, 300])
def test_two_lumps_are_no_string(n_each):
    """From lump to lump neighbours spread along one direction, but their distances jump."""
    lumps = np.concatenate([0.05 * standard_normal_points(n_each, 12, seed) for seed in range(600 // n_each)])
    places = np.repeat(10 * standard_normal_points(600 // n_each, 12, 9), n_each, axis=0)
    seen = shown(lumps + places)
    assert not seen.strings.any()
    assert not seen.dense_strings.any()
    assert seen.sheets.mean() < 0.02


def test_neighbours_spread_evenly_unless_a_distance_jumps_from_the_fourth_on():
    even = np.arange(1.0, 9.0)
    early, late = even * [1, 1, 9, 9, 9, 9, 9, 9], even * [1, 1, 1, 1, 1, 9, 9, 9]
    lattice, copies = np.ones(8), np.zeros(8)
    found = _spreads_evenly(np.array([even, early, late, lattice, copies]))
    assert found.tolist() == [True, True, False, True, False]


def test_a_string_of_few_points_inside_a_thick_cloud_shows_in_the_densest_places():
    points = standard_normal_points(1000, 40, 1)
    points[:20] = 0.2 * line_points(20, np.eye(40)[0], 2)
    hidden, plain = shown(points), shown(standard_normal_points(1000, 40, 3))
    assert hidden.dense_strings.mean() > 0.6
    assert hidden.strings.mean() < 0.05
    assert plain.dense_strings.mean() < 0.1
    assert ROWS["strings"](hidden) == hidden.strings.mean() + hidden.dense_strings.mean()


def test_copies_are_no_string():
    points = standard_normal_points(20, 8, 1)
    seen = shown(np.repeat(points, 20, axis=0))
    assert [ROWS[name](seen) for name in ROWS] == [0, 0, 0, 0]


def test_copies_of_some_points_hide_no_string():
    line = line_points(400, np.array([1.0, 2.0, 3.0]), 1)
    assert shares(np.concatenate([line, np.repeat(line[:4], 40, axis=0)]))[0] > 0.5


def test_a_point_on_a_string_is_not_on_a_sheet_as_well():
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    seen = shown(np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1))
    assert seen.strings.all()
    assert not seen.sheets.any()


def test_places_anywhere_and_dense_ones_may_differ_in_number():
    seen = shown(standard_normal_points(900, 3, 1))
    assert seen.strings.shape == seen.sheets.shape == (256,)
    assert seen.dense_strings.shape == seen.dense_sheets.shape == (18,)


def test_few_points_take_fewer_neighbours_and_too_few_are_refused():
    assert shares(line_points(90, np.ones(3), 1))[0] > 0.7
    with pytest.raises(TooFewPoints, match="at least 80 z-points to look for strings and sheets, got 79"):
        shown(standard_normal_points(79, 3, 1))
    with pytest.raises(TooFewPoints, match="at least 2 different z-points, got 1"):
        shown(np.ones((100, 3)))
