"""Clouds: what they refuse, and what they compute once."""

import numpy as np
import pytest

from zspace.errors import PointsNotFinite, TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.geometry.truths import TRUTHS, constant_points, standard_normal_points


@pytest.mark.parametrize("n_points", [0, 1])
def test_one_point_is_too_few(n_points):
    message = rf"cloud: must have at least 2 z-points, got {n_points}\. Encode more images\."
    with pytest.raises(TooFewPoints, match=message):
        Cloud(np.zeros((n_points, 3), np.float32))


def test_the_first_row_that_is_not_finite_is_named():
    points = np.zeros((10, 3), np.float32)
    points[4, 1], points[4, 2], points[8, 0] = np.nan, np.inf, -np.inf
    message = (
        r"cloud: every coordinate must be finite, got 2 rows with NaN or infinity, the first is row 4\. "
        r"Remove these rows, or look for the image or the training step that made them\."
    )
    with pytest.raises(PointsNotFinite, match=message):
        Cloud(points)


def test_mean_and_covariance_do_not_lose_digits_far_from_the_origin():
    points = standard_normal_points(1000, 2, 1) + np.float32(1e4)
    cloud = Cloud(points)
    exact = points.astype(np.float64)
    np.testing.assert_allclose(cloud.mean, exact.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(cloud.covariance, np.cov(exact.T), rtol=1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("breadth", [1e3, 3e3, 1e5])
@pytest.mark.parametrize("n_points", [9_999, 10_000, 12_000])
def test_one_broad_direction_takes_nothing_from_the_narrow_ones(n_points, breadth, offset):
    """The first direction lies across all axes; the coordinates themselves are only rounded to float32."""
    random = np.random.default_rng(1)
    broad = breadth * random.standard_normal((n_points, 1)) @ np.full((1, 12), 12**-0.5)
    points = (random.standard_normal((n_points, 12)) + broad + offset * breadth).astype(np.float32)
    cloud = Cloud(points)
    exact = np.linalg.eigvalsh(np.cov(points.astype(np.float64).T))[::-1]
    np.testing.assert_allclose(cloud.principal[0], exact, rtol=1e-5)
    np.testing.assert_allclose(cloud.rotated.var(axis=0, ddof=1, dtype=np.float64), exact, rtol=1e-5)


def test_fewer_points_than_axes_span_what_a_singular_value_decomposition_finds():
    points = standard_normal_points(30, 200, 1) * np.geomspace(1, 100, 200, dtype=np.float32) + np.float32(50)
    cloud = Cloud(points)
    variances, components = cloud.principal
    exact = points - points.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(variances[:29], np.linalg.svd(exact, compute_uv=False)[:29] ** 2 / 29, rtol=1e-10)
    assert (variances[29:] == 0).all()
    np.testing.assert_allclose(components.T @ components, np.eye(29), atol=1e-12)
    np.testing.assert_allclose(components * variances[:29] @ components.T, cloud.covariance, atol=1e-9 * variances[0])
    np.testing.assert_allclose(cloud.rotated, exact @ components, rtol=1e-6, atol=1e-10)


def test_blocks_hold_every_row_once_and_in_order(monkeypatch):
    monkeypatch.setattr("zspace.geometry.clouds._BLOCK_VALUES", 10)
    points = standard_normal_points(11, 3, 1)
    blocks = Cloud(points).blocks()
    assert [len(block) for block in blocks] == [3, 3, 3, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), points)
    assert all(np.shares_memory(block, points) for block in blocks)


def test_a_row_longer_than_a_block_is_a_block_of_its_own(monkeypatch):
    monkeypatch.setattr("zspace.geometry.clouds._BLOCK_VALUES", 2)
    assert [len(block) for block in Cloud(standard_normal_points(3, 5, 1)).blocks()] == [1, 1, 1]


def test_constant_axes_have_no_variance_at_all():
    cloud = Cloud(constant_points(1001, np.array([0.1, -1e20, 3e-20])))
    assert (cloud.covariance == 0).all()
    assert (cloud.principal[0] == 0).all()


def test_principal_components_are_orthogonal_sorted_and_of_one_sign():
    cloud = Cloud(TRUTHS["correlated"].draw(100, 1))
    variances, components = cloud.principal
    assert (np.diff(variances) < 0).all()
    np.testing.assert_allclose(components.T @ components, np.eye(5), atol=1e-12)
    np.testing.assert_allclose(components * variances @ components.T, cloud.covariance, atol=1e-12)
    assert (components[np.abs(components).argmax(axis=0), np.arange(5)] > 0).all()


def test_variances_are_never_negative():
    variances, _ = Cloud(standard_normal_points(3, 20, 1)).principal
    assert not np.signbit(variances).any()
    assert (variances > 1e-9).sum() == 2


def test_neighbours_are_searched_for_once_and_cut_for_shorter_requests(monkeypatch):
    searched = []

    def search(points, n_neighbors, watch):
        searched.append(n_neighbors)
        return nearest_neighbors(points, n_neighbors, watch=watch)

    monkeypatch.setattr("zspace.geometry.clouds.nearest_neighbors", search)
    cloud = Cloud(np.repeat(standard_normal_points(40, 3, 1), 2, axis=0))
    seen = []
    for n_neighbors in (5, 2, 5, 9, 7):
        found, expected = cloud.neighbors(n_neighbors, seen.append), nearest_neighbors(cloud.points, n_neighbors)
        np.testing.assert_array_equal(found.indices, expected.indices)
        np.testing.assert_array_equal(found.distances, expected.distances)
    assert searched == [5, 9]
    assert len(seen) == 2


@pytest.mark.parametrize("n_neighbors", [-1, 0, 40])
def test_neighbours_that_cannot_be_are_refused_before_and_after_a_search(n_neighbors):
    cloud = Cloud(standard_normal_points(40, 3, 1))
    message = rf"neighbours: must be at least 1 and fewer than the 40 points, got {n_neighbors}\."
    for _ in range(2):
        with pytest.raises(TooFewPoints, match=message):
            cloud.neighbors(n_neighbors)
        cloud.neighbors(3)


# --- What subjects share ----------------------------------------------------------------------------------------------


def test_whitened_points_have_variance_one_along_every_component_that_has_any():
    points = np.pad(standard_normal_points(300, 4, 1) * np.float32([1e-3, 1, 7, 1e3]), ((0, 0), (1, 2)))
    whitened = Cloud(points).whitened
    assert whitened.shape == (300, 4)
    assert np.cov(whitened.T) == pytest.approx(np.eye(4), abs=1e-4)
    assert whitened.mean(axis=0) == pytest.approx(0, abs=1e-4)


def test_equal_points_cannot_be_whitened():
    with pytest.raises(TooFewPoints, match=r"cloud: must have at least 2 different z-points, got 1\."):
        _ = Cloud(np.full((9, 3), 0.1, np.float32)).whitened


def test_spread_rows_take_points_of_all_distances_whatever_the_order():
    points = np.random.default_rng(1).permutation(np.arange(100, dtype=np.float32))[:, np.newaxis] ** 2
    cloud = Cloud(points)
    distances = np.abs(points[cloud.spread_rows(10), 0] - cloud.mean[0])
    assert (np.diff(distances) > 0).all()
    assert sorted(cloud.spread_rows(500)) == list(range(100))
    order = np.random.default_rng(2).permutation(100)
    assert (points[order][Cloud(points[order]).spread_rows(10)] == points[cloud.spread_rows(10)]).all()


def test_a_subject_refuses_fewer_points_than_it_needs():
    with pytest.raises(
        TooFewPoints, match=r"loops: must be looked at on at least 8 points, got 5\. Encode more images\."
    ):
        Cloud(standard_normal_points(5, 2, 1)).require_points("loops", 8)
