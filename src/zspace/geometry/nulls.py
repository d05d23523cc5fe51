"""Null models: clouds without the structure in question, but otherwise like the cloud at hand.

The matched Gaussian has the cloud's own mean and covariance, so what differs from it is neither position nor shape
nor correlation. The isotropic Gaussian has only the cloud's total variance.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.seeds import random_stream

MATCHED_GAUSSIAN = "Gaussian with the cloud's mean and covariance"
ISOTROPIC_GAUSSIAN = "isotropic Gaussian of the cloud's total variance"
STANDARD_NORMAL = "N(0, I)"


def matched_gaussian_points(
    cloud: Cloud, n_points: int, random: np.random.Generator
) -> Float32[np.ndarray, "n_points z_dim"]:
    """Draw points from the Gaussian with the cloud's mean and covariance.

    A singular covariance (fewer points than dimensions, constant axes) is fine: nothing is drawn along the empty
    directions.

    Randomness
    ----------
    Uses ``random`` only; n_points * z_dim normal numbers.
    """
    variances, components = cloud.principal
    scores = random.standard_normal((n_points, cloud.z_dim)) * np.sqrt(variances)
    return np.asarray(cloud.mean + scores @ components.T, dtype=np.float32)


def matched_gaussian_radii(cloud: Cloud, n_clouds: int, seed: int) -> Iterator[Float64[np.ndarray, " n_points"]]:
    """Draw the radii of whole clouds from the matched Gaussian, each with as many points as the cloud.

    The radius does not change under rotation, so the points are drawn along the principal axes and never rotated
    back: n_points * z_dim operations for a cloud instead of n_points * z_dim ** 2.
    """
    variances, components = cloud.principal
    deviations, centre = np.sqrt(variances), cloud.mean @ components
    for k in range(n_clouds):
        random = random_stream(seed, "matched gaussian radii", k)
        yield np.concatenate(
            [
                np.linalg.norm(centre + deviations * random.standard_normal(block.shape), axis=1)
                for block in cloud.blocks()
            ]
        )


def isotropic_spectra(cloud: Cloud, n_clouds: int, seed: int) -> Float64[np.ndarray, "n_clouds z_dim"]:
    """Draw principal-component spectra, largest first, of isotropic Gaussian clouds.

    Each has the cloud's number of points and, on average, its total variance. With more points than dimensions the
    sample covariance is drawn directly from its Wishart law: z_dim ** 3 operations, whatever the number of points.
    """
    scale = float(cloud.covariance.trace()) / cloud.z_dim
    degrees = cloud.n_points - 1
    spectra = np.zeros((n_clouds, cloud.z_dim))
    for k in range(n_clouds):
        random = random_stream(seed, "isotropic spectra", k)
        if degrees >= cloud.z_dim:
            matrix = np.atleast_2d(stats.wishart.rvs(degrees, np.eye(cloud.z_dim), random_state=random))
        else:
            draws = random.standard_normal((degrees, cloud.z_dim))
            matrix = draws.T @ draws
        spectra[k] = np.linalg.eigvalsh(matrix)[::-1].clip(min=0.0) * scale / degrees
    return spectra


def standard_normal_radius_range(z_dim: int) -> tuple[float, float]:
    """Return the radii between which all but one in a thousand points of N(0, I) lie."""
    return float(stats.chi.ppf(0.0005, z_dim)), float(stats.chi.ppf(0.9995, z_dim))


def standard_normal_radius_counts(
    edges: Float64[np.ndarray, " n_edges"], n_points: int, z_dim: int
) -> Float64[np.ndarray, " n_bins"]:
    """Return how many of ``n_points`` points of N(0, I) are expected in each radius bin.

    Source
    ------
    The radius of a standard normal vector follows the chi law with z_dim degrees of freedom.
    """
    return np.asarray(n_points * np.diff(stats.chi.cdf(edges, z_dim)))
