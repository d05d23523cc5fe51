"""k-means for many numbers of clusters at once: one pass over the points serves all of them.

The centres for every number of clusters stand in one stack, so that a block of points meets all of them in one matrix
product. Points are read in blocks of a fixed size and sums are added in a fixed order in float64, so that the answer
is the same whatever the number of threads, as long as matrix products use one thread each.

The centres say how precisely points are assigned: of float32 or of float64. Squared distances are differences of
squared lengths there, good to a ten millionth of these in float32; `exact_inertias` takes differences of places.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt16
from scipy import sparse

from zspace.geometry.accelerators import Assigned, ClusterPass, PointSource, accelerator
from zspace.machine import over_blocks
from zspace.shapes import Points

_ROWS_AT_ONCE = 2048
"""Rows that meet the stack of centres in one matrix product."""
_N_PARTS = 8
"""Parts of the points that are summed apart, whatever the number of threads."""
_ROWS_PER_BATCH = 4 * _ROWS_AT_ONCE

Places = Float[np.ndarray, "n_points z_dim"]
"""Points of either precision, one a row."""
Centres = Float[np.ndarray, "n_clusters z_dim"]
"""One centre a row."""
Stack = list[Float[np.ndarray, "_ z_dim"]]
"""Centres for every number of clusters."""


@dataclass(frozen=True)
class CentredPoints:
    """Points about a centre in another unit, made block by block as they are needed: no second cloud in memory."""

    points: Points
    centre: Float64[np.ndarray, " z_dim"]
    unit: float

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: slice | Int64[np.ndarray, " n_rows"]) -> Float64[np.ndarray, "n_rows z_dim"]:
        """Return these rows about the centre."""
        return np.asarray((self.points[rows] - self.centre) / self.unit)


@dataclass(frozen=True)
class _Rounded:
    """Points in the precision of the centres that they meet."""

    points: Places | CentredPoints
    dtype: np.dtype

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: slice) -> Float[np.ndarray, "n_rows z_dim"]:
        return np.asarray(self.points[rows], dtype=self.dtype)


@dataclass(frozen=True)
class Fits:
    """k-means for several numbers of clusters on the same points."""

    centres: Stack
    inertias: Float64[np.ndarray, " n_ks"]
    """Sum over points of the squared distance to the nearest centre."""
    labels: UInt16[np.ndarray, "n_points n_ks"]
    """Number of the nearest centre of every point."""

    def only(self, j: int) -> "Fits":
        """Return the fit of the j-th number of clusters alone."""
        return Fits(self.centres[j : j + 1], self.inertias[j : j + 1], self.labels[:, j : j + 1])

    @property
    def sizes(self) -> list[Int64[np.ndarray, " _"]]:
        """Return how many points each centre has."""
        return [np.bincount(self.labels[:, j], minlength=len(stack)) for j, stack in enumerate(self.centres)]


def refine(points: Places | CentredPoints, starts: Stack, n_passes: int, tolerance: float) -> tuple[Fits, Fits]:
    """Move every centre to the mean of its points, over and over (Lloyd), for all numbers of clusters at once.

    Parameters
    ----------
    points
        One point per row, centred on the origin.
    starts
        Centres to start from, all of one precision.
    n_passes
        Largest number of passes over the points.
    tolerance
        A number of clusters is done when a pass lowers its inertia by no more than this share.

    Returns
    -------
    The fits, and those of the starts.

    Cost
    ----
    2 * n_points * z_dim * sum of numbers of clusters operations a pass; a GPU is used where there is one.
    """
    assign = _pass_over(points, starts, n_passes)
    step = _one_pass(assign, starts)
    at_start = step.fits
    inertias, centres, labels = at_start.inertias.copy(), list(starts), at_start.labels.copy()
    active = np.arange(len(starts))
    for _ in range(n_passes - 1):
        following = step.means
        step = _one_pass(assign, following)
        gains = inertias[active] - step.fits.inertias
        for place in np.flatnonzero(gains > 0):
            centres[active[place]] = following[place]
        labels[:, active[gains > 0]] = step.fits.labels[:, gains > 0]
        going_on = gains > tolerance * inertias[active]
        inertias[active] -= gains.clip(min=0)
        active = active[going_on]
        if not len(active):
            break
        step = replace(step, means=[step.means[place] for place in np.flatnonzero(going_on)])
    return Fits(centres, inertias, labels), at_start


def exact_inertias(points: Places | CentredPoints, fits: Fits) -> Fits:
    """Return the fits with inertias from the points' differences from their centres, added up in float64.

    Where clusters are tight and far apart, differences of squared lengths leave nothing but rounding.

    Cost
    ----
    3 * n_points * z_dim operations for every number of clusters.
    """
    rounded = _Rounded(points, fits.centres[0].dtype)

    def add(part: slice) -> Float64[np.ndarray, " n_ks"]:
        inertias = np.zeros(len(fits.centres))
        for start in range(part.start, min(part.stop, len(points)), _ROWS_AT_ONCE):
            rows = slice(start, min(start + _ROWS_AT_ONCE, part.stop))
            block, labels = rounded[rows], fits.labels[rows]
            for j, centres in enumerate(fits.centres):
                away = block - centres[labels[:, j]]
                inertias[j] += np.einsum("ij,ij->i", away, away).sum(dtype=np.float64)
        return inertias

    return replace(fits, inertias=np.asarray(sum(over_blocks(add, _parts(len(points))))))


def move_by_batches(points: CentredPoints, order: Int64[np.ndarray, " n_points"], starts: Fits) -> Stack:
    """Move centres by one pass over the points in mini-batches that all numbers of clusters share.

    Every batch takes rows at even distances in the order, and every centre stays the mean of all points it was ever
    given, those of the start among them.

    Parameters
    ----------
    order
        An order of the rows that does not depend on how they were stored.

    Source
    ------
    Sculley 2010, Web-scale k-means clustering, algorithm 1, with the per-centre step summed over the batch.
    """
    n_batches, precision = -(-len(points) // _ROWS_PER_BATCH), starts.centres[0].dtype
    centres = [stack.astype(np.float64) for stack in starts.centres]
    weights = [size.astype(np.float64) for size in starts.sizes]
    for batch in range(n_batches):
        stacks = [stack.astype(precision) for stack in centres]
        step = _one_pass(_pass_over(points[order[batch::n_batches]], stacks, n_passes=1), stacks)
        for j, (sums, added) in enumerate(zip(step.sums, step.fits.sizes, strict=True)):
            weights[j] += added
            # The step towards the batch's mean, which is sums / added, is added / weights long.
            centres[j] += (sums - added[:, np.newaxis] * centres[j]) / weights[j].clip(min=1)[:, np.newaxis]
    return [stack.astype(precision) for stack in centres]


@dataclass(frozen=True)
class _Step:
    """One pass: the fits of the centres as they stood, and where they go."""

    fits: Fits
    sums: list[Float64[np.ndarray, "_ z_dim"]]
    means: Stack


def _pass_over(points: Places | CentredPoints, stacks: Stack, n_passes: int) -> ClusterPass:
    """Return what assigns all points to centres, where so many passes are done soonest."""
    device = accelerator(2.0 * n_passes * len(points) * sum(stack.size for stack in stacks))
    rounded = _Rounded(points, stacks[0].dtype)
    return device.cluster_pass(rounded) if device else partial(_pass_on_cores, rounded)


def _one_pass(assign: ClusterPass, stacks: Stack) -> _Step:
    ends = np.cumsum([len(stack) for stack in stacks])
    labels, inertias, sums = assign(np.concatenate(stacks), ends)
    fits = Fits(stacks, inertias.clip(min=0), labels)
    sums_of = np.split(sums, ends[:-1])
    means = [
        np.where(size[:, np.newaxis] > 0, sum_ / size.clip(min=1)[:, np.newaxis], stack).astype(stack.dtype)
        for stack, sum_, size in zip(stacks, sums_of, fits.sizes, strict=True)
    ]
    return _Step(fits, sums_of, means)


def _parts(n_points: int) -> list[slice]:
    """Return the parts of the points that the cores share out, each of whole blocks."""
    n_rows = _ROWS_AT_ONCE * -(-n_points // (_ROWS_AT_ONCE * _N_PARTS))
    return [slice(first, first + n_rows) for first in range(0, n_points, n_rows)]


def _pass_on_cores(
    points: PointSource, stacked: Float[np.ndarray, "n_centres z_dim"], ends: Int64[np.ndarray, " n_ks"]
) -> Assigned:
    """Assign all points to centres, a part of the points on every core."""
    labels = np.empty((len(points), len(ends)), dtype=np.uint16)

    def look(part: slice) -> tuple[Float64[np.ndarray, " n_ks"], Float64[np.ndarray, "n_centres z_dim"]]:
        return _part_of_pass(points, part, stacked, ends, labels)

    inertias, sums = np.zeros(len(ends)), np.zeros(stacked.shape)
    for part_inertias, part_sums in over_blocks(look, _parts(len(points))):
        inertias += part_inertias
        sums += part_sums
    return labels, inertias, sums


def _part_of_pass(
    points: PointSource,
    part: slice,
    stacked: Float[np.ndarray, "n_centres z_dim"],
    ends: Int64[np.ndarray, " n_ks"],
    labels: UInt16[np.ndarray, "n_points n_ks"],
) -> tuple[Float64[np.ndarray, " n_ks"], Float64[np.ndarray, "n_centres z_dim"]]:
    """Label the points and return inertias and sums of points per centre."""
    firsts = np.concatenate([[0], ends[:-1]])
    half_squares = np.einsum("ij,ij->i", stacked, stacked) / 2
    largest = int(np.diff(ends, prepend=0).max())
    numbers = np.arange(largest, dtype=np.uint8 if largest <= 256 else np.uint16)[:, np.newaxis]
    inertias, sums = np.zeros(len(ends)), np.zeros(stacked.shape)
    for start in range(part.start, min(part.stop, len(points)), _ROWS_AT_ONCE):
        block = points[start : min(start + _ROWS_AT_ONCE, part.stop)]
        squares = np.einsum("ij,ij->i", block, block)
        # |x - c|^2 = |x|^2 - 2 (x.c - |c|^2 / 2): the nearest centre has the largest of what is in brackets.
        nearness = stacked @ block.T
        nearness -= half_squares[:, np.newaxis]
        nearest = np.empty((len(block), len(ends)), dtype=np.int32)
        for j, (first, end) in enumerate(zip(firsts, ends, strict=True)):
            here = nearness[first:end]
            best = here.max(axis=0)
            # Faster than argmax: the largest number of a centre that is as near as the nearest.
            nearest[:, j] = ((here == best) * numbers[: end - first]).max(axis=0)
            inertias[j] += (squares - 2 * best).sum(dtype=np.float64)
        labels[start : start + len(block)] = nearest
        nearest += firsts.astype(np.int32)
        places = np.arange(0, nearest.size + 1, len(ends), dtype=np.int32)
        ones = np.ones(nearest.size, dtype=block.dtype)
        members = sparse.csc_array((ones, nearest.ravel(), places), shape=(len(stacked), len(block)))
        sums += members @ block
    return inertias, sums
