"""What subjects are made of, beside other libraries and slow plain definitions."""

from itertools import pairwise

import numpy as np
import pytest
import skdim
from scipy import optimize, sparse
from scipy.cluster import hierarchy
from scipy.sparse import csgraph
from scipy.spatial.distance import cdist, pdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.dip import dip
from zspace.geometry.connectivity.trees import merging, minimum_spanning_tree
from zspace.geometry.dimension.ratios import gride_dimension, two_nn_dimension
from zspace.geometry.dimension.spectra import local_spectra, mean_participation
from zspace.geometry.neighbourhoods.subject import neighbour_view
from zspace.geometry.two_samples.subject import _area_under_curve, _discriminant, own_neighbours, sample_view


def bent_points(n_points, z_dim, seed):
    """Points with places of several dimensions: a thick curve and a heap."""
    random = np.random.default_rng(seed)
    points = random.standard_normal((n_points, z_dim))
    half = n_points // 2
    points[:half] *= 0.1
    points[:half, :2] += 5 * np.stack([np.cos(np.arange(half)), np.sin(np.arange(half))], axis=1)
    return points.astype(np.float32)


def test_two_nn_is_that_of_scikit_dimension():
    points = bent_points(600, 5, 1)
    theirs = skdim.id.TwoNN().fit(points).dimension_
    assert two_nn_dimension(Cloud(points).pairs.neighbors.distances) == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("nearer", [1, 4, 16])
def test_gride_is_at_the_peak_of_its_likelihood(nearer):
    distances = Cloud(bent_points(600, 5, 2)).pairs.neighbors.distances
    logs = np.log(distances[:, 2 * nearer - 1] / distances[:, nearer - 1])

    def loss(d):
        return -(np.log(d) + (nearer - 1) * np.log(np.expm1(d * logs)) - ((2 * nearer - 1) * d + 1) * logs).sum()

    theirs = optimize.minimize_scalar(loss, bounds=(0.1, 50), method="bounded", options={"xatol": 1e-8}).x
    assert gride_dimension(distances, nearer) == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("n_neighbors", [4, 16, 64])
def test_local_spectra_are_those_of_the_neighbours_covariances(n_neighbors):
    points = bent_points(400, 12, 3)
    rows = np.arange(0, 400, 7)
    pairs = Cloud(points).pairs
    found = local_spectra(pairs, rows, (n_neighbors,))[n_neighbors]
    participation = []
    _, near = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(points).kneighbors(points[rows])
    for place, members in enumerate(near):
        centred = points[members].astype(np.float64) - points[members].mean(axis=0, dtype=np.float64)
        variances = np.linalg.svd(centred, compute_uv=False) ** 2
        shares = variances / variances.sum()
        assert found.leading[place, :2] == pytest.approx(shares[:2], rel=0.03)
        assert found.leading[place, 2] == pytest.approx(shares[2], rel=0.1)
        participation.append(1 / (shares**2).sum())
    mean = mean_participation(pairs, rows, (n_neighbors,))[n_neighbors]
    assert mean == pytest.approx(np.mean(participation), rel=1e-3)


def test_occurrences_are_those_of_a_graph_of_neighbours():
    points = bent_points(300, 8, 4)
    graph = NearestNeighbors(n_neighbors=10).fit(points).kneighbors_graph()
    assert (neighbour_view(Cloud(points)).occurrences == np.asarray(graph.sum(axis=0)).ravel()).all()


def test_the_tree_is_as_short_as_scipys():
    points = bent_points(300, 6, 5)
    pairs = Cloud(points).pairs
    theirs = csgraph.minimum_spanning_tree(sparse.csr_array(cdist(points, points))).sum()
    assert minimum_spanning_tree(pairs.squares).lengths.sum() * pairs.unit == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("quantile", [0.3, 0.7, 0.95])
def test_groups_are_those_of_single_linkage(quantile):
    points = bent_points(300, 6, 6)
    pairs = Cloud(points).pairs
    tree = minimum_spanning_tree(pairs.squares)
    place = int(quantile * 299)
    between = (tree.lengths[place] + tree.lengths[place + 1]) / 2 * pairs.unit
    labels = hierarchy.fcluster(hierarchy.linkage(pdist(points.astype(np.float64))), between, "distance")
    sizes = np.bincount(labels)
    merged = merging(tree, 5)
    assert merged.largest[place] == sizes.max()
    assert merged.n_groups[place] == (sizes >= 5).sum()


def test_own_neighbours_are_counted_like_one_by_one():
    views = [sample_view(Cloud(bent_points(200, 5, seed))) for seed in (7, 8)]
    halves = [view.halves[0].points for view in views]
    both, own = np.concatenate(halves), np.repeat([0, 1], 100)
    _, near = NearestNeighbors(n_neighbors=5).fit(both).kneighbors()
    assert own_neighbours(*views) == pytest.approx((own[near] == own[:, np.newaxis]).mean())


def test_the_area_under_the_curve_is_scikit_learns():
    random = np.random.default_rng(1)
    ones, others = np.round(random.standard_normal(50) + 1, 1), np.round(random.standard_normal(70), 1)
    theirs = roc_auc_score(np.repeat([1, 0], [50, 70]), np.concatenate([ones, others]))
    assert _area_under_curve(ones, others) == pytest.approx(theirs)


# --- The dip ----------------------------------------------------------------------------------------------------------


def dip_by_linear_programs(values):
    """Return the smallest distance of a distribution with one peak, for the best of all places of the peak.

    The distribution is convex up to the peak, may leap there, and is concave after it. Its values at the points, both
    before and after the leap, and the distance are the unknowns.
    """
    places, counts = np.unique(values, return_counts=True)
    after = counts.cumsum() / len(values)
    before = after - counts / len(values)
    return min(_distance_with_peak(places, before, after, peak) for peak in range(len(places)))


def _distance_with_peak(places, before, after, peak):
    n = len(places)
    left, right = np.arange(peak + 1), np.arange(peak, n)
    rows, limits = [], []

    def require(coefficients, limit):
        row = np.zeros(n + 2)
        for column, coefficient in coefficients:
            row[column] += coefficient
        rows.append(row)
        limits.append(limit)

    for members, shift, highest, lowest in ((left, 0, before, after), (right, 1, before, after)):
        for i in members:
            at_leap = i == peak
            above = after[i] if at_leap and shift else highest[i]
            below = before[i] if at_leap and not shift else lowest[i]
            require([(i + shift, 1), (n + 1, -1)], above)
            require([(i + shift, -1), (n + 1, -1)], -below)
        for i, j in pairwise(members):
            require([(i + shift, 1), (j + shift, -1)], 0)
        sign = -1 if shift else 1
        for i, j, k in zip(members, members[1:], members[2:], strict=False):
            first, second = 1 / (places[j] - places[i]), 1 / (places[k] - places[j])
            bend = [(i + shift, -first), (j + shift, first + second), (k + shift, -second)]
            require([(column, sign * coefficient) for column, coefficient in bend], 0)
    require([(peak, 1), (peak + 1, -1)], 0)
    solved = optimize.linprog(np.eye(n + 2)[n + 1], np.array(rows), np.array(limits), bounds=(0, 1))
    return solved.fun if solved.success else np.inf


@pytest.mark.parametrize("seed", range(24))
def test_the_dip_is_the_distance_to_the_nearest_distribution_with_one_peak(seed):
    random = np.random.default_rng(seed)
    values = random.standard_normal(random.integers(2, 13)) + 3 * random.integers(2) * (random.random() > 0.5)
    values[: len(values) // 2] += 3 * random.integers(2)
    if seed % 3 == 0:
        values = np.round(values)  # ties
    assert dip(values) == pytest.approx(dip_by_linear_programs(values) if np.ptp(values) else 0.0, abs=1e-7)


def test_the_discriminant_points_where_scikit_learns_does():
    random = np.random.default_rng(2)
    one, other = random.standard_normal((2, 200, 4))
    one += np.array([1, 0, 0.5, 0])
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(np.concatenate([one, other]), np.repeat([1, 0], [200, 200]))
    ours = _discriminant(one, other)
    cosine = ours @ theirs.coef_[0] / np.linalg.norm(ours) / np.linalg.norm(theirs.coef_[0])
    assert cosine == pytest.approx(1, abs=1e-4)
