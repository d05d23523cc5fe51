"""Density over the radius."""

import numpy as np
import pytest

from zspace.errors import SettingMissing
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.laws import matched_gaussian_radii, matched_gaussian_radius_law
from zspace.geometry.radius.density import radius_density
from zspace.geometry.truths import constant_points, standard_normal_points


def test_without_bin_widths_there_is_nothing_to_measure():
    message = r"measure\.radius_bins: must hold at least one bin width, got none\. Add one, such as 0\.5\."
    with pytest.raises(SettingMissing, match=message):
        radius_density(Cloud(standard_normal_points(10, 2, 1)), (), 2, 1)


def test_there_is_one_histogram_for_each_width_and_the_peak_is_of_the_first():
    found = radius_density(Cloud(standard_normal_points(500, 6, 1)), (1.0, 0.05), 3, 1)
    assert list(found.curves) == ["bin 1", "bin 0.05"]
    assert found.curves["bin 0.05"].y_label == "z-points per bin of 0.05"
    peak = found.estimates["peak_radius"]
    assert peak.value % 1 == 0.5
    assert all(end % 1 == 0.5 for end in peak.band)
    assert peak.source == "middle of the fullest bin of width 1"


@pytest.mark.parametrize("width", [0.5, 0.1, 0.05])
def test_the_envelope_of_a_few_null_clouds_holds_the_cloud(width):
    cloud = Cloud(standard_normal_points(300, 6, 1) + np.float32(30))
    curve = radius_density(cloud, (width,), 5, 2).curves[f"bin {width:g}"]
    assert (curve.null_low <= curve.y).all()
    assert (curve.y <= curve.null_high).all()
    assert curve.null_p >= 1 / 6
    assert curve.null_left_at == ()


def test_a_constant_cloud_has_one_radius():
    estimates = radius_density(Cloud(constant_points(10, np.array([3.0, 4.0]))), (0.5,), 2, 1).estimates
    assert estimates["mean_radius"].value == 5
    assert estimates["mean_radius"].interval == (5, 5)
    assert estimates["standard_deviation"].value == 0
    assert estimates["peak_radius"].value is None
    assert estimates["peak_radius"].reason == "bins of 0.5 are too coarse: 95 % of the points lie between 5 and 5"


def test_bins_wider_than_the_cloud_have_no_peak_and_narrow_ones_do():
    cloud = Cloud(standard_normal_points(2000, 20, 1) * np.float32(0.05))
    coarse = radius_density(cloud, (0.5,), 2, 1).estimates["peak_radius"]
    assert (coarse.value, coarse.band) == (None, None)
    fine = radius_density(cloud, (0.01,), 2, 1).estimates["peak_radius"]
    assert fine.value == pytest.approx(0.05 * 19**0.5, abs=0.03)
    assert fine.band is not None


def test_more_null_clouds_leave_the_first_as_they_were():
    law = matched_gaussian_radius_law(Cloud(standard_normal_points(50, 3, 1)))
    few, many = (list(matched_gaussian_radii(law, 50, n, 1)) for n in (2, 4))
    np.testing.assert_array_equal(few, many[:2])
