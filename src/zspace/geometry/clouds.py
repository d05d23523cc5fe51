"""A cloud of z-points, and what several measures need of it, computed once."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Float64

from zspace.errors import PointsNotFinite, TooFewPoints
from zspace.geometry.accelerators import Accelerator, accelerator
from zspace.geometry.neighbors import Neighbors, nearest_neighbors
from zspace.machine import over_blocks
from zspace.results import Watcher, watch_nothing

_BLOCK_VALUES = 1 << 19
"""Values that are worked on at a time: 4 MiB as float64. Smaller blocks fit the cache, but cost more hand-overs."""

_PRODUCT_VALUES = 1 << 19
"""Values that are multiplied at a time: large enough for matrix products to run at full speed."""
_N_PARTS = 8
"""Parts that are summed apart, whatever the number of cores, so that the order of adding is always the same."""
_MANY_POINTS = 10_000
"""From so many points on, sums of products are good enough in float32."""
_CENTRE_POINTS = 1024


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

        Clouds of `_MANY_POINTS` and more are multiplied in float32, block by block, and added up in float64: each
        entry is good to 1e-6 of the two deviations, far below what the draw of the points leaves open. That is done
        on a GPU where there is one.
        """
        many = self.n_points >= _MANY_POINTS
        # Any centre will do that lies within the cloud: what it misses of the mean is taken off in the end.
        centre = self.points[:: -(-self.n_points // _CENTRE_POINTS)].mean(axis=0, dtype=np.float64)
        device = self._accelerator if many else None
        if device:
            total, missed = device.outer_sums(self.points, centre.astype(np.float32))
        else:
            total, missed = self._outer_sums(centre.astype(np.float32 if many else np.float64))
        return (total - np.outer(missed, missed / self.n_points)) / (self.n_points - 1)

    def _outer_sums(
        self, centre: Float[np.ndarray, " z_dim"]
    ) -> tuple[Float64[np.ndarray, "z_dim z_dim"], Float64[np.ndarray, " z_dim"]]:
        """Return the sums of the points' outer products and of the points, about a centre and in its precision."""

        def add(parts: list[slice]) -> tuple[np.ndarray, np.ndarray]:
            total, missed = np.zeros((self.z_dim, self.z_dim)), np.zeros(self.z_dim)
            for _, rows in self._about(centre, parts):
                total += rows.T @ rows
                missed += rows.sum(axis=0)
            return total, missed

        totals, missed = zip(*over_blocks(add, self._product_parts), strict=True)
        return np.sum(totals, axis=0), np.sum(missed, axis=0)

    @property
    def _accelerator(self) -> Accelerator | None:
        """A device for products of all points with as many columns as there are dimensions."""
        return accelerator(2.0 * self.points.size * self.z_dim)

    @property
    def _product_parts(self) -> list[list[slice]]:
        """The points in parts that the cores share out, each as slices of rows that are multiplied at a time."""
        n_rows = max(1, _PRODUCT_VALUES // self.z_dim)
        slices = [slice(start, start + n_rows) for start in range(0, self.n_points, n_rows)]
        return [slices[k::_N_PARTS] for k in range(min(_N_PARTS, len(slices)))]

    def _about(
        self, centre: Float[np.ndarray, " z_dim"], parts: list[slice]
    ) -> Iterator[tuple[slice, Float[np.ndarray, "n_rows z_dim"]]]:
        """Yield the points of some slices about a centre and in its precision, all in the same memory."""
        buffer = np.empty((len(self.points[parts[0]]), self.z_dim), centre.dtype)
        for part in parts:
            block = self.points[part]
            yield part, np.subtract(block, centre, out=buffer[: len(block)])

    @cached_property
    def principal(self) -> tuple[Float64[np.ndarray, " z_dim"], Float64[np.ndarray, "z_dim z_dim"]]:
        """Variances along the principal components, largest first, and the components as columns.

        The sign of a component is arbitrary; here its largest entry is positive.
        """
        variances, components = np.linalg.eigh(self.covariance)
        variances, components = variances[::-1].clip(min=0.0), components[:, ::-1]
        largest = np.abs(components).argmax(axis=0)
        signs = np.sign(components[largest, np.arange(self.z_dim)])
        return variances, components * signs

    @cached_property
    def rotated(self) -> Float32[np.ndarray, "n_points z_dim"]:
        """The points about their centre, along the principal components; the column of the largest variance first.

        Cost: n_points * z_dim ** 2 operations and memory for a second cloud, once.
        """
        components, centre = self.principal[1].astype(np.float32), self.mean.astype(np.float32)
        if device := self._accelerator:
            return device.rotated(self.points, centre, components)
        rotated = np.empty((self.n_points, self.z_dim), np.float32)

        def rotate(parts: list[slice]) -> None:
            for part, rows in self._about(centre, parts):
                # Taken off before the rotation: afterwards, float32 would have lost the digits of clouds far off.
                np.matmul(rows, components, out=rotated[part])

        over_blocks(rotate, self._product_parts)
        return rotated

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
    def _longest_neighbors(self) -> list[Neighbors]:
        """The longest lists found so far, as the only item; empty before the first search."""
        return []
