"""Clusters as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.subject import SUBJECT, clusters_view, split_dip, split_dip_p
from zspace.geometry.truths import TRUTHS, constant_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}


def two_heaps(distance):
    points = standard_normal_points(600, 12, 1)
    points[::2, 3] += np.float32(distance)
    return Cloud(points)


def test_the_line_between_two_heaps_has_two_peaks():
    view = clusters_view(two_heaps(8))
    assert split_dip(view) > 0.1
    assert split_dip_p(view) == pytest.approx(0.001)
    assert ROWS["component_dip"].value(view) > 0.1


def test_a_gaussian_cut_in_two_has_one_peak():
    view = clusters_view(two_heaps(0))
    assert split_dip_p(view) > 0.1


def test_eight_clusters_leave_little_of_eight_heaps():
    view = clusters_view(Cloud(TRUTHS["heaps"].draw(800, 1)))
    assert view.inertia_shares[8] == pytest.approx(10 / (10 + 7 / 8 * 32), rel=0.1)
    assert view.inertia_shares[8] < 0.8 * view.inertia_shares[4]
    assert view.inertia_shares[16] > 0.8 * view.inertia_shares[8]


def test_points_in_fewer_places_than_clusters_have_no_such_inertia():
    places = np.repeat(np.float32([[0, 0], [1, 0], [0, 1], [1, 1], [5, 5]]), 10, axis=0)
    view = clusters_view(Cloud(places))
    assert list(view.inertia_shares) == [2, 4]
    assert ROWS["inertia_8"].value(view) is None
    assert np.isnan(SUBJECT.profiles[0].value(view)[1][2:]).all()


def test_equal_points_are_refused():
    with pytest.raises(Exception, match="must have at least 2 different z-points, got 1"):
        clusters_view(Cloud(constant_points(50, np.ones(3))))
