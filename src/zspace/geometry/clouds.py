"""A cloud of z-points, and what several measures need of it, computed once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64

from zspace.errors import PointsNotFinite, TooFewPoints

_BLOCK_VALUES = 1 << 22
"""Values that are converted to float64 at a time: 32 MiB."""


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
        finite = np.isfinite(self.points).all(axis=1)
        if not finite.all():
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
        """Return views of consecutive rows, each small enough to convert to float64."""
        return [self.points[start : start + self.block_rows] for start in range(0, self.n_points, self.block_rows)]

    @cached_property
    def radii(self) -> Float64[np.ndarray, " n_points"]:
        """Distance of every point from the origin, in units of z."""
        return np.concatenate([np.linalg.norm(block.astype(np.float64), axis=1) for block in self.blocks()])

    @cached_property
    def mean(self) -> Float64[np.ndarray, " z_dim"]:
        """Centre of the cloud, in units of z."""
        total = sum(block.sum(axis=0, dtype=np.float64) for block in self.blocks())
        return np.asarray(total / self.n_points)

    @cached_property
    def covariance(self) -> Float64[np.ndarray, "z_dim z_dim"]:
        """Unbiased covariance, in squared units of z. Cost: n_points * z_dim ** 2 operations, once."""
        total = np.zeros((self.z_dim, self.z_dim))
        for block in self.blocks():
            centred = block.astype(np.float64) - self.mean
            total += centred.T @ centred
        return total / (self.n_points - 1)

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
