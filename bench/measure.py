"""How fast densities and principal components are measured, beside the posts' loops, NumPy and scikit-learn.

Run by hand: ``.venv/bin/python bench/measure.py [--points N] [--z-dim D]``. All contestants take turns within one run,
so that whatever else the machine does falls on all of them; what counts are the ratios. The posts' loops take minutes
at full size and have only one turn. Everyone's counts must be equal, and so must the variances.
"""

from __future__ import annotations

import argparse
import math
import os
import time
import tracemalloc
from collections.abc import Callable
from statistics import median

import numpy as np
from sklearn.decomposition import PCA

from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import bin_edges, bin_range, count_columns, count_sorted
from zspace.geometry.principal import principal_spectrum
from zspace.geometry.radius.density import radius_density
from zspace.shapes import Points

AXIS_BIN = 0.25
RADIUS_BINS = (0.5, 0.05)
N_NULL_CLOUDS = 39
PAUSE_SECONDS = 0.3
"""Before each turn: matrix libraries let the threads of the turn before spin for a while, on the next one's cores."""

Act = Callable[[], object]
Counts = list[np.ndarray]


def cloud_points(n_points: int, z_dim: int) -> Points:
    """Draw a cloud with broad and off-centre axes, as an autoencoder's."""
    random = np.random.default_rng(1)
    points = random.standard_normal((n_points, z_dim), dtype=np.float32)
    points *= np.geomspace(0.6, 2.0, z_dim, dtype=np.float32)
    points[:, 0] = 5 + 3 * points[:, 0]
    return points


def axis_edges(points: Points) -> np.ndarray:
    """Return the edges that everyone counts between."""
    return bin_edges(*bin_range(float(points.min()), float(points.max()), AXIS_BIN, points.shape[1]), AXIS_BIN)


def loops(points: Points) -> Counts:
    """Count as the posts do: axis by axis and bin by bin, the radii point by point."""
    edges = axis_edges(points)
    axes = np.zeros((points.shape[1], len(edges) - 1), dtype=np.int64)
    for axis in range(points.shape[1]):
        values = points[:, axis]
        for k in range(len(edges) - 1):
            axes[axis, k] = np.count_nonzero((values >= edges[k]) & (values < edges[k + 1]))
    radii = np.zeros(len(points))
    for row in range(len(points)):
        radii[row] = math.sqrt(np.square(points[row]).sum())
    found = [axes]
    for width in RADIUS_BINS:
        n_bins = math.ceil(radii.max() / width)
        found.append(
            np.array([np.count_nonzero((radii >= width * k) & (radii < width * (k + 1))) for k in range(n_bins)])
        )
    return found


def numpy_histograms(points: Points) -> Counts:
    """Count with np.histogram, column by column."""
    edges = axis_edges(points)
    axes = np.stack([np.histogram(points[:, axis], edges)[0] for axis in range(points.shape[1])])
    radii = np.linalg.norm(points, axis=1)
    widths = ((width, math.ceil(radii.max() / width)) for width in RADIUS_BINS)
    return [axes, *(np.histogram(radii, bin_edges(0, n_bins - 1, width))[0] for width, n_bins in widths)]


def zspace_counts(points: Points) -> Counts:
    """Count with zspace, the checks of the cloud included."""
    cloud = Cloud(points)
    axes = count_columns(points, *bin_range(*cloud.extremes, AXIS_BIN, cloud.z_dim), AXIS_BIN)
    radii = np.sort(cloud.radii)
    widths = ((width, math.ceil(float(radii[-1]) / width)) for width in RADIUS_BINS)
    return [axes, *(count_sorted(radii, bin_edges(0, n_bins - 1, width)) for width, n_bins in widths)]


def zspace_measures(points: Points) -> None:
    """Take the measures whole: medians, widths, normality, laws and null clouds too."""
    cloud = Cloud(points)
    axis_densities(cloud, AXIS_BIN, N_NULL_CLOUDS, 1)
    radius_density(cloud, RADIUS_BINS, N_NULL_CLOUDS, 1)
    principal_spectrum(cloud, N_NULL_CLOUDS, 1)


def check_counts(points: Points, expected: Counts) -> None:
    """Stop unless zspace counts what the other one has counted."""
    for name, theirs, ours in zip(("axes", "radii", "radii"), expected, zspace_counts(points), strict=True):
        # The others' radii are float32: next to an edge, a few may fall on its other side.
        allowed = 0 if name == "axes" else 1e-3 * len(points)
        if np.abs(theirs - ours).sum() > allowed:
            raise SystemExit(f"counts of {name} differ")


def seconds(act: Act) -> float:
    """Return how long one run takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def in_turns(acts: dict[str, Act], n_turns: int) -> dict[str, list[float]]:
    """Return the seconds that each takes in its turns."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(n_turns):
        for name, act in acts.items():
            time.sleep(PAUSE_SECONDS)
            taken[name].append(seconds(act))
    return taken


def print_times(taken: dict[str, list[float]], ours: str) -> None:
    """Print medians, and how many times as long as zspace everyone takes."""
    for name, own in taken.items():
        pairs = zip(own, taken[ours], strict=False)
        ratio = median(theirs / mine for theirs, mine in pairs)
        print(f"{name:44} {median(own):9.3f} s   {ratio:8.2f} times {ours}")


def compare_counts(points: Points, n_turns: int, with_loops: bool) -> None:
    """Compare the densities along the axes and over the radius."""
    check_counts(points, numpy_histograms(points))
    first: dict[str, list[float]] = {}
    if with_loops:
        loops_act: dict[str, Act] = {"the posts' loops (one turn)": lambda: check_counts(points, loops(points))}
        first = in_turns(loops_act, 1)
    ours = "zspace counts"
    acts: dict[str, Act] = {
        "np.histogram per column": lambda: numpy_histograms(points),
        ours: lambda: zspace_counts(points),
    }
    print_times(first | in_turns(acts, n_turns), ours)


def compare_components(points: Points, n_turns: int) -> None:
    """Compare the principal components, and the cloud turned into them."""
    theirs, (variances, _) = PCA().fit(points).explained_variance_, Cloud(points).principal
    if not np.allclose(theirs, variances, rtol=1e-3):
        raise SystemExit("variances differ")
    print_times(
        in_turns({"scikit-learn PCA": lambda: PCA().fit(points), "zspace": lambda: Cloud(points).principal}, n_turns),
        "zspace",
    )
    rotations: dict[str, Act] = {
        "scikit-learn PCA, points rotated": lambda: PCA().fit_transform(points),
        "zspace, points rotated": lambda: Cloud(points).rotated,
    }
    print_times(in_turns(rotations, n_turns), "zspace, points rotated")


def print_whole(points: Points) -> None:
    """Print the time of the measures as they are taken, and their memory."""
    print(f"{'zspace axes, radius and principal, whole':44} {seconds(lambda: zspace_measures(points)):9.3f} s")
    for name, act in (("measures", lambda: zspace_measures(points)), ("rotation", lambda: Cloud(points).rotated)):
        tracemalloc.start()
        act()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"peak memory of the {name}, cloud included: {1 + most / points.nbytes:.2f} times the cloud")


def main() -> None:
    """Read the flags and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=170_000)
    parser.add_argument("--z-dim", type=int, default=256)
    parser.add_argument("--turns", type=int, default=5, help="how often each takes its turn")
    parser.add_argument("--no-loops", action="store_true", help="leave out the posts' loops, which take minutes")
    flags = parser.parse_args()
    print(f"{flags.points} x {flags.z_dim} float32, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
    points = cloud_points(flags.points, flags.z_dim)
    compare_counts(points, flags.turns, with_loops=not flags.no_loops)
    compare_components(points, flags.turns)
    print_whole(points)


if __name__ == "__main__":
    main()
