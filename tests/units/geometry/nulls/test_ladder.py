"""What every null model keeps, and that it stands what clouds can be."""

import numpy as np
import pytest
from scipy import special, stats

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.ladder import LADDER, NULLS
from zspace.seeds import random_stream

RANDOM = random_stream(1, "test nulls")
HEAVY = RANDOM.standard_t(4, (300, 5)) @ np.triu(RANDOM.normal(size=(5, 5)) + 2 * np.eye(5)) + 3
ODD_CLOUDS = {
    "two points": HEAVY[:2],
    "three points": HEAVY[:3],
    "fewer points than dimensions": RANDOM.normal(size=(12, 30)),
    "hardly more points than dimensions": RANDOM.normal(size=(30, 24)),
    "all the same": np.full((20, 4), 0.3),
    "a constant axis": np.column_stack([HEAVY[:60, :2], np.full(60, 7.1)]),
    "one dimension": HEAVY[:40, :1],
    "a line far from the origin": 100 + np.outer(RANDOM.normal(size=30), [1.0, 2.0, 3.0]),
    "five points over and over": np.repeat(HEAVY[:5, :3], 8, axis=0),
    "two places": np.repeat([[0.0, 1.0], [1.0, 5.0]], 6, axis=0),
    "zeros and ones": RANDOM.integers(2, size=(40, 4)).astype(float),
    "one point apart": np.vstack([np.zeros((20, 3)), np.ones((1, 3))]),
    "half of the points in one place": np.vstack([HEAVY[:40], np.zeros((40, 5))]),
}


def drawn(name, points, seed=1, number=0):
    """The points that are compared, and a draw."""
    fitted = NULLS[name].fit(Cloud(np.asarray(points, dtype=np.float32)), seed)
    return fitted.compared, Cloud(fitted.draw(random_stream(seed, "test", number)))


def sorted_distances(cloud):
    """All distances from the first point on, as a fingerprint that no rotation changes."""
    differences = cloud.points[:, np.newaxis] - cloud.points
    return np.sort(np.linalg.norm(differences, axis=2), axis=None)


def test_the_ladder_names_its_rungs_in_order():
    assert LADDER == ("prior", "gaussian", "elliptical", "independent", "copula", "mixture")
    assert set(NULLS) == {*LADDER, "shell", "cube"}
    for name, null in NULLS.items():
        assert null.name == name
        for words in (null.keeps, null.destroys):
            assert words[0].isupper()
            assert not words.endswith((".", " "))


@pytest.mark.parametrize("name", NULLS)
def test_the_same_stream_gives_the_same_draw_and_another_stream_another(name):
    _, first = drawn(name, HEAVY)
    _, again = drawn(name, HEAVY)
    _, other = drawn(name, HEAVY, number=1)
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)


@pytest.mark.parametrize("points", ODD_CLOUDS.values(), ids=ODD_CLOUDS)
@pytest.mark.parametrize("name", NULLS)
def test_odd_clouds_are_drawn_or_refused_with_a_reason(name, points):
    try:
        compared, draw = drawn(name, points)
    except TooFewPoints as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert name in {"independent", "copula", "mixture"}
        assert refused.startswith(f"null model '{name}': needs ")
        return
    assert draw.points.shape == compared.points.shape
    if name != "prior":  # nothing is drawn where the cloud does not vary
        constant = np.ptp(compared.points, axis=0) == 0
        assert np.ptp(draw.points[:, constant], axis=0).max(initial=0.0) <= 1e-5


@pytest.mark.parametrize("name", ["gaussian", "independent", "mixture"])
def test_mean_and_covariance_are_those_of_the_cloud(name):
    compared, draw = drawn(name, HEAVY)
    assert draw.mean == pytest.approx(compared.mean, abs=1e-6)
    assert draw.covariance == pytest.approx(compared.covariance, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("n_points", [12, 30])
def test_a_gaussian_in_as_many_directions_as_points_allow_has_the_covariance_yet_other_distances(n_points):
    points = random_stream(2, "test").normal(size=(n_points, 30)) * np.arange(1.0, 31)
    compared, draw = drawn("gaussian", points)
    assert draw.covariance == pytest.approx(compared.covariance, abs=1e-3)
    assert np.abs(sorted_distances(draw) - sorted_distances(compared)).max() > 1


def test_two_points_leave_nothing_to_chance():
    for name in ("gaussian", "elliptical"):
        compared, draw = drawn(name, HEAVY[:2])
        assert sorted_distances(draw) == pytest.approx(sorted_distances(compared), rel=1e-6)


def test_an_elliptical_draw_has_the_radii_of_the_cloud_and_directions_of_its_own():
    cloud = Cloud(HEAVY.astype(np.float32))
    fitted = NULLS["elliptical"].fit(cloud, 1)
    draw = fitted.draw(random_stream(1, "test"))
    whitening = np.linalg.inv(fitted.colour)
    white, white_draw = (cloud.points - fitted.centre) @ whitening, (draw - fitted.centre) @ whitening
    radii = np.linalg.norm(white, axis=1)
    assert radii == pytest.approx(fitted.radii)
    assert np.linalg.norm(white_draw, axis=1) == pytest.approx(radii, rel=1e-5)
    directions = white_draw / radii[:, np.newaxis]
    assert np.abs(directions.mean(axis=0)).max() < 1e-5
    assert directions.T @ directions * 5 / 300 == pytest.approx(np.eye(5), abs=1e-5)
    assert np.abs(np.einsum("ij,ij->i", white, white_draw) / radii**2).mean() < 0.5


def test_an_elliptical_centre_and_shape_follow_turns_and_stretches_of_the_cloud():
    stretch = np.triu(np.ones((5, 5))) * 2
    plain = NULLS["elliptical"].fit(Cloud(HEAVY.astype(np.float32)), 1)
    stretched = NULLS["elliptical"].fit(Cloud((HEAVY @ stretch - 4).astype(np.float32)), 1)
    assert stretched.radii == pytest.approx(plain.radii, rel=1e-4)
    assert stretched.centre == pytest.approx(plain.centre @ stretch - 4, abs=1e-3)


def test_an_elliptical_centre_does_not_follow_points_far_out():
    far = np.vstack([HEAVY, np.full((3, 5), 1e4)])
    assert np.abs(NULLS["elliptical"].fit(Cloud(far.astype(np.float32)), 1).centre - HEAVY.mean(axis=0)).max() < 1


def test_independent_axes_keep_their_values():
    fitted = NULLS["independent"].fit(Cloud(HEAVY.astype(np.float32)), 1)
    draw = fitted.draw(random_stream(1, "test"))
    axes = fitted.independent.draw(random_stream(1, "test"))  # the first that is drawn
    own = np.sort(fitted.coordinates @ axes, axis=0)
    other = np.sort((draw - fitted.compared.mean) @ fitted.directions.T @ axes, axis=0)
    # The last whitening moves values a little.
    assert np.abs(other - own).max() < 0.05 * own.std(axis=0).max()
    assert np.abs(np.sort(fitted.coordinates, axis=0) - own).max() > 0.1 * own.std(axis=0).max()


def test_a_copula_keeps_the_values_of_the_axes_and_the_correlation_of_their_normal_scores():
    compared, draw = drawn("copula", HEAVY)
    assert np.array_equal(np.sort(draw.points, axis=0), np.sort(compared.points, axis=0))

    def correlation(cloud):
        return np.corrcoef(special.ndtri((stats.rankdata(cloud.points, axis=0) - 0.5) / 300).T)

    assert correlation(draw) == pytest.approx(correlation(compared), abs=0.02)  # by chance alone: 0.06
    assert np.abs(correlation(compared) - np.eye(5)).max() > 0.3


def test_a_mixture_finds_separated_parts_and_keeps_each():
    random = random_stream(3, "test")
    part = random.integers(3, size=600)
    points = (
        np.array([[0, 0, 0], [20, 0, 0], [0, 20, 0]])[part] + random.normal(size=(600, 3)) * (part + 1)[:, np.newaxis]
    )
    fitted = NULLS["mixture"].fit(Cloud(points.astype(np.float32)), 1)
    assert fitted.n_parts in {3, 5}
    assert fitted.compared.n_points == 300
    draw = fitted.draw(random_stream(1, "test"))
    for inside in (lambda x: x[:, 0] > 10, lambda x: x[:, 1] > 10):
        own, other = fitted.compared.points, draw
        assert inside(own).sum() == inside(other).sum()
        assert other[inside(other)].mean(axis=0) == pytest.approx(own[inside(own)].mean(axis=0), abs=1e-4)
        assert np.cov(other[inside(other)].T) == pytest.approx(np.cov(own[inside(own)].T), abs=1e-3)


def test_the_halves_of_a_mixture_depend_on_the_seed_alone():
    first, _ = drawn("mixture", HEAVY, seed=1)
    again, _ = drawn("mixture", HEAVY, seed=1)
    other, _ = drawn("mixture", HEAVY, seed=2)
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)


def test_the_prior_is_standard_normal_whatever_the_cloud_is():
    _, draw = drawn("prior", np.tile(HEAVY, (10, 1)))
    assert np.abs(draw.mean).max() < 0.1
    assert draw.covariance == pytest.approx(np.eye(5), abs=0.1)


def test_a_shell_reaches_from_the_near_to_the_far_points():
    compared, draw = drawn("shell", HEAVY)
    own, other = (np.linalg.norm(cloud.points - compared.mean, axis=1) for cloud in (compared, draw))
    low, high = np.quantile(own, [0.05, 0.95])
    assert low - 1e-4 <= other.min() < low + 0.05 * (high - low)
    assert high - 0.05 * (high - low) < other.max() <= high + 1e-4


def test_a_box_holds_what_the_cloud_spans():
    compared, draw = drawn("cube", HEAVY)
    _, components = compared.principal
    own, other = ((cloud.points - compared.mean) @ components for cloud in (compared, draw))
    assert (other.min(axis=0) >= own.min(axis=0) - 1e-4).all()
    assert (other.max(axis=0) <= own.max(axis=0) + 1e-4).all()
    assert np.ptp(other, axis=0) == pytest.approx(np.ptp(own, axis=0), rel=0.05)


@pytest.mark.parametrize("name", ["independent", "copula"])
def test_few_points_for_many_directions_are_refused(name):
    points = random_stream(4, "test").normal(size=(30, 20))
    with pytest.raises(
        TooFewPoints,
        match=rf"null model '{name}': needs at least 2 points for each direction .*, got 30 points and 20 directions\. Measure more points",
    ):
        drawn(name, points)


def test_a_mixture_refuses_a_handful_of_points():
    with pytest.raises(TooFewPoints, match=r"null model 'mixture': needs at least 8 points: .*, got 7\. Measure more"):
        drawn("mixture", HEAVY[:7])


def test_a_mixture_refuses_points_that_are_all_the_same():
    with pytest.raises(TooFewPoints, match=r"needs points that differ .*, got 10 points that are all the same\."):
        drawn("mixture", np.ones((20, 3)))
