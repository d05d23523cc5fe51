"""Null models in closed form: what is seen of a drawn cloud, drawn by its law and without the points.

The matched Gaussian has the cloud's own mean and covariance, so what differs from it is neither position nor shape
nor correlation. The isotropic Gaussian has only the cloud's total variance. `SHORTCUTS` lists which views of which null
model need no points; every row is held by a test against clouds that were drawn point by point.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import linalg, stats

from zspace.geometry.axes.normality import axis_shapes, normal_shapes
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import expected_counts
from zspace.geometry.nulls.frames import whitened
from zspace.geometry.radius.laws import RadiusLaw, constant_radius_law, gaussian_radius_law
from zspace.machine import each_block
from zspace.seeds import random_stream
from zspace.shapes import Points

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
    Uses ``random`` only; a normal number for every point and component.
    """
    variances, components = cloud.principal
    n_components = components.shape[1]
    scores = random.standard_normal((n_points, n_components)) * np.sqrt(variances[:n_components])
    return np.asarray(cloud.mean + scores @ components.T, dtype=np.float32)


def matched_gaussian_radius_law(cloud: Cloud) -> RadiusLaw:
    """Return the law of the radius of the Gaussian with the cloud's mean and covariance."""
    variances, components = cloud.principal
    # Rounding leaves a little variance along directions that have none.
    deviations = np.sqrt(np.where(variances > _NO_VARIANCE * variances[0], variances, 0.0))
    offsets = np.zeros(cloud.z_dim)
    offsets[: components.shape[1]] = cloud.mean @ components
    if components.shape[1] < cloud.z_dim:  # all that lies across the components is one more offset
        offsets[-1] = np.linalg.norm(cloud.mean - components @ (cloud.mean @ components))
    law = gaussian_radius_law(deviations, offsets)
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


def fitted_gaussian_radii(cloud: Cloud, n_clouds: int, seed: int) -> list[Float64[np.ndarray, " n_points"]]:
    """Draw the sorted radii of whole Gaussian clouds whose sample mean and covariance are the cloud's, to the digit.

    Given mean and covariance all Gaussian clouds are alike, so the radii of a Gaussian cloud and these differ by
    chance alone, although the cloud was used twice. Radii from the law of the matched Gaussian scatter more: their
    mean square, say, is not that of the cloud.

    Randomness
    ----------
    A stream of its own for every cloud; a normal number for every point and component.

    Cost
    ----
    2 * n_points * z_dim ** 2 operations for every cloud, spread over the cores.
    """
    variances, components = cloud.principal
    varying = np.flatnonzero(variances[: components.shape[1]] > _NO_VARIANCE * variances[0])[: cloud.n_points - 1]
    if not len(varying):
        return [np.full(cloud.n_points, np.median(cloud.radii)) for _ in range(n_clouds)]
    deviations = np.sqrt(variances[varying] * (cloud.n_points - 1) / cloud.n_points)
    offsets = cloud.mean @ components[:, varying]
    across = max(0.0, float(cloud.mean @ cloud.mean - offsets @ offsets))

    def draw(number: int) -> Float64[np.ndarray, " n_points"]:
        random = random_stream(seed, "fitted gaussian radii", number)
        places = whitened(random.standard_normal((cloud.n_points, len(varying)))) * deviations + offsets
        return np.sort(np.sqrt(np.einsum("ij,ij->i", places, places) + across))

    return list(each_block(draw, range(n_clouds)))


def isotropic_spectra(cloud: Cloud, n_clouds: int, seed: int) -> Float64[np.ndarray, "n_clouds z_dim"]:
    """Draw principal-component spectra, largest first, of isotropic Gaussian clouds.

    Each has the cloud's number of points and its total variance, to the digit: given that, all isotropic clouds are
    alike. No points are drawn, and no matrix of z_dim columns is made: the spectrum of a Gaussian sample follows the
    law of a small tridiagonal matrix.

    Cost
    ----
    2 * m random numbers and m ** 2 operations for each cloud, where m is the smaller of n_points - 1 and z_dim.

    Source
    ------
    Dumitriu and Edelman 2002, J. Math. Phys. 43, 5830, matrix models for beta ensembles, the Laguerre one with beta 1:
    the eigenvalues of a Wishart matrix are those of B B^T, B having independent chi variables on its diagonal and
    below it.
    """
    total = float(cloud.covariance.trace())
    degrees = cloud.n_points - 1
    n_varying = min(degrees, cloud.z_dim)
    ranks = np.arange(n_varying)
    spectra = np.zeros((n_clouds, cloud.z_dim))
    for k in range(n_clouds):
        random = random_stream(seed, "isotropic spectra", k)
        diagonal = np.sqrt(random.chisquare(max(degrees, cloud.z_dim) - ranks))
        below = np.sqrt(random.chisquare(ranks[:0:-1]))
        squares = diagonal**2
        squares[1:] += below**2
        varying = linalg.eigvalsh_tridiagonal(squares, diagonal[:-1] * below)[::-1].clip(min=0.0)
        spectra[k, :n_varying] = varying * (total / varying.sum())
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
    return expected_counts(n_points, stats.chi.cdf(edges, z_dim))


View = Float64[np.ndarray, "..."]
"""What is seen of one drawn cloud."""


@dataclass(frozen=True)
class Shortcut:
    """A view of a null model whose law is known, so that no points have to be drawn for it."""

    null: str
    """Name of the null model: a rung of the ladder, or ``"isotropic"``."""
    view: str
    source: str
    """What the law is, and where from."""
    draws: Callable[[Cloud, int, int], Iterator[View]]
    """Function of the cloud, a number of null clouds and a seed: the view of each of them."""
    points: Callable[[Cloud, np.random.Generator], Points]
    """Draws the points of one such cloud all the same, as many as the cloud has: what the law is held against."""
    look: Callable[[Cloud], View]
    """The same view of a cloud of points."""


def _isotropic_points(cloud: Cloud, random: np.random.Generator) -> Points:
    drawn = random.standard_normal((cloud.n_points, cloud.z_dim))
    drawn -= drawn.mean(axis=0)
    total = float(cloud.covariance.trace()) * (cloud.n_points - 1)
    return np.asarray(drawn * np.sqrt(total / (drawn**2).sum()), dtype=np.float32)


def _matched_radii(cloud: Cloud, n_clouds: int, seed: int) -> Iterator[View]:
    return matched_gaussian_radii(matched_gaussian_radius_law(cloud), cloud.n_points, n_clouds, seed)


def _shapes(cloud: Cloud) -> View:
    found = axis_shapes(cloud, np.arange(cloud.z_dim))
    return np.stack([found.skewness, found.excess_kurtosis])


def _matched_shapes(cloud: Cloud, n_clouds: int, seed: int) -> Iterator[View]:
    deviations = np.sqrt(cloud.covariance.diagonal())
    correlation = cloud.covariance / np.outer(deviations, deviations)
    drawn = normal_shapes(correlation, cloud.n_points, n_clouds, seed)
    return (np.stack([one.skewness, one.excess_kurtosis]) for one in drawn)


def _matched_points(cloud: Cloud, random: np.random.Generator) -> Points:
    return matched_gaussian_points(cloud, cloud.n_points, random)


SHORTCUTS: dict[tuple[str, str], Shortcut] = {
    (row.null, row.view): row
    for row in (
        Shortcut(
            "gaussian",
            "sorted radii",
            "weighted non-central chi-squares, see `gaussian_radius_law`; the fit is not held",
            _matched_radii,
            _matched_points,
            lambda cloud: np.sort(cloud.radii),
        ),
        Shortcut(
            "gaussian",
            "shapes of axes",
            "normal scores of skewness and kurtosis, correlated by Mehler's formula, see `normal_shapes`",
            _matched_shapes,
            _matched_points,
            _shapes,
        ),
        Shortcut(
            "isotropic",
            "spectrum",
            "Wishart's law by a tridiagonal matrix, see `isotropic_spectra`; the total variance is held",
            lambda cloud, n_clouds, seed: iter(isotropic_spectra(cloud, n_clouds, seed)),
            _isotropic_points,
            lambda cloud: cloud.principal[0],
        ),
    )
}
"""By null model and view. Counts in windows of a plane have a law with the fit held: `planes.windows.count_law`."""
