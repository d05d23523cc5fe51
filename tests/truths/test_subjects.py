"""What subjects find on clouds whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import read, sight_of
from zspace.geometry.dimension.ratios import gride_dimension, two_nn_dimension
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths import cube_points, line_points, sphere_points, standard_normal_points


def found(points, name):
    subject_name, quantity_name = name.split(".")
    subject = SUBJECTS[subject_name]
    quantity = next(row for row in subject.quantities if row.name == quantity_name)
    return read(subject, quantity, sight_of(subject, Cloud(np.asarray(points, np.float32))), None)


def curve_in_noise(n_points, z_dim, width, seed=1):
    """A bent string; the size of the noise in all dimensions together is a share of the cloud's."""
    random = np.random.default_rng(seed)
    place = random.uniform(0, 1, n_points)
    points = np.zeros((n_points, z_dim))
    points[:, 0], points[:, 1], points[:, 2] = np.cos(4 * place), np.sin(4 * place), 2 * place
    return points + random.standard_normal(points.shape) * width * points.std(axis=0).max() / np.sqrt(z_dim)


def sheet_in_noise(n_points, z_dim, width, seed=1):
    random = np.random.default_rng(seed)
    u, v = random.uniform(-1, 1, (2, n_points))
    points = np.zeros((n_points, z_dim))
    points[:, 0], points[:, 1], points[:, 2] = u, v, (u**2 - v**2) / 2
    return points + random.standard_normal(points.shape) * width / np.sqrt(z_dim)


@pytest.mark.parametrize("z_dim", [1, 2, 3])
@pytest.mark.parametrize("estimate", [two_nn_dimension, lambda distances: gride_dimension(distances, 4)])
def test_a_cube_has_its_own_dimension(z_dim, estimate):
    distances = Cloud(cube_points(4000, z_dim, 1.0, 1)).pairs.neighbors.distances
    assert estimate(distances) == pytest.approx(z_dim, rel=0.06)


def test_the_interval_that_the_likelihood_implies_would_not_cover():
    """Why no interval is given: the inverse mean logarithm of n ratios is nominally n over a gamma variable."""
    covered, n_clouds, n_points = 0, 60, 300
    low, high = stats.gamma.ppf([0.025, 0.975], n_points) / n_points
    for seed in range(n_clouds):
        estimate = gride_dimension(Cloud(cube_points(n_points, 5, 1.0, seed)).pairs.neighbors.distances, 1)
        covered += low * estimate <= 5 <= high * estimate
    assert 0.3 < covered / n_clouds < 0.75


def test_a_sphere_has_one_dimension_less_than_its_space():
    points = sphere_points(4000, 4, 2.0, 1)
    assert found(points, "dimension.two_nn") == pytest.approx(3, rel=0.06)
    assert found(points, "dimension.gride_8") == pytest.approx(3, rel=0.06)


@pytest.mark.parametrize("z_dim", [3, 10, 256])
def test_points_of_strings_and_sheets_in_noise_are_known_as_such(z_dim):
    string, sheet = curve_in_noise(1000, z_dim, 0.05), sheet_in_noise(1000, z_dim, 0.05)
    thick = standard_normal_points(1000, z_dim, 1)
    on_strings, on_sheets = (
        [found(points, f"shapes.{kind}_share") for points in (string, sheet, thick)] for kind in ("string", "sheet")
    )
    assert on_strings[0] > 0.9
    assert max(on_strings[1:]) < 0.1
    assert on_sheets[1] > 0.8
    assert max(on_sheets[0], on_sheets[2]) < 0.2


def test_noise_hides_the_dimension_of_a_string_near_by_and_not_farther_away():
    points = curve_in_noise(1000, 256, 0.05)
    assert found(points, "dimension.two_nn") > 5
    assert found(points, "dimension.gride_32") < 2


def test_trunks_are_long_along_a_string_and_short_in_a_thick_cloud():
    assert found(curve_in_noise(1000, 256, 0.05), "connectivity.trunks") > 0.2
    assert found(standard_normal_points(1000, 256, 1), "connectivity.trunks") < 0.1


def test_two_heaps_are_a_gap_two_peaks_and_half_the_inertia():
    points = standard_normal_points(1000, 5, 1)
    points[::2, 0] += np.float32(12)
    assert found(points, "connectivity.separation") > 5
    # The share within unit heaps: 5 of 5 + 12 ** 2 / 4.
    assert found(points, "clusters.inertia_2") == pytest.approx(5 / 41, rel=0.05)
    # Two narrow heaps of one half each: nearly the largest dip there is.
    assert found(points, "clusters.split_dip") == pytest.approx(0.25 * 0.6, abs=0.06)
    assert found(points, "clusters.split_dip_p") == pytest.approx(0.001)


def test_the_largest_group_gathers_a_line_of_even_steps_at_once():
    points = np.linspace(0, 1, 400)[:, np.newaxis]
    assert found(points, "connectivity.percolation") == pytest.approx(1, rel=1e-3)
    assert found(points, "connectivity.branch_edges") == 399


def test_a_shell_of_many_dimensions_is_no_hole():
    """A Gaussian of 256 dimensions has nothing at its centre, and neither have its densest places a crowd."""
    gaussian = standard_normal_points(1000, 256, 1)
    assert found(gaussian, "hollow.inside_all") == 0
    assert found(gaussian, "hollow.inside_2") == pytest.approx(1 - 2**-0.25, abs=0.04)
    assert found(gaussian, "hollow.contrast_2") > -0.5


def test_a_hole_in_the_leading_components_is_seen_beneath_many_more():
    random = np.random.default_rng(1)
    points = random.standard_normal((4000, 60)) * np.append(np.full(2, 2.0), np.full(58, 0.3))
    holed = points[np.linalg.norm(points[:, :2], axis=1) > 2.0][:1000]
    assert found(holed, "hollow.inside_2") < 0.02
    assert found(holed, "hollow.contrast_2") < -2


def test_a_line_is_one_string_and_one_branch():
    points = line_points(500, np.array([3.0, 0.0, -4.0]), 1)
    # Evenly spread points of a line leave a gap as wide as all that is nearer, from the 4th neighbour on, in 1/8.
    assert found(points, "shapes.string_share") == pytest.approx(7 / 8, abs=0.05)
    assert found(points, "dimension.gride_32") == pytest.approx(1, rel=0.05)
    assert found(points, "connectivity.straightness") == pytest.approx(1, abs=1e-4)
