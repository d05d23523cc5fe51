"""Two samples as a subject: a classifier that sees neighbourhoods, and neighbours across both samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.spectra import gram_of, neighbourhood_squares, participation_of
from zspace.geometry.measures import Quantity, Subject
from zspace.geometry.neighbourhoods.pairs import Pairs
from zspace.shapes import Points

_FEWEST_POINTS = 40
_N_MIXED = 1024
"""Points of each sample whose neighbours are looked for in both, at most."""
_MIXED_NEIGHBORS = 5
_NEIGHBORS = (1, 4, 16, 64)
_LOCAL_NEIGHBORS, _HUB_NEIGHBORS = 16, 10
_EQUAL = 1e-6
"""Equal points count as this share of the cloud's size apart, so that logarithms can be taken."""
_RIDGE = 1e-3
"""Added to the variances of standardised features: features that are copies of each other decide nothing."""

Features = Float64[np.ndarray, "n_points n_features"]
Nearest = Float32[np.ndarray, "_ n_nearest"]
"""Squared distances from every point to the nearest of some points, in any order."""


@dataclass(frozen=True)
class SampleView:
    """A sample, its points by their distance from the mean."""

    features: Features
    """What surrounds each point within its own sample."""
    some: Points
    """Up to `_N_MIXED` of the points, evenly by distance from the mean."""
    nearest: Nearest
    """Their squared distances to the nearest of themselves, in squared `unit`."""
    unit: float
    """Root mean square distance from the mean, in units of z."""


def sample_view(cloud: Cloud) -> SampleView:
    """Return what tells one sample from another.

    Raises
    ------
    TooFewPoints
        For fewer than 40 points, or when all are equal.
    """
    cloud.require_points("two samples", _FEWEST_POINTS)
    pairs, whitened, rows = cloud.pairs, cloud.whitened, cloud.spread_rows(_N_MIXED)
    near = pairs.neighbors
    known = [k - 1 for k in _NEIGHBORS if k <= near.distances.shape[1]]
    occurrences = np.bincount(near.indices[:, :_HUB_NEIGHBORS].ravel(), minlength=cloud.n_points)
    features = (
        np.log(near.distances[:, known].clip(min=_EQUAL * pairs.unit)),
        np.log1p(occurrences),
        np.linalg.norm(whitened, axis=1).astype(np.float64),
        np.log(_local_components(pairs)),
    )
    own = pairs.squares[np.ix_(rows, rows)]
    np.fill_diagonal(own, np.inf)
    return SampleView(np.column_stack(features)[cloud.by_distance], cloud.points[rows], _smallest(own), pairs.unit)


def _local_components(pairs: Pairs) -> Float64[np.ndarray, " n_points"]:
    """Return how many components hold the variance around every point; 1 where all neighbours equal it."""
    squares = neighbourhood_squares(pairs, np.arange(len(pairs.squares)), _LOCAL_NEIGHBORS)
    vary = squares.max(axis=(1, 2)) > 0
    found = np.ones(len(squares))
    found[vary] = participation_of(gram_of(squares[vary]))
    return found


def classifier_area(view: SampleView, reference: SampleView) -> float:
    """Return how well a classifier tells held-out points of two samples from each other: the area under its curve.

    Every other point of both samples, by distance from the mean, trains it; the others judge it; then the other way
    round. 0.5 is chance, 1 is no mistake.

    Source
    ------
    Fisher's linear discriminant on features, their squares and products. Lopez-Paz and Oquab 2017, Revisiting
    classifier two-sample tests: the held-out score is the statistic.
    """
    samples = (_with_products(view.features, view.features), _with_products(reference.features, view.features))
    areas = []
    for start in (0, 1):
        one, other = (sample[start::2] for sample in samples)
        scores = [sample[1 - start :: 2] @ _discriminant(one, other) for sample in samples]
        areas.append(_area_under_curve(*scores))
    return float(np.mean(areas))


def _with_products(
    features: Features, like: Float64[np.ndarray, "n_others n_features"]
) -> Float64[np.ndarray, "n_points n_products"]:
    """Return features and their products of two, standardised as those of another sample."""
    deviations = like.std(axis=0)
    standard = (features - like.mean(axis=0)) / np.where(deviations > 0, deviations, 1.0)
    first, second = np.triu_indices(standard.shape[1])
    return np.concatenate([standard, standard[:, first] * standard[:, second]], axis=1)


def _discriminant(
    one: Features, other: Float64[np.ndarray, "n_others n_features"]
) -> Float64[np.ndarray, " n_features"]:
    """Return the direction along which the first sample is higher than the other."""
    within = np.cov(one.T) + np.cov(other.T)
    ridge = _RIDGE * float(within.trace()) / len(within) or 1.0
    return np.asarray(np.linalg.solve(within + ridge * np.eye(len(within)), one.mean(axis=0) - other.mean(axis=0)))


def _area_under_curve(ones: Float64[np.ndarray, " n_ones"], others: Float64[np.ndarray, " n_others"]) -> float:
    """Return the chance that one of the ones is higher than one of the others, half of it where they are equal."""
    ranks = stats.rankdata(np.concatenate([ones, others]))[: len(ones)]
    return float((ranks.mean() - (len(ones) + 1) / 2) / len(others))


def own_neighbours(view: SampleView, reference: SampleView) -> float:
    """Return the share of nearest neighbours in both samples together that are of a point's own sample.

    It is a half when both samples come from one law, and higher when each has places of its own.

    Source
    ------
    Schilling 1986, J. Am. Stat. Assoc. 81, 799; Henze 1988, Ann. Stat. 16, 772.
    """
    centre = view.some.mean(axis=0, dtype=np.float64)
    one, other = (((some - centre) / view.unit).astype(np.float32) for some in (view.some, reference.some))
    scale = np.float32((reference.unit / view.unit) ** 2)
    shares = [
        _own_share(view.nearest, _nearest_across(one, other)),
        _own_share(scale * reference.nearest, _nearest_across(other, one)),
    ]
    return float(np.average(shares, weights=[len(one), len(other)]))


def _nearest_across(points: Points, others: Float32[np.ndarray, "n_others z_dim"]) -> Nearest:
    """Return the squared distances from every point to the nearest of the others."""
    # Not the transpose of the same products: rows of columns of 1,024 values take longer to read than to compute.
    squares = points @ others.T
    squares *= -2
    squares += np.einsum("ij,ij->i", points, points)[:, np.newaxis]
    squares += np.einsum("ij,ij->i", others, others)
    return _smallest(squares)


def _smallest(squares: Float32[np.ndarray, "n_points n_others"]) -> Nearest:
    """Return the smallest values of every row, in any order."""
    return np.asarray(np.partition(squares, _MIXED_NEIGHBORS - 1, axis=1)[:, :_MIXED_NEIGHBORS])


def _own_share(own: Nearest, across: Nearest) -> float:
    """Return the share of the nearest neighbours that are in the own sample."""
    order = np.argsort(np.concatenate([own, across], axis=1), axis=1, kind="stable")
    return float((order[:, :_MIXED_NEIGHBORS] < own.shape[1]).mean())


SUBJECT = Subject(
    "two_sample",
    "Two samples",
    "Can held-out points be told from those of the null model by what surrounds them?",
    sample_view,
    (
        Quantity(
            "classifier",
            "Classifier on held-out points",
            "area under the curve",
            "discriminant on distances to neighbours, local components, hubness and Mahalanobis radius; 0.5 is chance",
            "high",
            classifier_area,
        ),
        Quantity(
            "own_neighbours",
            "Neighbours of the own sample",
            "share of neighbours",
            f"{_MIXED_NEIGHBORS} nearest neighbours among the points of both samples (Schilling 1986, Henze 1988)",
            "high",
            own_neighbours,
        ),
    ),
    two_samples=True,
)
