"""Two samples as a subject: a classifier that sees neighbourhoods, and neighbours across both samples."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy import stats

from zspace.geometry.clouds import Cloud
from zspace.geometry.dimension.spectra import gram_of, neighbourhood_squares, participation_of
from zspace.geometry.measures import Quantity, Subject
from zspace.geometry.neighbourhoods.pairs import Pairs
from zspace.shapes import Points

_FEWEST_POINTS = 40
_MIXED_NEIGHBORS = 5
_NEIGHBORS = (1, 4, 16, 64)
_LOCAL_NEIGHBORS, _HUB_NEIGHBORS = 16, 10
_LATE = 1000.0
"""Distances, in units of the cloud's size, by this leave digits that are chance, and yet no rounding of float32."""
_EQUAL = 1e-6
"""Equal points count as this share of the cloud's size apart, so that logarithms can be taken."""
_RIDGE = 1e-3
"""Added to the variances of standardised features: features that are copies of each other decide nothing."""

Features = Float64[np.ndarray, "n_points n_features"]
Nearest = Float32[np.ndarray, "_ n_nearest"]
"""Squared distances from every point to the nearest of some points, in any order."""


@dataclass(frozen=True)
class Half:
    """Half of a sample, and what it shows without the other half."""

    points: Float32[np.ndarray, "n_half z_dim"]
    features: Float64[np.ndarray, "n_half n_features"]
    """What surrounds each point."""
    nearest: Float32[np.ndarray, "n_half n_nearest"]
    """Squared distances to the nearest others, in squared units of the sample."""


@dataclass(frozen=True)
class SampleView:
    """A sample in halves that share no point."""

    halves: tuple[Half, Half]
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
    by_chance, middle = _by_chance(cloud), cloud.n_points // 2
    return SampleView((_half(cloud, by_chance[:middle]), _half(cloud, by_chance[middle:])), cloud.pairs.unit)


def _by_chance(cloud: Cloud) -> Int64[np.ndarray, " n_points"]:
    """Return the rows in an order that is as good as chance, whatever the order in which they are stored.

    The late digits of the points' distances from the mean decide. Fixed ranks of the distances would not do: both
    halves would have what is peculiar to the radii of this sample. Copies stay together.
    """
    centred = cloud.points - cloud.mean
    late_digits = np.linalg.norm(centred, axis=1) / cloud.pairs.unit * _LATE % 1
    return np.argsort(late_digits, kind="stable")


def _half(cloud: Cloud, rows: Int64[np.ndarray, " n_half"]) -> Half:
    pairs = Pairs(cloud.pairs.squares[np.ix_(rows, rows)], cloud.pairs.unit)
    near = pairs.neighbors
    numbers = np.minimum(_NEIGHBORS, near.distances.shape[1]) - 1
    occurrences = np.bincount(near.indices[:, :_HUB_NEIGHBORS].ravel(), minlength=len(rows))
    features = (
        np.log(near.distances[:, numbers].clip(min=_EQUAL * pairs.unit)),
        np.log1p(occurrences),
        np.linalg.norm(cloud.whitened[rows], axis=1),
        np.log(_local_components(pairs)),
    )
    nearest = (near.distances[:, :_MIXED_NEIGHBORS] / pairs.unit) ** 2
    return Half(cloud.points[rows], np.column_stack(features).astype(np.float64), nearest.astype(np.float32))


def _local_components(pairs: Pairs) -> Float64[np.ndarray, " n_points"]:
    """Return how many components hold the variance around every point; 1 where all neighbours equal it."""
    squares = neighbourhood_squares(pairs, np.arange(len(pairs.squares)), _LOCAL_NEIGHBORS)
    vary = squares.max(axis=(1, 2)) > 0
    found = np.ones(len(squares))
    found[vary] = participation_of(gram_of(squares[vary]))
    return found


def classifier_area(view: SampleView, reference: SampleView) -> float:
    """Return how well a classifier tells held-out points of two samples from each other: the area under its curve.

    One half of both samples trains it, the other judges it; then the other way round. 0.5 is chance, 1 no mistake.

    Randomness
    ----------
    None: the points themselves decide which half they are in.

    Source
    ------
    Fisher's linear discriminant on features, their squares and products. Lopez-Paz and Oquab 2017, Revisiting
    classifier two-sample tests: the held-out score is the statistic.
    """
    like = np.concatenate([half.features for half in view.halves])
    ones, others = ([_with_products(half.features, like) for half in sample.halves] for sample in (view, reference))
    areas = []
    for trained, judged in ((0, 1), (1, 0)):
        direction = _discriminant(ones[trained], others[trained])
        areas.append(_area_under_curve(ones[judged] @ direction, others[judged] @ direction))
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
    """Return the share of nearest neighbours in halves of both samples together that are of a point's own sample.

    It is a half when both samples come from one law, and higher when each has places of its own.

    Source
    ------
    Schilling 1986, J. Am. Stat. Assoc. 81, 799; Henze 1988, Ann. Stat. 16, 772.
    """
    half, other_half = view.halves[0], reference.halves[0]
    centre = half.points.mean(axis=0, dtype=np.float64)
    one, other = (((some.points - centre) / view.unit).astype(np.float32) for some in (half, other_half))
    scale = np.float32((reference.unit / view.unit) ** 2)
    shares = [
        _own_share(half.nearest, _nearest_across(one, other)),
        _own_share(scale * other_half.nearest, _nearest_across(other, one)),
    ]
    return float(np.average(shares, weights=[len(one), len(other)]))


def _nearest_across(points: Points, others: Float32[np.ndarray, "n_others z_dim"]) -> Nearest:
    """Return the squared distances from every point to the nearest of the others."""
    # Not the transpose of the same products: columns of 1,024 values take longer to read than to compute anew.
    squares = points @ others.T
    squares *= -2
    squares += np.einsum("ij,ij->i", points, points)[:, np.newaxis]
    squares += np.einsum("ij,ij->i", others, others)
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
            f"{_MIXED_NEIGHBORS} nearest neighbours among halves of both samples (Schilling 1986, Henze 1988)",
            "high",
            own_neighbours,
        ),
    ),
    two_samples=True,
)
