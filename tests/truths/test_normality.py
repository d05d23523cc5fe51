"""Shapes of laws whose skewness and kurtosis are known, and how often normal axes are called anything else."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.axes.normality import axis_shapes, normal_shapes
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import gaussian_points
from zspace.seeds import random_stream

N_CLOUDS, N_POINTS = 300, 400
CORRELATION = np.array([[1, 0.9, 0.5, 0], [0.9, 1, 0.5, 0], [0.5, 0.5, 1, -0.7], [0, 0, -0.7, 1.0]])


def test_shapes_are_those_of_the_laws():
    random = random_stream(1, "test")
    columns = [random.standard_exponential(400_000), random.uniform(size=400_000), random.laplace(size=400_000)]
    shape = axis_shapes(Cloud(np.stack(columns, axis=1).astype(np.float32)), np.arange(3))
    np.testing.assert_allclose(shape.skewness, [2, 0, 0], atol=0.06)
    np.testing.assert_allclose(shape.excess_kurtosis, [6, -1.2, 3], atol=0.6)


@pytest.fixture(scope="module")
def gaussian_shapes():
    """Shapes of clouds that were drawn point by point."""
    clouds = (Cloud(gaussian_points(N_POINTS, np.zeros(4), CORRELATION, seed)) for seed in range(N_CLOUDS))
    return [axis_shapes(cloud, np.arange(4)) for cloud in clouds]


def test_p_values_of_normal_axes_are_uniform(gaussian_shapes):
    first = [shape.p_values()[0] for shape in gaussian_shapes]
    assert stats.kstest(first, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("part", ["skewness", "excess_kurtosis"])
def test_shapes_of_null_clouds_are_those_of_drawn_clouds(gaussian_shapes, part):
    drawn = np.array([getattr(shape, part) for shape in gaussian_shapes])
    ours = np.array([getattr(shape, part) for shape in normal_shapes(CORRELATION, N_POINTS, N_CLOUDS, 1)])
    for axis in range(4):
        assert stats.ks_2samp(drawn[:, axis], ours[:, axis]).pvalue > 1e-4
    power = 3 if part == "skewness" else 4
    for found in (drawn, ours):
        # Standard error of a correlation over the clouds, at most.
        np.testing.assert_allclose(np.corrcoef(found.T), CORRELATION**power, atol=4.5 / np.sqrt(N_CLOUDS))


def test_normal_axes_are_seldom_called_anything_else():
    n_null = 19
    alarms = {"n_not_normal_axes": 0, "largest_skewness": 0, "largest_excess_kurtosis": 0, "median_excess_kurtosis": 0}
    n_called = 0
    for seed in range(N_CLOUDS):
        found = axis_densities(
            Cloud(gaussian_points(N_POINTS, np.zeros(4), CORRELATION, seed)), 0.25, n_null, seed
        ).estimates
        n_called += found["n_not_normal_axes"].value > 0
        for name in alarms:
            low, high = found[name].band
            alarms[name] += not low <= found[name].value <= high
    most = int(stats.binom.ppf(0.9999, N_CLOUDS, 2 / (n_null + 1)))
    assert max(alarms.values()) <= most
    assert min(alarms["largest_skewness"], alarms["median_excess_kurtosis"]) >= int(
        stats.binom.ppf(1e-4, N_CLOUDS, 0.1)
    )
    assert n_called <= stats.binom.ppf(0.9999, N_CLOUDS, 0.05)
