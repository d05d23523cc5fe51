"""Agreement of partitions, and which clusters carry which attributes."""

import numpy as np
import pytest

from zspace.geometry.partitions import adjusted_rand, attribute_shares
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
