"""Null models: clouds without the structure in question, but otherwise like the cloud at hand.

The matched Gaussian has the cloud's own mean and covariance, so what differs from it is neither position nor shape
nor correlation. The isotropic Gaussian has only the cloud's total variance.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Float64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.radius_laws import RadiusLaw, constant_radius_law, gaussian_radius_law
from zspace.seeds import random_stream

MATCHED_GAUSSIAN = "Gaussian with the cloud's mean and covariance"
ISOTROPIC_GAUSSIAN = "isotropic Gaussian of the cloud's total variance"
STANDARD_NORMAL = "N(0, I)"
_NO_VARIANCE = 1e-14
"""A smaller share of the largest variance than this is rounding."""


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


def matched_gaussian_radius_law(cloud: Cloud) -> RadiusLaw:
    """Return the law of the radius of the Gaussian with the cloud's mean and covariance."""
    variances, components = cloud.principal
    # Rounding leaves a little variance along directions that have none.
    deviations = np.sqrt(np.where(variances > _NO_VARIANCE * variances[0], variances, 0.0))
    law = gaussian_radius_law(deviations, cloud.mean @ components)
    # One radius is told by the points themselves: the law's own last digits might put it on the other side of an edge.
    return constant_radius_law(float(np.median(cloud.radii))) if law.is_constant else law


def matched_gaussian_radii(
    law: RadiusLaw, n_points: int, n_clouds: int, seed: int
) -> Iterator[Float64[np.ndarray, " n_points"]]:
    """Draw the sorted radii of whole clouds from the law of the matched Gaussian.

    Randomness
    ----------
    A stream of its own for every cloud; n_points + 1 numbers for each instead of n_points * z_dim.
    """
    for k in range(n_clouds):
        yield law.draw_sorted(n_points, random_stream(seed, "matched gaussian radii", k))


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
