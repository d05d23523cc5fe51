"""Components as a subject."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.axes.subject import SUBJECT, axes_view
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import cube_points, standard_normal_points

ROWS = {quantity.name: quantity for quantity in SUBJECT.quantities}


def skewed_points():
    random = np.random.default_rng(1)
    return (random.exponential(size=(3000, 3)) * [5, 2, 1]).astype(np.float32)


def test_numbers_are_those_of_the_components():
    cloud = Cloud(skewed_points())
    view = axes_view(cloud)
    skewness, kurtosis = stats.skew(cloud.rotated), stats.kurtosis(cloud.rotated)
    assert ROWS["largest_skewness"].value(view) == pytest.approx(np.abs(skewness).max(), rel=1e-4)
    assert ROWS["mean_excess_kurtosis"].value(view) == pytest.approx(kurtosis.mean(), rel=1e-4)
    assert ROWS["largest_excess_kurtosis"].value(view) == pytest.approx(np.abs(kurtosis).max(), rel=1e-4)


def test_a_cube_has_the_kurtosis_of_uniform_numbers():
    points = cube_points(5000, 2, 1.0, 1) * np.float32([2, 1])
    view = axes_view(Cloud(points))
    assert ROWS["mean_excess_kurtosis"].value(view) == pytest.approx(-1.2, abs=0.03)
    assert ROWS["largest_excess_kurtosis"].value(view) == pytest.approx(1.2, abs=0.05)


def test_a_lopsided_cloud_is_told_from_an_even_one():
    """One exponential axis of skewness 2: the mean of y |y|^2 has 2 along it, and nothing along the others."""
    random = np.random.default_rng(1)
    lopsided = np.column_stack([random.exponential(size=4000), random.standard_normal((4000, 2)) * [0.5, 0.2]])
    lopsidedness = ROWS["lopsidedness"].value
    assert lopsidedness(axes_view(Cloud(lopsided.astype(np.float32)))) == pytest.approx(2, abs=0.3)
    assert lopsidedness(axes_view(Cloud(standard_normal_points(4000, 3, 1)))) < 0.2
