"""The measures find what closed forms say of clouds whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import TRUTHS, gaussian_mean_radius, gaussian_points, turned_covariance
from zspace.measuring import MEASURES, measure_cloud
from zspace.settings import MeasureSettings

N_POINTS, N_CLOUDS = 1500, 20
FEW_NULLS = MeasureSettings(n_null_clouds=2, max_clusters=12)


def found_on(truth, seed):
    """Return the values found on one cloud, by "measure.estimate"."""
    cloud = Cloud(truth.draw(N_POINTS, seed))
    asked = replace(FEW_NULLS, only=tuple({name.split(".")[0] for name in truth.answers}))
    return {
        f"{measurement.name}.{name}": estimate.value
        for measurement in measure_cloud(cloud, asked, seed)
        for name, estimate in measurement.estimates.items()
    }


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_measures_find_the_closed_form(truth):
    found = [found_on(truth, seed) for seed in range(N_CLOUDS)]
    z_dim = truth.draw(2, 0).shape[1]
    for name, answer in truth.answers.items():
        values = np.array([row[name] for row in found])
        # Five standard errors of the mean over the clouds, the bias of order z_dim / n_points that every consistent
        # estimate of a spectrum or a quantile may have, and float32 rounding of the coordinates.
        reach = 5 * values.std(ddof=1) / np.sqrt(N_CLOUDS) + 2 * abs(answer) * z_dim / N_POINTS + 1e-6
        assert values.mean() == pytest.approx(answer, abs=reach, rel=0), name


def test_every_measure_has_a_cloud_whose_answer_is_known():
    assert {name.split(".")[0] for truth in TRUTHS.values() for name in truth.answers} == {
        name for name, row in MEASURES.items() if row.needs == "nothing"
    }


@pytest.mark.parametrize("z_dim", [1, 2, 3, 256])
def test_mean_radius_of_the_standard_normal_is_the_mean_of_chi(z_dim):
    assert gaussian_mean_radius(z_dim) == pytest.approx(stats.chi(z_dim).mean(), rel=1e-12)


def test_mean_radius_of_a_line_off_the_origin_is_that_of_the_folded_normal():
    assert gaussian_mean_radius(1, deviation=2.0, offset=3.0) == pytest.approx(stats.foldnorm(1.5, scale=2.0).mean())


def test_mean_radius_of_a_plane_off_the_origin_is_that_of_the_rice_law():
    assert gaussian_mean_radius(2, deviation=0.5, offset=2.0) == pytest.approx(stats.rice(4.0, scale=0.5).mean())


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
def test_drawing_again_gives_the_same_cloud_and_another_seed_another(truth):
    first, again, other = truth.draw(50, 1), truth.draw(50, 1), truth.draw(50, 2)
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (truth.name == "constant")


def test_turned_covariance_keeps_the_variances_and_mixes_all_axes():
    covariance = turned_covariance(np.array([8.0, 4.0, 1.0]))
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance), [1, 4, 8])
    assert (np.abs(covariance) > 0.1).all()


def test_a_gaussian_of_singular_covariance_stays_in_its_plane():
    points = gaussian_points(100, np.array([0.0, 7.0]), np.diag([1.0, 0.0]), 1)
    assert (points[:, 1] == 7).all()
    assert points[:, 0].std() > 0.5
