"""The radius as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.radius.subject import SUBJECT, radial_kurtosis, radius_view
from zspace.geometry.truths import sphere_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}


def test_numbers_are_those_of_the_distances_from_the_origin():
    points = standard_normal_points(200, 4, 1) + np.float32(3)
    radii = np.linalg.norm(points.astype(np.float64), axis=1)
    view = radius_view(Cloud(points))
    expected = {
        "mean": radii.mean(),
        "deviation": radii.std(),
        "quantile_25": np.quantile(radii, 0.25),
        "quantile_75": np.quantile(radii, 0.75),
    }
    for name, value in expected.items():
        assert ROWS[name].value(view) == pytest.approx(value)


def test_kurtosis_is_that_of_a_gaussian_for_one_and_less_on_a_sphere():
    """On a sphere the Mahalanobis radius is sqrt(d): d ** 2 over d (d + 2)."""
    gaussian, sphere = (
        Cloud(points) for points in (standard_normal_points(20000, 3, 1), sphere_points(20000, 3, 2.0, 1))
    )
    assert radial_kurtosis(radius_view(gaussian)) == pytest.approx(1, abs=0.02)
    assert radial_kurtosis(radius_view(sphere)) == pytest.approx(3 / 5, abs=0.01)


def test_kurtosis_does_not_count_components_without_spread():
    points = standard_normal_points(500, 3, 1)
    padded = np.pad(points, ((0, 0), (0, 3)))
    assert radial_kurtosis(radius_view(Cloud(padded))) == pytest.approx(radial_kurtosis(radius_view(Cloud(points))))
