"""Sums of weighted non-central chi-squares, and the radius of a Gaussian."""

import numpy as np
import pytest

from zspace.geometry.radius.laws import constant_radius_law, gaussian_radius_law
from zspace.geometry.radius.quadratic_forms import QuadraticForm
from zspace.seeds import random_stream


def test_a_constant_form_has_no_density():
    with pytest.raises(ValueError, match="a constant form has no density"):
        QuadraticForm(np.zeros(2), np.array([3.0, 4.0])).cumulative(np.array([25.0]))


@pytest.mark.parametrize(
    ("deviations", "offsets", "is_constant"),
    [([0, 0], [3, 4], True), ([1e-16, 0], [3, 4], True), ([1e-6, 0], [3, 4], False), ([1e-42], [0], False)],
)
def test_a_form_is_constant_when_float64_cannot_tell_its_values_apart(deviations, offsets, is_constant):
    assert QuadraticForm(np.array(deviations, float), np.array(offsets, float)).is_constant is is_constant


def test_mean_and_deviation_add_up_over_the_terms():
    form = QuadraticForm(np.array([1.0, 2.0, 0.0]), np.array([0.0, 3.0, 5.0]))
    assert form.mean == 1 + 4 + 9 + 25
    assert form.standard_deviation == pytest.approx(np.sqrt(2 + 2 * 16 + 4 * 4 * 9))


def test_nothing_lies_below_the_least_value():
    form = QuadraticForm(np.array([1.0, 0.0]), np.array([0.0, 3.0]))
    cumulative, density = form.cumulative_and_density(np.array([-1.0, 0.0, 9.0, 9.1, 1e6]))
    assert cumulative[:3].tolist() == density[:3].tolist() == [0, 0, 0]
    assert 0 < cumulative[3] < cumulative[4] == 1


def test_a_constant_radius_is_below_every_larger_one():
    law = constant_radius_law(3.0)
    assert law.cumulative(np.array([2.9, 3.0, 3.1])).tolist() == [0, 0, 1]
    assert (law.mean, law.peak) == (3, 3)
    assert law.draw_sorted(4, random_stream(1, "test")).tolist() == [3] * 4


def test_radii_are_drawn_sorted_and_from_the_stream_alone():
    law = gaussian_radius_law(np.ones(3), np.zeros(3))
    drawn, again = (law.draw_sorted(1000, random_stream(1, "test")) for _ in range(2))
    assert (np.diff(drawn) >= 0).all()
    np.testing.assert_array_equal(drawn, again)


@pytest.mark.parametrize("factor", [1e-30, 0.3, 1e15])
def test_scaling_the_cloud_scales_the_law(factor):
    deviations, offsets, radii = np.array([3.0, 1.0, 0.2]), np.array([1.0, 0.0, 2.0]), np.linspace(0, 12, 50)
    law = gaussian_radius_law(deviations, offsets)
    scaled = gaussian_radius_law(deviations * factor, offsets * factor)
    np.testing.assert_allclose(scaled.cumulative(radii * factor), law.cumulative(radii), atol=1e-9)
    assert (scaled.mean, scaled.peak) == pytest.approx((law.mean * factor, law.peak * factor), rel=1e-9)
