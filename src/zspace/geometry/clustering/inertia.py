"""Inertia and agreement over the number of clusters, on points of a cloud and on null clouds made like them."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.kmeans import CentredPoints, Fits, Places, exact_inertias
from zspace.geometry.clustering.partitions import adjusted_rand
from zspace.geometry.clustering.starts import fit_from_starts, spread_out
from zspace.geometry.nulls.frames import whitened
from zspace.machine import each_block, over_blocks
from zspace.results import Progress, Watcher, watch_nothing
from zspace.seeds import random_stream

N_COMPARED = 4096
"""Points that null clouds are compared with, and that fits of all points start from, at most."""
N_LEADING = 64
"""Principal components along which clusters are compared with null clouds, at most."""
N_STARTS = 3
"""Independent starts of every fit of compared points."""
_ROWS_AT_ONCE = 2048
_PASSES, _TOLERANCE = 12, 1e-3
_FEWEST_PER_CLUSTER = 2
_SMALLEST_SHARE = 1e-14
"""A smaller share of inertia is rounding of coordinates in float32."""
_COARSE_SHARE = 1e-2
"""With a smaller share of inertia left, squared distances in float32 are too coarse: float64 it is."""
_EMPTY = 1e-12
"""Directions with less than this share of the largest variance are empty."""


@dataclass(frozen=True)
class Look:
    """What k-means shows of a set of points."""

    log_shares: Float64[np.ndarray, " n_ks"]
    """Log of inertia as a share of that about the mean, for k = 1 and all numbers of clusters."""
    agreements: Float64[np.ndarray, " n_clusterings"]
    """Mean adjusted Rand index over pairs of independent starts, for all numbers of clusters but 1."""


def centred_points(cloud: Cloud) -> tuple[CentredPoints, Int64[np.ndarray, " n_points"]]:
    """Return the points about their mean, in units of their root mean square distance from it, and rows by distance.

    Neither rotation nor scaling nor the order of the rows changes which points come first, second and so on, but for
    points at the same distance. The unit is 0 when all points are equal.
    """
    plain = CentredPoints(cloud.points, cloud.mean, 1.0)

    def distances(start: int) -> Float64[np.ndarray, " n_rows"]:
        # Not through float32, where the square of a tiny distance is 0.
        rows = plain.points[start : start + _ROWS_AT_ONCE] - plain.centre
        return np.asarray(np.einsum("ij,ij->i", rows, rows))

    squares = np.concatenate(over_blocks(distances, range(0, cloud.n_points, _ROWS_AT_ONCE)))
    order = np.lexsort((cloud.points[:, 0], squares))
    constant = bool((cloud.points == cloud.points[0]).all())
    unit = 0.0 if constant else float(np.sqrt(squares.mean()))
    return CentredPoints(cloud.points, cloud.mean, unit), order


def compared_points(
    centred: CentredPoints, order: Int64[np.ndarray, " n_points"]
) -> Float64[np.ndarray, "n_compared z_dim"]:
    """Return all points, or `N_COMPARED` at even distances in their order, about their own mean."""
    n_compared = min(len(centred), N_COMPARED)
    chosen = centred[order[((np.arange(n_compared) + 0.5) * len(centred) / n_compared).astype(np.int64)]]
    return np.asarray(chosen - chosen.mean(axis=0))


def leading_components(
    cloud: Cloud, points: Float64[np.ndarray, "n_compared z_dim"]
) -> Float64[np.ndarray, "n_compared n_axes"]:
    """Return points along the `N_LEADING` broadest principal components of their cloud, if there are more of them."""
    components = cloud.principal[1][:, :N_LEADING]
    return points if cloud.z_dim <= N_LEADING else np.asarray(points @ components)


def possible_ks(points: Places, asked: list[int]) -> list[int]:
    """Return the numbers of clusters for which the points are enough: two for each, and not all in fewer places."""
    enough = [k for k in asked if _FEWEST_PER_CLUSTER * k <= len(points)]
    if not enough:
        return []
    n_places = len(spread_out(points, enough[-1], random_stream(0, "k-means start", 0)))
    return [k for k in enough if k <= n_places]


def look_at(points: Places, ks: list[int]) -> tuple[Look, Fits]:
    """Fit all numbers of clusters to points about their mean; return what that shows, and the best fits.

    The inertias come from differences. Where the most clusters leave less than `_COARSE_SHARE` of the inertia about
    the mean, as tight clusters far apart do, all is done again in float64, which takes twice as long.
    """
    total = float(np.einsum("ij,ij->", points, points, dtype=np.float64))
    for precision in (np.dtype(np.float32), np.dtype(np.float64)):
        *independent, best = fit_from_starts(points, ks, N_STARTS, _PASSES, _TOLERANCE, precision)
        best = exact_inertias(points, best)
        if best.inertias.min() >= _COARSE_SHARE * total:
            break
    shares = np.concatenate([[1.0], best.inertias / total]).clip(min=_SMALLEST_SHARE)
    agreements = [
        np.mean([adjusted_rand(one.labels[:, j], other.labels[:, j]) for one, other in combinations(independent, 2)])
        for j in range(len(ks))
    ]
    return Look(np.log(shares), np.array(agreements)), best


def look_at_nulls(
    points: Places, ks: list[int], n_clouds: int, name: str, seed: int, watch: Watcher = watch_nothing
) -> list[Look]:
    """Look at clouds drawn from the Gaussian that has the points' mean and covariance.

    Their sample mean and covariance are the very ones of the points. Given these, all clouds of a Gaussian are alike,
    so points drawn from any Gaussian and null clouds differ by chance alone.

    Randomness
    ----------
    The stream ``name`` of the seed, and in it one stream per cloud.
    """
    exact = points.astype(np.float64, copy=False)
    # The products of the shorter side have the same values, but for zeros.
    products = exact.T @ exact if exact.shape[1] <= len(exact) else exact @ exact.T
    variances = np.linalg.eigvalsh(products)[::-1] / len(points)
    deviations = np.sqrt(variances[variances > _EMPTY * variances[0]][: len(points) - 1])

    def look(number: int) -> Look:
        drawn = whitened(random_stream(seed, name, number).standard_normal((len(points), len(deviations))))
        drawn *= deviations
        order = np.argsort(np.einsum("ij,ij->i", drawn, drawn), kind="stable")
        return look_at(drawn[order], ks)[0]

    looks = []
    for done in each_block(look, range(n_clouds)):
        looks.append(done)
        watch(Progress("null clouds", len(looks), n_clouds, "clouds"))
    return looks
