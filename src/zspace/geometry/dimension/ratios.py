"""Dimension from the ratio of two distances: TwoNN at the smallest scale, Gride at larger ones.

No intervals are given. The likelihoods take points for independent, but neighbours share neighbours: the interval that
they imply is too narrow, the more so the more neighbours are looked at, and edges pull the value down: on a cube of
five dimensions a nominal 95 % covers half of the samples.
"""

import numpy as np
from jaxtyping import Float64
from scipy import optimize

_LARGEST = 1e4
"""Dimensions beyond which distances are called equal."""

Distances = Float64[np.ndarray, "n_points n_neighbors"]
"""From every point to its neighbours, the nearest first, in any unit."""


def two_nn_dimension(distances: Distances, left_out: float = 0.1) -> float | None:
    """Return the dimension in which the second neighbour is so much farther than the first.

    Parameters
    ----------
    distances
        To at least two neighbours. Points that have an equal are left out.
    left_out
        Share of the largest ratios that the line is not fitted to.

    Returns
    -------
    The slope; None when fewer than three points are left or all ratios are 1, as on a lattice.

    Units
    -----
    Scaling z changes nothing.

    Source
    ------
    Facco, d'Errico, Rodriguez and Laio 2017, Sci. Rep. 7, 12140: ln(1 - F) = -d ln(r2 / r1), fitted through the origin.
    """
    logs = np.sort(_log_ratios(distances, 1, 2))
    n_kept = int(len(logs) * (1 - left_out))
    kept = logs[:n_kept]
    if n_kept < 3 or kept[-1] <= 0:
        return None
    heights = -np.log1p(-np.arange(1, n_kept + 1) / len(logs))
    dimension = float(kept @ heights / (kept @ kept))
    return dimension if dimension < _LARGEST else None


def gride_dimension(distances: Distances, nearer: int) -> float | None:
    """Return the dimension in which twice as distant a neighbour is so much farther.

    Parameters
    ----------
    distances
        To at least 2 * nearer neighbours. Points that have so many equals are left out.
    nearer
        Number of the nearer neighbour, from 1; the farther one is number 2 * nearer.

    Returns
    -------
    The most likely dimension; None when fewer than three points are left or nearly all ratios are 1, as on a lattice.

    Units
    -----
    Scaling z changes nothing.

    Source
    ------
    Denti, Doimo, Laio and Mira 2022, Sci. Rep. 12, 20005, equation 8 with n2 = 2 n1.
    """
    if distances.shape[1] < 2 * nearer:
        return None
    logs = _log_ratios(distances, nearer, 2 * nearer)
    if len(logs) < 3 or logs.sum() * _LARGEST <= 2 * len(logs):
        return None

    def slope(log_dimension: float) -> float:
        """Return the derivative of the log-likelihood, a point; it falls from infinity to below zero."""
        dimension = np.exp(log_dimension)
        scaled = dimension * logs
        # Where the ratio is 1, the limit of x / (1 - exp(-x)) is 1.
        powers = np.divide(scaled, -np.expm1(-scaled), out=np.ones_like(scaled), where=scaled > 0)
        return float(1 + (nearer - 1) * powers.mean() - (2 * nearer - 1) * scaled.mean())

    low, high = np.log(1e-6), np.log(_LARGEST)
    return float(np.exp(optimize.brentq(slope, low, high, xtol=1e-9))) if slope(high) < 0 < slope(low) else None


def _log_ratios(distances: Distances, nearer: int, farther: int) -> Float64[np.ndarray, " n_used"]:
    near, far = distances[:, nearer - 1], distances[:, farther - 1]
    return np.asarray(np.log(far[near > 0] / near[near > 0]))
