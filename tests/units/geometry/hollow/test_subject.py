"""Hollowness as a subject."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.hollow.subject import SUBJECT, contrast, hollow_view, hollowness
from zspace.geometry.truths import sphere_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}
PROFILES = {profile.name: profile for profile in SUBJECT.profiles}


def test_a_sphere_is_empty_inside_and_a_gaussian_is_not():
    """Within half the median radius a plane Gaussian has 1 - exp(-ln 2 / 4) of its points."""
    sphere, gaussian = (
        hollow_view(Cloud(p)) for p in (sphere_points(3000, 2, 3.0, 1), standard_normal_points(3000, 2, 1))
    )
    assert ROWS["inside_2"].value(sphere) == 0
    assert ROWS["inside_2"].value(gaussian) == pytest.approx(1 - 2**-0.25, abs=0.02)


def test_a_broad_component_does_not_decide():
    points = standard_normal_points(1500, 2, 1)
    plain, broad = hollow_view(Cloud(points)), hollow_view(Cloud(points * np.float32([1000, 1])))
    assert broad.inside["2"].inside == pytest.approx(plain.inside["2"].inside, abs=0.01)


def test_a_hole_is_emptier_than_its_rim():
    points = standard_normal_points(2000, 2, 1)
    holed = points[np.linalg.norm(points, axis=1) > 0.8]
    assert contrast(hollow_view(Cloud(holed)), "2") < contrast(hollow_view(Cloud(points)), "2") - 1


def test_components_that_there_are_not_are_unknown():
    view = hollow_view(Cloud(standard_normal_points(100, 3, 1)))
    assert set(view.inside) == {"2", "all"}
    assert ROWS["inside_4"].value(view) is None
    assert contrast(view, "4") is None
    assert np.isnan(PROFILES["mass_6"].value(view)[1]).all()


def test_half_of_the_points_lie_within_the_median_radius():
    x, y = PROFILES["mass_all"].value(hollow_view(Cloud(standard_normal_points(1000, 5, 1))))
    assert y[np.isclose(x, 1.0)] == pytest.approx(0.5, abs=0.01)
    assert (np.diff(y) >= 0).all()


def test_a_ring_misses_all_points_that_a_gaussian_has_at_its_centre():
    """Of 2,000 points of a plane Gaussian 1 - 2^(-1/4) are expected within half the median radius."""
    ring = sphere_points(2000, 2, 3.0, 1)
    expected = 2000 * (1 - 2**-0.25)
    assert hollowness(hollow_view(Cloud(ring))) == pytest.approx(np.sqrt(expected), rel=1e-6)


def test_gaussians_are_not_hollow():
    for z_dim in (2, 6, 30):
        found = [hollowness(hollow_view(Cloud(standard_normal_points(1000, z_dim, seed)))) for seed in range(20)]
        assert max(found) < 3.5
        assert abs(np.mean(found)) < 1.5


def test_hollowness_looks_at_all_components_where_they_are_few():
    """On a sphere in space the leading 2 components show points at the centre; only all 3 show that there are none."""
    sphere = hollow_view(Cloud(sphere_points(2000, 3, 1.0, 1)))
    assert sphere.inside["2"].inside > 0.1
    assert hollowness(sphere) > 10


def test_hollowness_of_one_component_is_that_of_all():
    view = hollow_view(Cloud(np.concatenate([standard_normal_points(100, 1, 1) + at for at in (-9, 9)])))
    assert list(view.inside) == ["all"]
    assert hollowness(view) > 5
