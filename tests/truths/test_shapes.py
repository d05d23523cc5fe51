"""The known shapes are what they say, as far as it has a closed form."""

import inspect
from typing import get_args

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import thick
from zspace.geometry.truths.frames import power_law, rotation, size_of
from zspace.geometry.truths.shapes import SHAPES
from zspace.geometry.truths.thin import loop_points, sheet_points, string_points, tube_points
from zspace.results import Answer

N_POINTS = 8000
CASES = [(shape, z_dim) for shape in SHAPES.values() for z_dim in shape.dimensions]
NAMES = [f"{shape.name}-{z_dim}" for shape, z_dim in CASES]

CLAIMS = {"gaussian", "clusters", "strings", "sheets", "hollow", "lower_dimensional"}
RUNGS = {"prior", "gaussian", "elliptical", "independent", "copula", "mixture", "none"}


def components_of(points, shape_seed=0):
    """Coordinates along the directions that the shape was built along."""
    return points.astype(np.float64) @ rotation(points.shape[1], shape_seed)


# --- The table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "z_dim"), CASES, ids=NAMES)
def test_drawing_again_gives_the_same_cloud_and_another_seed_another(shape, z_dim):
    first, again, other = shape.draw(60, z_dim, 1), shape.draw(60, z_dim, 1), shape.draw(60, z_dim, 2)
    assert first.shape == (60, z_dim)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


RANDOM = {n: s for n, s in SHAPES.items() if "shape_seed" in inspect.signature(s.draw).parameters}


def test_all_shapes_are_random_but_those_that_are_round_or_belong_to_the_axes():
    assert SHAPES.keys() - RANDOM.keys() == {"standard-normal", "copula", "sphere", "thin-shell", "high-shell"}


@pytest.mark.parametrize("shape", RANDOM.values(), ids=RANDOM)
def test_a_shape_of_another_seed_is_another(shape):
    z_dim = shape.dimensions[-1]
    assert not np.array_equal(shape.draw(60, z_dim, 1), shape.draw(60, z_dim, 1, shape_seed=1))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_is_right_to_say_uses_the_words_of_the_verdict(shape):
    assert shape.claims.keys() <= CLAIMS
    assert set(shape.claims.values()) <= set(get_args(Answer)) - {"cannot tell"}
    assert set(shape.rung) <= RUNGS
    assert (shape.claims["gaussian"] == "yes") == (set(shape.rung) <= {"prior", "gaussian"})


def test_each_claim_and_each_rung_is_right_for_some_shape():
    said = {(claim, answer) for shape in SHAPES.values() for claim, answer in shape.claims.items()}
    assert said == {(claim, answer) for claim in CLAIMS for answer in ("yes", "no")}
    assert {rung for shape in SHAPES.values() for rung in shape.rung} == RUNGS


# --- Moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw", [thick.turned_gaussian_points, thick.heavy_tailed_points], ids=["turned gaussian", "heavy-tailed"]
)
@pytest.mark.parametrize("z_dim", [2, 16])
def test_covariance_is_the_power_law_turned(draw, z_dim):
    whitened = components_of(draw(N_POINTS, z_dim, 1)) / np.sqrt(power_law(z_dim))
    # Entries of a covariance have standard errors near 1 / sqrt(n), three times that with a t law's tails.
    assert np.abs(whitened.mean(axis=0)).max() < 4 / np.sqrt(N_POINTS)
    assert np.abs(np.cov(whitened.T) - np.eye(z_dim)).max() < 12 / np.sqrt(N_POINTS)


def test_squared_mahalanobis_radius_of_the_t_law_follows_fisher_s():
    z_dim, freedom = 8, 5.0
    whitened = components_of(thick.heavy_tailed_points(N_POINTS, z_dim, 1, freedom=freedom)) / np.sqrt(power_law(z_dim))
    ratio = np.sum(whitened**2, axis=1) / z_dim * freedom / (freedom - 2)
    assert stats.kstest(ratio, stats.f(z_dim, freedom).cdf).pvalue > 0.01


@pytest.mark.parametrize("law", [thick.skewed, thick.peaked])
def test_odd_laws_have_mean_0_and_variance_1(law):
    # Numerical integration over the normal law behind.
    grid = np.linspace(-9, 9, 20_001)
    weights = stats.norm.pdf(grid) * (grid[1] - grid[0])
    values = law(grid)
    assert np.sum(weights * values) == pytest.approx(0, abs=1e-9)
    assert np.sum(weights * values**2) == pytest.approx(1, rel=1e-6)


def test_independent_components_are_odd_in_front_normal_behind_and_independent():
    components = components_of(thick.independent_points(N_POINTS, 16, 1))
    components /= components.std(axis=0)
    skewness, kurtosis = stats.skew(components), stats.kurtosis(components)
    square = thick.SKEWED_SCALE**2
    expected = (np.exp(square) + 2) * np.sqrt(np.exp(square) - 1)
    assert skewness[0:6:2] == pytest.approx([expected] * 3, rel=0.3)
    assert (np.abs(skewness[1:6:2]) < 0.3).all()
    assert (kurtosis[:6] > 1.5).all()
    assert (np.abs(kurtosis[6:]) < 0.3).all()
    # Also of the squares: what is only uncorrelated would show.
    assert np.abs(np.corrcoef(components.T) - np.eye(16)).max() < 5 / np.sqrt(N_POINTS)
    assert np.abs(stats.spearmanr(components**2).statistic - np.eye(16)).max() < 5 / np.sqrt(N_POINTS)


def test_rank_correlations_of_the_copula_are_those_of_the_normal_law():
    correlation = stats.spearmanr(thick.copula_points(N_POINTS, 8, 1, correlation=0.7)).statistic
    apart = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    # Kruskal 1958: Spearman's coefficient of a normal law is 6 / pi arcsin(rho / 2).
    np.testing.assert_allclose(correlation, 6 / np.pi * np.arcsin(0.7**apart / 2), atol=5 / np.sqrt(N_POINTS))


# --- Where there are no points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("z_dim", [2, 16])
def test_the_hole_is_empty_and_all_else_is_the_gaussian(z_dim):
    whitened = components_of(thick.hollow_points(N_POINTS, z_dim, 1)) / np.sqrt(power_law(z_dim))
    n_leading = min(4, z_dim)
    radii = np.linalg.norm(whitened[:, :n_leading], axis=1)
    assert radii.min() > thick.hole_radius(z_dim) - 1e-5
    assert stats.chi(n_leading).cdf(thick.hole_radius(z_dim)) == pytest.approx(0.4)
    outside = (stats.chi(n_leading).cdf(radii) - 0.4) / 0.6
    assert stats.kstest(outside, "uniform").pvalue > 0.01
    if z_dim > n_leading:
        assert stats.kstest(whitened[:, n_leading:].ravel(), "norm").pvalue > 0.01


@pytest.mark.parametrize("z_dim", [3, 64])
def test_the_shell_is_as_thin_as_it_says(z_dim):
    radii = np.linalg.norm(thick.shell_points(N_POINTS, z_dim, 1, width=0.02), axis=1)
    assert np.mean(radii**2) == pytest.approx(z_dim, rel=0.002)
    assert radii.std() / radii.mean() == pytest.approx(0.02, rel=0.04)


def test_points_about_a_direction_have_length_one_and_keep_to_its_side():
    points = thick.direction_points(N_POINTS, 64, 1)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-6)
    mean = points.mean(axis=0)
    # The direction is as long as the Gaussian is large: 1 / sqrt(2) where all dimensions count alike.
    assert np.linalg.norm(mean) == pytest.approx(1 / np.sqrt(2), abs=0.04)
    assert (points @ mean > 0).mean() > 0.99


def test_the_stated_share_of_points_are_copies():
    points = thick.repeated_points(1000, 8, 1, repeats=0.35)
    assert len(np.unique(points, axis=0)) == 650


@pytest.mark.parametrize(
    ("name", "n_heaps", "distance"), [("separated-clusters", 5, 10.0), ("touching-clusters", 3, 4.5)]
)
@pytest.mark.parametrize("z_dim", [2, 16])
def test_heaps_are_as_many_and_as_far_apart_as_they_say(name, n_heaps, distance, z_dim):
    centres = distance * thick.spread_centres(n_heaps, min(4, z_dim), 0)
    first, second = np.triu_indices(n_heaps, 1)
    assert np.linalg.norm(centres[first] - centres[second], axis=1).min() == pytest.approx(distance)
    whitened = components_of(SHAPES[name].draw(N_POINTS, z_dim, 1)) / np.sqrt(power_law(z_dim))
    apart = np.linalg.norm(whitened[:, np.newaxis, : centres.shape[1]] - centres, axis=2)
    nearest = apart.argmin(axis=1)
    shares = np.bincount(nearest, minlength=n_heaps) / N_POINTS
    assert shares == pytest.approx([1 / n_heaps] * n_heaps, abs=0.02)
    # Between two heaps of equal weight lies the share Phi(-distance / 2) that is nearer to the other.
    overlap = (n_heaps - 1) * stats.norm.cdf(-distance / 2)
    assert (apart.min(axis=1) < stats.chi(centres.shape[1]).ppf(0.999)).mean() > 0.99 - overlap


# --- Lines, surfaces and the noise about them -------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [string_points, tube_points, sheet_points, loop_points])
@pytest.mark.parametrize("z_dim", [3, 64])
def test_the_noise_has_the_stated_share_of_the_size_of_the_cloud(draw, z_dim):
    width = 0.2
    bare, blurred = (draw(N_POINTS, z_dim, 1, width=w).astype(np.float64) for w in (1e-9, width))
    assert size_of(blurred) == pytest.approx(np.sqrt(z_dim), rel=1e-5)
    # The same line or surface, smaller by as much as the noise adds.
    noise = blurred - bare * np.sqrt(1 - width**2)
    assert np.sqrt(np.mean(np.sum(noise**2, axis=1))) == pytest.approx(width * np.sqrt(z_dim), rel=0.03)
    # It goes into all dimensions alike.
    assert (noise**2).mean(axis=0) == pytest.approx(np.full(z_dim, width**2), rel=0.15)


@pytest.mark.parametrize("z_dim", [3, 64])
@pytest.mark.parametrize(
    ("draw", "n_dims"), [(string_points, 1), (tube_points, 1), (loop_points, 1), (sheet_points, 2)]
)
def test_lines_are_lines_and_surfaces_are_surfaces(draw, n_dims, z_dim):
    bare = Cloud(draw(4000, z_dim, 1, width=1e-6))
    distances = bare.neighbors(64).distances
    # Numbers of neighbours grow as the distance to the power of the dimension.
    growth = np.log(2) / np.median(np.log(distances[:, 63] / distances[:, 31]))
    assert growth == pytest.approx(n_dims, abs=0.25)


def test_tubes_taper():
    bare, blurred = (tube_points(N_POINTS, 16, 1, width=w).astype(np.float64) for w in (1e-9, 0.2))
    noise = np.linalg.norm(blurred - bare * np.sqrt(1 - 0.2**2), axis=1)
    # Three widths, the last 0.75 ** 2 of the first; the noise of one tube has a deviation of 18 %.
    assert np.quantile(noise, 0.95) / np.quantile(noise, 0.05) > 2


def test_the_sheet_covers_itself_evenly():
    z_dim = 3
    bare = Cloud(sheet_points(4000, z_dim, 1, width=1e-6))
    tenth = bare.neighbors(10).distances[:, 9]
    # Uniform on a surface, the squared distance to the 10th neighbour has a deviation of 1 / sqrt(10) of its mean,
    # and edges add some.
    assert np.std(tenth**2) / np.mean(tenth**2) < 0.6


def test_a_share_of_a_gaussian_hides_strings():
    shape = SHAPES["hidden-strings"]
    hidden = shape.draw(2000, 16, 1, share=0.1)
    gaussian = SHAPES["turned-gaussian"].draw(2000, 16, 1)
    assert (hidden != gaussian).any(axis=1).sum() == 200
