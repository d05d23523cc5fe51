"""k-means for many numbers of clusters at once, and its starts."""

import numpy as np
import pytest

from zspace.geometry.clustering.kmeans import CentredPoints, exact_inertias, move_by_batches, refine
from zspace.geometry.clustering.starts import fit_from_starts, spread_out
from zspace.geometry.truths import standard_normal_points
from zspace.seeds import random_stream

POINTS = standard_normal_points(5000, 4, 1)
KS = [2, 5, 9]


def stack(points=POINTS):
    sequence = spread_out(points, KS[-1], random_stream(1, "test"))
    return [sequence[:k] for k in KS]


def test_a_start_has_no_more_centres_than_there_are_places():
    places = standard_normal_points(3, 2, 1)
    found = spread_out(np.repeat(places, 50, axis=0), 8, random_stream(1, "test"))
    assert sorted(found.tolist()) == sorted(places.tolist())


def test_all_numbers_at_once_give_what_each_gives_alone():
    together, _ = refine(POINTS, stack(), 5, 0.0)
    for j, start in enumerate(stack()):
        alone, _ = refine(POINTS, [start], 5, 0.0)
        assert alone.inertias[0] == pytest.approx(together.inertias[j], rel=1e-5)


def test_one_worker_and_many_give_the_very_same(monkeypatch):
    found = []
    for n_workers in (1, 3):
        monkeypatch.setattr("zspace.machine.usable_cores", lambda n=n_workers: n)
        found.append(refine(POINTS, stack(), 4, 0.0)[0])
    np.testing.assert_array_equal(found[0].inertias, found[1].inertias)
    np.testing.assert_array_equal(found[0].labels, found[1].labels)


def test_every_pass_lowers_inertia():
    inertias = [refine(POINTS, stack(), n_passes, 0.0)[0].inertias for n_passes in (1, 2, 4, 8)]
    assert (np.diff(inertias, axis=0) < 0).all()


def test_one_pass_of_batches_is_nearly_as_good_as_many_full_ones():
    centred = CentredPoints(POINTS, np.zeros(4), 1.0)
    starts = fit_from_starts(POINTS[:200], KS, 2, 5, 1e-3, np.dtype(np.float32))[-1]
    full, after_batches = refine(centred, move_by_batches(centred, np.arange(len(POINTS)), starts), 20, 0.0)
    before, _ = refine(centred, starts.centres, 1, 0.0)
    assert (after_batches.inertias < before.inertias).all()
    assert (after_batches.inertias < 1.05 * full.inertias).all()


def test_points_at_the_same_distance_from_two_centres_count_once():
    points = np.array([[-1.0], [0.0], [1.0]], dtype=np.float32)
    fits, _ = refine(points, [np.array([[-1.0], [1.0]], dtype=np.float32)], 1, 0.0)
    assert fits.inertias.tolist() == [1.0]
    assert fits.sizes[0].sum() == 3


def tight_heaps(distance, precision=np.float64):
    """Three heaps of deviation 1 about points that far from each other."""
    centres = np.array([[0.0, 0.0], [distance, 0.0], [0.0, distance]])
    points = np.repeat(centres, 200, axis=0) + standard_normal_points(600, 2, 2)
    return (points - points.mean(axis=0)).astype(precision)


@pytest.mark.parametrize("distance", [1e2, 1e5, 1e7])
def test_inertia_from_differences_is_that_of_tight_heaps_however_far_apart(distance):
    points = tight_heaps(distance)
    fits = exact_inertias(points, refine(points, [points[[0, 200, 400]]], 5, 0.0)[0])
    expected = sum(((heap - heap.mean(axis=0)) ** 2).sum() for heap in np.split(points, 3))
    assert fits.inertias[0] == pytest.approx(expected, rel=1e-7)


def test_inertia_from_differences_repairs_what_float32_lost():
    points = tight_heaps(1e4, np.float32)
    rough, _ = refine(points, [points[[0, 200, 400]]], 5, 0.0)
    exact = sum(((heap - heap.mean(axis=0, dtype=np.float64)) ** 2).sum() for heap in np.split(points, 3))
    assert exact_inertias(points, rough).inertias[0] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize("distance", [1e2, 1e5, 1e7])
def test_every_place_is_found_however_near_it_is_to_another(distance):
    assert len(spread_out(tight_heaps(distance), 600, random_stream(1, "test"))) == 600
