"""The last rung: a mixture of Gaussians, fitted on one half of the points and compared with the other."""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import linalg, special
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.frames import Frame, whitened, whitening
from zspace.seeds import random_stream, stream_seed
from zspace.shapes import Points

N_PARTS = (1, 2, 3, 5, 10, 20, 40)
"""Numbers of parts that are tried, in this order, until the held-out likelihood has fallen twice."""
PRIOR_POINTS = (1.0, 4.0, 16.0)
"""Points per direction that the covariance common to all parts counts for in each of them; more are more shrinkage."""
LEADING_SHARES = (1.0, 0.5, 0.25)
"""Shares of the leading components that the parts may differ in."""
_MOST_LEADING = 60
"""Leading components that the parts may differ in, at most; the cost grows with the square."""
_POINTS_PER_LEADING = 4
_POINTS_PER_PART = 10
_HELD_OUT_SHARE = 0.25
_FEWEST_POINTS = 8
_MOST_ITERATIONS = 100
_TOLERANCE = 1e-3
_MEAN_PRIOR_POINTS = 0.01
"""Points that the cloud's centre counts for in the mean of a part: next to nothing."""

White = Float64[np.ndarray, "n_points n_directions"]


@dataclass(frozen=True)
class Parts:
    """What is known of the parts of a mixture, in whitened coordinates: the posterior of their parameters.

    Weights follow a Dirichlet law, covariances an inverse Wishart law, and means a Gaussian given the covariance.
    """

    concentrations: Float64[np.ndarray, " n_parts"]
    means: Float64[np.ndarray, "n_parts n_leading"]
    mean_points: Float64[np.ndarray, " n_parts"]
    """Points that tell of each mean: its covariance is that of the part divided by this."""
    degrees: Float64[np.ndarray, " n_parts"]
    factors: Float64[np.ndarray, "n_parts n_leading n_leading"]
    """Lower Cholesky factors of the scales of the inverse Wishart laws."""

    @property
    def n_leading(self) -> int:
        """Number of components in which the parts differ."""
        return int(self.means.shape[1])

    def log_gain(self, white: White) -> float:
        """Return how much more likely points are than under N(0, I): the mean difference of log densities.

        The density is that of a new point, whatever the parameters are: a mixture of multivariate t laws.
        """
        leading = white[:, : self.n_leading]
        free = self.degrees - self.n_leading + 1
        logs = np.log(self.concentrations / self.concentrations.sum()) + np.column_stack(
            [self._log_t(leading, part, float(free[part])) for part in range(len(free))]
        )
        standard = -0.5 * (leading**2).sum(axis=1) - 0.5 * self.n_leading * np.log(2 * np.pi)
        return float((special.logsumexp(logs, axis=1) - standard).mean())

    def _log_t(self, leading: White, part: int, free: float) -> Float64[np.ndarray, " n_points"]:
        """Return the log density of the multivariate t law that a new point of one part follows."""
        width = np.sqrt((1 + 1 / self.mean_points[part]) / free)
        factor = width * self.factors[part]
        squares = (linalg.solve_triangular(factor, (leading - self.means[part]).T, lower=True) ** 2).sum(axis=0)
        n_axes = self.n_leading
        constant = special.gammaln((free + n_axes) / 2) - special.gammaln(free / 2)
        constant -= n_axes / 2 * np.log(free * np.pi) + np.log(factor.diagonal()).sum()
        return np.asarray(constant - (free + n_axes) / 2 * np.log1p(squares / free))

    def draw(self, n_points: int, random: np.random.Generator) -> White:
        """Draw the parameters, then points."""
        counts = random.multinomial(n_points, random.dirichlet(self.concentrations))
        return np.concatenate([self._draw_part(part, int(count), random) for part, count in enumerate(counts) if count])

    def _draw_part(self, part: int, n_points: int, random: np.random.Generator) -> White:
        # Bartlett's factor of a Wishart matrix, whose inverse turns that of the scale into a root of the covariance.
        n_axes = self.n_leading
        wishart = np.tril(random.standard_normal((n_axes, n_axes)), -1)
        wishart[np.diag_indices(n_axes)] = np.sqrt(random.chisquare(self.degrees[part] - np.arange(n_axes)))
        normal = random.standard_normal((n_points, n_axes))
        normal += random.standard_normal(n_axes) / np.sqrt(self.mean_points[part])
        return np.asarray(self.means[part] + linalg.solve_triangular(wishart.T, normal.T).T @ self.factors[part].T)


@dataclass(frozen=True)
class MixtureNull:
    """A mixture of Gaussians that was fitted on one half of the points, with the mean and covariance of the other.

    Half of the points, chosen at random, tell how many parts there are, where, how wide and of which shape. Every draw
    takes these from the law of what the half left open, then draws points, then is whitened, the nearest way, and given
    the sample mean and covariance of the compared half. So a mixture of one part is the Gaussian null model, exact as
    that is; one of several is as good as the fit. Beyond the leading components the rest is one Gaussian.

    Source
    ------
    Variational posterior of the parameters: Bishop 2006, Pattern Recognition and Machine Learning, 10.2, by
    scikit-learn.
    """

    compared: Cloud
    frame: Frame
    parts: Parts

    @classmethod
    def fit(cls, cloud: Cloud, seed: int) -> "MixtureNull":
        """Fit to one half of the points, in the frame of the other.

        Cost
        ----
        Some ten fits of a mixture: 5 s for 2,048 points in 256 dimensions, below one for small clouds.
        """
        if cloud.n_points < _FEWEST_POINTS:
            raise TooFewPoints(
                "null model 'mixture'",
                f"needs at least {_FEWEST_POINTS} points: it is fitted to one half of them and compared with the other",
                str(cloud.n_points),
                "Measure more points, or read no further than the rung before.",
            )
        order = random_stream(seed, "mixture", "halves").permutation(cloud.n_points)
        compared = Cloud(cloud.points[np.sort(order[: cloud.n_points // 2])])
        frame = Frame.of(compared)
        if not frame.n_directions:
            raise TooFewPoints(
                "null model 'mixture'",
                "needs points that differ in the half that is compared",
                f"{compared.n_points} points that are all the same",
                "Measure more points, or read no further than the rung before.",
            )
        fitted_on = frame.white(cloud.points[order[cloud.n_points // 2 :]])
        return cls(compared, frame, _chosen_parts(fitted_on, seed))

    @property
    def n_parts(self) -> int:
        """Number of parts that held-out likelihood has chosen."""
        return len(self.parts.means)

    def draw(self, random: np.random.Generator) -> Points:
        """Draw the parameters, then points, then give them the sample mean and covariance of what is compared.

        Cost
        ----
        Two products and a singular value decomposition: 60 ms for 1,024 points in 256 dimensions on one core.
        """
        n_points = self.compared.n_points
        leading = self.parts.draw(n_points, random)
        rest = random.standard_normal((n_points, self.frame.n_directions - leading.shape[1]))
        return self.frame.points(_nearest_whitened(np.hstack([leading, rest])))


def _nearest_whitened(draws: White) -> White:
    """Turn draws into the nearest ones whose mean is 0 and whose covariance is the identity."""
    if not draws.shape[1]:
        return draws
    back = linalg.solve_triangular(whitening(draws - draws.mean(axis=0)), np.eye(draws.shape[1]))
    # Of all ways to whiten, which differ by a rotation, the polar factor moves the points least.
    left, _, right = np.linalg.svd(back)
    return np.asarray(whitened(draws) @ (left @ right))


def _chosen_parts(white: White, seed: int) -> Parts:
    """Choose number of parts, shrinkage and leading components by held-out likelihood; fit that to all points."""
    order = random_stream(seed, "mixture", "held out").permutation(len(white))
    n_held_out = max(1, int(_HELD_OUT_SHARE * len(white)))
    held_out, learnt = white[order[:n_held_out]], white[order[n_held_out:]]
    most_leading = min(white.shape[1], _MOST_LEADING, max(1, len(learnt) // _POINTS_PER_LEADING))

    def gain(n_parts: int, prior_points: float, n_leading: int) -> float:
        return _fitted_parts(learnt[:, :n_leading], n_parts, prior_points, seed).log_gain(held_out)

    best = (0.0, 1, PRIOR_POINTS[1], most_leading)
    n_worse = 0
    for n_parts in (n for n in N_PARTS if n * _POINTS_PER_PART <= len(learnt)):
        found = (gain(n_parts, best[2], most_leading), n_parts, best[2], most_leading)
        n_worse = n_worse + 1 if n_parts > 1 and found <= best else 0
        best = found if n_parts == 1 else max(best, found)
        if n_worse == 2:
            break
    for prior_points in PRIOR_POINTS[::2]:
        best = max(best, (gain(best[1], prior_points, best[3]), best[1], prior_points, best[3]))
    for n_leading in sorted({max(1, int(share * most_leading)) for share in LEADING_SHARES} - {most_leading}):
        best = max(best, (gain(best[1], best[2], n_leading), best[1], best[2], n_leading))
    _, n_parts, prior_points, n_leading = best
    return _fitted_parts(white[:, :n_leading], n_parts, prior_points, seed)


def _fitted_parts(leading: White, n_parts: int, prior_points: float, seed: int) -> Parts:
    """Fit so many parts, whose covariances are drawn towards the one that they have in common."""
    n_axes = leading.shape[1]
    degrees = n_axes + 1 + prior_points * n_axes
    mixture = BayesianGaussianMixture(
        n_components=n_parts,
        covariance_prior=degrees * np.atleast_2d(np.cov(leading.T, bias=True)),
        degrees_of_freedom_prior=degrees,
        mean_prior=leading.mean(axis=0),
        mean_precision_prior=_MEAN_PRIOR_POINTS,
        weight_concentration_prior_type="dirichlet_distribution",
        max_iter=_MOST_ITERATIONS,
        tol=_TOLERANCE,
        warm_start=True,
        random_state=stream_seed(seed, "mixture", "start") % 2**32,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(2 if n_parts > 1 else 1):
            mixture.fit(leading)
            common = np.einsum("k,kij->ij", mixture.weights_, mixture.covariances_)
            mixture.covariance_prior = degrees * common
    scales = mixture.covariances_ * mixture.degrees_of_freedom_[:, np.newaxis, np.newaxis]
    return Parts(
        mixture.weight_concentration_,
        mixture.means_,
        mixture.mean_precision_,
        mixture.degrees_of_freedom_,
        np.linalg.cholesky(scales),
    )
