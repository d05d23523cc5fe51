"""Neighbours as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.neighbourhoods.subject import (
    SUBJECT,
    NeighbourView,
    dense_distance,
    hubness,
    neighbour_distance,
    neighbour_view,
)


def line(n_points, step=1.0):
    return Cloud(np.float32(step) * np.arange(n_points, dtype=np.float32)[:, np.newaxis])


def test_distances_on_a_line_are_its_steps():
    view = neighbour_view(line(400, step=2.0))
    # All but the two ends have both first neighbours a step away, and the fourth two steps.
    assert neighbour_distance(view, 1) == pytest.approx(2.0)
    assert neighbour_distance(view, 4) == pytest.approx(4.0, rel=0.02)


def test_a_neighbour_that_there_is_not_is_unknown():
    view = neighbour_view(line(20))
    assert neighbour_distance(view, 64) is None
    assert neighbour_distance(view, 16) is not None


def test_dense_places_are_told_relative_to_the_median():
    steps = np.concatenate([np.full(10, 0.1), np.full(190, 1.0)])
    cloud = Cloud(steps.cumsum().astype(np.float32)[:, np.newaxis])
    assert dense_distance(neighbour_view(cloud), 0.01) == pytest.approx(0.1, rel=1e-3)
    assert dense_distance(neighbour_view(cloud), 0.5) == pytest.approx(1.0, rel=1e-3)


def test_a_star_has_a_hub():
    random = np.random.default_rng(1)
    directions = np.linalg.qr(random.standard_normal((60, 60)))[0]
    star = np.concatenate([np.zeros((1, 60)), directions]).astype(np.float32)
    view = neighbour_view(Cloud(star))
    assert view.occurrences[0] == 60
    assert hubness(view) > 1.5


def test_occurrences_all_alike_have_no_skewness():
    assert hubness(NeighbourView(np.zeros((12, 11)), np.full(12, 10))) is None


def test_copies_are_as_good_as_nothing_apart_but_have_a_logarithm():
    cloud = Cloud(np.repeat(line(30).points, 2, axis=0))
    assert neighbour_distance(neighbour_view(cloud), 1) == pytest.approx(1e-6 * cloud.pairs.unit)


def test_the_profile_has_every_neighbour():
    x, y = SUBJECT.profiles[0].value(neighbour_view(line(100)))
    assert x.tolist() == list(range(1, 65))
    assert (np.diff(y) >= 0).all()
