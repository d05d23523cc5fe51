"""Counts in windows and local dimensions, on planes whose law is known.

Where clouds are simulated, the count of alarms is binomial; the tests allow the range that holds such a count with
probability 0.9999.
"""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.planes.scatter import chosen_planes, plane_windows, planes_of
from zspace.geometry.planes.windows import PlaneGaussian, count_law, gaussian_points_in_window, square
from zspace.geometry.truths import cube_points, gaussian_points, turned_covariance
from zspace.seeds import random_stream

COVARIANCE = turned_covariance(np.array([4.0, 2.0, 1.0, 0.5]))
ALMOST_NEVER = 1e-4


def plausible_counts(n_clouds, rate):
    low, high = stats.binom.interval(0.9999, n_clouds, rate)
    return range(int(low), int(high) + 1)


def random_of(seed):
    return random_stream(seed, "test", "planes")


def gaussian_cloud(n_points, seed):
    return gaussian_points(n_points, np.array([3.0, 0, 0, -1]), COVARIANCE, seed)


def found_in(points, plane, sides, seed=1, n_null=19):
    return plane_windows(Cloud(points), (plane,), sides, n_null, seed).estimates


@pytest.mark.parametrize("plane", ["pc1-pc2", "axis0-axis3"])
@pytest.mark.parametrize("side", [0.6, 2.0, 5.0])
def test_counts_of_a_gaussian_cloud_have_even_p_values_and_stay_in_their_band(plane, side):
    n_clouds, p_values, n_outside = 300, [], 0
    for seed in range(n_clouds):
        (seen,) = planes_of(Cloud(gaussian_cloud(400, seed)), chosen_planes((plane,), 4)[0])
        window = square(seen.mean, side)
        count, law = int(window.holds(seen.points).sum()), seen.law(window)
        low, high = law.band(0.95)
        p_values.append(law.p_value(count))
        n_outside += not low <= count <= high
    assert stats.kstest(p_values, "uniform").pvalue > ALMOST_NEVER
    assert n_outside <= plausible_counts(n_clouds, 0.05)[-1]


def test_the_allowance_for_the_fit_is_needed():
    gaussian = PlaneGaussian(np.zeros(2), np.ones(2), 0.0)
    law = count_law(gaussian, square(np.zeros(2), 4.0), 1000)
    binomial_variance = 1000 * law.probability * (1 - law.probability)
    assert law.variance < 0.5 * binomial_variance
    counts = []
    for seed in range(400):
        points = random_of(seed).standard_normal((1000, 2))
        whitened = (points - points.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T))).T
        counts.append(square(np.zeros(2), 4.0).holds(whitened).sum())
    assert np.var(counts) == pytest.approx(law.variance, rel=0.35)


@pytest.mark.parametrize("window", ["side_1", "whole"])
def test_local_dimension_of_a_gaussian_cloud_has_even_p_values(window):
    n_clouds = 100
    p_values = [
        found_in(gaussian_cloud(400, seed), "pc1-pc2", (1.0,), seed, 9)[f"pc1_pc2_{window}_local_dimension"].p
        for seed in range(n_clouds)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > ALMOST_NEVER


def test_smooth_clouds_that_are_not_gaussian_are_not_called_stringy():
    def two_heaps(seed):
        points = gaussian_cloud(1000, seed)
        points[::2] += np.float32([4, 0, 0, 0])
        return points

    def heavy_tails(seed):
        return random_of(seed).standard_t(3, (1000, 4)).astype(np.float32)

    for draw in (two_heaps, heavy_tails):
        n_alarms = sum(
            found_in(draw(seed), "axis0-axis1", (3.0, 1.0), seed)["n_stringy_windows"].value > 0 for seed in range(25)
        )
        assert n_alarms <= plausible_counts(25, 0.05)[-1]


def strings(seed, n_points, width):
    """Forty straight strings through a Gaussian cloud, in three dimensions."""
    random = random_of(seed)
    starts, directions = random.standard_normal((2, 40, 3))
    which = random.integers(40, size=n_points)
    along = random.standard_normal((n_points, 1))
    points = starts[which] + along * directions[which] + width * random.standard_normal((n_points, 3))
    return points.astype(np.float32)


@pytest.mark.parametrize(("width", "power"), [(0.01, 1.0), (0.05, 0.9)])
def test_strings_are_found(width, power):
    n_clouds = 10
    n_found = sum(
        found_in(strings(seed, 2000, width), "pc1-pc2", (2.0,), seed)["n_stringy_windows"].value > 0
        for seed in range(n_clouds)
    )
    assert n_found >= power * n_clouds


def test_tight_pairs_are_found_and_a_lattice_is_the_other_way():
    points = gaussian_cloud(600, 1)
    pairs = np.concatenate([points, points + random_of(1).normal(0, 1e-3, points.shape).astype(np.float32)])
    paired = found_in(pairs, "pc1-pc2", ())["pc1_pc2_whole_local_dimension"]
    assert paired.value < paired.band[0]
    assert paired.p < 1e-6
    x, y = np.meshgrid(np.arange(30.0), np.arange(30.0))
    lattice = np.stack([x.ravel(), y.ravel()], axis=1) + random_of(1).normal(0, 0.02, (900, 2))
    regular = found_in(lattice.astype(np.float32), "axis0-axis1", ())
    assert regular["axis0_axis1_whole_local_dimension"].value > regular["axis0_axis1_whole_local_dimension"].band[1]
    assert regular["n_stringy_windows"].value == 0


def test_a_hole_in_the_middle_is_found_by_the_count():
    points = cube_points(4000, 2, 3.0, 1)
    ring = points[np.abs(points).max(axis=1) > 0.7]
    count = found_in(ring, "axis0-axis1", (1.0,))["axis0_axis1_side_1_points"]
    assert count.value == 0
    assert count.p < 1e-12


@pytest.mark.parametrize("correlation", [0.0, 0.7, -0.98])
@pytest.mark.parametrize("side", [0.2, 3.0])
def test_points_drawn_in_a_window_are_those_that_a_gaussian_has_there(correlation, side):
    gaussian = PlaneGaussian(np.array([1.0, -1.0]), np.array([1.0, 2.0]), correlation)
    window = square(np.array([1.6, -0.5]), side)
    chance = count_law(gaussian, window, 1).probability
    drawn = gaussian_points_in_window(gaussian, window, 2000, chance, random_of(1))
    assert len(drawn) == 2000
    assert window.holds(drawn).all()
    # A smaller window inside must hold its share.
    middle = square(np.array([1.6 + side / 8, -0.5 - side / 8]), side / 2)
    share = count_law(gaussian, middle, 1).probability / chance
    assert int(middle.holds(drawn).sum()) in plausible_counts(2000, share)


def test_windows_that_the_gaussian_never_reaches_have_no_draws():
    gaussian = PlaneGaussian(np.zeros(2), np.ones(2), 0.99)
    window = square(np.array([3.0, -3.0]), 1.0)
    assert gaussian_points_in_window(gaussian, window, 10, 0.0, random_of(1)) is None
