"""Dimension as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.subject import SUBJECT, dimension_view, string_likeness, string_share
from zspace.geometry.truths import line_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}
PROFILES = {profile.name: profile for profile in SUBJECT.profiles}


def test_every_place_on_a_line_lies_along_a_string():
    view = dimension_view(Cloud(line_points(500, np.array([1.0, 2.0]), 1)))
    assert string_share(view) == 1.0
    assert ROWS["string_likeness"].value(view) == pytest.approx(1, abs=1e-3)
    assert ROWS["local_participation"].value(view) == pytest.approx(1, abs=1e-3)


def test_a_string_of_few_points_inside_a_thick_cloud_shows_in_the_densest_places_only():
    points = standard_normal_points(1000, 40, 1)
    points[:20] = 0.2 * line_points(20, np.eye(40)[0], 2)
    hidden, plain = (dimension_view(Cloud(some)) for some in (points, standard_normal_points(1000, 40, 3)))
    dense = ROWS["dense_string_likeness"]
    assert dense.value(hidden) > 0.5
    assert dense.value(plain) < 0.1
    assert ROWS["string_likeness"].value(hidden) < 0.2


def test_without_spectra_there_is_no_likeness():
    assert string_likeness({}, (16,)) is None


def test_profiles_share_their_x_and_do_not_know_what_a_lattice_hides():
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    for cloud in (Cloud(grid), Cloud(standard_normal_points(125, 3, 1))):
        x, _ = PROFILES["gride"].value(dimension_view(cloud))
        assert x.tolist() == [2, 4, 8, 16, 32, 64]
    assert np.isnan(PROFILES["gride"].value(dimension_view(Cloud(grid)))[1][0])
