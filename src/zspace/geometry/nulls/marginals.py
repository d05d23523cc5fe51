"""Null models that keep the law of every principal component by itself: independent components, and a copula."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import linalg, special, stats

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.frames import Frame, whitened
from zspace.shapes import Points

_N_ROUNDS = 4
"""Rounds of correlating and ranking: correlations are then off by some thousandths of what chance alone makes."""
_FEWEST_PER_DIRECTION = 2

Columns = Float64[np.ndarray, "n_directions n_points"]
"""One principal component a row, so that it is sorted in one stretch of memory."""


@dataclass(frozen=True)
class MarginalsNull:
    """The principal components' own values, put together anew.

    The values of every component are kept to the digit. How they are put together follows a Gaussian cloud: point by
    point, each component has the value that ranks as high in the cloud as the Gaussian's does there. The correlation
    of the `scores`, which rank like the values, is kept by turns of correlating and ranking.
    """

    compared: Cloud
    frame: Frame
    values: Columns
    """Of every component, in rising order."""
    scores: Columns
    """What the correlation is about, in the order of the values."""
    colour: Float64[np.ndarray, "n_directions n_directions"]
    """A root of the correlation of the scores."""

    @classmethod
    def independent(cls, cloud: Cloud, _seed: int) -> "MarginalsNull":
        """Take the components' values, which are uncorrelated in the cloud's sample and stay so in every draw.

        Source
        ------
        Schreiber and Schmitz 1996, Phys. Rev. Lett. 77, 635, improved surrogate data for nonlinearity tests: there
        the spectrum of a time series is kept by turns with its values, here the sample's covariance.
        """
        frame = _checked_frame(cloud, "independent")
        values = np.sort(frame.white(cloud.points).T, axis=1)
        return cls(cloud, frame, values, values, np.eye(frame.n_directions))

    @classmethod
    def copula(cls, cloud: Cloud, _seed: int) -> "MarginalsNull":
        """Take the components' values, and the correlation of their normal scores.

        The normal score of a value is the quantile of N(0, 1) at its rank; equal values share their mean rank.
        """
        frame = _checked_frame(cloud, "copula")
        white = frame.white(cloud.points).T
        scores = special.ndtri((stats.rankdata(white, axis=1) - 0.5) / cloud.n_points)
        scores /= np.sqrt((scores**2).mean(axis=1, keepdims=True))
        variances, directions = linalg.eigh(scores @ scores.T / cloud.n_points)
        root = directions * np.sqrt(variances.clip(min=0.0)) @ directions.T
        return cls(cloud, frame, np.sort(white, axis=1), np.sort(scores, axis=1), root)

    def draw(self, random: np.random.Generator) -> Points:
        """Draw who goes with whom; keep the components' values to the digit, the correlation as far as ranks allow.

        Cost
        ----
        A sort of all components and two or three products of n_points * z_dim ** 2 operations for each of
        `_N_ROUNDS` rounds: 130 ms for 2,048 points in 256 dimensions on one core.
        """
        shape = self.compared.n_points, self.frame.n_directions
        draws = whitened(random.standard_normal(shape)) @ self.colour
        for _ in range(_N_ROUNDS - 1):
            draws = whitened(_ranked(draws, self.scores)) @ self.colour
        return self.frame.points(_ranked(draws, self.values))


def _ranked(
    draws: Float64[np.ndarray, "n_points n_directions"], ordered: Columns
) -> Float64[np.ndarray, "n_points n_directions"]:
    """Return, in place of every draw, the value that has its rank in its column."""
    ranked = np.empty_like(ordered)
    np.put_along_axis(ranked, np.ascontiguousarray(draws.T).argsort(axis=1), ordered, axis=1)
    return np.ascontiguousarray(ranked.T)


def _checked_frame(cloud: Cloud, name: str) -> Frame:
    """Return the frame of a cloud that has points enough for its components to be put together in other ways."""
    frame = Frame.of(cloud)
    if cloud.n_points < _FEWEST_PER_DIRECTION * frame.n_directions:
        raise TooFewPoints(
            f"null model {name!r}",
            f"needs {_FEWEST_PER_DIRECTION} points for each direction in which they vary: with fewer, their values can "
            "hardly be put together in another way without correlation",
            f"{cloud.n_points} points and {frame.n_directions} directions",
            f"Measure at least {_FEWEST_PER_DIRECTION * cloud.z_dim} points, or read no further than the rung before.",
        )
    return frame
