"""Faces found, and the share of them."""

import numpy as np
import pytest

from zspace.generating.scores import FACE_DETECTOR, face_rate, find_faces, rate_estimate
from zspace.images.faces import draw_faces, sample_factors


def noise_images(n_images, size=64):
    return np.random.default_rng(1).integers(0, 256, (n_images, size, size, 3), dtype=np.uint8)


def test_most_drawn_faces_are_found_and_noise_is_not():
    faces, noise = draw_faces(sample_factors(60, seed=3), 64), noise_images(60)
    assert find_faces(faces).mean() >= 0.85
    assert find_faces(noise).mean() <= 0.05


def test_hits_stand_where_their_images_do():
    faces, noise = draw_faces(sample_factors(8, seed=3), 64), noise_images(3)
    alone = find_faces(faces)
    assert alone.any()
    mixed = np.concatenate([faces[:5], noise, faces[5:]])
    assert find_faces(mixed).tolist() == [*alone[:5], False, False, False, *alone[5:]]


def test_no_images_have_no_faces():
    assert find_faces(noise_images(0)).shape == (0,)


@pytest.mark.parametrize("size", [16, 300])
def test_images_of_any_size_can_be_looked_at(size):
    assert find_faces(noise_images(2, size)).shape == (2,)


def test_rate_comes_with_its_wilson_interval():
    found = rate_estimate(8, 10, seed=5)
    assert (found.value, found.n_given, found.n_used, found.seed) == (0.8, 10, 10, 5)
    assert (found.level, found.interval_method) == (0.95, "Wilson")
    # Wilson 1927 with z = 1.96: (p + z^2 / 2n +- z sqrt(p q / n + z^2 / 4n^2)) / (1 + z^2 / n)
    assert found.interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert FACE_DETECTOR in found.source


@pytest.mark.parametrize(("n_hits", "end"), [(0, 0), (20, 1)])
def test_no_hits_and_all_hits_still_have_an_interval(n_hits, end):
    low, high = rate_estimate(n_hits, 20, seed=1).interval
    assert (low, high)[end] == end
    assert high - low == pytest.approx(0.1611, abs=1e-4)


def test_the_rate_of_no_images_is_unknown():
    found = rate_estimate(0, 0, seed=1)
    assert (found.value, found.interval, found.n_given) == (None, None, 0)
    assert found.reason == "there are no images to look at"


def test_a_detector_that_misses_most_originals_judges_nothing():
    hits = np.array([True] * 9 + [False])
    found = face_rate(hits, rate_of_originals=0.3142, seed=2)
    assert found.value is None
    assert found.interval is None
    assert (found.n_given, found.seed) == (10, 2)
    assert found.reason == (
        "the face detector finds a face in only 31.4% of the originals, so it cannot judge these images"
    )


@pytest.mark.parametrize(("rate_of_originals", "judges"), [(0.5, True), (0.499, False), (1.0, True), (0.0, False)])
def test_the_detector_judges_from_half_of_the_originals_on(rate_of_originals, judges):
    found = face_rate(np.array([True, True, True, False]), rate_of_originals, seed=1)
    assert found.value == (0.75 if judges else None)
    assert (found.reason is None) == judges


def test_the_rate_of_no_images_says_so_whatever_the_originals():
    assert face_rate(np.array([], dtype=bool), 0.0, seed=1).reason == "there are no images to look at"
