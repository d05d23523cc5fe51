"""Whether a model draws what it is given: shares in closed form, and the rule on both sides of its limits."""

import numpy as np
import pytest

from zspace.generating.learning import (
    EXPLAINED_FROM,
    FEWEST_IMAGES,
    SPREAD_FROM,
    is_varied,
    learning_of,
    learning_verdict,
    spread_share,
)
from zspace.results import Estimate


def noise(n_images, seed=1, width=40.0):
    values = np.random.default_rng(seed).normal(128, width, (n_images, 8, 8, 3))
    return values.clip(0, 255).round().astype(np.uint8)


def judged(drawn, constant, perfect, originals=None, reconstructions=None):
    originals = noise(len(drawn)) if originals is None else originals
    parts = tuple(np.asarray(values, dtype=np.float64) for values in (drawn, constant, perfect))
    return learning_of(parts, "nats", originals, originals if reconstructions is None else reconstructions)


def share(low, high):
    return Estimate((low + high) / 2, "share", 100, 100, "a ratio", interval=(low, high), level=0.95)


def test_the_loss_is_placed_between_the_constant_image_and_the_exact_drawing():
    found = judged(np.full(20, 5.0), np.full(20, 8.0), np.full(20, 4.0))
    assert found.explained.value == pytest.approx(0.75)  # 3 of the 4 nats from 8 to 4
    assert found.explained.interval == pytest.approx((0.75, 0.75))  # the same for every image: nothing scatters
    assert [one.value for one in (found.loss, found.constant_loss, found.perfect_loss)] == [5.0, 8.0, 4.0]
    assert found.verdict == "learned"


def test_worse_than_the_constant_image_is_below_nothing():
    found = judged(np.full(20, 9.0), np.full(20, 8.0), np.full(20, 4.0))
    assert found.explained.value == pytest.approx(-0.25)
    assert found.verdict == "not learned"


def test_drawing_exactly_explains_all():
    found = judged(np.full(20, 4.0), np.full(20, 8.0), np.full(20, 4.0))
    assert found.explained.value == 1.0


def test_one_picture_for_every_image_has_not_learned_whatever_its_loss():
    originals = noise(30)
    found = judged(
        np.full(30, 4.0), np.full(30, 8.0), np.full(30, 4.0), originals, np.repeat(originals[:1], 30, axis=0)
    )
    assert found.spread.value == 0.0
    assert found.verdict == "not learned"


def test_the_spread_is_the_ratio_of_the_variances():
    originals = noise(40)
    deviations = originals - originals.mean(axis=0)
    whole = originals.astype(np.float64).var(axis=0, ddof=1).mean()
    halved = (originals.mean(axis=0) + deviations / 2).round().astype(np.uint8)
    expected = halved.astype(np.float64).var(axis=0, ddof=1).mean() / whole
    assert spread_share(halved, originals, paired=True).value == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(0.25, rel=0.01)


def test_stacks_of_other_sizes_compare_by_variance_not_by_sum():
    found = spread_share(noise(400, 2), noise(100, 3), paired=False)
    assert found.interval[0] < 1.0 < found.interval[1]
    assert found.n_used == 400


def test_too_few_images_tell_nothing_and_say_so():
    n_images = FEWEST_IMAGES - 1
    found = judged(np.full(n_images, 4.0), np.full(n_images, 8.0), np.full(n_images, 4.0))
    assert found.verdict == "cannot tell"
    assert (found.explained.value, found.spread.value) == (None, None)
    assert found.explained.reason == "only 9 images, 10 are needed"


def test_images_that_are_all_alike_tell_nothing_and_say_so():
    alike = np.repeat(noise(1), 20, axis=0)
    found = judged(np.full(20, 4.0), np.full(20, 4.0), np.full(20, 4.0), alike)
    assert found.verdict == "cannot tell"
    assert found.explained.reason == "the images are all alike"
    assert found.spread.reason == "the originals are all alike"


@pytest.mark.parametrize(
    ("explained", "spread", "verdict"),
    [
        ((EXPLAINED_FROM, 0.5), (SPREAD_FROM, 0.5), "learned"),
        ((0.1, EXPLAINED_FROM - 0.001), (0.5, 0.6), "not learned"),
        ((0.5, 0.6), (0.0, SPREAD_FROM - 0.001), "not learned"),
        ((0.1, 0.3), (0.5, 0.6), "cannot tell"),
        ((0.5, 0.6), (0.1, 0.3), "cannot tell"),
        ((0.1, 0.3), (0.0, 0.1), "not learned"),
    ],
)
def test_the_rule_needs_whole_intervals(explained, spread, verdict):
    assert learning_verdict(share(*explained), share(*spread)) == verdict


def test_a_sampler_is_varied_only_where_that_is_certain():
    assert is_varied(share(0.3, 0.4))
    assert not is_varied(share(0.1, 0.4))
    assert not is_varied(share(0.0, 0.1))
    assert not is_varied(None)
