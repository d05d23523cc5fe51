"""Local spectra: how many directions hold the variance of a point and its neighbours."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zspace.geometry.neighbourhoods.pairs import Pairs

_N_LEADING = 3
_BLOCK = 5
"""Directions that are turned towards the leading ones; the spare ones make it quicker."""
_N_TURNS = 6

Gram = Float32[np.ndarray, "n_places n_near n_near"]
"""Squared distances or products of the points of a neighbourhood, for every place."""


@dataclass(frozen=True)
class LocalSpectra:
    """Variances around some points, in principal components of their own neighbourhoods."""

    leading: Float64[np.ndarray, "n_places 3"]
    """Shares of the local variance that the first, second and third component hold."""


def local_spectra(pairs: Pairs, rows: Int64[np.ndarray, " n_rows"], ks: tuple[int, ...]) -> dict[int, LocalSpectra]:
    """Return the spectra of points together with their nearest neighbours.

    Parameters
    ----------
    rows
        Points to look around. Those whose neighbours all equal them have no spectrum and are left out.
    ks
        Numbers of neighbours besides the point itself, rising.

    Returns
    -------
    The spectra by the number of neighbours; without those for which there are too few points, or no place is left.

    Cost
    ----
    n_rows * k ** 2 * 60 operations for every number k, whatever the number of dimensions.
    """
    squares = neighbourhood_squares(pairs, rows, max(ks))
    found = {}
    for k in ks:
        inner = squares[:, : k + 1, : k + 1]
        vary = inner.max(axis=(1, 2)) > 0
        if inner.shape[1] == k + 1 and vary.any():
            gram = gram_of(inner[vary])
            totals = np.trace(gram, axis1=1, axis2=2).astype(np.float64)
            found[k] = LocalSpectra(_leading(gram) / totals[:, np.newaxis])
    return found


def mean_participation(pairs: Pairs, rows: Int64[np.ndarray, " n_rows"], ks: tuple[int, ...]) -> dict[int, float]:
    """Return the mean participation ratio of the neighbourhoods of points, by the number of neighbours as above."""
    squares = neighbourhood_squares(pairs, rows, max(ks))
    found = {}
    for k in ks:
        inner = squares[:, : k + 1, : k + 1]
        vary = inner.max(axis=(1, 2)) > 0
        if inner.shape[1] == k + 1 and vary.any():
            found[k] = float(participation_of(gram_of(inner[vary])).mean())
    return found


def neighbourhood_squares(pairs: Pairs, rows: Int64[np.ndarray, " n_rows"], n_neighbors: int) -> Gram:
    """Return the squared distances among points and their nearest neighbours, the point first; fewer if there are."""
    near = np.concatenate([rows[:, np.newaxis], pairs.neighbors.indices[rows, :n_neighbors]], axis=1)
    return np.asarray(pairs.squares[near[:, :, np.newaxis], near[:, np.newaxis, :]])


def gram_of(squares: Gram) -> Gram:
    """Return the products of points about their mean, in units of the largest squared distance of each neighbourhood.

    Source
    ------
    Torgerson 1952, Psychometrika 17, 401: minus half the squared distances, rows and columns centred.
    """
    scaled = squares / squares.max(axis=(1, 2), keepdims=True)
    means = scaled.mean(axis=1, keepdims=True)
    scaled -= means
    scaled -= means.transpose(0, 2, 1)
    scaled += means.mean(axis=2, keepdims=True)
    scaled *= -0.5
    return np.asarray(scaled)


def participation_of(gram: Gram) -> Float64[np.ndarray, " n_places"]:
    """Return (sum of variances) ** 2 / sum of squared variances of every neighbourhood."""
    totals = np.trace(gram, axis1=1, axis2=2).astype(np.float64)
    return np.asarray(totals**2 / np.einsum("nij,nij->n", gram, gram).astype(np.float64))


def _leading(gram: Gram) -> Float64[np.ndarray, "n_places 3"]:
    """Return the three largest eigenvalues, none below zero.

    Source
    ------
    Subspace iteration with a Rayleigh-Ritz step (Saad 2011, Numerical Methods for Large Eigenvalue Problems, 5.1); the
    third is good to a hundredth, and a tenth of the time of all eigenvalues. The start is taken from the points
    themselves, evenly over the ranks of their distance: a function of the cloud.
    """
    n_near = gram.shape[1]
    turned = gram[:, :, np.linspace(0, n_near - 1, min(_BLOCK, n_near)).astype(np.int64)]
    for _ in range(_N_TURNS):
        turned = np.linalg.qr(gram @ turned)[0]
    ritz = np.linalg.eigvalsh(turned.transpose(0, 2, 1) @ gram @ turned)[:, ::-1].astype(np.float64)
    leading = np.zeros((len(gram), _N_LEADING))
    leading[:, : min(_N_LEADING, ritz.shape[1])] = ritz[:, :_N_LEADING].clip(min=0)
    return leading
