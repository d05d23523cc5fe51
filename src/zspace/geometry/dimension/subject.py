"""Dimension over scale as a subject: ratios of distances, and local spectra that tell strings and sheets."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.ratios import gride_dimension, two_nn_dimension
from zspace.geometry.dimension.spectra import LocalSpectra, local_spectra
from zspace.geometry.measures import Profile, Quantity, Subject

N_PLACES = 256
"""Points whose neighbourhoods are looked at, at most."""
_FEWEST_POINTS = 12
_NEIGHBORS = (8, 16, 32, 64)
_LIKENESS_NEIGHBORS = (16, 32, 64)
"""Scales that a likeness is the mean over: a string is not seen below its width, nor beyond its bends."""
_DENSE_NEIGHBORS = (4, 8, 16)
"""Of dense places: a string that holds 1 % of the points has no more than some."""
_DENSE_BY = 2
"""Number of the neighbour whose distance says how dense a place is: one point very near is not yet a dense place."""
_DENSE_SHARE, _FEWEST_DENSE = 0.01, 8
_GRIDE = (1, 2, 4, 8, 16, 32)
_OVER_SCALE = (4, 8, 16, 32)
_STRING_NEIGHBORS, _STRING_SHARE = 32, 0.5


@dataclass(frozen=True)
class DimensionView:
    """Distances to neighbours, and spectra of neighbourhoods by their number of neighbours."""

    distances: Float64[np.ndarray, "n_points n_neighbors"]
    spectra: dict[int, LocalSpectra]
    """Of `N_PLACES` points all over the cloud."""
    dense: dict[int, LocalSpectra]
    """Of the densest hundredth of the points."""


def dimension_view(cloud: Cloud) -> DimensionView:
    """Return what tells the dimension of neighbourhoods over their size.

    Raises
    ------
    TooFewPoints
        For fewer than 12 points, or when all are equal.
    """
    cloud.require_points("dimension", _FEWEST_POINTS)
    pairs, rows = cloud.pairs, cloud.spread_rows(N_PLACES)
    distances = pairs.neighbors.distances
    n_dense = max(_FEWEST_DENSE, round(_DENSE_SHARE * cloud.n_points))
    dense = np.argsort(distances[:, _DENSE_BY - 1], kind="stable")[:n_dense]
    return DimensionView(
        distances,
        local_spectra(pairs, rows, _NEIGHBORS),
        local_spectra(pairs, dense, _DENSE_NEIGHBORS),
    )


def string_likeness(spectra: dict[int, LocalSpectra], ks: tuple[int, ...]) -> float | None:
    """Return the mean likeness to strings over these numbers of neighbours; None where there is none."""
    found = [spectra[k].string_likeness for k in ks if k in spectra]
    return float(np.mean(found)) if found else None


def sheet_likeness(spectra: dict[int, LocalSpectra], ks: tuple[int, ...]) -> float | None:
    """Return the mean likeness to sheets over these numbers of neighbours; None where there is none."""
    found = [spectra[k].sheet_likeness for k in ks if k in spectra]
    return float(np.mean(found)) if found else None


def string_share(view: DimensionView) -> float | None:
    """Return the share of places whose first local component exceeds the second by half of the variance there."""
    spectra = view.spectra.get(_STRING_NEIGHBORS)
    return None if spectra is None else float((spectra.line > _STRING_SHARE).mean())


def neighbor_dimension(view: DimensionView) -> float | None:
    """Return the dimension over all scales; None where it cannot be told at any."""
    found = [gride_dimension(view.distances, n) for n in _OVER_SCALE if 2 * n <= view.distances.shape[1]]
    known = [dimension for dimension in found if dimension is not None]
    return float(np.exp(np.mean(np.log(known)))) if known and len(known) == len(found) else None


def _participation(view: DimensionView) -> float | None:
    spectra = view.spectra.get(_STRING_NEIGHBORS)
    return None if spectra is None else float(spectra.participation.mean())


def _gride_row(nearer: int) -> Quantity:
    return Quantity(
        f"gride_{nearer}",
        f"Dimension, Gride, neighbours {nearer} and {2 * nearer}",
        "dimensions",
        "most likely dimension by the ratio of both distances (Denti et al. 2022)",
        "low",
        lambda view: gride_dimension(view.distances, nearer),
    )


def _likeness_row(name: str, title: str, source: str, value: Callable[[DimensionView], float | None]) -> Quantity:
    return Quantity(name, title, "share of local variance", source, "high", value)


_STRING = "by how much a neighbourhood is more of a line than of a disc, in shares of local variance"
_SHEET = "by how much a neighbourhood is more of a disc than of a line, in shares of local variance"
_ALL = f"mean over places and {', '.join(map(str, _LIKENESS_NEIGHBORS))} neighbours"
_DENSEST = f"mean over the densest 1 % and {', '.join(map(str, _DENSE_NEIGHBORS))} neighbours"


def _gride_profile(view: DimensionView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    nearer = [n for n in _GRIDE if 2 * n <= view.distances.shape[1]]
    found = [gride_dimension(view.distances, n) for n in nearer]
    return 2.0 * np.array(nearer), np.array(found, dtype=np.float64)  # None becomes NaN


def _spectral_profile(
    value: Callable[[LocalSpectra], float],
) -> Callable[[DimensionView], tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]]:
    def profile(view: DimensionView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
        ks = list(view.spectra)
        return np.array(ks, dtype=np.float64), np.array([value(view.spectra[k]) for k in ks])

    return profile


SUBJECT = Subject(
    "dimension",
    "Dimension over scale",
    "Do neighbours spread into fewer directions than in the null model: along strings, over sheets?",
    dimension_view,
    (
        Quantity(
            "two_nn",
            "Dimension, TwoNN",
            "dimensions",
            "ratio of the distances to the first two neighbours (Facco et al. 2017)",
            "low",
            lambda view: two_nn_dimension(view.distances),
        ),
        _gride_row(8),
        _gride_row(32),
        Quantity(
            "neighbor_dimension",
            "Dimension of neighbourhoods",
            "dimensions",
            f"geometric mean of Gride's dimension over {', '.join(map(str, _OVER_SCALE))} and twice as many neighbours",
            "low",
            neighbor_dimension,
        ),
        Quantity(
            "local_participation",
            f"Local components among {_STRING_NEIGHBORS} neighbours",
            "components",
            "mean of (sum of local variances)^2 / sum of squared local variances",
            "low",
            _participation,
        ),
        _likeness_row(
            "string_likeness",
            "Likeness to strings",
            f"{_STRING}, {_ALL}",
            lambda view: string_likeness(view.spectra, _LIKENESS_NEIGHBORS),
        ),
        _likeness_row(
            "sheet_likeness",
            "Likeness to sheets",
            f"{_SHEET}, {_ALL}",
            lambda view: sheet_likeness(view.spectra, _LIKENESS_NEIGHBORS),
        ),
        _likeness_row(
            "dense_string_likeness",
            "Likeness to strings in the densest places",
            f"{_STRING}, {_DENSEST}",
            lambda view: string_likeness(view.dense, _DENSE_NEIGHBORS),
        ),
        _likeness_row(
            "dense_sheet_likeness",
            "Likeness to sheets in the densest places",
            f"{_SHEET}, {_DENSEST}",
            lambda view: sheet_likeness(view.dense, _DENSE_NEIGHBORS),
        ),
        Quantity(
            "string_share",
            "Places along strings",
            "share of places",
            f"first component of {_STRING_NEIGHBORS} neighbours exceeds the second by half of the local variance",
            "high",
            string_share,
        ),
    ),
    (
        Profile(
            "gride",
            "Dimension over scale",
            "number of the farther neighbour",
            "dimension (Gride)",
            _gride_profile,
        ),
        Profile(
            "participation",
            "Local components over scale",
            "number of neighbours",
            "local participation ratio (components)",
            _spectral_profile(lambda spectra: float(spectra.participation.mean())),
        ),
        Profile(
            "first_share",
            "First local component over scale",
            "number of neighbours",
            "mean share of local variance",
            _spectral_profile(lambda spectra: float(spectra.leading[:, 0].mean())),
        ),
    ),
)
