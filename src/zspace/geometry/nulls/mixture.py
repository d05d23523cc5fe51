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
from zspace.geometry.nulls.frames import Frame, whitened
from zspace.seeds import random_stream, stream_seed
from zspace.shapes import Points

N_PARTS = (1, 2, 3, 5, 10, 20, 40)
"""Numbers of parts that are tried, in this order, until the held-out likelihood has fallen twice."""
PRIOR_POINTS = (0.2, 1.0, 5.0)
"""Points per direction that the covariance common to all parts counts for in each of them; more are more shrinkage."""
LEADING_SHARES = (0.5, 0.25)
"""Of the leading components that the parts may differ in: smaller numbers that are tried as well."""
_MOST_LEADING = 60
"""Leading components that the parts may differ in, at most; the cost grows with the square."""
_POINTS_PER_LEADING = 4
"""Points per component in an average part, at least."""
_PATIENCE = 2
"""Numbers of parts in a row that are worse than the best before no more are tried."""
_HELD_OUT_SHARE = 0.25
_FEWEST_POINTS = 8
_MOST_ITERATIONS = 100
_TOLERANCE = 1e-3
_MEAN_PRIOR_POINTS = 0.01
"""Points that the cloud's centre counts for in the mean of a part: next to nothing."""

White = Float64[np.ndarray, "n_points n_directions"]


@dataclass(frozen=True)
class Parts:
    """A fitted mixture in whitened coordinates, with what is left open about it.

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
        return len(self.means.T)

    def log_densities(self, white: White) -> Float64[np.ndarray, "n_points n_parts"]:
        """Return the log density of new points within every part, with its weight, whatever the parameters are."""
        leading = white[:, : self.n_leading]
        weights = self.concentrations / self.concentrations.sum()
        logs = [self._log_t(leading, part) for part in range(len(weights))]
        return np.asarray(np.log(weights) + np.column_stack(logs))

    def log_gain(self, white: White) -> float:
        """Return how much more likely points are than under N(0, I): the mean difference of log densities."""
        standard = -0.5 * (white[:, : self.n_leading] ** 2).sum(axis=1) - 0.5 * self.n_leading * np.log(2 * np.pi)
        return float((special.logsumexp(self.log_densities(white), axis=1) - standard).mean())

    def _log_t(self, leading: White, part: int) -> Float64[np.ndarray, " n_points"]:
        """Return the log density of the multivariate t law that a new point of one part follows."""
        n_axes = self.n_leading
        free = float(self.degrees[part]) - n_axes + 1
        factor = np.sqrt((1 + 1 / self.mean_points[part]) / free) * self.factors[part]
        squares = (linalg.solve_triangular(factor, (leading - self.means[part]).T, lower=True) ** 2).sum(axis=0)
        constant = special.gammaln((free + n_axes) / 2) - special.gammaln(free / 2)
        constant -= n_axes / 2 * np.log(free * np.pi) + np.log(factor.diagonal()).sum()
        return np.asarray(constant - (free + n_axes) / 2 * np.log1p(squares / free))


@dataclass(frozen=True)
class MixtureNull:
    """A mixture of Gaussians that was fitted on one half of the points, drawn co-sufficiently for the other.

    Half of the points, chosen at random, tell how many parts there are, where, how wide and of which shape. Every draw
    gives each point of the other half to one part, by chance, with the probability that it comes from there; then the
    points of every part are drawn anew as `GaussianNull` does it, with their very sample mean and covariance. Were the
    mixture true, these draws and the compared half would differ by chance alone; that it was estimated only blurs who
    belongs to which part, not where the parts are and how wide. A mixture of one part is the Gaussian null model.

    The parts differ in the leading components, of which there are fewer the more parts there are. The rest is one
    Gaussian.

    Source
    ------
    Fit: variational posterior, Bishop 2006, Pattern Recognition and Machine Learning, 10.2, by scikit-learn. Draws:
    Besag and Clifford 1989, Biometrika 76, 633: what is drawn by a step that leaves a law as it is, here that of
    points and parts, is a fair draw beside what the step began with.
    """

    compared: Cloud
    frame: Frame
    leading: White
    """The compared points in the leading components of their frame."""
    shares: Float64[np.ndarray, "n_points n_parts"]
    """Probability that a compared point comes from a part."""

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
        parts = _chosen_parts(frame.white(cloud.points[order[cloud.n_points // 2 :]]), seed)
        leading = frame.white(compared.points)[:, : parts.n_leading]
        return cls(compared, frame, leading, special.softmax(parts.log_densities(leading), axis=1))

    @property
    def n_parts(self) -> int:
        """Number of parts that held-out likelihood has chosen."""
        return len(self.shares.T)

    def draw(self, random: np.random.Generator) -> Points:
        """Draw who belongs to which part, then the points of every part; keep the parts' sample means and covariances.

        Cost
        ----
        Two products of n_points * z_dim ** 2 operations: 20 ms for 1,024 points in 256 dimensions on one core.
        """
        n_points, n_leading = self.leading.shape
        bounds = self.shares.cumsum(axis=1)
        chosen = (random.random((n_points, 1)) * bounds[:, -1:] > bounds).sum(axis=1)
        drawn = np.empty((n_points, self.frame.n_directions))
        for part in np.unique(chosen):
            drawn[chosen == part, :n_leading] = _drawn_anew(self.leading[chosen == part], random)
        drawn[:, n_leading:] = random.standard_normal((n_points, self.frame.n_directions - n_leading))
        # The leading components are white already and stay as they are; the rest becomes uncorrelated with them.
        return self.frame.points(whitened(drawn))


def _drawn_anew(points: White, random: np.random.Generator) -> White:
    """Draw a Gaussian cloud with the sample mean and covariance of some points, of which there may be few."""
    mean = points.mean(axis=0)
    colour = np.asarray(np.linalg.qr(points - mean, mode="r")) / np.sqrt(len(points))
    n_directions = min(len(points) - 1, points.shape[1])
    return np.asarray(mean + whitened(random.standard_normal((len(points), n_directions))) @ colour[:n_directions])


def _chosen_parts(white: White, seed: int) -> Parts:
    """Choose number of parts, shrinkage and leading components by held-out likelihood; fit that to all points."""
    order = random_stream(seed, "mixture", "held out").permutation(len(white))
    n_held_out = max(1, int(_HELD_OUT_SHARE * len(white)))
    held_out, learnt = white[order[:n_held_out]], white[order[n_held_out:]]

    def tried(n_parts: int, prior_points: float, n_leading: int) -> tuple[float, int, float, int]:
        parts = _fitted_parts(learnt[:, :n_leading], n_parts, prior_points, seed)
        return parts.log_gain(held_out), n_parts, prior_points, n_leading

    best = tried(1, PRIOR_POINTS[1], _most_leading(white, 1))
    n_worse = 0
    for n_parts in N_PARTS[1:]:
        n_leading = _most_leading(white, n_parts)
        if n_worse == _PATIENCE or not n_leading:
            break
        found = tried(n_parts, PRIOR_POINTS[1], n_leading)
        n_worse = 0 if found > best else n_worse + 1
        best = max(best, found)
    for prior_points in (PRIOR_POINTS[0], PRIOR_POINTS[2]):
        best = max(best, tried(best[1], prior_points, best[3]))
    for share in LEADING_SHARES:
        best = max(best, tried(best[1], best[2], max(1, int(share * best[3]))))
    return _fitted_parts(white[:, : best[3]], best[1], best[2], seed)


def _most_leading(white: White, n_parts: int) -> int:
    """Return in how many leading components so many parts may differ, so that each is told by enough points."""
    enough_points = len(white) // (_POINTS_PER_LEADING * n_parts)
    return min(len(white.T), _MOST_LEADING, enough_points)


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
