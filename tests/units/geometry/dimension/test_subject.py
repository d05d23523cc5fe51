"""Dimension as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.ratios import gride_dimension
from zspace.geometry.dimension.subject import SUBJECT, dimension_view
from zspace.geometry.truths import line_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}
PROFILES = {profile.name: profile for profile in SUBJECT.profiles}


def test_a_line_has_one_dimension_at_every_scale():
    view = dimension_view(Cloud(line_points(500, np.array([1.0, 2.0]), 1)))
    assert ROWS["neighbor_dimension"].value(view) == pytest.approx(1, rel=0.05)
    assert ROWS["local_participation"].value(view) == pytest.approx(1, abs=1e-3)


def test_the_dimension_of_neighbourhoods_is_the_mean_over_scales_in_logarithms():
    view = dimension_view(Cloud(standard_normal_points(400, 6, 1)))
    known = [gride_dimension(view.distances, nearer) for nearer in (4, 8, 16, 32)]
    assert ROWS["neighbor_dimension"].value(view) == pytest.approx(np.prod(known) ** 0.25)


def test_the_dimension_of_neighbourhoods_takes_the_scales_that_there_are():
    view = dimension_view(Cloud(standard_normal_points(20, 3, 1)))
    known = [gride_dimension(view.distances, nearer) for nearer in (4, 8)]
    assert ROWS["neighbor_dimension"].value(view) == pytest.approx(np.sqrt(np.prod(known)))
    assert ROWS["gride_32"].value(view) is None
    copies = dimension_view(Cloud(np.repeat(standard_normal_points(4, 3, 1), 20, axis=0)))
    assert ROWS["neighbor_dimension"].value(copies) is None


def test_profiles_share_their_x_and_do_not_know_what_a_lattice_hides():
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    for cloud in (Cloud(grid), Cloud(standard_normal_points(125, 3, 1))):
        x, _ = PROFILES["gride"].value(dimension_view(cloud))
        assert x.tolist() == [2, 4, 8, 16, 32, 64]
    assert np.isnan(PROFILES["gride"].value(dimension_view(Cloud(grid)))[1][0])
