"""How fast the whole inertia curve is, beside scikit-learn's MiniBatchKMeans fitted once for every k.

Run by hand: ``.venv/bin/python bench/clusters.py [--points 170000 --z-dim 256 --ks 80]``. Both take turns within one
run, so that whatever else the machine does falls on both; what counts are the ratios. Inertia is that of all points,
about each contestant's own centres, computed the same way in float64.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.inertia import centred_points, compared_points, look_at
from zspace.geometry.clustering.kmeans import Stack, move_by_batches, refine
from zspace.shapes import Points

_TRUE_CLUSTERS = 40
N_PASSES = 3
"""Passes over all points after the mini-batches, of the up to 10 that the measure makes."""


def correlated_points(n_points: int, z_dim: int, random: np.random.Generator) -> Points:
    """Draw from a Gaussian whose variances fall like k ** -0.8."""
    deviations = np.arange(1, z_dim + 1, dtype=np.float32) ** np.float32(-0.4)
    points = random.standard_normal((n_points, z_dim), dtype=np.float32)
    points *= deviations
    return points


def clustered_points(n_points: int, z_dim: int, random: np.random.Generator) -> Points:
    """Draw from 40 overlapping clusters, each correlated."""
    centres = correlated_points(_TRUE_CLUSTERS, z_dim, random) * np.float32(0.9)
    points = correlated_points(n_points, z_dim, random)
    for rows in np.array_split(np.arange(n_points), 100):
        points[rows] += centres[random.integers(_TRUE_CLUSTERS, size=len(rows))]
    return points


def zspace_curve(points: Points, ks: list[int]) -> Stack:
    """Fit all ks as the measure does, sample, starts and mini-batches included, and the inertia of all points."""
    cloud = Cloud(points)
    with threadpool_limits(1, "blas"):
        centred, order = centred_points(cloud)
        _, best = look_at(compared_points(centred, order), ks)
        fits, _ = refine(centred, move_by_batches(centred, order, best), N_PASSES, 0.0)
    return [(centres * centred.unit + cloud.mean).astype(np.float32) for centres in fits.centres]


def peer_curve(points: Points, ks: list[int]) -> Stack:
    """Fit MiniBatchKMeans, as it is by default, for one k after the other."""
    return [MiniBatchKMeans(k, random_state=1).fit(points).cluster_centers_ for k in ks]


def inertia_of(points: Points, centres: Points) -> float:
    """Sum the squared distances to the nearest centre in float64, block by block."""
    total, exact = 0.0, centres.astype(np.float64)
    for block in np.array_split(points, max(1, len(points) // 8192)):
        rows = block.astype(np.float64)
        nearness = rows @ exact.T - (exact**2).sum(axis=1) / 2
        total += float((rows**2).sum() - 2 * nearness.max(axis=1).sum())
    return total


def compare(name: str, points: Points, ks: list[int], n_turns: int) -> None:
    """Let both take turns and print times, ratios and qualities."""
    acts: dict[str, Callable[[Points, list[int]], Stack]] = {"zspace": zspace_curve, "scikit-learn": peer_curve}
    taken: dict[str, list[float]] = {who: [] for who in acts}
    inertias: dict[str, list[float]] = {}
    for _ in range(n_turns):
        for who, act in acts.items():
            started = time.perf_counter()
            stack = act(points, ks)
            taken[who].append(time.perf_counter() - started)
            inertias[who] = [inertia_of(points, centres) for centres in stack]
    ratio = statistics.median(
        theirs / ours for ours, theirs in zip(taken["zspace"], taken["scikit-learn"], strict=True)
    )
    quality = np.array(inertias["zspace"]) / np.array(inertias["scikit-learn"])
    seconds = {who: statistics.median(own) for who, own in taken.items()}
    print(f"{name}: zspace {seconds['zspace']:.1f} s, scikit-learn {seconds['scikit-learn']:.1f} s: {ratio:.2f} times")
    print(
        f"  inertia, zspace / scikit-learn: mean {quality.mean():.5f}, lowest {quality.min():.5f}, "
        f"highest {quality.max():.5f}; not higher at {int((quality <= 1).sum())} of {len(ks)} k"
    )


def main() -> None:
    """Read the flags and compare on two clouds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=170_000, help="points of the clouds")
    parser.add_argument("--z-dim", type=int, default=256, help="their dimensions")
    parser.add_argument("--ks", type=int, default=80, help="largest number of clusters; all even ones up to it")
    parser.add_argument("--turns", type=int, default=3, help="how often each takes its turn")
    flags = parser.parse_args()
    ks = list(range(2, flags.ks + 1, 2))
    random = np.random.default_rng(1)
    compare("clustered", clustered_points(flags.points, flags.z_dim, random), ks, flags.turns)
    compare("correlated Gaussian", correlated_points(flags.points, flags.z_dim, random), ks, flags.turns)


if __name__ == "__main__":
    main()
