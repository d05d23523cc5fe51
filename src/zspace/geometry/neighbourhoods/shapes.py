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
from zspace.geometry.measures import Quantity, Subject

N_LOOKED_AT = 256
"""Points whose neighbours are looked at: the first rows, which are in no order in a cloud chosen at random."""
WIDE = (32, 64, 128)
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

Spectra = Float64[np.ndarray, "n_rows n_directions"]


@dataclass(frozen=True)
class Shapes:
    """Which of the points that were looked at lie on strings and on sheets."""

    strings: Bool[np.ndarray, " n_looked_at"]
    sheets: Bool[np.ndarray, " n_looked_at"]
    """Points on strings are not on sheets as well, though a bent string is flat seen from afar."""
    dense_strings: Bool[np.ndarray, " n_dense"]
    dense_sheets: Bool[np.ndarray, " n_dense"]


def local_spectra(
    cloud: Cloud, rows: Int64[np.ndarray, " n_rows"], neighbors: Int64[np.ndarray, "n_rows n_neighbors"]
) -> Spectra:
    """Return the variances of the neighbours of points along their principal directions, largest first, as shares.

    There are as many as neighbours; those beyond the dimensions are 0, and all are where all neighbours are one point.
    """
    about = cloud.points[neighbors] - cloud.points[rows][:, np.newaxis]
    about -= about.mean(axis=1, keepdims=True)
    variances = np.linalg.eigvalsh((about @ about.transpose(0, 2, 1)).astype(np.float64))[:, ::-1].clip(min=0.0)
    total = variances.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(variances, total, out=np.zeros_like(variances), where=total > 0))


def on_string(spectra: Spectra) -> Bool[np.ndarray, " n_rows"]:
    """Return where neighbours spread along one direction."""
    first, second = spectra[:, 0], spectra[:, 1]
    return np.asarray((first >= ALONG) & (second <= ACROSS * first))


def on_sheet(spectra: Spectra) -> Bool[np.ndarray, " n_rows"]:
    """Return where neighbours spread along two directions."""
    first, second, third = spectra[:, :3].T
    return np.asarray((first + second >= FLAT) & (second > ACROSS * first) & (third <= THROUGH * second))


def shapes_of(cloud: Cloud) -> Shapes:
    """Look at the neighbours of points anywhere, and of those in the densest places.

    Units
    -----
    Scaling, moving or turning the cloud changes nothing.

    Assumes
    -------
    The rows are in no order.

    Cost
    ----
    The cloud's neighbours, and some 400 decompositions of matrices of up to 128 rows.

    Raises
    ------
    TooFewPoints
        For fewer than 80.
    """
    if cloud.n_points < _FEWEST_POINTS:
        next_step = "Encode more images."
        rule = f"must have at least {_FEWEST_POINTS} z-points to look for strings and sheets"
        raise TooFewPoints("cloud", rule, str(cloud.n_points), next_step)
    wide = [k for k in WIDE if k <= cloud.n_points // 8] or [cloud.n_points // 8]
    near = cloud.neighbors(max(*wide, *CLOSE))
    n_dense = max(_FEWEST_DENSE, round(DENSE_SHARE * cloud.n_points))
    dense = np.argsort(near.distances[:, _DENSE_NEIGHBOR - 1], kind="stable")[:n_dense]
    anywhere = np.arange(min(N_LOOKED_AT, cloud.n_points))
    return Shapes(*_shapes_at(cloud, anywhere, near.indices, wide), *_shapes_at(cloud, dense, near.indices, CLOSE))


def _shapes_at(
    cloud: Cloud,
    rows: Int64[np.ndarray, " n_rows"],
    neighbors: Int64[np.ndarray, "n_points n_neighbors"],
    ks: tuple[int, ...] | list[int],
) -> tuple[Bool[np.ndarray, " n_rows"], Bool[np.ndarray, " n_rows"]]:
    spectra = [local_spectra(cloud, rows, neighbors[rows, :k]) for k in ks]
    strings = np.any([on_string(one) for one in spectra], axis=0)
    sheets = np.any([on_sheet(one) for one in spectra], axis=0)
    return strings, sheets & ~strings


_SOURCE = (
    "points whose {ks} neighbours spread along {directions}, by the eigenvalues of their covariance: "
    "linearity and planarity of Demantké et al. 2011, ISPRS Archives 38(5/W12), 97"
)
_WIDE_WORDS, _CLOSE_WORDS = " or ".join(map(str, WIDE)), " or ".join(map(str, CLOSE))

SHAPES = Subject(
    "shapes",
    "Strings and sheets",
    "Do points lie on strings or on sheets?",
    shapes_of,
    (
        Quantity(
            "strings",
            "Strings",
            "share of points, plus share of the densest points",
            _SOURCE.format(ks=f"{_WIDE_WORDS}, or in the densest places {_CLOSE_WORDS},", directions="one direction"),
            "high",
            lambda seen: float(seen.strings.mean() + seen.dense_strings.mean()),
        ),
        Quantity(
            "sheets",
            "Sheets",
            "share of points, plus share of the densest points",
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
