"""Agreement of partitions, and which clusters carry which attributes."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from zspace.geometry.clustering import partitions
from zspace.geometry.clustering.partitions import adjusted_rand, attribute_shares
from zspace.seeds import random_stream

LABELS = np.repeat(np.arange(4), 100)


def column(*values):
    return np.array(values, dtype=np.float32)[:, np.newaxis]


@pytest.mark.parametrize(("one", "other"), [([0, 0, 0], [0, 0, 0]), ([0, 1, 2], [2, 0, 1]), ([0], [0])])
def test_the_same_clusters_agree_fully(one, other):
    assert adjusted_rand(np.array(one), np.array(other)) == 1


def test_an_attribute_that_the_clusters_are_made_of_is_told_whole():
    found = attribute_shares(LABELS, (LABELS[:, np.newaxis] < 2).astype(np.float32))
    assert found.share.tolist() == [1.0]
    assert found.p_value.tolist() == [0.0]
    assert found.means[:, 0].tolist() == [1, 1, 0, 0]
    assert (np.sign(found.deviations[:, 0]) == [1, 1, -1, -1]).all()


def test_unknown_values_are_left_out():
    attributes = column(1, 1, np.nan, 0, 0, np.nan)
    found = attribute_shares(np.array([0, 0, 0, 1, 1, 1]), attributes)
    assert found.n_known.tolist() == [4]
    assert found.share.tolist() == [1.0]


@pytest.mark.parametrize("values", [(3, 3, 3, 3), (np.nan,) * 4, (1, 2, np.nan, np.nan)], ids=str)
def test_what_cannot_be_told_is_nan(values):
    found = attribute_shares(np.array([0, 0, 1, 1]), column(*values))
    assert np.isnan(found.share).all()
    assert np.isnan(found.p_value).all()


def test_p_values_are_corrected_for_the_number_of_attributes():
    attributes = random_stream(1, "test").standard_normal((400, 3)).astype(np.float32)
    alone = [attribute_shares(LABELS, attributes[:, [j]]).p_value[0] for j in range(3)]
    order = np.argsort(alone)
    corrected = np.maximum.accumulate(np.array(alone)[order] * [3, 2, 1]).clip(max=1)
    np.testing.assert_allclose(attribute_shares(LABELS, attributes).p_value[order], corrected)


# --- Intervals cover, and chance is not taken for a finding -----------------------------------------------------------


def plausible_counts(n_draws, rate):
    low, high = stats.binom.interval(0.9999, n_draws, rate)
    return range(int(low), int(high) + 1)


def drawn(n_points, weights, rates, n_attributes, seed):
    """Labels, and attributes that are yes with the rate of the cluster."""
    random = random_stream(seed, "test rates")
    labels = random.choice(len(weights), n_points, p=weights)
    attributes = random.random((n_points, n_attributes)) < np.array(rates)[labels, np.newaxis]
    return labels, attributes.astype(np.float32)


def share_of(weights, rates):
    mean = np.dot(weights, rates)
    return np.dot(weights, (rates - mean) ** 2) / (mean * (1 - mean))


EVEN, FALLING = np.full(12, 1 / 12), 0.7 ** np.arange(12) / (0.7 ** np.arange(12)).sum()


@pytest.mark.parametrize("weights", [EVEN, FALLING], ids=["even clusters", "uneven clusters"])
@pytest.mark.parametrize(
    ("n_points", "rates"),
    [
        (300, np.full(12, 0.3)),
        (300, 0.3 + 0.03 * np.arange(12)),
        (300, np.where(np.arange(12) < 3, 0.9, 0.1)),
        (300, np.where(np.arange(12) < 3, 0.99, 0.01)),
        (3000, np.where(np.arange(12) == 2, 0.1, 0.01)),
    ],
    ids=["nothing", "a little", "much", "nearly all", "rare"],
)
def test_intervals_cover_the_share_of_the_population(n_points, rates, weights, monkeypatch):
    monkeypatch.setattr(partitions, "_FEWEST_DRAWS", 19)  # p-values are not looked at
    monkeypatch.setattr(partitions, "_DRAWS_PER_ATTRIBUTE", 0)
    n_covered, truth = 0, share_of(weights, rates)
    for seed in range(4):
        found = attribute_shares(*drawn(n_points, weights, rates, 50, seed))
        assert all(reason is None for reason in found.reasons)
        n_covered += ((found.intervals[:, 0] <= truth + 1e-12) & (truth <= found.intervals[:, 1])).sum()
    # Fifty attributes of one draw of clusters share the clusters' sizes, and so do not scatter quite freely.
    assert n_covered >= plausible_counts(200, 0.93)[0]


@pytest.mark.parametrize("values", ["rare", "heavy tails"])
def test_small_clusters_raise_no_more_false_alarms_than_said(values, monkeypatch):
    """The law of F gives a p-value below 0.01 to one in twelve of these; the draws, to one in a hundred at most."""
    monkeypatch.setattr(partitions, "_FEWEST_DRAWS", 199)
    monkeypatch.setattr(partitions, "_DRAWS_PER_ATTRIBUTE", 0)
    monkeypatch.setattr(partitions, "_corrected", lambda p_values: p_values)
    sizes = [140, 100, 40, 10, 4, 3, 3]
    random, labels = random_stream(1, "test"), np.repeat(np.arange(len(sizes)), sizes)
    shape = (len(labels), 200)
    attributes = random.random(shape) < 0.01 if values == "rare" else np.exp(1.5 * random.standard_normal(shape))
    attributes = attributes[:, attributes.sum(axis=0) > 1].astype(np.float32)
    found = attribute_shares(labels, attributes)
    n_told = attributes.shape[1]
    assert (found.p_value <= 0.01).sum() <= plausible_counts(n_told, 0.01)[-1]
    assert (found.p_value <= 0.25).sum() <= plausible_counts(n_told, 0.25)[-1]
    ratio = (found.share / 6) / ((1 - found.share) / (len(labels) - 7))
    assert (stats.f.sf(ratio, 6, len(labels) - 7) <= 0.01).mean() > 0.05


def test_a_tiny_cluster_that_has_all_of_a_rare_attribute_is_found():
    labels = np.repeat([0, 1, 2], [700, 695, 5])
    attributes = (random_stream(1, "test").random((1400, 40)) < 0.01).astype(np.float32)
    attributes[labels == 2, 0] = 1
    found = attribute_shares(labels, attributes)
    assert found.p_value[0] < 0.05
    assert (found.p_value[1:] > 0.05).all()


def test_the_variance_of_dealt_out_values_is_that_of_all_orders():
    values, sizes = np.array([0.0, 1, 5, 2, 2, 9]), np.array([3.0, 2, 1])
    centred = values - values.mean()
    shares = [
        (np.add.reduceat(centred[list(order)], [0, 3, 5]) ** 2 / sizes).sum() / (centred**2).sum()
        for order in permutations(range(6))
    ]
    kurtosis = (centred**4).mean() / (centred**2).mean() ** 2
    assert np.mean(shares) == pytest.approx(2 / 5)
    assert partitions._permutation_variance(sizes, kurtosis) == pytest.approx(np.var(shares))


def test_the_jackknife_in_closed_form_is_that_of_a_plain_loop():
    random = random_stream(1, "test")
    labels, values = np.repeat([0, 1, 2], [20, 15, 1]), random.standard_normal(36)
    groups = partitions._Groups.of(labels, values, 3)
    shares = []
    for i in range(36):
        left, kept = np.delete(labels, i), np.delete(values, i)
        within = sum(((kept[left == c] - kept[left == c].mean()) ** 2).sum() for c in set(left.tolist()))
        shares.append(1 - within / (35 - 3) / (((kept - kept.mean()) ** 2).sum() / 34))
    assert groups._jackknife_variance() == pytest.approx(35 / 36 * ((shares - np.mean(shares)) ** 2).sum())


def test_values_that_are_equal_but_for_rounding_are_not_told():
    assert attribute_shares(LABELS, column(*[0.1] * 400)).reasons == ("all its known values are equal",)
