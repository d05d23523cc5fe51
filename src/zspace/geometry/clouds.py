"""A cloud of z-points, and what several measures need of it, computed once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zspace.errors import PointsNotFinite, TooFewPoints
from zspace.geometry.accelerators import Accelerator, accelerator
from zspace.geometry.neighbourhoods.pairs import Pairs, pairs_of
from zspace.geometry.neighbourhoods.search import Neighbors, nearest_neighbors
from zspace.machine import each_block, one_matrix_thread, over_blocks
from zspace.results import Watcher, watch_nothing

_BLOCK_VALUES = 1 << 19
"""Values that are worked on at a time: 4 MiB as float64. Smaller blocks fit the cache, but cost more hand-overs."""

_PRODUCT_VALUES = 1 << 19
"""Values that are multiplied at a time: large enough for matrix products to run at full speed."""
_N_PARTS = 8
"""Parts that are summed apart, whatever the number of cores, so that the order of adding is always the same."""
_EMPTY = 1e-12
"""Components with less than this share of the largest variance are empty."""
_ALL_EQUAL = ("must have at least 2 different z-points", "1", "Look at how the points were made.")
_MOST_SUMMED_BYTES = 1 << 28
"""Memory for sums of products: with very many dimensions there are fewer parts."""


@dataclass(frozen=True)
class _FirstLook:
    """What one pass over the points of a cloud gives."""

    extremes: tuple[float, float]
    radii: Float64[np.ndarray, " n_points"]
    mean: Float64[np.ndarray, " z_dim"]


@dataclass(frozen=True)
class Cloud:
    """Points in latent space.

    Parameters
    ----------
    points
        One z-point per row. They are never changed.

    Raises
    ------
    TooFewPoints
        For fewer than two points.
    PointsNotFinite
        For NaN or infinite coordinates; the message gives the first row.
    """

    points: Float32[np.ndarray, "n_points z_dim"]

    def __post_init__(self) -> None:
        if self.n_points < 2:
            raise TooFewPoints("cloud", "must have at least 2 z-points", str(self.n_points), "Encode more images.")
        if self.z_dim < 1:
            raise TooFewPoints("cloud", "must have at least 1 dimension", "0", "Look at how the points were read.")
        with np.errstate(over="ignore", invalid="ignore"):
            sums = over_blocks(np.sum, self.blocks())
        # A sum that is not finite may only have grown too large: then every point is looked at.
        if not np.isfinite(sums).all() and not (finite := np.isfinite(self.points).all(axis=1)).all():
            raise PointsNotFinite(
                "cloud",
                "every coordinate must be finite",
                f"{int((~finite).sum())} rows with NaN or infinity, the first is row {int(finite.argmin())}",
                "Remove these rows, or look for the image or the training step that made them.",
            )

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def z_dim(self) -> int:
        """Number of dimensions."""
        return int(self.points.shape[1])

    @property
    def block_rows(self) -> int:
        """Rows that fit into one block of working memory."""
        return max(1, _BLOCK_VALUES // self.z_dim)

    def blocks(self) -> list[Float32[np.ndarray, "n_rows z_dim"]]:
        """Return views of consecutive rows, each small enough to stay in the cache of a core."""
        return [self.points[start : start + self.block_rows] for start in range(0, self.n_points, self.block_rows)]

    @property
    def extremes(self) -> tuple[float, float]:
        """Smallest and largest of all coordinates, in units of z."""
        return self._first_look.extremes

    @property
    def radii(self) -> Float64[np.ndarray, " n_points"]:
        """Distance of every point from the origin, in units of z."""
        return self._first_look.radii

    @property
    def mean(self) -> Float64[np.ndarray, " z_dim"]:
        """Centre of the cloud, in units of z."""
        return self._first_look.mean

    @cached_property
    def _first_look(self) -> "_FirstLook":
        """What one pass over the points gives."""

        def look(block: Float32[np.ndarray, "n_rows z_dim"]) -> tuple[float, float, np.ndarray, np.ndarray]:
            exact = block.astype(np.float64)
            radii = np.sqrt(np.einsum("ij,ij->i", exact, exact))
            return float(block.min()), float(block.max()), radii, exact.sum(axis=0)

        lows, highs, radii, totals = zip(*over_blocks(look, self.blocks()), strict=True)
        # float64 has room for the exact sum of float32 numbers that are all alike: a constant axis has an exact mean.
        mean = np.asarray(sum(totals) / self.n_points)
        return _FirstLook((min(lows), max(highs)), np.concatenate(radii), mean)

    @cached_property
    def covariance(self) -> Float64[np.ndarray, "z_dim z_dim"]:
        """Unbiased covariance, in squared units of z. Cost: n_points * z_dim ** 2 operations, once.

        Products are multiplied and added up in float64: in float32 the rounding of the broadest directions would
        drown the narrowest, and no number of points averages that out. A GPU is used where there is one.
        """
        # About the mean, though not quite to the digit: what is missed of it is taken off in the end.
        device = self._accelerator
        total, missed = device.outer_sums(self.points, self.mean) if device else self._outer_sums()
        return (total - np.outer(missed, missed / self.n_points)) / (self.n_points - 1)

    def _outer_sums(self) -> tuple[Float64[np.ndarray, "z_dim z_dim"], Float64[np.ndarray, " z_dim"]]:
        """Return the sums of the points' outer products with themselves and of the points, both about the mean."""

        def add(parts: list[slice]) -> tuple[np.ndarray, np.ndarray]:
            total, missed = np.zeros((self.z_dim, self.z_dim)), np.zeros(self.z_dim)
            for _, rows in self._about_mean(parts):
                total += rows.T @ rows
                missed += rows.sum(axis=0)
            return total, missed

        total, missed = np.zeros((self.z_dim, self.z_dim)), np.zeros(self.z_dim)
        for part_total, part_missed in each_block(add, self._product_parts):
            total += part_total
            missed += part_missed
        return total, missed

    @property
    def _accelerator(self) -> Accelerator | None:
        """A device for products of all points with as many columns as there are dimensions."""
        return accelerator(2.0 * self.points.size * self.z_dim)

    @property
    def _product_parts(self) -> list[list[slice]]:
        """The points in parts that the cores share out, each as slices of rows that are multiplied at a time."""
        n_rows = max(1, _PRODUCT_VALUES // self.z_dim)
        slices = [slice(start, start + n_rows) for start in range(0, self.n_points, n_rows)]
        n_parts = max(1, min(_N_PARTS, len(slices), _MOST_SUMMED_BYTES // (8 * self.z_dim**2)))
        return [slices[k::n_parts] for k in range(n_parts)]

    def _about_mean(self, parts: list[slice]) -> Iterator[tuple[slice, Float64[np.ndarray, "n_rows z_dim"]]]:
        """Yield the points of some slices about their mean, in float64 and all in the same memory."""
        buffer = np.empty((len(self.points[parts[0]]), self.z_dim))
        for part in parts:
            block = self.points[part]
            yield part, np.subtract(block, self.mean, out=buffer[: len(block)])

    @cached_property
    def principal(self) -> tuple[Float64[np.ndarray, " z_dim"], Float64[np.ndarray, "z_dim n_components"]]:
        """Variances along the principal components, largest first, and the components as columns.

        The sign of a component is arbitrary; here its largest entry is positive. There are z_dim components, or
        n_points - 1 where the points span no more; the variances beyond are 0.

        Cost: z_dim ** 3 operations, or n_points ** 2 * z_dim where there are fewer points than dimensions.
        """
        spanned = _spanned_directions if self.n_points <= self.z_dim else _all_directions
        with one_matrix_thread():  # more of them would change the last digits
            variances, components = spanned(self)
        largest = np.abs(components).argmax(axis=0)
        components *= np.sign(components[largest, np.arange(components.shape[1])])
        return variances, components

    @cached_property
    def rotated(self) -> Float32[np.ndarray, "n_points n_components"]:
        """The points about their centre, along the principal components; the column of the largest variance first.

        Each coordinate is good to float32 by itself: also small ones, along narrow components.

        Cost: n_points * z_dim ** 2 operations in float64 and memory for a second cloud, once.
        """
        components = np.ascontiguousarray(self.principal[1])
        if device := self._accelerator:
            return device.rotated(self.points, self.mean, components)
        rotated = np.empty((self.n_points, components.shape[1]), np.float32)

        def rotate(parts: list[slice]) -> None:
            for part, rows in self._about_mean(parts):
                rotated[part] = rows @ components

        over_blocks(rotate, self._product_parts)
        return rotated

    @cached_property
    def whitened(self) -> Float32[np.ndarray, "n_points n_broad"]:
        """The points along the principal components that have any spread, each of variance 1.

        Raises
        ------
        TooFewPoints
            When all points are equal.
        """
        variances, _ = self.principal
        n_broad = int((variances > _EMPTY * variances[0]).sum())
        if not (self.points != self.points[0]).any() or n_broad == 0:
            raise TooFewPoints("cloud", *_ALL_EQUAL)
        return np.asarray(self.rotated[:, :n_broad] / np.sqrt(variances[:n_broad]), dtype=np.float32)

    def require_points(self, where: str, fewest: int) -> None:
        """Refuse a cloud of fewer points, in the words of what needs them."""
        if self.n_points < fewest:
            raise TooFewPoints(
                where, f"must be looked at on at least {fewest} points", str(self.n_points), "Encode more images."
            )

    def neighbors(self, n_neighbors: int, watch: Watcher = watch_nothing) -> Neighbors:
        """Return the nearest neighbours of all points, as `nearest_neighbors` finds them.

        They are searched for once: the longest lists found so far, which are kept, serve all shorter requests.

        Parameters
        ----------
        n_neighbors
            At least 1, and fewer than there are points.
        watch
            Told of a search; of nothing where the lists are there.

        Raises
        ------
        TooFewPoints
            When there are not more points than neighbours.
        """
        longest = self._longest_neighbors
        if not longest or not 1 <= n_neighbors <= longest[0].indices.shape[1]:
            longest[:] = [nearest_neighbors(self.points, n_neighbors, watch=watch)]
        return longest[0].nearest(n_neighbors)

    @cached_property
    def pairs(self) -> Pairs:
        """Squared distances of all pairs, and neighbours from them: of some thousand points, as `pairs_of` says.

        Raises
        ------
        TooFewPoints
            When all points are equal.
        """
        return pairs_of(self.points, self.mean)

    @cached_property
    def by_distance(self) -> Int64[np.ndarray, " n_points"]:
        """Rows by distance from the mean, the nearest first: an order that is not that of the rows."""
        centred = self.points - self.mean
        return np.argsort(np.einsum("ij,ij->i", centred, centred), kind="stable")

    def spread_rows(self, n_rows: int) -> Int64[np.ndarray, " n_rows"]:
        """Return rows at even distances in the order `by_distance`: all of them where there are no more.

        Neither rotation nor scaling nor the order of the rows changes which points they are, but for points at the same
        distance.
        """
        n_rows = min(n_rows, self.n_points)
        return self.by_distance[((np.arange(n_rows) + 0.5) * self.n_points / n_rows).astype(np.int64)]

    @cached_property
    def _longest_neighbors(self) -> list[Neighbors]:
        """The longest lists found so far, as the only item; empty before the first search."""
        return []


def _all_directions(cloud: Cloud) -> tuple[Float64[np.ndarray, " z_dim"], Float64[np.ndarray, "z_dim z_dim"]]:
    variances, components = np.linalg.eigh(cloud.covariance)
    return variances[::-1].clip(min=0.0), np.ascontiguousarray(components[:, ::-1])


def _spanned_directions(
    cloud: Cloud,
) -> tuple[Float64[np.ndarray, " z_dim"], Float64[np.ndarray, "z_dim n_components"]]:
    """Return variances and components by way of the products of the points, of which there are fewer than axes."""
    centred = cloud.points - cloud.mean
    squares, weights = np.linalg.eigh(centred @ centred.T / (cloud.n_points - 1))
    variances = np.zeros(cloud.z_dim)
    variances[: cloud.n_points - 1] = squares[:0:-1].clip(min=0.0)
    directions = centred.T @ weights[:, :0:-1]
    lengths = np.linalg.norm(directions, axis=0)
    # Where next to nothing varies, rounding has turned the directions: each is made orthogonal to those before it.
    components, _ = np.linalg.qr(directions / np.where(lengths > 0, lengths, 1.0))
    return variances, components
