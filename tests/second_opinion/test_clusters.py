"""k-means and its agreement against scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from zspace.geometry.clustering.kmeans import refine
from zspace.geometry.clustering.partitions import adjusted_rand, attribute_shares
from zspace.geometry.clustering.starts import fit_from_starts, spread_out
from zspace.geometry.truths import standard_normal_points
from zspace.seeds import random_stream

POINTS = standard_normal_points(700, 5, 1)


@pytest.mark.parametrize("k", [2, 7, 20])
def test_from_the_same_start_the_same_clusters_come_out(k):
    start = spread_out(POINTS, k, random_stream(1, "test"))
    ours, _ = refine(POINTS, [start], 300, 0.0)
    theirs = KMeans(k, init=start, n_init=1, max_iter=300, tol=0.0).fit(POINTS)
    assert ours.inertias[0] == pytest.approx(theirs.inertia_, rel=1e-4)
    assert adjusted_rand_score(ours.labels[:, 0], theirs.labels_) > 0.99


def test_three_starts_and_a_descent_are_within_two_percent_of_ten_starts_of_theirs():
    ks = [2, 4, 6, 8, 10, 12]
    ours = fit_from_starts(POINTS, ks, 3, 50, 1e-4, np.dtype(np.float32))[-1].inertias
    theirs = [KMeans(k, n_init=10, random_state=1).fit(POINTS).inertia_ for k in ks]
    assert (ours < 1.02 * np.array(theirs)).all()


@pytest.mark.parametrize(("n_one", "n_other"), [(1, 3), (2, 2), (5, 9), (40, 40)])
def test_agreement_is_that_of_scikit_learn(n_one, n_other):
    random = random_stream(2, "test")
    one = random.integers(n_one, size=200)
    other = np.where(random.random(200) < 0.5, one % n_other, random.integers(n_other, size=200))
    assert adjusted_rand(one, other) == pytest.approx(adjusted_rand_score(one, other), abs=1e-12)


def test_shares_of_attributes_are_those_of_an_analysis_of_variance_and_of_cramer():
    random = random_stream(3, "test")
    labels = random.integers(3, size=150)
    plain = (random.standard_normal(150) + labels).astype(np.float32)
    binary = (random.random(150) < 0.2 + 0.2 * labels).astype(np.float32)
    found = attribute_shares(labels, np.column_stack([plain, binary]))
    theirs = stats.f_oneway(*(plain[labels == cluster].astype(np.float64) for cluster in range(3)))
    assert attribute_shares(labels, plain[:, np.newaxis]).p_value[0] == pytest.approx(theirs.pvalue, rel=1e-9)
    table = np.array([[((labels == c) & (binary == b)).sum() for b in (0, 1)] for c in range(3)])
    assert np.sqrt(found.share[1]) == pytest.approx(stats.contingency.association(table, "cramer"), rel=1e-9)
