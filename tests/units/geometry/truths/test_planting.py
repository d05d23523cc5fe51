"""Structures are planted as stated: so many points, so thick, and the cloud is otherwise what it was."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths.planting import STRUCTURES, plant
from zspace.geometry.truths.thick import turned_gaussian_points
from zspace.seeds import random_stream

POINTS = turned_gaussian_points(2000, 12, seed=1)

each_structure = pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
each_placed = pytest.mark.parametrize(
    "structure",
    [row for row in STRUCTURES.values() if row.place],
    ids=[n for n, row in STRUCTURES.items() if row.place],
)


def planted(structure, share=0.1, thickness=0.05, seed=1, points=POINTS):
    random, shape = random_stream(seed, "test", "plant"), random_stream(1, "test", "shape")
    return plant(structure, points, share, thickness, random, shape)


def changed(points):
    return (points != POINTS).any(axis=1)


@each_structure
@pytest.mark.parametrize("share", [0.0, 0.0123, 0.3])
def test_exactly_the_share_is_changed_and_the_cloud_given_stays_as_it_was(structure, share):
    before = POINTS.copy()
    assert changed(planted(structure, share)).sum() == round(2000 * share)
    assert np.array_equal(POINTS, before)


@each_structure
def test_a_seed_gives_the_same_cloud_again_and_another_seed_another(structure):
    assert np.array_equal(planted(structure), planted(structure))
    assert not np.array_equal(planted(structure), planted(structure, seed=2))


@each_structure
def test_mean_and_covariance_stay_nearly_what_they_were(structure):
    cloud, after = Cloud(POINTS), Cloud(planted(structure, share=0.05))
    size = np.sqrt(np.trace(cloud.covariance))
    assert np.linalg.norm(after.mean - cloud.mean) < 0.03 * size
    # What is moved out of a hole lies further out: 5 % of the points, in the components that carry most.
    assert np.trace(after.covariance) == pytest.approx(np.trace(cloud.covariance), rel=0.04)
    moved = np.linalg.norm(after.covariance - cloud.covariance) / np.linalg.norm(cloud.covariance)
    assert moved < 0.15


@each_placed
def test_noise_about_a_structure_has_the_thickness_and_the_proportions_of_the_cloud(structure):
    cloud = Cloud(POINTS)
    size = np.sqrt(np.trace(cloud.covariance))
    thick, thin = planted(structure, 0.5, 0.1), planted(structure, 0.5, 0.0)
    noise = (thick - thin)[changed(thin)].astype(np.float64)
    # 1,000 points of some 5 dimensions that count: the size is known to 1 %, three times over.
    assert np.sqrt(np.mean(np.sum(noise**2, axis=1))) == pytest.approx(0.1 * size, rel=0.04)
    along = ((noise @ cloud.principal[1]) ** 2).mean(axis=0)
    # Mean squares of 1,000 normal numbers have a standard error of 4.5 %; the largest of twelve stays within four.
    np.testing.assert_allclose(along, 0.01 * cloud.principal[0], rtol=0.18)


def local_spectrum(points, centre, n_neighbors):
    nearest = points[np.linalg.norm(points - centre, axis=1).argsort()[:n_neighbors]].astype(np.float64)
    variances = np.linalg.eigvalsh(np.cov(nearest.T))[::-1]
    return variances / variances.sum()


@pytest.mark.parametrize(("name", "n_dims"), [("strings", 1), ("sheets", 2)])
def test_strings_are_lines_and_sheets_are_surfaces(name, n_dims):
    bare = planted(STRUCTURES[name], 0.9, 0.0)
    bare = bare[changed(bare)]
    # A small piece of what is curved is flat.
    shares = np.array([local_spectrum(bare, point, 20)[:n_dims].sum() for point in bare[:50]])
    assert np.median(shares) > 0.98
    fewer = np.array([local_spectrum(bare, point, 20)[: n_dims - 1].sum() for point in bare[:50]])
    assert np.median(fewer) < 0.9


def test_heaps_without_thickness_are_three_points():
    bare = planted(STRUCTURES["clusters"], 0.5, 0.0)
    assert len(np.unique(bare[changed(bare)].round(4), axis=0)) == 3


def test_a_hole_is_empty_up_to_the_point_that_was_the_next():
    cloud, share = Cloud(POINTS), 0.2
    deviations, components = np.sqrt(cloud.principal[0][:4]), cloud.principal[1]
    emptied = planted(STRUCTURES["hole"], share)
    before, after = (
        np.linalg.norm((p - cloud.mean) @ components[:, :4] / deviations, axis=1) for p in (POINTS, emptied)
    )
    radius = np.sort(before)[400]
    assert after.min() == pytest.approx(radius, rel=1e-5)
    # Whoever is moved keeps its direction, and its place along the other components.
    np.testing.assert_allclose((emptied - POINTS) @ components[:, 4:], 0, atol=1e-4)
    inner = (POINTS - cloud.mean) @ components[:, :4]
    moved = (emptied - cloud.mean) @ components[:, :4]
    cosines = np.einsum("ij,ij->i", inner, moved) / np.linalg.norm(inner, axis=1) / np.linalg.norm(moved, axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-5)
    # Those outside lie as they lay before: the moved have taken radii of theirs.
    assert np.isin(after[changed(emptied)].round(3), before[before >= radius].round(3)).mean() > 0.95


def test_a_flat_cloud_stays_flat():
    flat = np.pad(turned_gaussian_points(500, 2, seed=1), ((0, 0), (0, 3)))
    for structure in STRUCTURES.values():
        assert np.abs(planted(structure, points=flat)[:, 2:]).max() < 1e-5


@each_structure
def test_a_row_says_what_its_share_and_thickness_are(structure):
    assert structure.title
    assert structure.share.startswith("share of all points")
    assert structure.thickness
    assert structure.claim in ("strings", "sheets", "clusters", "hollow")
