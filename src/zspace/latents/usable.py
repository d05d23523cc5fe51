"""From z-points as a file holds them to the cloud that is measured: finite rows of float32, and what was noticed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64, Real

from zspace.errors import TooFewPoints
from zspace.latents.arrays import Latents, check_memory
from zspace.results import CloudFacts
from zspace.seeds import random_stream

_BLOCK_VALUES = 1 << 22
_N_LOOKED_AT = 4096
"""Rows from which the place and the size of the numbers are taken."""
_LOST = 1e-3
"""Digits are lost when float32 rounds by more than this share of an axis's spread."""
_ROUNDING = 2.0**-24
"""Of float32, relative."""
_SMALL, _LARGE = 1e-15, 1e15
"""Sizes of numbers whose squares float32 can hold, and sums of many squares."""


@dataclass(frozen=True)
class _Change:
    """What is done to the numbers before they become float32: ``(x - centre) / 2 ** exponent``."""

    centre: Real[np.ndarray, " z_dim"] | None = None
    exponent: int = 0
    notes: tuple[str, ...] = ()

    def apply(self, block: Real[np.ndarray, "n_rows z_dim"]) -> Float64[np.ndarray, "n_rows z_dim"]:
        """Return numbers as they are measured, still with all their digits."""
        exact = _exact(block) if self.centre is None else _differences(block, self.centre)
        return np.ldexp(exact, -self.exponent) if self.exponent else exact


def usable_latents(found: Latents, source: str, n_points: int | None, seed: int) -> tuple[Latents, CloudFacts]:
    """Return what of the points can be measured, as float32, and what was done to them.

    Constant axes and repeated points are counted on the file's own numbers. Where float32 would lose the digits in
    which the points differ, they are shifted before they are converted; where it could not hold squares of them, they
    are divided by a power of two; both are told in the notes.

    Parameters
    ----------
    found
        As read.
    source
        Where they were read from.
    n_points
        Take this many at random, in their order; None takes all.
    seed
        Only used when some are drawn.

    Raises
    ------
    TooFewPoints
        When fewer than two rows are finite, or a row has no values.
    LatentsUnreadable
        When their float32 numbers do not fit into memory.

    Randomness
    ----------
    The stream "points".

    Cost
    ----
    Points that are float32 already are not copied, unless rows are left out.
    """
    if not found.z.shape[1]:
        raise TooFewPoints(source, "must have at least 1 dimension", "0", "Look at how the points were written.")
    sizes = _row_sizes(found.z)
    change = _needed_change(found, sizes)
    finite = _fits_float32(sizes, change)
    for points in (found.mu, found.logvar):
        if points is not None:
            finite &= _fits_float32(_row_sizes(points), _Change())
    rows = np.flatnonzero(finite)
    if len(rows) < 2:
        got = f"{len(rows)} of {len(finite)}"
        raise TooFewPoints(source, "must hold at least 2 finite z-points", got, "Look at how they were written.")
    if n_points is not None and n_points < len(rows):
        rows = np.sort(random_stream(seed, "points").choice(rows, n_points, replace=False))
    z = _take(found.z, rows)
    mu, logvar = (
        None if points is None else _to_float32(_take(points, rows), _Change(), source)
        for points in (found.mu, found.logvar)
    )
    notes = (*found.notes, *change.notes)
    facts = CloudFacts(
        source=source,
        n_given=len(finite),
        n_used=len(rows),
        z_dim=found.z.shape[1],
        n_not_finite=int((~finite).sum()),
        n_duplicates=len(z) - _count_distinct(z),
        n_constant_axes=int((z.min(axis=0) == z.max(axis=0)).sum()),
        has_posterior=logvar is not None,
        notes=notes,
    )
    return Latents(_to_float32(z, change, source), mu, logvar, notes, rows), facts


def cloud_sentence(facts: CloudFacts) -> str:
    """Return what was read, for the screen."""
    given = "" if facts.n_used == facts.n_given else f" of {facts.n_given:,}"
    parts = [f"{facts.n_used:,}{given} points of {facts.z_dim:,} dimensions", *facts.notes]
    if facts.n_not_finite:
        parts.append(f"rows left out that are not finite: {facts.n_not_finite:,}")
    return "; ".join(parts)


def _take(points: np.ndarray, rows: Int64[np.ndarray, " n_rows"]) -> np.ndarray:
    return points if len(rows) == len(points) else points[rows]


def _blocks(points: np.ndarray) -> list[slice]:
    step = max(1, _BLOCK_VALUES // max(1, points.shape[1]))
    return [slice(first, first + step) for first in range(0, len(points), step)]


def _row_sizes(points: Real[np.ndarray, "n_points z_dim"]) -> Float64[np.ndarray, " n_points"]:
    """Return the largest size of a number in every row; not finite where one is not."""
    sizes = np.empty(len(points))
    for rows in _blocks(points):
        block = points[rows]
        # The two ends, and not the sizes themselves: no copy is made, and the smallest integer has no opposite.
        sizes[rows] = np.maximum(np.abs(_exact(block.max(axis=1))), np.abs(_exact(block.min(axis=1))))
    return sizes


def _exact(values: np.ndarray) -> np.ndarray:
    # What is larger than float64 becomes infinite, and is told as such; so is any kind of NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float64, copy=False)


def _needed_change(found: Latents, sizes: Float64[np.ndarray, " n_points"]) -> _Change:
    """Return what must be done for float32 to hold the digits that matter, from an even choice of rows."""
    rows = np.flatnonzero(np.isfinite(sizes))
    if not len(rows):
        return _Change()
    n_looked_at = max(2, min(_N_LOOKED_AT, _BLOCK_VALUES // found.z.shape[1]))
    looked_at = found.z[rows[:: -(-len(rows) // n_looked_at)]]
    centre, n_lost = _lost_digits(looked_at)
    has_posterior = found.logvar is not None or found.mu is not None
    if n_lost and has_posterior:
        note = f"float32, which keeps 7 digits, loses those in which the points differ on {n_lost:,} axes"
        return _Change(notes=(f"{note}; they were not shifted, for mu and logvar to fit",))
    shift = _Change(centre) if n_lost else _Change()
    about = np.abs(shift.apply(looked_at)).max(axis=1)
    typical = float(np.median(about[about > 0])) if about.any() else 1.0
    exponent = 0 if _SMALL <= typical <= _LARGE or has_posterior else int(np.frexp(typical)[1])
    notes = []
    if n_lost:
        notes.append(
            "the points were shifted by the median of every axis before they became float32, which keeps 7 digits: "
            f"on {n_lost:,} axes they lie too far from 0 for their spread; radius and centres are about that median, "
            "not about 0"
        )
    if exponent:
        notes.append(
            f"all numbers were divided by 2^{exponent} (about {2.0**exponent:.3g}), because float32 cannot hold "
            "squares of numbers like these; lengths are in that unit"
        )
    return _Change(shift.centre, exponent, tuple(notes))


def _lost_digits(points: Real[np.ndarray, "n_points z_dim"]) -> tuple[Real[np.ndarray, " z_dim"], int]:
    """Return the median of every axis, and on how many axes float32 would lose the digits that tell points apart."""
    if points.dtype.itemsize < 4 or (points.dtype.kind == "f" and points.dtype.itemsize == 4):
        return points[0], 0  # float32 holds every such number
    in_order = np.sort(points, axis=0)
    centre = in_order[len(points) // 2]
    offsets = _differences(in_order, centre)
    quarter = len(points) // 4
    spread = offsets[-1 - quarter] - offsets[quarter]
    spread = np.where(spread > 0, spread, offsets[-1] - offsets[0])
    rounding = np.abs(_exact(centre)) * _ROUNDING
    is_lost = rounding > _LOST * spread
    # Where the numbers differ only by the rounding of their own kind there is nothing to lose.
    own = np.finfo(points.dtype).eps if points.dtype.kind == "f" else 0.0
    return centre, int((is_lost & (spread > 8 * own * np.abs(_exact(centre)))).sum())


def _differences(
    points: Real[np.ndarray, "n_points z_dim"], centre: Real[np.ndarray, " z_dim"]
) -> Float64[np.ndarray, "n_points z_dim"]:
    """Return points about a centre; exact for integers of any size."""
    if points.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            return _exact(points - centre)
    wide = np.uint64 if points.dtype.kind == "u" else np.int64
    values, middle = points.astype(wide), centre.astype(wide)
    # Differences may be larger than any signed integer: they are taken without a sign, where they wrap around rightly.
    above = values.astype(np.uint64) - middle.astype(np.uint64)
    return np.where(values >= middle, above.astype(np.float64), -((~above + np.uint64(1)).astype(np.float64)))


def _fits_float32(sizes: Float64[np.ndarray, " n_points"], change: _Change) -> np.ndarray:
    """Return which rows are finite numbers of float32 once they are changed."""
    offset = 0.0 if change.centre is None else float(np.abs(_exact(change.centre)).max())
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.ldexp(sizes + offset, -change.exponent) <= np.finfo(np.float32).max)


def _to_float32(
    points: Real[np.ndarray, "n_points z_dim"], change: _Change, source: str
) -> Float32[np.ndarray, "n_points z_dim"]:
    if points.dtype == np.float32 and change.centre is None and not change.exponent:
        return np.require(points, np.float32, ("C", "ALIGNED"))
    check_memory(source, points.size * np.dtype(np.float32).itemsize)
    converted = np.empty(points.shape, np.float32)
    for rows in _blocks(points):
        converted[rows] = change.apply(points[rows])
    return converted


def _count_distinct(points: Real[np.ndarray, "n_points z_dim"]) -> int:
    """Return how many different points there are."""
    # Adding 0 turns -0 into 0: equal numbers are then equal bytes. Hashes of 64 bits tell them apart.
    zero = points.dtype.type(0)
    return len({hash((row + zero).tobytes()) for row in points})
