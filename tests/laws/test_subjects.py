"""One contract for every subject that a verdict looks at."""

import numpy as np
import pytest

from zspace.errors import GeometryError
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import read, sight_of
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths import TRUTHS, constant_points, gaussian_points, standard_normal_points, turned_covariance
from zspace.seeds import random_stream

N_POINTS = 400
VARIANCES = np.array([6.0, 3.0, 1.5, 0.7, 0.3])

each_subject = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


def shaped_points(seed=1, n_points=N_POINTS):
    """Skewed points whose components all differ."""
    mean = np.array([0.3, -2.0, 1.0, 5.0, 0.0])
    points = gaussian_points(n_points, mean, turned_covariance(VARIANCES), seed)
    return points + np.float32(0.1) * points[:, [1]] ** 2


def dead_axis_points():
    points = standard_normal_points(200, 4, 2) * np.float32(20)
    points[:, 1] = 0
    return points


CLOUDS = {
    "shaped": shaped_points(),
    **{name: truth.draw(300, 1) for name, truth in TRUTHS.items()},
    "two points": standard_normal_points(2, 3, 1),
    "three points": standard_normal_points(3, 3, 1),
    "twelve points": standard_normal_points(12, 3, 1),
    "twenty-five points": standard_normal_points(25, 3, 1),
    "two equal points": constant_points(2, np.array([0.1, -0.7])),
    "all at the origin": constant_points(20, np.zeros(3)),
    "more axes than points": standard_normal_points(30, 64, 1),
    "one axis": standard_normal_points(60, 1, 1),
    "one constant axis of one": constant_points(60, np.array([0.3])),
    "one dead axis": dead_axis_points(),
    "mostly dead axes": np.pad(standard_normal_points(60, 1, 1), ((0, 0), (0, 4))),
    "one outlier": np.vstack([standard_normal_points(60, 3, 1), np.full((1, 3), 1000, np.float32)]),
    "next to nothing": standard_normal_points(60, 3, 1) * np.float32(1e-42),
    "far away": standard_normal_points(60, 3, 1) + np.float32(1e6),
    "lattice": np.stack(np.meshgrid(*[np.arange(6.0)] * 3), -1).reshape(-1, 3).astype(np.float32),
    "rounded": np.round(standard_normal_points(300, 3, 1)),
    "every point twice": np.repeat(shaped_points(n_points=100), 2, axis=0),
    "every point eighty times": np.repeat(standard_normal_points(4, 3, 1), 80, axis=0),
}
each_cloud = pytest.mark.parametrize("points", CLOUDS.values(), ids=CLOUDS)


def values(subject, points, reference=None):
    """Return what is known of a subject's quantities and profiles, in one mapping."""
    sight = sight_of(subject, Cloud(points))
    other = sight_of(subject, Cloud(shaped_points(9) if reference is None else reference))
    found = {quantity.name: read(subject, quantity, sight, other) for quantity in subject.quantities}
    known = {name: value for name, value in found.items() if not np.isnan(value)}
    return known | {f"{name} over x": y for name, (_, y) in sight.curves.items()}


def unit_of(subject, name):
    rows = {quantity.name: quantity.unit for quantity in subject.quantities}
    rows |= {f"{profile.name} over x": profile.y_label for profile in subject.profiles}
    return rows[name]


def assert_alike(found, expected, rel=2e-3, flips=3):
    """Discrete shares may change by some points that lie on an edge."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=rel, abs=flips / N_POINTS), name


def test_names_are_the_keys_and_quantities_are_few_and_different():
    for name, subject in SUBJECTS.items():
        assert subject.name == name
        names = [quantity.name for quantity in subject.quantities]
        assert len(set(names)) == len(names) <= 10
        assert subject.question.endswith("?")


@each_subject
@each_cloud
def test_every_cloud_is_looked_at_or_refused_with_a_reason(subject, points):
    cloud = Cloud(points)
    try:
        view = subject.view(cloud)
    except GeometryError as error:
        assert error.next_step  # noqa: PT017
        return
    for quantity in subject.quantities:
        value = quantity.value(view, view) if subject.two_samples else quantity.value(view)
        assert value is None or np.isfinite(value), quantity.name
    for profile in subject.profiles:
        x, y = profile.value(view)
        assert x.shape == y.shape
        assert (np.diff(x) > 0).all()


@each_subject
def test_everything_is_known_of_a_usual_cloud(subject):
    found = values(subject, shaped_points())
    missing = {quantity.name for quantity in subject.quantities} - found.keys()
    assert missing <= {"inside_6", "inside_10", "contrast_6", "contrast_10"}


@each_subject
def test_few_points_are_refused(subject):
    for n_points in (2, 3):
        with pytest.raises(GeometryError, match=f"at least .* got {n_points}"):
            subject.view(Cloud(standard_normal_points(n_points, 3, 1)))


@each_subject
def test_the_same_points_give_the_same_answer(subject):
    first, second = values(subject, shaped_points()), values(subject, shaped_points())
    assert all(np.array_equal(first[name], second[name]) for name in first)


@each_subject
def test_the_order_of_rows_is_irrelevant(subject):
    points = shaped_points()
    order = random_stream(1, "order").permutation(len(points))
    assert_alike(values(subject, points[order]), values(subject, points))


@each_subject
def test_rotation_is_irrelevant(subject):
    points = shaped_points()
    turn = np.linalg.qr(random_stream(1, "turn").standard_normal((5, 5)))[0]
    turned = [(some @ turn).astype(np.float32) for some in (points, shaped_points(9))]
    assert_alike(values(subject, *turned), values(subject, points))


@each_subject
def test_scaling_changes_lengths_only(subject):
    points, other = shaped_points(), shaped_points(9)
    found, expected = values(subject, points * np.float32(3), other * np.float32(3)), values(subject, points)
    scaled = {name: 3 * y if "units of z" in unit_of(subject, name) else y for name, y in expected.items()}
    assert_alike(found, scaled)


def test_curves_that_are_not_known_all_along_are_left_out_of_a_sight():
    lattice, flat = Cloud(CLOUDS["lattice"]), Cloud(standard_normal_points(100, 3, 1))
    assert "gride" not in sight_of(SUBJECTS["dimension"], lattice).curves
    assert set(sight_of(SUBJECTS["hollow"], flat).curves) == {"mass_2", "mass_all"}
