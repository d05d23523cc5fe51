"""Windows of planes: names, clipping, counts, what is drawn."""

import json

import numpy as np
import pytest

from zspace.errors import SettingOutOfRange
from zspace.files import to_json
from zspace.geometry.clouds import Cloud
from zspace.geometry.planes.scatter import MAX_POINTS, chosen_planes, plane_windows
from zspace.geometry.truths import constant_points, line_points, standard_normal_points
from zspace.records import from_mapping, to_mapping
from zspace.results import Measurement


def measured(points, planes=("pc1-pc2",), sides=(1.0,), n_null=3, seed=1):
    return plane_windows(Cloud(points), planes, sides, n_null, seed)


@pytest.mark.parametrize("name", ["pc1", "pc0-pc2", "pc1-axis2", "axis3-axis3", "PC1-PC2", "pc1-pc2-pc3", ""])
def test_a_plane_is_two_components_or_two_axes(name):
    message = (
        r"measure\.planes: must name two different principal components from 1 or two different axes from 0, "
        rf"got '{name}'\. Write 'pc1-pc2' or 'axis52-axis221'\."
    )
    with pytest.raises(SettingOutOfRange, match=message):
        measured(standard_normal_points(20, 4, 1), (name,))


def test_planes_beyond_the_last_dimension_are_taken_down_and_told():
    planes, notes = chosen_planes(("pc1-pc18", "pc8-pc35", "axis0-axis1", "axis52-axis221"), 6)
    assert [plane.name for plane in planes] == ["pc1-pc6", "pc5-pc6", "axis0-axis1", "axis4-axis5"]
    assert notes == (
        "there are 6 dimensions: components 1 and 6 stand for components 1 and 18",
        "there are 6 dimensions: components 5 and 6 stand for components 8 and 35",
        "there are 6 dimensions: axes 4 and 5 stand for axes 52 and 221",
    )


def test_a_plane_is_looked_at_once_even_if_asked_twice():
    found = measured(standard_normal_points(50, 2, 1), ("pc1-pc2", "pc1-pc18"))
    assert list(found.curves) == ["pc1-pc2"]
    assert found.estimates["n_planes"].value == 1
    assert found.estimates["n_planes"].warnings == (
        "there are 2 dimensions: components 1 and 2 stand for components 1 and 18",
    )


def test_raw_axes_keep_their_coordinates_and_components_start_at_the_mean():
    points = standard_normal_points(300, 3, 1) + np.float32([7, 0, -4])
    grids = measured(points, ("pc1-pc2", "axis0-axis2"), (2.0,)).grids
    assert list(grids) == ["pc1-pc2 whole", "pc1-pc2 side 2", "axis0-axis2 whole", "axis0-axis2 side 2"]
    small = grids["axis0-axis2 side 2"]
    mean = points.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(small.x_edges[[0, -1]], mean[0] + np.array([-1, 1]), atol=1e-6)
    np.testing.assert_allclose(small.y_edges[[0, -1]], mean[2] + np.array([-1, 1]), atol=1e-6)
    assert grids["pc1-pc2 side 2"].x_edges[[0, -1]].tolist() == [-1, 1]
    assert (small.x_label, small.y_label) == ("axis 0 (units of z)", "axis 2 (units of z)")
    assert grids["pc1-pc2 whole"].x_label == "principal component 1 (units of z)"


def test_counts_of_estimate_and_grid_are_those_of_a_plain_loop():
    points = standard_normal_points(400, 2, 3)
    found = measured(points, ("axis0-axis1",), (1.5,))
    mean = points.mean(axis=0, dtype=np.float64)
    expected = sum(bool((np.abs(row - mean) < 0.75).all()) for row in points.astype(np.float64))
    assert found.estimates["axis0_axis1_side_1.5_points"].value == expected
    grid = found.grids["axis0-axis1 side 1.5"]
    assert grid.counts.sum() == len(grid.points) == expected
    assert grid.null_counts.sum() == len(grid.null_points)


def test_few_points_are_drawn_one_by_one_and_many_as_counts():
    found = measured(standard_normal_points(3 * MAX_POINTS, 2, 1), sides=(0.5,))
    few, many = found.grids["pc1-pc2 side 0.5"], found.grids["pc1-pc2 whole"]
    assert few.points is not None
    assert few.null_points is not None
    assert many.points is many.null_points is None
    assert many.counts.shape == many.null_counts.shape == (44, 44)
    assert found.estimates["pc1_pc2_whole_local_dimension"].n_used == MAX_POINTS


def test_too_few_points_have_no_local_dimension():
    estimates = measured(standard_normal_points(50, 2, 1), sides=(0.01,)).estimates
    unknown = estimates["pc1_pc2_side_0.01_local_dimension"]
    assert unknown.value is None
    assert unknown.reason == "only 0 different points lie in the window, 8 are needed"


def test_repeated_points_are_left_out_of_the_local_dimension_and_told():
    points = standard_normal_points(100, 2, 1)
    twice = measured(np.repeat(points, 2, axis=0), sides=()).estimates["pc1_pc2_whole_local_dimension"]
    assert twice.n_used == 100
    assert twice.warnings == ("100 repetitions of equal points left out",)


def test_a_cloud_without_spread_has_counts_but_no_expectation():
    found = measured(constant_points(30, np.array([1.0, 2.0])))
    assert found.estimates["pc1_pc2_whole_points"].value == 30
    expected = found.estimates["pc1_pc2_whole_expected"]
    assert (expected.value, expected.reason) == (
        None,
        "the cloud has no spread along some direction of this plane, so no Gaussian has a density there",
    )
    stringy = found.estimates["n_stringy_windows"]
    assert stringy.value is None
    assert stringy.reason == "none of the 2 windows has points enough and a Gaussian to compare them with"
    assert found.grids["pc1-pc2 whole"].null_counts is None
    assert found.curves["pc1-pc2"].y_label == "z-points in the square"


def test_a_line_has_the_local_dimension_of_a_line():
    found = measured(line_points(400, np.array([3.0, 0.0, -4.0]), 1), ("axis0-axis2",), ())
    assert found.estimates["axis0_axis2_whole_local_dimension"].value == pytest.approx(1, abs=0.1)
    assert found.estimates["axis0_axis2_whole_local_dimension"].band is None


def test_one_dimension_makes_a_plane_that_is_a_line():
    found = measured(standard_normal_points(30, 1, 1))
    assert list(found.curves) == ["pc1-pc1"]
    assert found.estimates["pc1_pc1_whole_expected"].value is None


def test_grids_come_back_from_json_as_they_were():
    found = measured(standard_normal_points(100, 3, 1))
    text = to_json(to_mapping(found))
    back = from_mapping(Measurement, json.loads(text), "results.json")
    assert to_json(to_mapping(back)) == text
    grid = back.grids["pc1-pc2 side 1"]
    np.testing.assert_array_equal(grid.counts, found.grids["pc1-pc2 side 1"].counts)


def test_records_without_grids_can_still_be_read():
    back = from_mapping(Measurement, {"name": "radius", "estimates": {}, "curves": {}}, "results.json")
    assert back.grids == {}


def test_row_order_changes_nothing_even_where_points_are_sampled():
    points = standard_normal_points(MAX_POINTS + 500, 2, 1)
    first, second = (measured(rows, ("axis0-axis1",), ()) for rows in (points, points[::-1].copy()))
    for name, estimate in first.estimates.items():
        assert second.estimates[name].value == pytest.approx(estimate.value, rel=1e-9), name
