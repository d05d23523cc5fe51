"""Null models that keep the values of every component by itself: independent components, and a copula."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import special, stats

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.frames import Frame, rooted, whitened
from zspace.geometry.nulls.unmixing import IndependentAxes
from zspace.shapes import Points

_N_ROUNDS = 3
"""Rounds of correlating and ranking: correlations are then off by a few hundredths of what chance alone makes."""
_FEWEST_PER_DIRECTION = 2

Columns = Float64[np.ndarray, "n_components n_points"] | Float32[np.ndarray, "n_components n_points"]
"""One component a row, in rising order: it is sorted in one stretch of memory."""


@dataclass(frozen=True)
class IndependentNull:
    """The values along axes that may be the independent ones, shuffled for each axis by itself.

    Principal components are told by the points only roughly, the more so the closer their variances are. Along
    directions that are off, odd laws are blurred, and even a cloud of independent axes is not independent, by as much
    as a test can tell, however many points there are. So the axes are those along which the values are most likely
    independent; and as these are found in the same points, and a little too good for them, every draw turns them at
    random by as much as the points leave open.

    Each axis' values are shuffled, and then given the covariance of the sample and replaced by the axis' own by rank,
    in turns. The last turn leaves mean and covariance those of the cloud to the digit, and the values right but for
    some hundredths of a deviation at their far ends: mean fourth powers are then too small by about 1 in 1,000, always
    to one side, so no rank among draws tells anything about the laws of components.

    Assumes
    -------
    That the true axes are orthogonal, and that the points tell them well enough for errors of angles to be normal.

    Source
    ------
    Schreiber and Schmitz 1996, Phys. Rev. Lett. 77, 635, improved surrogate data for nonlinearity tests: there the
    spectrum of a time series is kept in turns with its values, here the sample's covariance.
    """

    compared: Cloud
    directions: Float64[np.ndarray, "n_directions z_dim"]
    """Principal components along which the cloud varies, as rows."""
    coordinates: Float64[np.ndarray, "n_points n_directions"]
    """Along these, about the mean."""
    independent: IndependentAxes

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "IndependentNull":
        """Find the axes."""
        frame = Frame.of(cloud)
        _check_enough("independent", cloud.n_points, frame.n_directions)
        deviations = np.linalg.norm(frame.colour, axis=1)
        coordinates = frame.white(cloud.points) * deviations
        directions = frame.colour / deviations[:, np.newaxis]
        return cls(cloud, directions, coordinates, IndependentAxes.of(coordinates))

    def draw(self, random: np.random.Generator) -> Points:
        """Draw axes, then who goes with whom; keep mean and covariance to the digit, the values nearly so.

        Cost
        ----
        Two sorts of all axes and three products of n_points * z_dim ** 2 operations for each of `_N_ROUNDS` rounds:
        150 ms for 2,048 points in 256 dimensions on one core.
        """
        axes = self.independent.draw(random)
        values = self.coordinates @ axes
        root, ordered = rooted(values), np.sort(values.T, axis=1)
        draws = random.standard_normal(values.shape)
        for _ in range(_N_ROUNDS):
            draws = whitened(_ranked(draws, ordered)) @ root
        return np.asarray(self.compared.mean + draws @ axes.T @ self.directions, dtype=np.float32)


@dataclass(frozen=True)
class CopulaNull:
    """The values along every axis of z, put together as the components of a correlated Gaussian cloud are.

    The normal score of a value is the quantile of N(0, 1) at its rank; equal values share their mean rank. In a
    Gaussian copula the scores are a Gaussian cloud. A draw is such a cloud with the very mean and covariance that the
    scores have, in which each number is replaced by the value that has its rank on its axis. That the ranks of the
    draw have this covariance too is reached in turns.

    Axes are those of z, not principal components: with increasing functions of a Gaussian along its axes, correlation
    that principal components take away would take away all dependence, and nothing would be left beyond independence.

    Source
    ------
    Liu, Lafferty and Wasserman 2009, J. Mach. Learn. Res. 10, 2295, the nonparanormal and its normal scores.
    """

    compared: Cloud
    frame: Frame
    """Of the normal scores."""
    values: Columns
    scores: Columns

    @classmethod
    def fit(cls, cloud: Cloud, _seed: int) -> "CopulaNull":
        """Take the axes' values, and mean and covariance of their normal scores."""
        ranks = stats.rankdata(cloud.points, axis=0)
        scores = special.ndtri((ranks - 0.5) / cloud.n_points).astype(np.float32)
        frame = Frame.of(Cloud(scores))
        _check_enough("copula", cloud.n_points, frame.n_directions)
        return cls(cloud, frame, np.sort(cloud.points.T, axis=1), np.sort(scores.T, axis=1))

    def draw(self, random: np.random.Generator) -> Points:
        """Draw who goes with whom; keep the axes' values to the digit, and the correlation of scores nearly so.

        Cost
        ----
        A sort of all axes and four products of n_points * z_dim ** 2 operations for each of `_N_ROUNDS` rounds: 130 ms
        for 2,048 points in 256 dimensions on one core.
        """
        white = whitened(random.standard_normal((self.compared.n_points, self.frame.n_directions)))
        for _ in range(_N_ROUNDS - 1):
            white = whitened(self.frame.white(_ranked(self.frame.points(white), self.scores)))
        return _ranked(self.frame.points(white), self.values)


def _ranked(
    draws: Float64[np.ndarray, "n_points n_components"] | Points, ordered: Columns
) -> Float64[np.ndarray, "n_points n_components"] | Points:
    """Return, in place of every draw, the value that has its rank in its column."""
    ranked = np.empty_like(ordered)
    np.put_along_axis(ranked, np.ascontiguousarray(draws.T).argsort(axis=1), ordered, axis=1)
    return np.ascontiguousarray(ranked.T)


def _check_enough(name: str, n_points: int, n_directions: int) -> None:
    """Refuse points so few that their values can hardly be put together in another way."""
    if n_points < _FEWEST_PER_DIRECTION * n_directions:
        raise TooFewPoints(
            f"null model {name!r}",
            f"needs at least {_FEWEST_PER_DIRECTION} points for each direction in which they vary, "
            "to put their values together in other ways",
            f"{n_points} points and {n_directions} directions",
            "Measure more points, or read no further than the rung before.",
        )
