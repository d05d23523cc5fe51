"""The coordinates in which a cloud has mean 0 and covariance 1, along the directions in which it varies at all."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import linalg

from zspace.geometry.clouds import Cloud
from zspace.shapes import Points

_EMPTY = 1e-12
"""Directions with less than this share of the largest variance are empty."""
_FLOAT32_STEP = float(np.finfo(np.float32).eps)
_SLIM = 2
"""With fewer points per direction than this, the Cholesky factor of their covariance may be off by too much."""


@dataclass(frozen=True)
class Frame:
    """Mean, principal components and deviations of a cloud, without the directions along which nothing varies.

    Covariances are sums over the points divided by their number.
    """

    mean: Float64[np.ndarray, " z_dim"]
    colour: Float64[np.ndarray, "n_directions z_dim"]
    """What whitened coordinates are multiplied by: the components as rows, times their deviations."""
    paint: Float64[np.ndarray, "z_dim n_directions"]
    """The way back: the components as columns, divided by their deviations."""

    @classmethod
    def of(cls, cloud: Cloud) -> "Frame":
        """Return the frame of a cloud.

        A singular covariance (fewer points than dimensions, constant axes, duplicates) is fine: empty directions are
        left out, so that all that is drawn in the frame lies where the cloud lies. A cloud whose points are all the
        same has no direction at all.
        """
        variances, components = cloud.principal
        spanned = variances[: components.shape[1]]
        # float32 rounds every coordinate, and what it rounds off varies as well.
        rounding = (_FLOAT32_STEP * max(map(abs, cloud.extremes))) ** 2
        varies = spanned > max(_EMPTY * float(variances[0]), rounding)
        deviations = np.sqrt(spanned[varies] * ((cloud.n_points - 1) / cloud.n_points))
        directions = components[:, varies]
        return cls(cloud.mean, deviations[:, np.newaxis] * directions.T, directions / deviations)

    @property
    def n_directions(self) -> int:
        """Number of directions along which the cloud varies."""
        return len(self.colour)

    def white(self, points: Points) -> Float64[np.ndarray, "n_points n_directions"]:
        """Return points in whitened coordinates: those of the cloud itself have mean 0 and covariance 1."""
        return np.asarray((points - self.mean) @ self.paint)

    def points(self, white: Float64[np.ndarray, "n_points n_directions"]) -> Points:
        """Return the points that have these whitened coordinates."""
        return np.asarray(white @ self.colour + self.mean, dtype=np.float32)


def whitened(draws: Float64[np.ndarray, "n_points n_axes"]) -> Float64[np.ndarray, "n_points n_axes"]:
    """Turn draws into ones whose mean is 0 and whose covariance is the identity, to the digit.

    There must be more draws than axes. Draws of N(0, I) become a uniformly random choice among all whitened clouds,
    turned about by the same law whatever their mean and covariance were.

    Cost
    ----
    Two products of n_points * n_axes ** 2 operations; with fewer than twice as many draws as axes, whose covariance
    is close to singular, a QR decomposition, which takes several times as long.
    """
    centred = draws - draws.mean(axis=0)
    return np.asarray(centred @ whitening(centred))


def whitening(centred: Float64[np.ndarray, "n_points n_axes"]) -> Float64[np.ndarray, "n_axes n_axes"]:
    """Return the upper triangular matrix that whitens points whose mean is 0."""
    # The inverse first: solving for thousands of right-hand sides takes ten times as long as one more product.
    upper = rooted(centred)
    return np.asarray(linalg.solve_triangular(upper, np.eye(len(upper)), check_finite=False))


def rooted(centred: Float64[np.ndarray, "n_points n_axes"]) -> Float64[np.ndarray, "n_axes n_axes"]:
    """Return the upper triangular root of the covariance of points whose mean is 0: what colours white ones as them."""
    n_points, n_axes = centred.shape
    if not n_axes:
        return np.zeros((0, 0))
    if n_points >= _SLIM * n_axes:
        return np.asarray(linalg.cholesky(centred.T @ centred / n_points, check_finite=False))
    upper = np.asarray(np.linalg.qr(centred, mode="r")) / np.sqrt(n_points)
    return np.asarray(upper * np.where(upper.diagonal() < 0, -1.0, 1.0)[:, np.newaxis])
