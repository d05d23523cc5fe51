"""The law of the radius of a Gaussian against closed forms, and the clouds drawn from it."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.laws import matched_gaussian_points, matched_gaussian_radii, matched_gaussian_radius_law
from zspace.geometry.radius.density import radius_density
from zspace.geometry.radius.laws import gaussian_radius_law
from zspace.geometry.radius.quadratic_forms import QuadraticForm
from zspace.geometry.truths import gaussian_points, turned_covariance
from zspace.seeds import random_stream

SHARES = np.concatenate([[1e-9, 1e-6, 1e-4], np.linspace(0.001, 0.999, 101), [1 - 1e-6, 1 - 1e-9]])


@pytest.mark.parametrize("n_terms", [1, 2, 3, 5, 20, 256, 1024])
def test_equal_weights_give_the_chi_square_law(n_terms):
    law = stats.chi2(n_terms)
    values = law.ppf(SHARES)
    cumulative, density = QuadraticForm(np.ones(n_terms), np.zeros(n_terms)).cumulative_and_density(values)
    np.testing.assert_allclose(cumulative, SHARES, atol=2e-9)
    np.testing.assert_allclose(density[1:], law.pdf(values[1:]), rtol=1e-4)


def test_two_equal_weights_give_the_exponential_law():
    values = np.geomspace(1e-6, 100, 50)
    form = QuadraticForm(np.full(2, 3.0), np.zeros(2))
    np.testing.assert_allclose(form.cumulative(values), -np.expm1(-values / 18), atol=1e-9)


@pytest.mark.parametrize(
    ("n_terms", "noncentrality"),
    [(1, 0.1), (1, 4.0), (1, 1e4), (2, 9.0), (7, 1e8), (256, 100.0), (256, 1e5), (1024, 3.0)],
)
def test_offsets_give_the_non_central_chi_square_law_however_they_are_shared_out(n_terms, noncentrality):
    law = stats.ncx2(n_terms, noncentrality)
    values = law.ppf(SHARES)
    alone, spread = np.zeros(n_terms), np.full(n_terms, np.sqrt(noncentrality / n_terms))
    alone[-1] = np.sqrt(noncentrality)
    for offsets in (alone, spread):
        np.testing.assert_allclose(
            QuadraticForm(np.ones(n_terms), offsets).cumulative(values), law.cdf(values), atol=1e-8
        )


def test_pairs_of_equal_weights_give_a_mixture_of_exponentials():
    weights = np.array([5.0, 2.0, 0.5, 0.01])  # each twice: 2 * weight * chi-square of 2 is exponential
    values = np.geomspace(0.01, 100, 60)
    shares = [np.prod([weight / (weight - other) for other in weights if other != weight]) for weight in weights]
    expected = 1 - sum(share * np.exp(-values / weight / 2) for share, weight in zip(shares, weights, strict=True))
    form = QuadraticForm(np.sqrt(np.repeat(weights, 2)), np.zeros(8))
    np.testing.assert_allclose(form.cumulative(values), expected, atol=1e-9)


def test_directions_without_variance_only_shift_the_law():
    values = stats.chi2(3).ppf(SHARES)
    deviations, offsets = np.array([1.0, 0, 1, 0, 1]), np.array([0, 2.0, 0, 1, 0])
    np.testing.assert_allclose(QuadraticForm(deviations, offsets).cumulative(values + 5), SHARES, atol=1e-8)


@pytest.mark.parametrize(
    ("deviations", "offsets", "law"),
    [
        ([1.0], [0.0], stats.halfnorm()),
        ([2.0], [3.0], stats.foldnorm(1.5, scale=2)),
        ([1.0] * 2, [0.0] * 2, stats.rayleigh()),
        ([0.5] * 2, [2.0, 0.0], stats.rice(4.0, scale=0.5)),
        ([1.0] * 2, [0.0, 1e4], stats.norm(1e4 + 0.5e-4, 1)),
        ([1.0] * 10, [0.0] * 10, stats.chi(10)),
        ([1.0] * 256, [0.0] * 256, stats.chi(256)),
    ],
    ids=["half-normal", "folded normal", "rayleigh", "rice", "far off", "chi 10", "chi 256"],
)
def test_tabulated_radii_follow_the_closed_form(deviations, offsets, law):
    ours = gaussian_radius_law(np.array(deviations), np.array(offsets))
    shares = np.linspace(1e-5, 1 - 1e-5, 2001)
    np.testing.assert_allclose(ours.cumulative(law.ppf(shares)), shares, atol=1e-6)
    np.testing.assert_allclose(law.cdf(ours.quantiles(shares)), shares, atol=1e-6)
    assert ours.mean == pytest.approx(law.mean(), rel=1e-7)


def test_a_radius_that_starts_with_infinite_density_is_tabulated_as_well():
    law = gaussian_radius_law(np.array([1.0, 0.0]), np.array([0.0, 3.0]))  # R ** 2 - 9 is a chi-square of one term
    squares = stats.chi2(1).ppf(np.linspace(1e-4, 1 - 1e-6, 500))
    np.testing.assert_allclose(law.cumulative(np.sqrt(9 + squares)), stats.chi2(1).cdf(squares), atol=1e-6)
    assert law.peak == 3


def test_the_peak_of_the_radius_is_where_the_density_is_highest():
    for z_dim in (2, 3, 10, 256):
        law = gaussian_radius_law(np.ones(z_dim), np.zeros(z_dim))
        assert law.peak == pytest.approx(np.sqrt(z_dim - 1), rel=2e-4)


@pytest.mark.parametrize("ratio", [1.0, 10.0, 1e4])
@pytest.mark.parametrize("z_dim", [2, 12, 200])
def test_the_law_is_that_of_drawn_points(z_dim, ratio):
    random = random_stream(int(ratio), "test", z_dim)
    deviations, offsets = np.geomspace(1, ratio, z_dim), 2 * random.standard_normal(z_dim)
    radii = np.linalg.norm(offsets + deviations * random.standard_normal((20_000, z_dim)), axis=1)
    law = gaussian_radius_law(deviations, offsets)
    assert stats.kstest(radii, law.cumulative).pvalue > 1e-4
    drawn = law.draw_sorted(20_000, random)
    assert stats.ks_2samp(radii, drawn).pvalue > 1e-4
    # The ends matter to bands from lowest to highest.
    for share in (1e-3, 1 - 1e-3):
        beyond = (radii < law.quantiles(np.array([share]))[0]).sum()
        assert beyond in range(*(int(end) for end in stats.binom.interval(0.9999, 20_000, share) + np.array([0, 1])))


def test_expected_counts_lie_within_bands_of_drawn_points():
    cloud = Cloud(gaussian_points(4000, np.array([3.0, 0, 1]), turned_covariance(np.array([4.0, 1, 0.1])), 8))
    curve = radius_density(cloud, (0.25,), 39, 1).curves["bin 0.25"]
    standard, matched = curve.laws
    assert standard.name == "N(0, I)"
    assert matched.values.sum() == pytest.approx(4000, rel=1e-6)
    drawn = np.array(
        [
            np.histogram(Cloud(matched_gaussian_points(cloud, 4000, random_stream(k, "test"))).radii, curve.x)[0]
            for k in range(200)
        ]
    )
    errors = np.sqrt(matched.values[0] / 200)
    assert (np.abs(drawn.mean(axis=0) - matched.values[0]) < 5 * errors + 0.1).all()
    # Radii from the law reach, in each bin, as far as drawn points do.
    radii = matched_gaussian_radii(matched_gaussian_radius_law(cloud), 4000, 39, 1)
    counts = np.array([np.histogram(one, curve.x)[0] for one in radii])
    low, high = counts.min(axis=0), counts.max(axis=0)
    filled = low + high >= 40
    outside = ((drawn < low) | (drawn > high))[:, filled].mean()
    assert 0.02 < outside < 0.08


def test_the_law_of_a_flat_cloud_ignores_the_empty_direction():
    points = gaussian_points(500, np.zeros(3), np.diag([1.0, 1, 0]), 1)
    points[:, 2] = 2
    law = matched_gaussian_radius_law(Cloud(points))
    assert law.cumulative(np.array([1.9])).item() == 0
    assert law.low == pytest.approx(2)


OFF_CENTRE = {
    "crossed by a flat axis": ([1, 1, 1, 0.01], [0, 0, 0, 3]),
    "far along a narrow axis": ([5, 1, 1, 1], [0, 0, 0, 60]),
    "one very broad axis": ([300, 1, 1, 1], [0, 0, 0, 30]),
    "seven and a flat one": ([1] * 7 + [0.01], [0] * 7 + [10]),
    "one broad axis": ([30, 1, 1, 1], [0, 0, 0, 30]),
    "broad, narrow and several offsets": ([1, 1, 1, 1, 5, 0.1], [0, 5, -3, 1, 0, 0]),
    "less far along a narrow axis": ([5, 1, 1, 1], [0, 0, 0, 30]),
}


@pytest.mark.parametrize(("deviations", "offsets"), OFF_CENTRE.values(), ids=OFF_CENTRE)
def test_off_centre_clouds_of_unequal_widths_follow_their_law(deviations, offsets):
    deviations, offsets = np.array(deviations, float), np.array(offsets, float)
    normals = random_stream(1, "test").standard_normal((100_000, len(deviations)))
    radii = np.linalg.norm(offsets + deviations * normals, axis=1)
    law = gaussian_radius_law(deviations, offsets)
    assert law.basis == "computed"
    assert abs(law.mean - radii.mean()) < 4 * radii.std() / np.sqrt(len(radii))
    assert stats.kstest(radii, law.cumulative).pvalue > 1e-4


@pytest.mark.parametrize("case", range(40))
def test_the_squared_radius_has_its_mean_and_deviation_whatever_the_widths_and_offsets(case):
    random = random_stream(case, "test")
    z_dim = int(300 ** random.uniform())
    deviations, offsets = 10 ** random.uniform(-3, 3, (2, z_dim))
    offsets *= random.integers(0, 2, z_dim)
    law, form = gaussian_radius_law(deviations, offsets), QuadraticForm(deviations, offsets)
    squares = law.quantiles((np.arange(1 << 16) + 0.5) / (1 << 16)) ** 2
    assert law.basis == "computed"
    assert squares.mean() == pytest.approx(form.mean, abs=1e-3 * form.standard_deviation)
    assert squares.std() == pytest.approx(form.standard_deviation, rel=2e-3)


@pytest.mark.parametrize("wrong", [np.nan, 0.9])
def test_a_law_that_cannot_be_computed_is_drawn_and_says_so(monkeypatch, wrong):
    computed = QuadraticForm.cumulative_and_density

    def broken(form, values):
        return tuple(wrong * part for part in computed(form, values))

    monkeypatch.setattr(QuadraticForm, "cumulative_and_density", broken)
    law = gaussian_radius_law(np.ones(3), np.zeros(3))
    assert law.basis == "from 100000 drawn points"
    assert law.mean == pytest.approx(stats.chi(3).mean(), abs=0.01)
    assert law.peak == pytest.approx(np.sqrt(2), abs=0.2)
    np.testing.assert_allclose(law.cumulative(stats.chi(3).ppf(SHARES)), SHARES, atol=0.01)
    cloud = Cloud(gaussian_points(500, np.zeros(3), np.eye(3), 1))
    found = radius_density(cloud, (0.25,), 3, 1)
    assert found.estimates["matched_mean_radius"].source.endswith(", from 100000 drawn points")
    assert found.curves["bin 0.25"].laws[1].name.endswith(", from 100000 drawn points")
