"""Whether points lie on strings, on sheets, or in the thick of things: the spread of the neighbours of each.

A point lies on a string where its neighbours spread along one direction, and on a sheet where they spread along two.
Noise hides a string from the nearest neighbours, and its bends from far ones, so several numbers of neighbours are
looked at, and the fewest directions that any of them shows count. Strings that hold few points drown among the
others; but their points lie closer to each other, so the densest places are looked at as well, with few neighbours.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.spectra import local_spectra
from zspace.geometry.measures import Quantity, Subject

N_LOOKED_AT = 256
"""Points whose neighbours are looked at, at most."""
WIDE = (32, 64)
"""Neighbours of points anywhere; at most an eighth of all points."""
CLOSE = (8, 12, 16)
"""Neighbours of points in the densest places."""
DENSE_SHARE = 0.02
"""The densest places: this share of the points, those with the nearest 4th neighbour."""
_DENSE_NEIGHBOR, _FEWEST_DENSE, _FEWEST_POINTS = 4, 16, 80

ALONG, ACROSS = 0.5, 0.2
"""On a string the first direction holds at least the one share of the variance, the second at most the other share of
the first."""
FLAT, THROUGH = 0.6, 0.3
"""On a sheet the first two directions hold at least the one share, the third at most the other share of the second."""

JUMP, _FIRST_JUMP = 2.0, 4
"""Neighbours that spread evenly lie at distances that grow step by step: where the next is this many times as far as
the one before, from the 4th on, they lie in lumps, which look like a string or a sheet from lump to lump."""

Leading = Float64[np.ndarray, "n_places 3"]
"""Shares of the local variance that the first three directions hold."""
Marks = Bool[np.ndarray, " n_places"]


@dataclass(frozen=True)
class Shapes:
    """Which of the points that were looked at lie on strings and on sheets."""

    strings: Bool[np.ndarray, " n_places"]
    sheets: Bool[np.ndarray, " n_places"]
    """Points on strings are not on sheets as well, though a bent string is flat seen from afar."""
    dense_strings: Bool[np.ndarray, " n_dense"]
    dense_sheets: Bool[np.ndarray, " n_dense"]


def on_string(leading: Leading) -> Marks:
    """Return where neighbours spread along one direction."""
    first, second, _ = leading.T
    return np.asarray((first >= ALONG) & (second <= ACROSS * first))


def on_sheet(leading: Leading) -> Marks:
    """Return where neighbours spread along two directions."""
    first, second, third = leading.T
    return np.asarray((first + second >= FLAT) & (second > ACROSS * first) & (third <= THROUGH * second))


def shapes_of(cloud: Cloud) -> Shapes:
    """Look at the neighbours of points anywhere, and of those in the densest places.

    Units
    -----
    Scaling, moving or turning the cloud changes nothing.

    Cost
    ----
    The cloud's pairs, and the spectra of some 600 neighbourhoods of up to 64 points.

    Raises
    ------
    TooFewPoints
        For fewer than 80, or when all are equal.
    """
    if cloud.n_points < _FEWEST_POINTS:
        rule = f"must have at least {_FEWEST_POINTS} z-points to look for strings and sheets"
        raise TooFewPoints("cloud", rule, str(cloud.n_points), "Encode more images.")
    wide = tuple(k for k in WIDE if k <= cloud.n_points // 8) or (cloud.n_points // 8,)
    nearest = cloud.pairs.neighbors.distances[:, _DENSE_NEIGHBOR - 1]
    n_dense = max(_FEWEST_DENSE, round(DENSE_SHARE * cloud.n_points))
    dense = np.argsort(nearest, kind="stable")[:n_dense]
    return Shapes(*_shapes_at(cloud, cloud.spread_rows(N_LOOKED_AT), wide), *_shapes_at(cloud, dense, CLOSE))


def _shapes_at(cloud: Cloud, rows: Int64[np.ndarray, " n_places"], ks: tuple[int, ...]) -> tuple[Marks, Marks]:
    strings, sheets = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for k in ks:
        places = np.flatnonzero(_spreads_evenly(cloud.pairs.neighbors.distances[rows, :k]))
        spectra = local_spectra(cloud.pairs, rows[places], (k,)).get(k) if len(places) else None
        if spectra is not None:
            strings[places] |= on_string(spectra.leading)
            sheets[places] |= on_sheet(spectra.leading)
    return strings, sheets & ~strings


def _spreads_evenly(distances: Float64[np.ndarray, "n_places n_neighbors"]) -> Marks:
    """Return where neighbours differ from the point, and their distances make no jump."""
    nearer, farther = distances[:, _FIRST_JUMP - 1 : -1], distances[:, _FIRST_JUMP:]
    return np.asarray((farther <= JUMP * nearer).all(axis=1) & (distances[:, -1] > 0))


_SOURCE = (
    "points whose {ks} neighbours spread along {directions}, by the eigenvalues of their covariance: "
    "linearity and planarity of Demantké et al. 2011, ISPRS Archives 38(5/W12), 97"
)
_WIDE_WORDS, _CLOSE_WORDS = " or ".join(map(str, WIDE)), " or ".join(map(str, CLOSE))
_BOTH = "share of points, plus share of the densest points"

SUBJECT = Subject(
    "shapes",
    "Strings and sheets",
    "Do points lie on strings or on sheets?",
    shapes_of,
    (
        Quantity(
            "strings",
            "Likeness to strings",
            _BOTH,
            _SOURCE.format(ks=f"{_WIDE_WORDS}, or in the densest places {_CLOSE_WORDS},", directions="one direction"),
            "high",
            lambda seen: float(seen.strings.mean() + seen.dense_strings.mean()),
        ),
        Quantity(
            "sheets",
            "Likeness to sheets",
            _BOTH,
            _SOURCE.format(ks=f"{_WIDE_WORDS}, or in the densest places {_CLOSE_WORDS},", directions="two directions"),
            "high",
            lambda seen: float(seen.sheets.mean() + seen.dense_sheets.mean()),
        ),
        Quantity(
            "string_share",
            "Points on strings",
            "share of points",
            _SOURCE.format(ks=_WIDE_WORDS, directions="one direction"),
            "high",
            lambda seen: float(seen.strings.mean()),
        ),
        Quantity(
            "sheet_share",
            "Points on sheets",
            "share of points",
            _SOURCE.format(ks=_WIDE_WORDS, directions="two directions"),
            "high",
            lambda seen: float(seen.sheets.mean()),
        ),
    ),
)
