"""Attributes beside clusters: shares that are known, what cannot be told, and what must not change them."""

from dataclasses import replace

import numpy as np
import pytest

from zspace.errors import SettingOutOfRange
from zspace.files import to_json
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.attributes import BETWEEN, Attributes, cluster_attributes
from zspace.geometry.truths import constant_points, standard_normal_points, turned_covariance
from zspace.records import to_mapping
from zspace.seeds import random_stream

N_HEAPS = 4


def heaps(n_points=1200, seed=1):
    """Heaps far apart, and which of them every point lies in; the first is the largest."""
    random = random_stream(seed, "test heaps")
    labels = random.choice(N_HEAPS, n_points, p=[0.4, 0.3, 0.2, 0.1])
    points = 10 * np.eye(N_HEAPS, 6)[labels] + random.standard_normal((n_points, 6))
    return points.astype(np.float32), labels


def attributes_of(**columns):
    return Attributes(tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.float32))


def found_on(points, attributes, n_clusters=N_HEAPS, seed=1):
    return cluster_attributes(Cloud(points), attributes, n_clusters, seed)


def told(measurement, name):
    return measurement.estimates[f"{BETWEEN}{name}"]


@pytest.fixture(scope="module")
def case():
    points, labels = heaps()
    random = random_stream(1, "test attributes")
    half_carried = random.random(len(labels)) < np.where(labels == 0, 0.9, 0.1)
    columns = {
        "member": labels == 1,
        "half": half_carried,
        "nothing": random.random(len(labels)) < 0.3,
        "number": labels + random.standard_normal(len(labels)),
    }
    return points, labels, attributes_of(**columns)


@pytest.fixture(scope="module")
def found(case):
    points, _, attributes = case
    return found_on(points, attributes)


# --- Answers that are known -------------------------------------------------------------------------------------------


def test_an_attribute_that_is_membership_lies_between_clusters_whole(found):
    estimate = told(found, "member")
    assert estimate.value == pytest.approx(1)
    assert estimate.interval[0] < 1  # no misfit among 1200 points does not rule out one in a thousand
    assert estimate.interval[0] == pytest.approx(1, abs=0.02)
    assert estimate.p < 1e-100


def test_an_attribute_that_has_nothing_to_do_with_clusters_tells_no_more_than_chance(found):
    estimate = told(found, "nothing")
    assert estimate.comparison.null == "clusters and attribute independent"
    assert estimate.value <= estimate.band[1] < 0.01
    assert estimate.interval[0] == 0
    assert estimate.p > 0.05


def test_half_carried_attributes_have_the_share_of_the_closed_form(found):
    # 0.4 of the points with rate 0.9, the others 0.1: mean 0.42, variance between 0.4 * 0.48 ^ 2 + 0.6 * 0.32 ^ 2.
    truth = (0.4 * 0.48**2 + 0.6 * 0.32**2) / (0.42 * 0.58)
    low, high = told(found, "half").interval
    assert low < truth < high
    assert high - low < 0.12
    # Heaps 0 to 3 have the variance 1 between them, as much as the noise.
    assert told(found, "number").value == pytest.approx(0.5, abs=0.06)


def test_attributes_that_were_found_are_counted(found):
    assert found.estimates["n_attributes_in_clusters"].value == 3
    assert found.estimates["n_attributes_in_clusters"].band == (0, 0)
    assert found.estimates["n_clusters"].value == N_HEAPS
    assert 0 < found.estimates["agreement"].value <= 1


def test_curves_go_from_the_largest_cluster_and_the_largest_share(case, found):
    _, labels, attributes = case
    means, deviations = found.curves["means"], found.curves["deviations"]
    assert means.x.tolist() == [1, 2, 3, 4]
    assert found.curves["sizes"].y.tolist() == [np.bincount(labels).tolist()]
    assert means.labels == deviations.labels == ("member", "half", "number", "nothing")
    assert means.y[0] == pytest.approx([0, 1, 0, 0])
    column = attributes.values[:, 1].astype(float)
    for heap in range(N_HEAPS):
        expected = column[labels == heap].mean()
        assert means.y[1, heap] == pytest.approx(expected)
        assert deviations.y[1, heap] == pytest.approx((expected - column.mean()) / column.std())
    assert means.laws[0].values[1] == pytest.approx(column.mean())


def test_the_band_of_deviations_is_that_of_points_drawn_without_replacement(found):
    sizes = found.curves["sizes"].y[0]
    n = sizes.sum()
    expected = 1.96 * np.sqrt((n - sizes) / (n - 1) / sizes)
    np.testing.assert_allclose(found.curves["deviations"].null_high[0], expected)
    np.testing.assert_allclose(found.curves["deviations"].null_low[0], -expected)


# --- What must not change the answer ----------------------------------------------------------------------------------


def numbers_of(estimate):
    numbers = [estimate.value, estimate.p, *(estimate.interval or ()), *(estimate.band or ())]
    return [number for number in numbers if number is not None]


def assert_same(one, other):
    assert to_mapping(one.curves["sizes"]) == to_mapping(other.curves["sizes"])
    for (name, before), after in zip(one.estimates.items(), other.estimates.values(), strict=True):
        assert numbers_of(after) == pytest.approx(numbers_of(before), rel=1e-6), name


def test_neither_rotation_nor_scaling_changes_anything(case, found):
    points, _, attributes = case
    turn = np.linalg.eigh(turned_covariance(np.arange(1.0, 7)))[1]
    assert_same(found, found_on((points @ turn).astype(np.float32), attributes))
    assert_same(found, found_on(points * np.float32(0.3), attributes))
    assert_same(found, found_on(points + np.float32(7), attributes))


def test_the_order_of_the_rows_does_not_matter(case, found):
    points, _, attributes = case
    order = random_stream(2, "test").permutation(len(points))
    assert_same(found, found_on(points[order], replace(attributes, values=attributes.values[order])))


def test_an_attribute_does_not_depend_on_its_unit_or_on_which_answer_is_yes(case, found):
    points, _, attributes = case
    other = replace(attributes, values=3 - 2 * attributes.values)
    for name in attributes.names:
        assert told(found_on(points, other), name).value == pytest.approx(told(found, name).value, rel=1e-5)


def test_the_same_seed_gives_the_same_record_and_another_moves_only_what_is_drawn():
    points, labels = heaps(300)
    rare = (np.arange(300) % 60 == 0) | ((labels == 3) & (np.arange(300) % 9 == 0))
    found, again, other = (found_on(points, attributes_of(rare=rare), seed=seed) for seed in (1, 1, 2))
    assert to_mapping(found) == to_mapping(again)
    assert told(found, "rare").p == pytest.approx(told(other, "rare").p, rel=0.3)
    assert told(found, "rare").p != told(other, "rare").p
    assert told(found, "rare").interval == told(other, "rare").interval


# --- What cannot be told ----------------------------------------------------------------------------------------------


def only(values, at):
    column = np.full(1200, np.nan)
    column[at] = values
    return column


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (np.full(1200, np.float32(0.1)), "all its known values are equal"),
        (np.arange(1200) == 7, "all its known values but one are equal"),
        (np.full(1200, np.nan), "it is known for 0 points, fewer than two for each of 4 clusters"),
        (only([0, 1, 1], [3, 4, 5]), "it is known for 3 points, fewer than two for each of 4 clusters"),
    ],
)
def test_an_attribute_that_cannot_be_told_says_why_and_leaves_the_others_alone(case, column, reason):
    points, _, attributes = case
    found = found_on(points, attributes_of(odd=column, member=attributes.values[:, 0]))
    assert told(found, "odd").value is None
    assert told(found, "odd").reason == reason
    assert found.curves["means"].labels == ("member",)
    assert found.estimates["n_attributes_in_clusters"].value == 1
    to_json(to_mapping(found))  # refuses NaN


def test_an_attribute_that_is_known_in_one_cluster_only_says_so(case):
    points, labels, _ = case
    first = np.flatnonzero(labels == 0)
    found = found_on(points, attributes_of(odd=only(np.arange(len(first)) % 2, first)))
    assert told(found, "odd").reason == "all points where it is known lie in one cluster"
    assert found.estimates["n_attributes_in_clusters"].reason == "no attribute can be told"
    assert list(found.curves) == ["sizes"]


def test_a_cluster_without_known_values_is_told_and_its_attribute_has_no_curve(case):
    points, labels, attributes = case
    column = np.where(labels == 3, np.nan, attributes.values[:, 1])
    found = found_on(points, attributes_of(gaps=column))
    assert told(found, "gaps").value > 0.3
    assert told(found, "gaps").n_used == (labels != 3).sum()
    assert told(found, "gaps").warnings == ("it is known for no point of cluster 4, so it has no curve of means",)
    assert list(found.curves) == ["sizes"]
    to_json(to_mapping(found))


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (constant_points(9, np.array([0.1, -7.0])), "all points are equal, so there are no clusters"),
        (standard_normal_points(3, 2, 1), "3 points are too few for two clusters, two points for each"),
    ],
)
def test_clouds_without_clusters_say_why(points, reason):
    found = found_on(points, attributes_of(any=np.arange(len(points)) % 2))
    assert {estimate.reason for estimate in found.estimates.values()} == {reason}
    assert {estimate.value for estimate in found.estimates.values()} == {None}


def test_fewer_clusters_than_asked_are_told():
    points = np.repeat(standard_normal_points(5, 2, 1), 20, axis=0)
    found = found_on(points, attributes_of(any=np.arange(100) % 3), n_clusters=12)
    assert found.estimates["n_clusters"].value == 5
    warning = "made 5 clusters, not 12: the cloud has no two points, or no place, for each of more"
    assert all(warning in estimate.warnings for estimate in found.estimates.values())


# --- What is refused --------------------------------------------------------------------------------------------------


def test_attributes_of_other_points_are_refused():
    message = r"attributes: must have one row for each of 9 z-points, got 8 rows\. Take those of the images"
    with pytest.raises(SettingOutOfRange, match=message):
        found_on(standard_normal_points(9, 2, 1), attributes_of(any=np.arange(8)))


def test_one_cluster_is_refused():
    with pytest.raises(SettingOutOfRange, match=r"n_clusters: must be at least 2, got 1\. Ask for more clusters\."):
        found_on(standard_normal_points(9, 2, 1), attributes_of(any=np.arange(9)), n_clusters=1)


@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (("a",), 0, r"attributes: must have one name for each of 2 columns, got 1 names\. Take both"),
        (("a", "a"), 0, r"attributes: must have different names, got 'a' twice\. Rename one\."),
        (("a", "b"), np.inf, r"attributes, column b: must be finite, or NaN where unknown, got infinity\. Take"),
    ],
)
def test_attributes_that_do_not_fit_together_are_refused(names, value, message):
    with pytest.raises(SettingOutOfRange, match=message):
        Attributes(names, np.array([[0, 1], [0, value]], dtype=np.float32))
