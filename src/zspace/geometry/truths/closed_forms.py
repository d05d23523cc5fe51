"""Clouds whose answer is known in closed form, and what each measure must find on them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import special, stats

from zspace.seeds import random_stream
from zspace.shapes import Points

GAUSSIAN_FULL_WIDTH = 2 * np.sqrt(2 * np.log(2))
"""Full width at half maximum of a Gaussian, in standard deviations: 2.3548."""


def gaussian_points(
    n_points: int, mean: Float64[np.ndarray, " z_dim"], covariance: Float64[np.ndarray, "z_dim z_dim"], seed: int
) -> Points:
    """Draw from the Gaussian of this mean and covariance, in units of z; the covariance may be singular."""
    variances, components = np.linalg.eigh(covariance)
    normal = random_stream(seed, "truth", "gaussian").standard_normal((n_points, len(mean)))
    return np.asarray(mean + (normal * np.sqrt(variances.clip(min=0.0))) @ components.T, dtype=np.float32)


def standard_normal_points(n_points: int, z_dim: int, seed: int) -> Points:
    """Draw from N(0, I)."""
    return gaussian_points(n_points, np.zeros(z_dim), np.eye(z_dim), seed)


def cube_points(n_points: int, z_dim: int, width: float, seed: int) -> Points:
    """Draw uniformly from the cube [-width, width] ** z_dim."""
    draws = random_stream(seed, "truth", "cube").uniform(-width, width, (n_points, z_dim))
    return np.asarray(draws, dtype=np.float32)


def sphere_points(n_points: int, z_dim: int, radius: float, seed: int) -> Points:
    """Draw uniformly from the surface of the sphere about the origin."""
    normal = random_stream(seed, "truth", "sphere").standard_normal((n_points, z_dim))
    return np.asarray(radius * normal / np.linalg.norm(normal, axis=1, keepdims=True), dtype=np.float32)


def line_points(n_points: int, direction: Float64[np.ndarray, " z_dim"], seed: int) -> Points:
    """Draw uniformly from the line between -direction and direction."""
    place = random_stream(seed, "truth", "line").uniform(-1, 1, n_points)
    return np.asarray(place[:, np.newaxis] * direction, dtype=np.float32)


def constant_points(n_points: int, point: Float64[np.ndarray, " z_dim"]) -> Points:
    """Return the same point n_points times."""
    return np.tile(point.astype(np.float32), (n_points, 1))


def gaussian_mean_radius(z_dim: int, deviation: float = 1.0, offset: float = 0.0) -> float:
    """Return the mean distance from the origin of N(m, deviation ** 2 I), where m lies ``offset`` away from it.

    Source
    ------
    Mean of the noncentral chi law; without offset, sqrt(2) Gamma((z_dim + 1) / 2) / Gamma(z_dim / 2), that of chi.

    Examples
    --------
    >>> round(gaussian_mean_radius(256), 3)
    15.984
    """
    ratio = np.exp(special.gammaln((z_dim + 1) / 2) - special.gammaln(z_dim / 2))
    noncentrality = (offset / deviation) ** 2
    return float(deviation * np.sqrt(2) * ratio * special.hyp1f1(-0.5, z_dim / 2, -noncentrality / 2))


def turned_covariance(variances: Float64[np.ndarray, " z_dim"]) -> Float64[np.ndarray, "z_dim z_dim"]:
    """Return a covariance with these principal variances, none of whose components lies along an axis."""
    # The reflection I - 2 v v^T at an oblique v is its own inverse and mixes all axes.
    oblique = np.arange(1.0, len(variances) + 1)
    oblique /= np.linalg.norm(oblique)
    reflection = np.eye(len(variances)) - 2 * np.outer(oblique, oblique)
    return np.asarray(reflection @ np.diag(variances) @ reflection)


@dataclass(frozen=True)
class Truth:
    """One row of the table: a cloud, and what measures find on it when the points are many."""

    name: str
    title: str
    draw: Callable[[int, int], Points]
    """Function of the number of points and a seed."""
    answers: dict[str, float]
    """Closed-form values by ``"measure.estimate"``."""


def _standard_normal(z_dim: int) -> Truth:
    radius = stats.chi(z_dim)
    shells = {"half_shell_low": 0.25, "half_shell_high": 0.75, "shell95_low": 0.025, "shell95_high": 0.975}
    return Truth(
        "standard-normal",
        f"N(0, I) in {z_dim} dimensions",
        lambda n_points, seed: standard_normal_points(n_points, z_dim, seed),
        {
            "radius.mean_radius": gaussian_mean_radius(z_dim),
            "radius.standard_deviation": float(radius.std()),
            "radius.matched_mean_radius": gaussian_mean_radius(z_dim),
            "radius.matched_peak_radius": np.sqrt(z_dim - 1),
            **{f"radius.{name}": float(radius.ppf(share)) for name, share in shells.items()},
            "axes.n_special_axes": 0,
            "axes.median_standard_deviation": 1,
            "principal.participation_ratio": z_dim,
        },
    )


def _off_centre(z_dim: int, deviation: float, offset: float) -> Truth:
    mean = np.zeros(z_dim)
    mean[-1] = -offset
    return Truth(
        "off-centre",
        f"isotropic Gaussian of deviation {deviation:g}, {offset:g} off the origin along the last axis",
        lambda n_points, seed: gaussian_points(n_points, mean, deviation**2 * np.eye(z_dim), seed),
        {
            "radius.mean_radius": gaussian_mean_radius(z_dim, deviation, offset),
            "radius.matched_mean_radius": gaussian_mean_radius(z_dim, deviation, offset),
            "axes.n_special_axes": 1,
            "axes.largest_offset": -offset,
            "axes.median_standard_deviation": deviation,
            "principal.participation_ratio": z_dim,
        },
    )


def _correlated() -> Truth:
    variances = np.array([8.0, 4.0, 2.0, 1.0, 1.0])
    covariance = turned_covariance(variances)
    deviations = np.sqrt(covariance.diagonal())
    return Truth(
        "correlated",
        "Gaussian with principal variances 8, 4, 2, 1, 1, turned away from the axes",
        lambda n_points, seed: gaussian_points(n_points, np.zeros(5), covariance, seed),
        {
            "axes.median_standard_deviation": float(np.median(deviations)),
            "axes.largest_standard_deviation": float(deviations.max()),
            "principal.first_component_share": 0.5,
            "principal.n_for_90_percent": 4,
            "principal.n_for_99_percent": 5,
            "principal.participation_ratio": 256 / 86,
        },
    )


def _special_axes() -> Truth:
    mean, deviations = np.array([0.0, 3.0, 0.0, 0.0, 0.5, 0.0]), np.array([1.0, 1.0, 4.0, 1.0, 1.0, 2.0])
    return Truth(
        "special-axes",
        "Gaussian of deviation 1, but axis 1 sits at 3 and axes 2 and 5 have deviations 4 and 2",
        lambda n_points, seed: gaussian_points(n_points, mean, np.diag(deviations**2), seed),
        {
            "axes.n_special_axes": 3,
            "axes.largest_offset": 3,
            "axes.largest_standard_deviation": 4,
            "axes.median_standard_deviation": 1,
        },
    )


def _cube(z_dim: int, width: float) -> Truth:
    return Truth(
        "cube",
        f"uniform in [-{width:g}, {width:g}] on {z_dim} axes",
        lambda n_points, seed: cube_points(n_points, z_dim, width, seed),
        {
            "axes.n_special_axes": 0,
            "axes.median_standard_deviation": width / np.sqrt(3),
            "axes.n_not_normal_axes": z_dim,
            "axes.median_excess_kurtosis": -1.2,
            "principal.participation_ratio": z_dim,
        },
    )


def _sphere(z_dim: int, radius: float) -> Truth:
    at_radius = ("mean_radius", "smallest", "largest", "half_shell_low", "half_shell_high", "shell95_low")
    return Truth(
        "sphere",
        f"surface of the sphere of radius {radius:g} in {z_dim} dimensions",
        lambda n_points, seed: sphere_points(n_points, z_dim, radius, seed),
        {
            **{f"radius.{name}": radius for name in at_radius},
            "radius.standard_deviation": 0,
            "axes.median_standard_deviation": radius / np.sqrt(z_dim),
            "axes.median_excess_kurtosis": 3 * z_dim / (z_dim + 2) - 3,
            "principal.participation_ratio": z_dim,
        },
    )


def _line() -> Truth:
    direction = np.array([3.0, 0.0, -4.0])
    return Truth(
        "line",
        "line of length 10 through the origin",
        lambda n_points, seed: line_points(n_points, direction, seed),
        {
            "radius.mean_radius": 2.5,
            "radius.standard_deviation": 5 / np.sqrt(12),
            "principal.first_component_share": 1,
            "principal.n_for_99_percent": 1,
            "principal.participation_ratio": 1,
            "planes.pc1_pc2_whole_local_dimension": 1,
        },
    )


def _heaps(n_heaps: int, z_dim: int, distance: float) -> Truth:
    centres = np.eye(n_heaps, z_dim) * distance / np.sqrt(2)

    def draw(n_points: int, seed: int) -> Points:
        random = random_stream(seed, "truth", "heaps")
        points = random.standard_normal((n_points, z_dim)) + centres[random.integers(n_heaps, size=n_points)]
        return np.asarray(points, dtype=np.float32)

    return Truth(
        "heaps",
        f"{n_heaps} unit Gaussians in {z_dim} dimensions, {distance:g} deviations apart",
        draw,
        {"clusters.elbow_k": n_heaps, "clusters.gap_k": n_heaps},
    )


def _constant() -> Truth:
    return Truth(
        "constant",
        "the point (1, 2, 2) over and over",
        lambda n_points, _seed: constant_points(n_points, np.array([1.0, 2.0, 2.0])),
        {
            "radius.mean_radius": 3,
            "radius.standard_deviation": 0,
            "radius.smallest": 3,
            "radius.largest": 3,
            "axes.largest_offset": 2,
            "axes.median_standard_deviation": 0,
        },
    )


TRUTHS: dict[str, Truth] = {
    row.name: row
    for row in (
        _standard_normal(z_dim=6),
        _off_centre(z_dim=4, deviation=0.5, offset=3.0),
        _correlated(),
        _special_axes(),
        _cube(z_dim=5, width=2.0),
        _sphere(z_dim=4, radius=5.0),
        _line(),
        _heaps(n_heaps=8, z_dim=10, distance=8.0),
        _constant(),
    )
}
