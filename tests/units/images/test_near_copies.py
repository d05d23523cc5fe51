from itertools import pairwise

import cv2
import numpy as np
import pytest

from zspace.errors import TooFewPoints
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.images import near_copies
from zspace.images.faces import draw_faces, sample_factors
from zspace.images.likeness import image_likeness, image_signatures
from zspace.images.near_copies import (
    COPY_LIKENESS,
    MOST_PAIRS_LISTED,
    StoredImages,
    find_copies,
)
from zspace.results import CopyPair, Progress


@pytest.fixture(scope="module")
def faces():
    return draw_faces(sample_factors(120, seed=1), size=96)


@pytest.fixture(scope="module")
def small_faces():
    return draw_faces(sample_factors(600, seed=2), size=48)


def recompressed(quality):
    def change(image):
        return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)

    return change


def changed_tones(factor, centre):
    return lambda image: ((image - float(centre)) * factor + centre).clip(0, 255).round().astype(np.uint8)


def shifted(right, down):
    def change(image):
        return cv2.warpAffine(
            image, np.array([[1.0, 0, right], [0, 1, down]]), image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE
        )

    return change


def halved(image):
    side = image.shape[0]
    half = cv2.resize(image, (side // 2, side // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(half, (side, side), interpolation=cv2.INTER_CUBIC)


def mirrored(image):
    return image[:, ::-1]


PROMISED = {
    "exact": np.copy,
    "JPEG 80": recompressed(80),
    "JPEG 50": recompressed(50),
    "JPEG 30": recompressed(30),
    "brighter": changed_tones(1.2, 0),
    "darker": changed_tones(0.8, 0),
    "less contrast": changed_tones(0.7, 128),
    "more contrast": changed_tones(1.3, 128),
    "shifted by 1": shifted(1, 0),
    "shifted by 2 and 1": shifted(-2, 1),
    "shifted by 3": shifted(0, 3),
    "shifted by 3 and 3": shifted(3, -3),
    "half the resolution": halved,
}


def stored(images, rows):
    return StoredImages(images, tuple(f"{row}.jpg" for row in range(len(images))), rows)


def changed(images, change):
    return np.stack([change(image) for image in images])


def likeness_of(images, others):
    return image_likeness(image_signatures(images), image_signatures(others))


def values(found):
    return {key: estimate.value for key, estimate in found.estimates.items()}


# --- What is a copy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PROMISED)
def test_95_of_100_copies_of_every_promised_kind_are_found(faces, kind):
    alike = likeness_of(faces, changed(faces, PROMISED[kind]))
    assert np.mean(alike >= COPY_LIKENESS) >= 0.95


def test_fewer_than_1_in_10000_pairs_of_different_faces_pass_for_copies(small_faces):
    signatures = image_signatures(small_faces)
    first, second = np.triu_indices(300, 1)
    assert np.mean(image_likeness(signatures[first], signatures[second]) >= COPY_LIKENESS) < 1e-4


def test_different_faces_are_no_copies_even_where_they_are_neighbours(small_faces):
    pixels = small_faces[:, ::4, ::4].reshape(len(small_faces), -1).astype(np.float32)
    near = nearest_neighbors(pixels, 5).indices
    found = find_copies(stored(small_faces, np.arange(len(small_faces))), near, seed=1)
    assert values(found)["neighbor_pairs_share"] < 1e-3
    shares = found.curves["likeness"].y @ np.linspace(-1, 1, 400)
    assert shares[0] > shares[1] + 0.2  # neighbours are alike all the same


def test_mirrored_images_are_other_images(faces):
    assert np.mean(likeness_of(faces, changed(faces, mirrored)) >= COPY_LIKENESS) < 0.01


def test_flat_images_resemble_nothing():
    flat = np.full((2, 32, 32, 3), 90, np.uint8)
    flat[1] += 20
    noisy = flat.copy()
    noisy[:, ::9, ::9] += 1
    assert likeness_of(flat, flat[::-1]).tolist() == [0.0, 0.0]
    assert (likeness_of(noisy, noisy[::-1]) < 0.5).all()


def test_likeness_is_the_correlation_of_filtered_images_moved_step_by_step(faces):
    waves = np.fft.fftfreq(48)
    square = 2 * np.pi**2 * (waves[:, None] ** 2 + waves**2)
    band = np.exp(-square) * (1 - np.exp(-(1.5**2) * square))
    band *= (np.abs(waves[:, None]) <= 10.5 / 48) & (np.abs(waves) <= 10.5 / 48)
    place = (np.arange(48) + 0.5) / 48
    fade = np.sin(np.pi / 2 * np.minimum(np.minimum(place, 1 - place) / 0.35, 1)) ** 2

    def filtered(image):
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
        window = np.outer(fade, fade)
        return np.fft.fft2((grey - (grey * window).sum() / window.sum()) * window) * band

    def correlation(one, other, down, right):
        moved = np.fft.ifft2(filtered(other) * np.exp(2j * np.pi * (waves[:, None] * down + waves * right))).real
        return np.corrcoef(np.fft.ifft2(filtered(one)).real.ravel(), moved.ravel())[0, 1]

    steps = np.arange(-2, 2.5, 0.5)
    slow = [max(correlation(*pair, down, right) for down in steps for right in steps) for pair in pairwise(faces[:4])]
    assert likeness_of(faces[:3], faces[1:4]) == pytest.approx(slow, abs=1e-3)


# --- What is counted --------------------------------------------------------------------------------------------------


@pytest.fixture
def planted(faces):
    """Return 40 faces: 10 and 11 equal face 0, face 20 is face 10 moved, and face 31 is face 30 recompressed."""
    images = faces[:40].copy()
    images[10] = images[11] = images[0]
    images[20], images[31] = shifted(2, 0)(images[10]), recompressed(50)(images[30])
    neighbors = np.stack([np.arange(1, 41) % 40, np.arange(2, 42) % 40], axis=1)
    neighbors[0], neighbors[20], neighbors[39] = (10, 5), (10, 21), (39, 0)
    return images, neighbors


def test_copies_are_counted_once_a_pair_and_linked_to_groups(planted):
    images, neighbors = planted
    found = find_copies(stored(images, np.arange(40)), neighbors, seed=1)
    seen = values(found)
    assert (seen["exact_copies"], seen["near_copies"]) == (2, 2)
    assert seen["largest_copy_group"] == 4  # 11 - 10 - 0, and 10 - 20
    assert seen["points_with_copies_share"] == pytest.approx(6 / 40)
    assert seen["surplus_share"] == pytest.approx((3 + 1) / 40)
    n_pairs = found.estimates["near_copies"].n_used
    assert n_pairs == len({frozenset((a, int(b))) for a, row in enumerate(neighbors) for b in row if a != b})
    assert seen["neighbor_pairs_share"] == pytest.approx(4 / n_pairs)
    assert found.curves["likeness"].y.sum(axis=1) == pytest.approx([1, 1])


def test_the_most_alike_pairs_come_first(planted):
    images, neighbors = planted
    pairs = find_copies(stored(images, np.arange(40)), neighbors, seed=1).pairs
    assert pairs[:2] == (
        CopyPair(0, 10, "0.jpg", "10.jpg", 1.0, exact=True),
        CopyPair(10, 11, "10.jpg", "11.jpg", 1.0, exact=True),
    )
    assert {(pair.row, pair.other_row, pair.exact) for pair in pairs[2:4]} == {(10, 20, False), (30, 31, False)}
    assert pairs[3].likeness >= COPY_LIKENESS > pairs[4].likeness
    later = [pair.likeness for pair in pairs[2:]]
    assert later == sorted(later, reverse=True)


def test_points_without_copies_stand_alone(faces):
    neighbors = np.arange(1, 31)[:, np.newaxis] % 30
    seen = values(find_copies(stored(faces[:30], np.arange(30)), neighbors, seed=1))
    assert (seen["points_with_copies_share"], seen["surplus_share"], seen["largest_copy_group"]) == (0, 0, 1)


def test_a_cloud_of_copies_lists_no_more_than_the_most_alike(faces):
    images = np.repeat(faces[:1], 60, axis=0)
    neighbors = (np.arange(60)[:, np.newaxis] + np.arange(1, 6)) % 60
    found = find_copies(stored(images, np.arange(60)), neighbors, seed=1)
    assert values(found)["exact_copies"] == 300
    assert values(found)["largest_copy_group"] == 60
    assert values(found)["random_pairs_share"] == 1
    assert [(pair.row, pair.other_row) for pair in found.pairs[:3]] == [(0, 1), (0, 2), (0, 3)]
    assert len(found.pairs) == MOST_PAIRS_LISTED


def test_rows_of_a_mapped_store_are_looked_up(planted, tmp_path):
    images, neighbors = planted
    rows = np.random.default_rng(3).permutation(90)[:40]
    scattered = np.zeros((90, *images.shape[1:]), np.uint8)
    scattered[rows] = images
    np.save(tmp_path / "images.npy", scattered)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    found, plain = (
        find_copies(stored(mapped, rows), neighbors, seed=1),
        find_copies(stored(images, np.arange(40)), neighbors, seed=1),
    )
    for one, same in zip(found.pairs, plain.pairs, strict=True):
        assert (one.row, one.other_row) == tuple(rows[[same.row, same.other_row]])
        assert one.name == f"{one.row}.jpg"
        assert (one.likeness, one.exact) == (same.likeness, same.exact)
    assert found.estimates == plain.estimates


def test_an_equal_checksum_alone_makes_no_exact_copy(faces, monkeypatch):
    monkeypatch.setattr(near_copies.zlib, "crc32", lambda _pixels: 7)
    images = faces[[0, 1, 1]]
    found = find_copies(stored(images, np.arange(3)), np.array([[1], [2], [0]]), seed=1)
    assert [(pair.row, pair.other_row) for pair in found.pairs if pair.exact] == [(1, 2)]


# --- Random pairs -----------------------------------------------------------------------------------------------------


def test_the_interval_of_random_pairs_covers_the_truth_as_often_as_it_says():
    group = np.repeat(np.arange(40), 3)
    truth = 40 * 3 / (120 * 119 / 2)
    covered = []
    for seed in range(400):
        points, others = near_copies._random_pairs(len(group), 2000, seed).T
        assert (points != others).all()
        estimate = near_copies._random_share(np.where(group[points] == group[others], 1.0, 0.2), seed)
        covered.append(estimate.interval[0] <= truth <= estimate.interval[1])
    assert np.mean(covered) >= 0.92  # 95 % or more, less three standard errors of 400 draws


def test_the_seed_draws_the_random_pairs_and_nothing_else(planted):
    images, neighbors = planted
    first, again, other = (find_copies(stored(images, np.arange(40)), neighbors, seed) for seed in (1, 1, 2))
    curves = [found.curves["likeness"].y for found in (first, again, other)]
    assert np.array_equal(curves[0], curves[1])
    assert np.array_equal(curves[0][0], curves[2][0])
    assert not np.array_equal(curves[0][1], curves[2][1])
    assert first.estimates == again.estimates


# --- Progress and errors ----------------------------------------------------------------------------------------------


def test_progress_ends_with_all_images_and_all_pairs(planted):
    images, neighbors = planted
    told: list[Progress] = []
    found = find_copies(stored(images, np.arange(40)), neighbors, 1, told.append)
    n_pairs = found.estimates["near_copies"].n_used
    ends = {progress.step: (progress.done, progress.total, progress.unit) for progress in told}
    assert ends == {
        "looking for copies": (40, 40, "images"),
        "comparing neighbours": (n_pairs, n_pairs, "pairs"),
        "comparing random pairs": (n_pairs, n_pairs, "pairs"),
    }


def test_points_without_neighbours_are_refused(faces):
    with pytest.raises(
        TooFewPoints, match=r"copies: must be looked for among neighbours, got no pair of points\. Encode"
    ):
        find_copies(stored(faces[:2], np.arange(2)), np.array([[0], [1]]), seed=1)
