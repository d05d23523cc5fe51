"""Copies among neighbours in z: the same picture again, recompressed, brightened or shifted, looks like structure."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float16, Int64, UInt32
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from zspace.errors import TooFewPoints
from zspace.estimates import share_estimate
from zspace.images.likeness import N_NUMBERS, Likeness, image_likeness, image_signatures
from zspace.images.pixels import StoredPixels
from zspace.machine import each_block
from zspace.results import CopyPair, Curve, Estimate, Measurement, Progress, Watcher, watch_nothing
from zspace.seeds import random_stream
from zspace.shapes import Images, Rows

COPY_LIKENESS = 0.965
"""Images at least as alike as this are copies; `find_copies` says where the number comes from."""
MOST_PAIRS_LISTED = 200
MOST_RANDOM_PAIRS = 100_000

_IMAGES_AT_ONCE, _PAIRS_AT_ONCE = 128, 2048
_BIN = 0.005

Pairs = Int64[np.ndarray, "n_pairs 2"]
Exact = Bool[np.ndarray, " n_pairs"]


@dataclass(frozen=True)
class StoredImages:
    """The images that points were encoded from."""

    pixels: Images | StoredPixels
    """Of the whole store."""
    names: tuple[str, ...]
    rows: Rows
    """The image of every point."""


def find_copies(
    images: StoredImages,
    neighbors: Int64[np.ndarray, "n_points n_neighbors"],
    seed: int,
    watch: Watcher = watch_nothing,
) -> Measurement:
    """Count the copies among the images of neighbouring z-points, beside those among pairs drawn at random.

    Parameters
    ----------
    images
        One for each point.
    neighbors
        Rows of the cloud that lie nearest to each point. A point given as its own neighbour makes no pair.
    seed
        Of the random pairs.
    watch
        Told of images and pairs that are done.

    Notes
    -----
    An exact copy has the same pixels; a near copy has others, and an `image_likeness` of `COPY_LIKENESS` or more.

    Randomness
    ----------
    The stream "copies" draws as many pairs as there are neighbours, but at most `MOST_RANDOM_PAIRS`, each on its own.

    Cost
    ----
    Each image is read once and takes 0.9 KiB of memory. About 0.1 ms an image and 10 microseconds a pair on a core;
    all cores share the work.

    Raises
    ------
    TooFewPoints
        When no two points are neighbours.
    """
    pairs = _unordered_pairs(neighbors)
    if not len(pairs):
        raise TooFewPoints("copies", "must be looked for among neighbours", "no pair of points", "Encode more images.")
    n_points = len(images.rows)
    album = _Album(images, *_look_at(images, watch))
    likeness, exact = album.compare(pairs, "comparing neighbours", watch)
    drawn = _random_pairs(n_points, min(len(pairs), MOST_RANDOM_PAIRS), seed)
    drawn_likeness, _ = album.compare(drawn, "comparing random pairs", watch)
    estimates = _pair_counts(likeness, exact) | _point_shares(pairs[likeness >= COPY_LIKENESS], n_points)
    estimates["random_pairs_share"] = _random_share(drawn_likeness, seed)
    curves = {"likeness": _histogram(likeness, drawn_likeness)}
    return Measurement("copies", estimates, curves, pairs=_most_alike(images, pairs, likeness, exact))


# --- All images and all pairs -----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Album:
    """The points' images, and what was noted when each was read."""

    images: StoredImages
    signatures: Float16[np.ndarray, "n_rows n_numbers"]
    checksums: UInt32[np.ndarray, " n_rows"]

    def compare(self, pairs: Pairs, step: str, watch: Watcher) -> tuple[Likeness, Exact]:
        """Return how alike the images of each pair are, and whether all their pixels are equal."""
        likeness = np.empty(len(pairs))

        def compare_block(block: slice) -> None:
            first, second = pairs[block].T
            likeness[block] = image_likeness(self.signatures[first], self.signatures[second])

        _in_blocks(compare_block, len(pairs), _PAIRS_AT_ONCE, Progress(step, 0, len(pairs), "pairs"), watch)
        exact = np.equal(*self.checksums[pairs.T])
        for place in np.flatnonzero(exact):  # different images may share a checksum
            exact[place] = np.array_equal(*self.images.pixels[self.images.rows[pairs[place]]])
        return np.where(exact, 1.0, likeness), exact


def _look_at(
    images: StoredImages, watch: Watcher
) -> tuple[Float16[np.ndarray, "n_rows n_numbers"], UInt32[np.ndarray, " n_rows"]]:
    """Read every image once and return its signature and the checksum of its pixels."""
    n_images = len(images.rows)
    signatures = np.empty((n_images, N_NUMBERS), np.float16)
    checksums = np.empty(n_images, np.uint32)

    def look_at_block(block: slice) -> None:
        pixels = np.ascontiguousarray(images.pixels[images.rows[block]])
        signatures[block] = image_signatures(pixels)
        checksums[block] = [zlib.crc32(image) for image in pixels]

    _in_blocks(look_at_block, n_images, _IMAGES_AT_ONCE, Progress("looking for copies", 0, n_images, "images"), watch)
    return signatures, checksums


def _in_blocks(act: Callable[[slice], None], n: int, n_at_once: int, progress: Progress, watch: Watcher) -> None:
    """Act on all blocks of n things, and tell of those done."""
    blocks = [slice(start, min(start + n_at_once, n)) for start in range(0, n, n_at_once)]
    for block, _ in zip(blocks, each_block(act, blocks), strict=True):
        watch(replace(progress, done=block.stop))


def _unordered_pairs(neighbors: Int64[np.ndarray, "n_points n_neighbors"]) -> Pairs:
    """Return each pair of neighbours once, the earlier point first."""
    n_points = len(neighbors)
    points = np.broadcast_to(np.arange(n_points)[:, np.newaxis], neighbors.shape)
    numbers = np.minimum(points, neighbors) * n_points + np.maximum(points, neighbors)
    return np.stack(np.divmod(np.unique(numbers[points != neighbors]), n_points), axis=1)


def _random_pairs(n_points: int, n_pairs: int, seed: int) -> Pairs:
    """Draw pairs of two different points; one pair may be drawn twice."""
    random = random_stream(seed, "copies")
    points = random.integers(n_points, size=n_pairs)
    others = (points + random.integers(1, n_points, size=n_pairs)) % n_points
    return np.stack([points, others], axis=1)


# --- What they add up to ----------------------------------------------------------------------------------------------


def _pair_counts(likeness: Likeness, exact: Exact) -> dict[str, Estimate]:
    n_pairs, n_exact = len(likeness), int(exact.sum())
    n_copies = int((likeness >= COPY_LIKENESS).sum())
    facts = {
        "exact_copies": (n_exact, "pairs", "neighbours in z whose images have the same pixels, each pair once"),
        "near_copies": (n_copies - n_exact, "pairs", "neighbours in z with other pixels, but alike as copies are"),
        "neighbor_pairs_share": (n_copies / n_pairs, "share of pairs", "neighbours in z that are exact or near copies"),
        "copy_likeness": (COPY_LIKENESS, "correlation", "from here on images are copies; calibrated on drawn faces"),
    }
    return {key: Estimate.of(float(value), unit, source, n_pairs) for key, (value, unit, source) in facts.items()}


def _point_shares(copies: Pairs, n_points: int) -> dict[str, Estimate]:
    """Return how many points have copies, and how these hang together. All points were counted: nothing scatters."""
    linked = sparse.coo_array((np.ones(len(copies), dtype=np.int8), copies.T), shape=(n_points, n_points))
    n_groups, group = connected_components(linked, directed=False)
    facts = {
        "points_with_copies_share": (
            len(np.unique(copies)) / n_points,
            "share of points",
            "points with an exact or near copy among the neighbours, or that are one to a neighbour",
        ),
        "surplus_share": (
            (n_points - n_groups) / n_points,
            "share of points",
            "points that would go if one of each group of copies stayed",
        ),
        "largest_copy_group": (
            np.bincount(group).max(),
            "points",
            "most points that copies link with each other, in chains too; 1 when no point has a copy",
        ),
    }
    return {key: Estimate.of(float(value), unit, source, n_points) for key, (value, unit, source) in facts.items()}


def _random_share(likeness: Likeness, seed: int) -> Estimate:
    """Return the share of copies among random pairs, with the interval of Clopper and Pearson 1934."""
    n_copies, n_pairs = int((likeness >= COPY_LIKENESS).sum()), len(likeness)
    source = "pairs drawn at random that are exact or near copies: those that are alike by chance are among them"
    found = share_estimate(n_copies, n_pairs, "share of pairs", source, "Clopper-Pearson")
    return replace(found, seed=seed, assumptions=("pairs are drawn independently of each other",))


def _histogram(likeness: Likeness, drawn_likeness: Likeness) -> Curve:
    edges = np.linspace(-1.0, 1.0, round(2 / _BIN) + 1).round(3)
    shares = [np.histogram(values, edges)[0] / len(values) for values in (likeness, drawn_likeness)]
    return Curve(
        "histogram",
        edges,
        np.stack(shares),
        "likeness of two images (correlation, 1 is a copy)",
        f"share of pairs, in bins of {_BIN}",
        ("neighbours in z", "pairs drawn at random"),
    )


def _most_alike(images: StoredImages, pairs: Pairs, likeness: Likeness, exact: Exact) -> tuple[CopyPair, ...]:
    """Return the pairs that are most alike, copies or not, those with the same pixels first."""
    chosen = np.lexsort((-likeness, ~exact))[:MOST_PAIRS_LISTED]
    found = []
    for place in chosen.tolist():
        row, other = images.rows[pairs[place]].tolist()
        names = images.names[row], images.names[other]
        found.append(CopyPair(row, other, *names, float(likeness[place]), bool(exact[place])))
    return tuple(found)
