"""Clouds whose answer is known: what is found there shows what a measure or a verdict is worth elsewhere."""

from zspace.geometry.truths.closed_forms import (
    GAUSSIAN_FULL_WIDTH,
    TRUTHS,
    Truth,
    constant_points,
    cube_points,
    gaussian_mean_radius,
    gaussian_points,
    line_points,
    sphere_points,
    standard_normal_points,
    turned_covariance,
)

__all__ = [
    "GAUSSIAN_FULL_WIDTH",
    "TRUTHS",
    "Truth",
    "constant_points",
    "cube_points",
    "gaussian_mean_radius",
    "gaussian_points",
    "line_points",
    "sphere_points",
    "standard_normal_points",
    "turned_covariance",
]
