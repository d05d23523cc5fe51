"""Counts by column, medians, moments and rotations against plain loops, NumPy, SciPy and scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from zspace.geometry.axes.densities import axis_quartiles
from zspace.geometry.axes.normality import (
    FALSE_DISCOVERIES,
    axis_shapes,
    kurtosis_scores,
    n_discoveries,
    skewness_scores,
)
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import bin_edges, bin_range, count_columns, count_sorted, count_values
from zspace.geometry.radius.density import sorted_quantile
from zspace.geometry.truths import TRUTHS, gaussian_points, standard_normal_points, turned_covariance

WIDTHS = [0.25, 0.5, 2.0, 0.05, 0.1, 0.3, 1 / 3, 7.0]
NEXT = np.float32(np.inf)


def drawn(kind, width):
    """Points of the kinds that rounding could put into the wrong bin."""
    edges = (np.arange(-60, 60) * width).astype(np.float32)
    return {
        "drawn": standard_normal_points(3000, 3, 1) * np.float32(3 * width),
        "on the edges": np.stack([edges, edges[::-1]], axis=1),
        "beside the edges": np.stack([np.nextafter(edges, -NEXT), np.nextafter(edges, NEXT)], axis=1),
        "next to nothing": standard_normal_points(50, 2, 1) * np.float32(1e-44),
        "far off": standard_normal_points(50, 2, 1) * np.float32(width) + np.float32(2**19 * width),
    }[kind]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["drawn", "on the edges", "beside the edges", "next to nothing", "far off"])
def test_columns_are_counted_as_one_by_one(kind, width, monkeypatch):
    monkeypatch.setattr("zspace.geometry.histograms._BLOCK_VALUES", 100)
    points = drawn(kind, width)
    first, last = bin_range(float(points.min()), float(points.max()), width)
    found = count_columns(points, first, last, width)
    for column, counts in enumerate(found):
        assert counts.tolist() == count_values(points[:, column].astype(np.float64), first, last, width).tolist()


def test_sorted_values_are_counted_like_any():
    values = np.sort(np.round(np.random.default_rng(1).normal(0, 2, 500), 1))
    first, last = bin_range(values[0], values[-1], 0.1)
    counts = count_sorted(values, bin_edges(first, last, 0.1))
    assert counts.tolist() == count_values(values, first, last, 0.1).tolist()


@pytest.mark.parametrize("n_points", [2, 3, 100, 101])
def test_medians_agree_with_numpy(n_points):
    points = standard_normal_points(n_points, 70, 1)
    np.testing.assert_allclose(
        axis_quartiles(Cloud(points))[1], np.median(points.astype(np.float64), axis=0), rtol=1e-12
    )


@pytest.mark.parametrize("share", [0.0, 0.025, 0.25, 0.5, 0.975, 1.0])
def test_sorted_quantiles_agree_with_numpy(share):
    for n in (2, 3, 50):
        values = np.sort(np.random.default_rng(n).normal(size=n))
        assert sorted_quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-12)


@pytest.mark.parametrize("name", ["standard-normal", "correlated", "cube", "sphere"])
def test_shapes_and_their_tests_agree_with_scipy(name):
    points = TRUTHS[name].draw(300, 2)
    exact, n = points.astype(np.float64), len(points)
    shape = axis_shapes(Cloud(points), np.arange(points.shape[1]))
    np.testing.assert_allclose(shape.skewness, stats.skew(exact), atol=1e-12)
    np.testing.assert_allclose(shape.excess_kurtosis, stats.kurtosis(exact), atol=1e-12)
    np.testing.assert_allclose(skewness_scores(shape.skewness, n), stats.skewtest(exact).statistic, rtol=1e-9)
    np.testing.assert_allclose(
        kurtosis_scores(shape.excess_kurtosis, n), stats.kurtosistest(exact).statistic, rtol=1e-9
    )
    np.testing.assert_allclose(shape.p_values(), stats.normaltest(exact).pvalue, rtol=1e-9)


@pytest.mark.parametrize("n_axes", [1, 4, 256])
def test_false_discoveries_agree_with_scipy(n_axes):
    for seed in range(20):
        p_values = np.random.default_rng(seed).uniform(size=n_axes) ** 3
        theirs = (stats.false_discovery_control(p_values) <= FALSE_DISCOVERIES).sum()
        assert n_discoveries(p_values) == theirs


def test_the_covariance_of_many_points_agrees_with_numpy():
    covariance = turned_covariance(np.array([9.0, 4, 1, 0.25, 1e-4, 1]))
    points = gaussian_points(10_000, np.array([0, 100.0, -3, 0, 0, 7]), covariance, 1)
    points[:, 0] *= np.float32(1e-5)
    points[:, 5] = np.float32(0.1)
    cloud, exact = Cloud(points), np.cov(points.astype(np.float64).T)
    deviations = np.sqrt(exact.diagonal().clip(min=1e-12))
    assert np.abs((cloud.covariance - exact) / np.outer(deviations, deviations)).max() < 1e-9
    assert (cloud.covariance[5] == 0).all()


@pytest.mark.parametrize("n_points", [300, 10_000])
@pytest.mark.parametrize("far", [0.0, 1e4])
def test_the_rotated_cloud_agrees_with_scikit_learn(n_points, far):
    points = gaussian_points(n_points, np.full(4, far), turned_covariance(np.array([9.0, 4, 1, 0.25])), 1)
    cloud, theirs = Cloud(points), PCA(svd_solver="full").fit_transform(points.astype(np.float64))
    signs = np.sign((cloud.rotated * theirs).sum(axis=0))
    assert cloud.rotated.dtype == np.float32
    np.testing.assert_allclose(cloud.rotated, theirs * signs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(cloud.rotated.var(axis=0, ddof=1, dtype=np.float64), cloud.principal[0], rtol=1e-6)


def test_the_rotated_cloud_is_computed_once():
    cloud = Cloud(standard_normal_points(30, 3, 1))
    assert cloud.rotated is cloud.rotated
