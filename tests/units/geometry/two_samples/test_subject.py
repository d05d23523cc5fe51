"""Two samples as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import line_points, standard_normal_points
from zspace.geometry.two_samples.subject import _area_under_curve, classifier_area, own_neighbours, sample_view


def view_of(points):
    return sample_view(Cloud(np.asarray(points, np.float32)))


def test_samples_of_one_law_cannot_be_told_apart():
    one, other = (view_of(standard_normal_points(800, 6, seed)) for seed in (1, 2))
    assert classifier_area(one, other) == pytest.approx(0.5, abs=0.1)
    assert own_neighbours(one, other) == pytest.approx(0.5, abs=0.03)


def test_held_out_points_do_not_flatter_the_classifier():
    """With few points and many features, points that were seen before would look easy to tell."""
    areas = [
        classifier_area(*(view_of(standard_normal_points(60, 6, seed + 100 * other)) for other in (0, 1)))
        for seed in range(1, 13)
    ]
    assert np.mean(areas) < 0.6


def test_halves_are_as_good_as_chance_and_keep_copies_together():
    halves = view_of(standard_normal_points(2000, 6, 1)).halves
    radii = [np.linalg.norm(half.points, axis=1) for half in halves]
    assert [len(half.points) for half in halves] == [1000, 1000]
    assert radii[0].mean() == pytest.approx(radii[1].mean(), abs=0.1)  # three standard errors
    doubled = view_of(np.repeat(standard_normal_points(100, 6, 1), 2, axis=0)).halves
    assert len(np.unique(doubled[0].points, axis=0)) == 50


def test_strings_differ_from_a_gaussian_of_the_same_covariance_by_their_neighbourhoods():
    random = np.random.default_rng(1)
    directions = random.standard_normal((12, 6))
    strings = np.concatenate([line_points(60, direction, k) for k, direction in enumerate(directions)])
    strings = strings + 0.05 * random.standard_normal(strings.shape)
    twin = random.multivariate_normal(strings.mean(axis=0), np.cov(strings.T), len(strings))
    assert classifier_area(view_of(strings), view_of(twin)) > 0.9


def test_samples_in_different_places_keep_to_themselves():
    points = standard_normal_points(300, 5, 1)
    near, far = view_of(points), view_of(standard_normal_points(300, 5, 2) + np.float32(4))
    assert own_neighbours(near, far) > 0.97


def test_sizes_may_differ():
    small, large = view_of(standard_normal_points(100, 4, 1)), view_of(standard_normal_points(300, 4, 2))
    expected = (100 * 100 + 300 * 300) / 400**2
    assert own_neighbours(small, large) == pytest.approx(expected, abs=0.05)
    assert 0 <= classifier_area(small, large) <= 1


def test_the_area_counts_ties_by_half():
    assert _area_under_curve(np.array([1.0, 2.0]), np.array([0.0, 1.0])) == pytest.approx(0.875)
    assert _area_under_curve(np.ones(4), np.ones(3)) == 0.5
