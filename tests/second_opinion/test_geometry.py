"""Fast code against slow plain loops and against other libraries."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import bin_edges, bin_range, count_values
from zspace.geometry.nulls.laws import isotropic_spectra
from zspace.geometry.principal import principal_spectrum
from zspace.geometry.radius.density import radius_density
from zspace.geometry.truths import TRUTHS, standard_normal_points

CLOUDS = {name: truth.draw(200, 4) for name, truth in TRUTHS.items() if name != "constant"}
each_cloud = pytest.mark.parametrize("points", CLOUDS.values(), ids=CLOUDS)


def counted_slowly(values, edges):
    """Count as the posts do: for every bin, how many values lie in it."""
    return [np.count_nonzero((values >= low) & (values < high)) for low, high in pairwise(edges)]


@pytest.mark.parametrize("width", [0.5, 0.05, 0.1, 1 / 3])
@pytest.mark.parametrize("kind", ["drawn", "on the edges", "beside the edges"])
def test_histograms_agree_with_a_plain_loop_and_with_numpy(width, kind):
    edges = np.arange(-200, 200) * width
    values = {
        "drawn": np.random.default_rng(5).normal(0, 3, 1000),
        "on the edges": edges,
        "beside the edges": np.concatenate([np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)]),
    }[kind]
    first, last = bin_range(values.min(), values.max(), width)
    edges = bin_edges(first, last, width)
    counts = count_values(values, first, last, width)
    assert counts.sum() == len(values)
    assert counts.tolist() == counted_slowly(values, edges)
    assert counts.tolist() == np.histogram(values, edges)[0].tolist()


@each_cloud
@pytest.mark.parametrize("width", [0.5, 0.1])
def test_radius_histogram_agrees_with_a_plain_loop(points, width):
    curve = radius_density(Cloud(points), (width,), 2, 1).curves[f"bin {width:g}"]
    radii = np.array([np.sqrt(sum(float(value) ** 2 for value in row)) for row in points])
    # On the sphere all radii lie within rounding of a bin edge: the bins on both sides of it count as one there.
    off_edge = np.abs(radii / width - np.round(radii / width)) > 1e-6
    if off_edge.all():
        assert curve.y[0].tolist() == counted_slowly(radii, curve.x)
    else:
        assert curve.y[0].sum() == len(points)


@each_cloud
@pytest.mark.parametrize("width", [0.25, 0.1])
def test_axis_histograms_agree_with_a_plain_loop(points, width):
    curve = axis_densities(Cloud(points), width, 2, 1).curves["density"]
    for axis, counts in enumerate(curve.y):
        assert counts.tolist() == counted_slowly(points[:, axis].astype(np.float64), curve.x)


@each_cloud
def test_axis_summary_agrees_with_numpy(points):
    curve = axis_densities(Cloud(points), 0.25, 2, 1).curves["summary"]
    rows = dict(zip(curve.labels, curve.y, strict=True))
    exact = points.astype(np.float64)
    np.testing.assert_allclose(rows["mean"], exact.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(rows["median"], np.median(exact, axis=0), rtol=1e-6)
    np.testing.assert_allclose(rows["standard deviation"], exact.std(axis=0, ddof=1), rtol=1e-12)


@each_cloud
def test_principal_components_agree_with_scikit_learn(points):
    variances, components = Cloud(points).principal
    theirs = PCA(svd_solver="full").fit(points.astype(np.float64))
    np.testing.assert_allclose(variances, theirs.explained_variance_, rtol=1e-9, atol=1e-12)
    spectrum = principal_spectrum(Cloud(points), 2, 1).curves
    np.testing.assert_allclose(spectrum["spectrum"].y[0], theirs.explained_variance_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(spectrum["cumulative"].y[0], theirs.explained_variance_ratio_.cumsum(), rtol=1e-9)
    distinct = variances > 1e-9 * variances[0]  # directions without any variance are arbitrary
    overlaps = np.abs((components.T * theirs.components_).sum(axis=1))
    np.testing.assert_allclose(overlaps[distinct], 1, atol=1e-6)


@each_cloud
def test_covariance_agrees_with_numpy(points):
    np.testing.assert_allclose(Cloud(points).covariance, np.cov(points.astype(np.float64).T), atol=1e-12)


def test_interval_of_the_mean_radius_agrees_with_a_t_test():
    cloud = Cloud(CLOUDS["off-centre"])
    found = radius_density(cloud, (0.5,), 2, 1).estimates["mean_radius"]
    theirs = stats.ttest_1samp(cloud.radii, 0).confidence_interval(found.level)
    assert found.interval == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("n_points", [4, 6, 7, 40])
def test_null_spectra_agree_with_those_of_drawn_clouds(n_points):
    z_dim, n_clouds = 6, 250
    cloud = Cloud(TRUTHS["standard-normal"].draw(n_points, 4))
    ours = isotropic_spectra(cloud, n_clouds, 4)
    drawn = [Cloud(standard_normal_points(n_points, z_dim, seed)) for seed in range(n_clouds)]
    theirs = np.array([one.principal[0] for one in drawn])
    theirs *= cloud.covariance.trace() / theirs.sum(axis=1, keepdims=True)  # the total variance is the cloud's
    for component in range(min(n_points - 1, z_dim)):
        assert stats.ks_2samp(ours[:, component], theirs[:, component]).pvalue > 1e-4, component
    shares = [spectra[:, 0] / spectra.sum(axis=1) for spectra in (ours, theirs)]
    assert stats.ks_2samp(*shares).pvalue > 1e-4
