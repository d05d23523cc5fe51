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
"""Products of the points of a neighbourhood about their mean, for every place."""


@dataclass(frozen=True)
class LocalSpectra:
    """Variances around some points, in principal components of their own neighbourhoods."""

    rows: Int64[np.ndarray, " n_places"]
    leading: Float64[np.ndarray, "n_places 3"]
    """Shares of the local variance that the first, second and third component hold."""
    participation: Float64[np.ndarray, " n_places"]
    """(sum of variances) ** 2 / sum of squared variances."""

    @property
    def string_likeness(self) -> float:
        """Mean by which a neighbourhood is more of a line than of a disc: 1 on a line, 0 on a disc or in a ball."""
        return float((self.line - self.disc).clip(min=0).mean())

    @property
    def sheet_likeness(self) -> float:
        """Mean by which a neighbourhood is more of a disc than of a line: 1 on a disc, 0 on a line or in a ball."""
        return float((self.disc - self.line).clip(min=0).mean())

    @property
    def line(self) -> Float64[np.ndarray, " n_places"]:
        """Share by which the first component stands out from the second (Westin et al. 1997, linear case)."""
        return np.asarray(self.leading[:, 0] - self.leading[:, 1])

    @property
    def disc(self) -> Float64[np.ndarray, " n_places"]:
        """Twice the share by which the second component stands out from the third (same, planar case)."""
        return np.asarray(2 * (self.leading[:, 1] - self.leading[:, 2]))


def local_spectra(pairs: Pairs, rows: Int64[np.ndarray, " n_places"], n_neighbors: int) -> LocalSpectra | None:
    """Return the spectra of points together with their nearest neighbours.

    Parameters
    ----------
    rows
        Points to look around. Those whose neighbours all equal them have no spectrum and are left out.
    n_neighbors
        Of every point, besides itself.

    Returns
    -------
    The spectra; None when there are not so many neighbours, or no place has a spectrum.

    Cost
    ----
    n_places * n_neighbors ** 2 * 60 operations, whatever the number of dimensions: the products of points about their
    mean follow from their distances (Torgerson 1952).
    """
    if n_neighbors > pairs.neighbors.indices.shape[1]:
        return None
    near = np.concatenate([rows[:, np.newaxis], pairs.neighbors.indices[rows, :n_neighbors]], axis=1)
    squares = pairs.squares[near[:, :, np.newaxis], near[:, np.newaxis, :]]
    vary = squares.max(axis=(1, 2)) > 0
    if not vary.any():
        return None
    squares = squares[vary]
    squares = squares / squares.max(axis=(1, 2), keepdims=True)
    means = squares.mean(axis=1, keepdims=True)
    gram = (means + means.transpose(0, 2, 1) - squares - means.mean(axis=2, keepdims=True)) / 2
    totals = np.trace(gram, axis1=1, axis2=2).astype(np.float64)
    participation = totals**2 / np.einsum("nij,nij->n", gram, gram).astype(np.float64)
    return LocalSpectra(rows[vary], _leading(gram) / totals[:, np.newaxis], participation)


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
