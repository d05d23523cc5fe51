"""Intervals cover the truth as often as they say, and null bands raise as many false alarms as they say.

Where clouds are simulated, the count of hits is binomial around the nominal rate; the tests allow the range that holds
such a count with probability 0.9999.
"""

import numpy as np
import pytest
from scipy import stats

from zspace.generating.learning import learning_of, spread_share
from zspace.generating.scores import rate_estimate
from zspace.geometry.clouds import Cloud
from zspace.geometry.principal import principal_spectrum
from zspace.geometry.radius.density import radius_density
from zspace.geometry.truths import (
    gaussian_mean_radius,
    gaussian_points,
    sphere_points,
    standard_normal_points,
    turned_covariance,
)

N_NULL = 19
FALSE_ALARMS = 2 / (N_NULL + 1)
"""Chance that one more draw is the lowest or the highest of N_NULL + 1."""


def plausible_counts(n_clouds, rate):
    low, high = stats.binom.interval(0.9999, n_clouds, rate)
    return range(int(low), int(high) + 1)


def outside(value, band):
    return not band[0] <= value <= band[1]


@pytest.mark.parametrize(("z_dim", "n_points"), [(8, 50), (1, 30)])  # 1: the half-normal, as skewed as radii get
def test_mean_radius_interval_covers_the_truth(z_dim, n_points):
    n_clouds, truth, n_covered = 500, gaussian_mean_radius(z_dim), 0
    for seed in range(n_clouds):
        cloud = Cloud(standard_normal_points(n_points, z_dim, seed))
        found = radius_density(cloud, (0.5,), 2, seed).estimates["mean_radius"]
        assert found.level == 0.95
        n_covered += not outside(truth, found.interval)
    assert n_covered in plausible_counts(n_clouds, 0.95)


def wilson_coverage(n_images, rates):
    """Return the exact chance of covering each rate: the binomial weight of the counts whose interval holds it."""
    counts = np.arange(n_images + 1)
    low, high = np.array([rate_estimate(int(count), n_images, 1).interval for count in counts]).T
    rate = rates[:, np.newaxis]
    return np.where((low <= rate) & (rate <= high), stats.binom.pmf(counts, n_images, rate), 0).sum(axis=1)


@pytest.mark.parametrize("n_images", [50, 200, 1000])
def test_wilson_interval_covers_every_rate_with_five_hits_and_five_misses(n_images):
    rates = np.linspace(5 / n_images, 1 - 5 / n_images, 1001)
    coverage = wilson_coverage(n_images, rates)
    # The count is discrete, so coverage waves about 0.95; Brown, Cai and DasGupta 2001, figure 5, show these depths.
    assert coverage.min() >= 0.93
    assert coverage.max() <= 0.975
    assert coverage.mean() == pytest.approx(0.95, abs=0.003)


@pytest.mark.parametrize("n_images", [10, 50, 1000])
def test_wilson_interval_is_never_far_off_even_at_the_ends(n_images):
    rates = np.linspace(0.001, 0.999, 1999)
    coverage = wilson_coverage(n_images, rates)
    # Near 0 and 1 Wilson's interval is known to dip to 0.84; the textbook normal interval falls to 0 there.
    assert coverage.min() >= 0.83
    assert coverage.mean() == pytest.approx(0.95, abs=0.006)


EXACT = ("mean_radius", "standard_deviation", "half_shell_low", "half_shell_high", "shell95_low")
"""Continuous numbers: none of them ties with a draw."""


def radius_alarms(draw, n_clouds, n_null=39):
    """Return in how many clouds each number, and the whole histogram, was told apart at 5 %."""
    alarms = dict.fromkeys((*EXACT, "peak_radius", "histogram"), 0)
    for seed in range(n_clouds):
        measurement = radius_density(Cloud(draw(seed)), (0.5,), n_null, seed)
        curve = measurement.curves["bin 0.5"]
        alarms["histogram"] += curve.null_p <= 0.05
        assert (curve.null_p <= 0.05) == bool(curve.null_left_at)
        for name in (*EXACT, "peak_radius"):
            found = measurement.estimates[name]
            # On a sphere there is no peak to be found, and so no alarm.
            alarms[name] += found.value is not None and found.p <= 0.05
            if name in EXACT:
                assert (found.p <= 0.05) == outside(found.comparison.value, found.band)
    return alarms


@pytest.mark.parametrize(
    ("mean", "variances"),
    [
        pytest.param([1.0, 0, 0, 0, 0], [4.0, 2, 1, 1, 1], id="off the centre"),
        pytest.param([9.0, 0, 0], [1.0, 2, 1], id="far off the centre", marks=pytest.mark.slow),
        pytest.param([0.0, 0, 0, 0], [25.0, 1, 1, 1], id="one direction has most", marks=pytest.mark.slow),
    ],
)
def test_radii_of_a_gaussian_cloud_are_told_apart_as_often_as_said(mean, variances):
    """The Gaussian is fitted to the cloud that is then held against it: that is allowed for."""
    covariance, n_clouds = turned_covariance(np.array(variances)), 200
    alarms = radius_alarms(lambda seed: gaussian_points(100, np.array(mean), covariance, seed), n_clouds)
    plausible = plausible_counts(n_clouds, 0.05)
    for name in EXACT:
        assert alarms[name] in plausible, name
    # Bins tie, and the histogram is beside radii from the law, which the fit does not hold: both err on the safe side.
    assert max(alarms["peak_radius"], alarms["histogram"]) <= plausible[-1]


def test_a_part_of_the_radii_is_told_apart_as_often_as_said(monkeypatch):
    monkeypatch.setattr("zspace.geometry.radius.density.N_COMPARED", 60)
    n_clouds = 100
    alarms = radius_alarms(lambda seed: standard_normal_points(200, 3, seed), n_clouds)
    assert all(alarms[name] in plausible_counts(n_clouds, 0.05) for name in EXACT)


def test_radii_of_a_sphere_are_told_apart():
    n_clouds = 20
    alarms = radius_alarms(lambda seed: sphere_points(300, 5, 4.0, seed), n_clouds)
    assert alarms["histogram"] == alarms["standard_deviation"] == n_clouds
    assert alarms["mean_radius"] >= 15


def spectrum_alarms(variances, n_points, n_clouds):
    """Return in how many clouds each summary of the spectrum was outside its band, and the whole spectrum told apart."""
    covariance = turned_covariance(np.array(variances))
    alarms, n_curves_outside = {"first_component_share": 0, "participation_ratio": 0}, 0
    for seed in range(n_clouds):
        cloud = Cloud(gaussian_points(n_points, np.zeros(len(variances)), covariance, seed))
        measurement = principal_spectrum(cloud, N_NULL, seed)
        for name in alarms:
            alarms[name] += outside(measurement.estimates[name].value, measurement.estimates[name].band)
        curve = measurement.curves["spectrum"]
        n_curves_outside += curve.null_p <= 0.05
    return alarms, n_curves_outside


@pytest.mark.parametrize(("z_dim", "n_points"), [(5, 60), (12, 8)])  # drawn from Wishart's law, and point by point
def test_spectrum_of_an_isotropic_cloud_leaves_the_band_as_often_as_said(z_dim, n_points):
    n_clouds = 300
    alarms, n_curves_outside = spectrum_alarms([2.0] * z_dim, n_points, n_clouds)
    # Given their total all isotropic clouds are alike, so cloud and null clouds are exchangeable and the rate is exact.
    assert alarms["first_component_share"] in plausible_counts(n_clouds, FALSE_ALARMS)
    assert alarms["participation_ratio"] in plausible_counts(n_clouds, FALSE_ALARMS)
    assert n_curves_outside in plausible_counts(n_clouds, 1 / (N_NULL + 1))


def test_one_dominant_direction_leaves_the_band():
    n_clouds = 30
    alarms, _ = spectrum_alarms([6.0, 2.0, 2.0, 2.0, 2.0], 100, n_clouds)
    assert min(alarms.values()) == n_clouds


@pytest.mark.parametrize(("n_images", "paired"), [(30, True), (30, False), (200, True)])
def test_interval_of_the_spread_covers_the_ratio_of_the_variances(n_images, paired):
    n_stacks, n_covered = 300, 0
    random = np.random.default_rng(1)
    for _ in range(n_stacks):
        originals = random.normal(128.0, 30.0, (n_images, 2, 2, 3))
        drawn = originals if paired else random.normal(128.0, 30.0, (n_images, 2, 2, 3))
        drawn = 128 + 0.5 * (drawn - 128) + random.normal(0.0, 15.0, drawn.shape)  # variance 0.25 + 0.25 of 30 squared
        pair = [values.clip(0, 255).round().astype(np.uint8) for values in (drawn, originals)]
        n_covered += not outside(0.5, spread_share(*pair, paired=paired).interval)
    assert n_covered in plausible_counts(n_stacks, 0.95)


@pytest.mark.parametrize("n_images", [30, 200])
def test_interval_of_what_is_explained_covers_the_truth(n_images):
    n_draws, n_covered = 500, 0
    random = np.random.default_rng(2)
    alike = np.random.default_rng(3).integers(0, 256, (n_images, 1, 1, 3), dtype=np.uint8)
    for _ in range(n_draws):
        whole = random.gamma(5.0, 2.0, n_images)  # what each image leaves to be gained, of mean 10
        left = whole * random.uniform(0.2, 0.6, n_images)  # of which two fifths stay, in the mean
        found = learning_of((left, whole, np.zeros(n_images)), "nats", alike, alike).explained
        n_covered += not outside(0.6, found.interval)
    assert n_covered in plausible_counts(n_draws, 0.95)
