"""One contract for every row of the table of measures."""

import json
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest

from zspace.errors import PointsNotFinite, TooFewPoints
from zspace.files import to_json
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.estimates import UNITS
from zspace.geometry.truths import TRUTHS, constant_points, gaussian_points, standard_normal_points, turned_covariance
from zspace.measuring import MEASURES
from zspace.records import from_mapping, to_mapping
from zspace.results import Measurement
from zspace.seeds import random_stream
from zspace.settings import MeasureSettings

ASKED = MeasureSettings(
    radius_bins=(0.5, 0.125),
    axis_bin=0.25,
    n_null_clouds=4,
    planes=("pc1-pc2", "axis2-axis3"),
    plane_sides=(4.0, 1.0),
    max_clusters=8,
)
N_POINTS = 600
VARIANCES = np.array([6.0, 3.0, 1.5, 0.7, 0.3])

OF_POINTS = {name: row for name, row in MEASURES.items() if row.needs == "nothing"}
"""Measures that need nothing but points; what others need, their own tests make."""
each_measure = pytest.mark.parametrize("measure", OF_POINTS.values(), ids=OF_POINTS)


def shaped_points(seed=1):
    """Points whose axes, components and distances from the origin all differ."""
    mean = np.array([0.3, -2.0, 1.0, 5.0, 0.0])
    return gaussian_points(N_POINTS, mean, turned_covariance(VARIANCES), seed)


def taken(measure, points, asked=ASKED, seed=1):
    return measure.take(Cloud(points), asked, seed)


def values_of(measurement):
    """Values that are known; where there is nothing to find, such as an elbow, there is none."""
    return {name: estimate.value for name, estimate in measurement.estimates.items() if estimate.value is not None}


def peaks_move_by(asked, name):
    """The fullest bin may be its neighbour after rounding; everything else is continuous."""
    return asked.radius_bins[0] if name == "peak_radius" else 0.0


def assert_same_values(found, expected, asked=ASKED, rel=1e-5):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=rel, abs=peaks_move_by(asked, name) * 1.001 + rel), name


# --- What every record says, on clouds of every kind ------------------------------------------------------------------


def dead_axis_points():
    points = standard_normal_points(200, 4, 2) * np.float32(20)
    points[:, 1] = 0
    return points


CLOUDS = {
    "shaped": shaped_points(),
    **{name: truth.draw(300, 1) for name, truth in TRUTHS.items()},
    "two points": standard_normal_points(2, 3, 1),
    "three points": standard_normal_points(3, 3, 1),
    "two equal points": constant_points(2, np.array([0.1, -0.7])),
    "all at the origin": constant_points(20, np.zeros(3)),
    "more axes than points": standard_normal_points(5, 40, 1),
    "one axis": standard_normal_points(50, 1, 1),
    "one constant axis of one": constant_points(50, np.array([0.3])),
    "one dead axis": dead_axis_points(),
    "mostly dead axes": np.pad(standard_normal_points(50, 1, 1), ((0, 0), (0, 4))),
    "one outlier": np.vstack([standard_normal_points(50, 3, 1), np.full((1, 3), 1000, np.float32)]),
    "next to nothing": standard_normal_points(50, 3, 1) * np.float32(1e-42),
    "far away": standard_normal_points(50, 3, 1) + np.float32(1e6),
    "on bin edges": np.round(standard_normal_points(200, 3, 1)),
}
each_cloud = pytest.mark.parametrize("points", CLOUDS.values(), ids=CLOUDS)


def assert_estimate_complete(estimate, n_points):
    assert estimate.unit
    assert estimate.source
    assert 0 < estimate.n_used <= estimate.n_given == n_points
    if estimate.value is None:
        assert estimate.reason
        assert estimate.interval is None
        assert estimate.comparison is None
    else:
        assert np.isfinite(estimate.value)
    if estimate.interval is not None:
        assert np.isfinite(estimate.interval).all()
        assert estimate.interval[0] <= estimate.value <= estimate.interval[1]
        assert 0 < estimate.level < 1
        assert estimate.interval_method
    if estimate.comparison is not None:
        assert_comparison_complete(estimate.comparison, estimate.n_used)
        assert estimate.seed in (1, None)  # a law in closed form has no seed


def assert_comparison_complete(compared, n_points):
    assert compared.quantity.partition(".")[2]
    assert compared.null
    assert np.isfinite([compared.value, *compared.draws]).all()
    assert 0 <= compared.p <= 1
    assert compared.p > 0 or not compared.draws  # a chance by a law may be too small for float64
    assert 0 <= compared.level < 1
    n_draws = len(compared.draws) + compared.n_unknown
    assert n_draws in (0, ASKED.n_null_clouds)
    assert compared.band is not None or n_draws == compared.n_unknown > 0
    if compared.band is not None:
        assert np.isfinite(compared.band).all()
        assert compared.band[0] <= compared.band[1]
    assert compared.n_compared is None or compared.n_compared < n_points


def assert_curve_consistent(curve, n_points):
    n_curves, n_values = curve.y.shape
    assert len(curve.labels) == n_curves > 0
    assert curve.x_label
    assert curve.y_label
    assert (np.diff(curve.x) > 0).all()
    assert len(curve.x) == n_values + (curve.kind == "histogram")
    if curve.kind == "histogram":
        assert (curve.y.sum(axis=1) == n_points).all()
    for values in (curve.y, curve.null_low, curve.null_high, *(law.values for law in curve.laws)):
        assert values is None or (values.shape == curve.y.shape and np.isfinite(values).all())
    assert all(law.name for law in curve.laws)
    assert (curve.null_low is None) == (curve.null_high is None) == (curve.null_name is None)
    if curve.null_low is not None:
        assert (curve.null_low <= curve.null_high).all()
        assert 0 < curve.null_level < 1
        # A global envelope is left only where its p-value is small; a pointwise band has none.
        assert curve.null_p is None or (0 < curve.null_p <= 1)
        assert not curve.null_left_at or curve.null_p <= 1 - curve.null_level + 1e-12


@each_measure
@each_cloud
def test_records_are_complete_finite_and_consistent(measure, points):
    found = taken(measure, points)
    assert found.name == measure.name
    assert found.estimates
    assert found.curves
    for estimate in found.estimates.values():
        assert_estimate_complete(estimate, len(points))
    for curve in found.curves.values():
        assert curve.kind in ("histogram", "line")
        assert_curve_consistent(curve, len(points))


@each_measure
@each_cloud
def test_records_come_back_from_json_as_they_were(measure, points):
    found = taken(measure, points)
    text = to_json(to_mapping(found))
    back = from_mapping(Measurement, json.loads(text), "results.json")
    assert back.estimates == found.estimates
    assert to_json(to_mapping(back)) == text


def test_what_a_cloud_cannot_tell_is_none_with_the_reason():
    collapsed = Cloud(CLOUDS["all at the origin"])
    unknown = {
        name: estimate.reason
        for measure in OF_POINTS.values()
        for name, estimate in measure.take(collapsed, ASKED, 1).estimates.items()
        if estimate.value is None
    }
    windows = {name: unknown.pop(name) for name in list(unknown) if name.startswith(("pc", "axis"))}
    assert set(windows.values()) == {
        "the cloud has no spread along some direction of this plane, so no Gaussian has a density there",
        "only 1 different points lie in the window, 8 are needed",
    }
    assert unknown.pop("n_stringy_windows")
    equal = "all points are equal, so there is no spread to share out"
    assert unknown == {
        "peak_radius": "bins of 0.5 are too coarse: 95 % of the points lie between 0 and 0",
        "n_special_axes": "at least half of the axes are constant, so there is no typical deviation to compare with",
        "n_not_normal_axes": "no axis varies",
        "largest_skewness": "no axis varies",
        "largest_excess_kurtosis": "no axis varies",
        "median_excess_kurtosis": "no axis varies",
        "first_component_share": equal,
        "n_for_half": equal,
        "n_for_90_percent": equal,
        "n_for_99_percent": equal,
        "participation_ratio": equal,
        **dict.fromkeys(UNITS, equal),
    }


# --- What must not matter, and what must ------------------------------------------------------------------------------


@each_measure
def test_row_order_does_not_matter(measure):
    points = shaped_points()
    shuffled = random_stream(1, "test").permutation(points)
    before, after = taken(measure, points), taken(measure, shuffled)
    assert values_of(after) == pytest.approx(values_of(before), rel=1e-12)
    for name, curve in before.curves.items():
        if curve.kind == "histogram":
            np.testing.assert_array_equal(after.curves[name].y, curve.y)


def turned(points):
    rotation, _ = np.linalg.qr(random_stream(3, "test").standard_normal((points.shape[1], points.shape[1])))
    return (points.astype(np.float64) @ rotation).astype(np.float32)


@each_measure
def test_rotation_changes_what_the_row_says(measure):
    points = shaped_points()
    before, after = (values_of(taken(measure, cloud)) for cloud in (points, turned(points)))
    if measure.rotation == "unchanged":
        assert_same_values(after, before)
    else:
        assert any(after[name] != pytest.approx(before[name], rel=0.05) for name in before)


def scaled_settings(factor):
    widths = tuple(factor * width for width in ASKED.radius_bins)
    sides = tuple(factor * side for side in ASKED.plane_sides)
    return replace(ASKED, radius_bins=widths, axis_bin=factor * ASKED.axis_bin, plane_sides=sides)


def numbers_of(estimate):
    known = [] if estimate.value is None else [estimate.value]
    return [*known, *(estimate.interval or ()), *(estimate.band or ())]


@each_measure
@pytest.mark.parametrize("factor", [64.0, 0.3])  # a power of two, which rounds nothing, and one that rounds everything
def test_scaling_multiplies_the_estimates_that_the_row_names(measure, factor):
    points, asked = shaped_points(), scaled_settings(factor)
    before = taken(measure, points).estimates
    after = taken(measure, points * np.float32(factor), asked).estimates
    assert measure.scaling.keys() <= before.keys()
    # Paired by place: a window is called by its side, which is scaled as well.
    for (name, estimate), other in zip(before.items(), after.values(), strict=True):
        grown = factor ** measure.scaling.get(name, 0)
        reach = peaks_move_by(asked, name) * 1.001 if factor == 0.3 else 0.0
        # A window of another side draws its null points from a stream of another name.
        told = (
            numbers_of
            if name in after
            else lambda estimate: numbers_of(replace(estimate, interval=None, comparison=None))
        )
        expected = [grown * number for number in told(estimate)]
        assert told(other) == pytest.approx(expected, rel=1e-5, abs=reach), name


SUMS = {"standard_deviation", "median_standard_deviation", "largest_standard_deviation"}
SMOOTHED = {"half_shell_low", "half_shell_high", "shell95_low", "shell95_high", "agreement"}
AGAINST_NULL = {"elbow_bend", "largest_gap"}
"""They compare with clouds drawn from the null model, which have as many different points as there are points."""
FITTED = {"matched_mean_radius", "matched_peak_radius"}


@each_measure
def test_every_row_twice_moves_only_what_depends_on_the_number_of_points(measure):
    points = shaped_points()
    once, twice = taken(measure, points), taken(measure, np.repeat(points, 2, axis=0))
    # A deviation divides by n - 1, which is not quite doubled; a quantile lies between the same or nearer neighbours;
    # a fitted Gaussian has the cloud's deviations.
    factor = np.sqrt(2 * (N_POINTS - 1) / (2 * N_POINTS - 1))
    for name, estimate in once.estimates.items():
        value, n_given = twice.estimates[name].value, twice.estimates[name].n_given
        assert n_given == 2 * N_POINTS
        if estimate.value is None or name in AGAINST_NULL:
            continue
        counts = name.endswith(("_points", "_expected"))
        rel = 0.01 if counts or name in SMOOTHED | FITTED else 1e-6
        grown = 2 if counts else factor if name in SUMS else 1
        assert value == pytest.approx(estimate.value * grown, rel=rel), name
    for name, curve in once.curves.items():
        if curve.kind == "histogram":
            again = twice.curves[name]
            assert filled_bins(again) == [(edge, 2 * counts) for edge, counts in filled_bins(curve)]


def filled_bins(curve):
    """Lower edges and counts of the bins between the first and the last point of the cloud, for the first curve."""
    return [(edge, count) for edge, count in zip(curve.x[:-1], curve.y[0], strict=True) if count]


def test_every_row_twice_makes_the_interval_of_the_mean_too_narrow():
    points = shaped_points()
    once, twice = (
        taken(MEASURES["radius"], cloud).estimates["mean_radius"] for cloud in (points, np.repeat(points, 2, axis=0))
    )
    assert "z-points are independent draws" in once.assumptions  # which these are not
    narrower = np.diff(twice.interval)[0] / np.diff(once.interval)[0]
    assert narrower == pytest.approx(1 / np.sqrt(2), rel=0.002)


def without_bands(measurement):
    """Return the measurement without what the null clouds may change: bands, their seed, and empty bins at the ends."""
    estimates = {
        name: replace(estimate, comparison=None, seed=None) for name, estimate in measurement.estimates.items()
    }
    curves = {
        name: filled_bins(curve) if curve.kind == "histogram" else (curve.x.tolist(), curve.y.tolist())
        for name, curve in measurement.curves.items()
    }
    return estimates, curves


@each_measure
def test_the_same_seed_gives_the_same_record_and_another_only_other_bands(measure):
    first, again, other = (taken(measure, shaped_points(), seed=seed) for seed in (1, 1, 2))
    assert to_mapping(again) == to_mapping(first)
    assert without_bands(other) == without_bands(first)
    has_bands = any(estimate.comparison for estimate in first.estimates.values())
    assert (to_mapping(other) != to_mapping(first)) == has_bands


# --- What comes in ----------------------------------------------------------------------------------------------------


@each_measure
def test_the_points_are_not_changed(measure):
    points = shaped_points()
    before = points.tobytes()
    points.flags.writeable = False
    taken(measure, points)
    assert points.tobytes() == before


@each_measure
@pytest.mark.parametrize(
    "view",
    [np.asfortranarray, lambda points: np.repeat(points, 2, axis=0)[::2], lambda points: points[::-1].copy()[::-1]],
    ids=["columns first", "every second row", "backwards in memory"],
)
def test_the_layout_in_memory_does_not_matter(measure, view):
    points = shaped_points()
    seen = view(points)
    np.testing.assert_array_equal(seen, points)
    assert values_of(taken(measure, seen)) == pytest.approx(values_of(taken(measure, points)), rel=1e-12)


@each_measure
def test_blocks_of_any_size_give_the_same(measure, monkeypatch):
    expected = taken(measure, shaped_points())
    monkeypatch.setattr("zspace.geometry.clouds._BLOCK_VALUES", 5 * 7)  # seven rows at a time
    found = taken(measure, shaped_points())
    assert values_of(found) == pytest.approx(values_of(expected), rel=1e-12)
    for name, curve in expected.curves.items():
        np.testing.assert_allclose(found.curves[name].y, curve.y, rtol=1e-9)
        if curve.null_high is not None:
            np.testing.assert_allclose(found.curves[name].null_high, curve.null_high, rtol=1e-9)


def test_float64_points_break_the_type_contract():
    with pytest.raises(jaxtyping.TypeCheckError, match=r"Expected type: .*Float32\[ndarray, 'n_points z_dim'\]"):
        Cloud(shaped_points().astype(np.float64))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_are_refused(value):
    points = shaped_points()
    points[7, 2] = points[9, 0] = points[9, 4] = value
    message = r"cloud: every coordinate must be finite, got 2 rows with NaN or infinity, the first is row 7\. Remove"
    with pytest.raises(PointsNotFinite, match=message):
        Cloud(points)


@pytest.mark.parametrize("n_points", [0, 1])
def test_fewer_than_two_points_are_refused(n_points):
    message = rf"cloud: must have at least 2 z-points, got {n_points}\. Encode more images\."
    with pytest.raises(TooFewPoints, match=message):
        Cloud(shaped_points()[:n_points])
