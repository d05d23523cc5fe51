"""Ways to choose random z-points."""

import numpy as np
import pytest
from scipy import stats

from zspace.errors import UnknownSetting
from zspace.generating.samplers import SAMPLERS, draw_points, parse_sampler, sampler_title
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import TRUTHS, standard_normal_points

CLOUD = Cloud(TRUTHS["correlated"].draw(400, 1) + np.float32(2))
SPECIFICATIONS = [f"{row.name}:2" if row.takes_width else row.name for row in SAMPLERS.values()]
ALMOST_NEVER = 1e-4
"""Seeds are fixed; a correct program fails at one seed in 10,000."""


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("normel", r"must name samplers, got 'normel'\. Did you mean 'normal' or 'uniform'\?"),
        ("zzz", r"must name samplers, got 'zzz'\. Known are: fitted-gaussian, normal, uniform\."),
        ("", r"must name samplers, got ''\. Known are: "),
        (":2", r"must name samplers, got ':2'\. Known are: "),
        ("uniform", r"uniform needs a width after a colon, got 'uniform'\. Write 'uniform:2'\."),
        ("normal:3", r"normal takes no width, got 'normal:3'\. Write 'normal'\."),
        ("normal:", r"normal takes no width, got 'normal:'\. Write 'normal'\."),
    ],
)
def test_specifications_that_mean_nothing_are_refused(specification, message):
    with pytest.raises(UnknownSetting, match=rf"generate\.samplers: {message}"):
        parse_sampler(specification)


@pytest.mark.parametrize("width", ["", "0", "-2", "nan", "inf", "two", "2:3", "1e39", "1e-60"])
def test_widths_that_are_no_positive_numbers_are_refused(width):
    rule, got = r"the width must be a positive number, from 1e-30 to 1e\+30", rf"got 'uniform:{width}'"
    with pytest.raises(UnknownSetting, match=rf"generate\.samplers: {rule}, {got}\. Write for example 'uniform:2'\."):
        parse_sampler(f"uniform:{width}")


def test_titles_state_the_width():
    assert sampler_title("uniform:10") == "uniform in [-10, 10] on every axis"
    assert sampler_title("uniform:0.5") == "uniform in [-0.5, 0.5] on every axis"
    assert sampler_title("normal") == "N(0, 1) on every axis"


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_points_have_the_shape_asked_for_and_do_not_change_the_cloud(specification):
    before = CLOUD.points.tobytes()
    points = draw_points(specification, CLOUD, 7, 1)
    assert points.shape == (7, 5)
    assert points.dtype == np.float32
    assert CLOUD.points.tobytes() == before


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_the_same_seed_gives_the_same_points_and_another_others(specification):
    first, again, other = (draw_points(specification, CLOUD, 20, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


@pytest.mark.parametrize("specification", ["normal", "uniform:2"])
def test_samplers_that_ignore_the_cloud_do(specification):
    elsewhere = Cloud(standard_normal_points(10, 5, 3))
    np.testing.assert_array_equal(
        draw_points(specification, CLOUD, 20, 1), draw_points(specification, elsewhere, 20, 1)
    )


def test_each_name_has_a_stream_of_its_own():
    round_cloud = Cloud(standard_normal_points(400, 5, 1))
    drawn = [
        draw_points(name, round_cloud, 400, 1).ravel()
        for name in ("normal", "fitted-gaussian", "uniform:2", "uniform:4")
    ]
    correlations = np.corrcoef(drawn) - np.eye(4)
    # Independent columns of 2,000 numbers correlate by 1 / sqrt(2000); one shared stream would give nearly 1.
    assert np.abs(correlations).max() < 5 / np.sqrt(2000)


def test_normal_points_are_standard_normal_on_every_axis():
    points = draw_points("normal", CLOUD, 3000, 1)
    for axis in points.T:
        assert stats.kstest(axis, "norm").pvalue > ALMOST_NEVER
    assert np.abs(np.corrcoef(points.T) - np.eye(5)).max() < 5 / np.sqrt(3000)


@pytest.mark.parametrize("width", [0.1, 2.0, 10.0])
def test_uniform_points_fill_their_cube_and_nothing_else(width):
    points = draw_points(f"uniform:{width}", CLOUD, 3000, 1)
    assert np.abs(points).max() <= np.float32(width)
    for axis in points.T:
        assert stats.kstest(axis, stats.uniform(-width, 2 * width).cdf).pvalue > ALMOST_NEVER
    assert np.abs(np.corrcoef(points.T) - np.eye(5)).max() < 5 / np.sqrt(3000)


@pytest.mark.parametrize("width", ["1e-30", "1e30"])
def test_the_widest_and_narrowest_cubes_fit_in_float32(width):
    points = draw_points(f"uniform:{width}", CLOUD, 100, 1)
    assert np.isfinite(points).all()
    assert (points != 0).all()


def test_fitted_points_have_the_mean_and_covariance_of_the_cloud():
    n_points = 20_000
    drawn = Cloud(draw_points("fitted-gaussian", CLOUD, n_points, 1))
    variances = CLOUD.covariance.diagonal()
    # Standard errors of a mean and of a covariance of Gaussian points.
    assert (np.abs(drawn.mean - CLOUD.mean) < 5 * np.sqrt(variances / n_points)).all()
    errors = np.sqrt((np.outer(variances, variances) + CLOUD.covariance**2) / n_points)
    assert (np.abs(drawn.covariance - CLOUD.covariance) < 5 * errors).all()


def test_fitted_points_stay_where_the_cloud_has_no_spread():
    points = standard_normal_points(50, 4, 1)
    points[:, 2] = 7
    drawn = draw_points("fitted-gaussian", Cloud(points), 100, 1)
    np.testing.assert_allclose(drawn[:, 2], 7, rtol=1e-6)
    assert (drawn[:, [0, 1, 3]].std(axis=0) > 0.5).all()


def test_fitted_points_of_few_points_stay_in_their_span():
    cloud = Cloud(standard_normal_points(3, 8, 1))
    drawn = draw_points("fitted-gaussian", cloud, 50, 1) - cloud.mean
    assert np.linalg.matrix_rank(drawn, tol=1e-4) == 2
