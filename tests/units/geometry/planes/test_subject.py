"""Planes as a subject."""

import numpy as np
import pytest

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.planes.subject import SUBJECT, empty_space, largest_gap, planes_view
from zspace.geometry.truths import line_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}
PROFILES = {profile.name: profile for profile in SUBJECT.profiles}


def gaussian(n_points=2000, z_dim=4):
    return Cloud(standard_normal_points(n_points, z_dim, 1) * np.linspace(2, 1, z_dim, dtype=np.float32))


def clumps():
    random = np.random.default_rng(1)
    centres = random.standard_normal((100, 2))
    points = np.repeat(centres, 20, axis=0) + 0.01 * random.standard_normal((2000, 2))
    return Cloud((points * [2, 1]).astype(np.float32))


def test_independent_points_have_as_much_near_points_as_near_places():
    view = planes_view(gaussian())["pc1_pc2"]
    assert empty_space(view) == pytest.approx(0.5, abs=0.07)
    assert largest_gap(view) < 0.08
    assert view.pair_correlation == pytest.approx(1, abs=0.25)
    assert view.local_dimension == pytest.approx(2, abs=0.1)


def test_clumps_have_many_near_pairs_and_leave_space_empty():
    view = planes_view(clumps())["pc1_pc2"]
    assert empty_space(view) < 0.2
    assert largest_gap(view) > 0.5
    assert view.pair_correlation[0] > 5


def test_points_on_lines_have_one_dimension():
    directions = np.array([[1.0, 0.3], [-0.4, 1.0], [1.0, -1.0]])
    points = np.concatenate([line_points(300, direction, k) for k, direction in enumerate(directions)])
    assert ROWS["pc1_pc2_dimension"].value(planes_view(Cloud(points))) < 1.3


def test_a_plane_that_there_is_not_is_unknown():
    views = planes_view(gaussian(200, 3))
    assert list(views) == ["pc1_pc2"]
    assert ROWS["pc3_pc4_gap"].value(views) is None
    assert np.isnan(PROFILES["pc3_pc4_pairs"].value(views)[1]).all()


def test_a_line_has_no_plane():
    with pytest.raises(TooFewPoints, match=r"planes: must have points that spread along 2 components, got 1\."):
        planes_view(Cloud(standard_normal_points(100, 1, 1)))


def test_copies_are_near_pairs_and_do_not_count_for_the_dimension():
    doubled = planes_view(Cloud(np.repeat(gaussian(500).points, 2, axis=0)))["pc1_pc2"]
    once = planes_view(gaussian(500))["pc1_pc2"]
    assert doubled.local_dimension == pytest.approx(once.local_dimension)
    assert doubled.pair_correlation[0] > once.pair_correlation[0] + 1


def test_shares_within_grow_with_the_distance():
    for name in ("pc1_pc2_near", "pc1_pc2_covered"):
        _, y = PROFILES[name].value(planes_view(gaussian(400)))
        assert (np.diff(y) >= 0).all()
        assert 0 <= y[0] <= y[-1] <= 1
