"""Null models of the first two rungs: the prior, and the Gaussian of the cloud's mean and covariance."""

from dataclasses import dataclass

import numpy as np

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.frames import Frame, whitened
from zspace.shapes import Points


@dataclass(frozen=True)
class PriorNull:
    """The prior N(0, I): nothing is fitted."""

    compared: Cloud

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "PriorNull":
        """Take the number of points and of dimensions."""
        return cls(cloud)

    def draw(self, random: np.random.Generator) -> Points:
        """Draw from N(0, I)."""
        return random.standard_normal(self.compared.points.shape, dtype=np.float32)


@dataclass(frozen=True)
class GaussianNull:
    """The Gaussian with the cloud's mean and covariance, drawn co-sufficiently.

    Every draw has the very sample mean and covariance of the cloud. Given these two, which are all that a Gaussian
    cloud tells about its law, all Gaussian clouds are alike: draws and a Gaussian cloud differ by chance alone, and
    any statistic of any kind has an exact p-value although the null model was fitted to the same points.

    A singular covariance is fine, and so are fewer points than dimensions: along the directions that vary, a draw is
    the cloud's covariance seen from a random side, and where it has one direction less than points, as any cloud of
    fewer points than dimensions has, that is still so. Two points, or points that are all the same, leave nothing to
    chance: then every draw has the cloud's own distances, and nothing can be told apart.

    Source
    ------
    Engen and Lillegaard 1997, Biometrika 84, 235, stochastic simulations conditioned on sufficient statistics;
    Lindqvist and Taraldsen 2005, Biometrika 92, 451. For a Gaussian this is whitening and colouring.
    """

    compared: Cloud
    frame: Frame

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "GaussianNull":
        """Take mean and covariance."""
        return cls(cloud, Frame.of(cloud))

    def draw(self, random: np.random.Generator) -> Points:
        """Draw a Gaussian cloud that has the cloud's sample mean and covariance to the digit.

        Cost
        ----
        Three products of n_points * z_dim ** 2 operations: 20 ms for 2,048 points in 256 dimensions on one core.
        """
        shape = self.compared.n_points, self.frame.n_directions
        return self.frame.points(whitened(random.standard_normal(shape)))
