"""Null models on request: points spread evenly in a shell or in a box."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.frames import Frame
from zspace.shapes import Points

_SHELL_SHARES = (0.05, 0.95)
"""The shell reaches from the distance that this share of the points falls short of to the one that this share does."""


@dataclass(frozen=True)
class ShellNull:
    """Even directions, about the cloud's mean and within the directions that vary; radii even between two bounds."""

    compared: Cloud
    axes: Float64[np.ndarray, "n_directions z_dim"]
    bounds: tuple[float, float]

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "ShellNull":
        """Take the mean, and the distances from it that 5 % and 95 % of the points fall short of."""
        colour = Frame.of(cloud).colour
        distances = np.linalg.norm(cloud.points - cloud.mean, axis=1)
        low, high = np.quantile(distances, _SHELL_SHARES)
        return cls(cloud, colour / np.linalg.norm(colour, axis=1, keepdims=True), (float(low), float(high)))

    def draw(self, random: np.random.Generator) -> Points:
        """Draw directions and radii."""
        n_points = self.compared.n_points
        directions = random.standard_normal((n_points, len(self.axes)))
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        directions /= np.where(lengths > 0, lengths, 1.0)
        radii = random.uniform(*self.bounds, (n_points, 1))
        return np.asarray(self.compared.mean + radii * directions @ self.axes, dtype=np.float32)


@dataclass(frozen=True)
class CubeNull:
    """Even in the box that has its sides along the principal components and just holds the cloud."""

    compared: Cloud
    frame: Frame
    low: Float64[np.ndarray, " n_directions"]
    high: Float64[np.ndarray, " n_directions"]

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "CubeNull":
        """Take the smallest and the largest value along every principal component."""
        frame = Frame.of(cloud)
        white = frame.white(cloud.points)
        return cls(cloud, frame, white.min(axis=0), white.max(axis=0))

    def draw(self, random: np.random.Generator) -> Points:
        """Draw every component evenly."""
        shape = self.compared.n_points, self.frame.n_directions
        return self.frame.points(random.uniform(self.low, self.high, shape))
