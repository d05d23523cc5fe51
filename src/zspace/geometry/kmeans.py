"""k-means for many numbers of clusters at once: one pass over the points serves all of them.

The centres for every number of clusters stand in one stack, so that a block of points meets all of them in one matrix
product. Points are read in blocks of a fixed size and sums are added in a fixed order in float64, so that the answer
is the same whatever the number of threads, as long as matrix products use one thread each.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt16
from scipy import sparse

from zspace.geometry.accelerators import Assigned, ClusterPass, accelerator
from zspace.machine import over_blocks
from zspace.shapes import Points

_ROWS_AT_ONCE = 2048
"""Rows that meet the stack of centres in one matrix product."""
_N_PARTS = 8
"""Parts of the points that are summed apart, whatever the number of threads."""
_ROWS_PER_BATCH = 4 * _ROWS_AT_ONCE

Centres = Float32[np.ndarray, "n_clusters z_dim"]
"""One centre a row."""
Stack = list[Float32[np.ndarray, "_ z_dim"]]
"""Centres for every number of clusters."""


@dataclass(frozen=True)
class CentredPoints:
    """Points about a centre in another unit, made block by block as they are needed: no second cloud in memory."""

    points: Points
    centre: Float64[np.ndarray, " z_dim"]
    unit: float

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows: slice | Int64[np.ndarray, " n_rows"]) -> Float32[np.ndarray, "n_rows z_dim"]:
        """Return these rows about the centre; differences are taken in float64."""
        return np.asarray((self.points[rows] - self.centre) / self.unit, dtype=np.float32)


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


def refine(
    points: Points | CentredPoints, starts: Stack, n_passes: int, tolerance: float
) -> tuple[Fits, Float64[np.ndarray, " n_ks"]]:
    """Move every centre to the mean of its points, over and over (Lloyd), for all numbers of clusters at once.

    Parameters
    ----------
    points
        One point per row, centred on the origin: squared distances are differences of squared lengths.
    starts
        Centres to start from.
    n_passes
        Largest number of passes over the points.
    tolerance
        A number of clusters is done when a pass lowers its inertia by no more than this share.

    Returns
    -------
    The fits, and the inertias of the starts.

    Cost
    ----
    2 * n_points * z_dim * sum of numbers of clusters operations a pass; a GPU is used where there is one.
    """
    assign = _pass_over(points, starts, n_passes)
    step = _one_pass(assign, starts)
    found, start_inertias = step.fits, step.fits.inertias
    inertias, centres, labels = found.inertias.copy(), list(starts), found.labels.copy()
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
    return Fits(centres, inertias, labels), start_inertias


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
    n_batches = -(-len(points) // _ROWS_PER_BATCH)
    centres = [stack.astype(np.float64) for stack in starts.centres]
    weights = [size.astype(np.float64) for size in starts.sizes]
    for batch in range(n_batches):
        stacks = [stack.astype(np.float32) for stack in centres]
        step = _one_pass(_pass_over(points[order[batch::n_batches]], stacks, n_passes=1), stacks)
        for j, (sums, added) in enumerate(zip(step.sums, step.fits.sizes, strict=True)):
            weights[j] += added
            # The step towards the batch's mean, which is sums / added, is added / weights long.
            centres[j] += (sums - added[:, np.newaxis] * centres[j]) / weights[j].clip(min=1)[:, np.newaxis]
    return [stack.astype(np.float32) for stack in centres]


@dataclass(frozen=True)
class _Step:
    """One pass: the fits of the centres as they stood, and where they go."""

    fits: Fits
    sums: list[Float64[np.ndarray, "_ z_dim"]]
    means: Stack


def _pass_over(points: Points | CentredPoints, stacks: Stack, n_passes: int) -> ClusterPass:
    """Return what assigns all points to centres, where so many passes are done soonest."""
    device = accelerator(2.0 * n_passes * len(points) * sum(stack.size for stack in stacks))
    return device.cluster_pass(points) if device else partial(_pass_on_cores, points)


def _one_pass(assign: ClusterPass, stacks: Stack) -> _Step:
    ends = np.cumsum([len(stack) for stack in stacks])
    labels, inertias, sums = assign(np.concatenate(stacks), ends)
    fits = Fits(stacks, inertias.clip(min=0), labels)
    sums_of = np.split(sums, ends[:-1])
    means = [
        np.where(size[:, np.newaxis] > 0, sum_ / size.clip(min=1)[:, np.newaxis], stack).astype(np.float32)
        for stack, sum_, size in zip(stacks, sums_of, fits.sizes, strict=True)
    ]
    return _Step(fits, sums_of, means)


def _pass_on_cores(
    points: Points | CentredPoints, stacked: Float32[np.ndarray, "n_centres z_dim"], ends: Int64[np.ndarray, " n_ks"]
) -> Assigned:
    """Assign all points to centres, a part of the points on every core."""
    labels = np.empty((len(points), len(ends)), dtype=np.uint16)
    n_rows = _ROWS_AT_ONCE * -(-len(points) // (_ROWS_AT_ONCE * _N_PARTS))
    parts = [slice(first, first + n_rows) for first in range(0, len(points), n_rows)]

    def look(part: slice) -> tuple[Float64[np.ndarray, " n_ks"], Float64[np.ndarray, "n_centres z_dim"]]:
        return _part_of_pass(points, part, stacked, ends, labels)

    inertias, sums = np.zeros(len(ends)), np.zeros(stacked.shape)
    for part_inertias, part_sums in over_blocks(look, parts):
        inertias += part_inertias
        sums += part_sums
    return labels, inertias, sums


def _part_of_pass(
    points: Points | CentredPoints,
    part: slice,
    stacked: Float32[np.ndarray, "n_centres z_dim"],
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
        ones = np.ones(nearest.size, dtype=np.float32)
        members = sparse.csc_array((ones, nearest.ravel(), places), shape=(len(stacked), len(block)))
        sums += members @ block
    return inertias, sums
