"""What known clouds are built in: spectra that fall as a power of the rank, turned so that no axis is special."""

import numpy as np
from jaxtyping import Float64

from zspace.seeds import random_stream
from zspace.shapes import Points

N_LEADING = 4
"""Leading components in which a hole is a ball, and in which heaps lie apart."""


def power_law(z_dim: int, exponent: float = 1.0) -> Float64[np.ndarray, " z_dim"]:
    """Return principal variances that fall as a power of their rank and are 1 on average, largest first.

    Examples
    --------
    >>> power_law(3).round(3).tolist()
    [1.636, 0.818, 0.545]
    """
    return averaging_one(np.arange(1.0, z_dim + 1) ** -exponent)


def averaging_one(variances: Float64[np.ndarray, " z_dim"]) -> Float64[np.ndarray, " z_dim"]:
    """Return variances in the same proportions that are 1 on average: the size of their cloud is sqrt(z_dim)."""
    return np.asarray(variances * (len(variances) / variances.sum()))


def rotation(z_dim: int, shape_seed: int) -> Float64[np.ndarray, "z_dim z_dim"]:
    """Return a random orthogonal matrix: principal components, as columns, that lie along no axis.

    Cost: z_dim ** 3 operations.
    """
    normal = random_stream(shape_seed, "truth", "rotation").standard_normal((z_dim, z_dim))
    return np.asarray(np.linalg.qr(normal)[0])


def turned(coordinates: Float64[np.ndarray, "n_points z_dim"], shape_seed: int) -> Points:
    """Return z-points whose coordinates along the components of `rotation` are these."""
    return np.asarray(coordinates @ rotation(coordinates.shape[1], shape_seed).T, dtype=np.float32)


def size_of(points: Float64[np.ndarray, "n_points z_dim"]) -> float:
    """Return the size of a cloud: the root of the trace of its covariance, in units of z."""
    return float(np.sqrt(points.var(axis=0).sum()))


def resized(coordinates: Float64[np.ndarray, "n_points z_dim"]) -> Float64[np.ndarray, "n_points z_dim"]:
    """Return coordinates scaled so that the size of the cloud is sqrt(z_dim), as that of N(0, I)."""
    return np.asarray(coordinates * (np.sqrt(coordinates.shape[1]) / size_of(coordinates)))
