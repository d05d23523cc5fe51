"""Reconstruction losses against plain formulas."""

import numpy as np
import pytest
import torch

from zspace.objectives.reconstruction import RECONSTRUCTIONS


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(5, 3, 4, 4, generator=generator)
    return logits, torch.rand(5, 3, 4, 4, generator=generator)


def test_binary_cross_entropy_is_the_posts_sum_over_pixels_of_channel_means(pair):
    logits, images = pair
    p, y = 1 / (1 + np.exp(-logits.double().numpy())), images.double().numpy()
    per_value = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    expected = per_value.mean(axis=1).sum(axis=(1, 2)).mean()
    assert float(RECONSTRUCTIONS["binary-cross-entropy"].function(logits, images)) == pytest.approx(expected, rel=1e-5)


def test_squared_error_is_taken_between_intensities(pair):
    logits, images = pair
    error = (1 / (1 + np.exp(-logits.double().numpy())) - images.double().numpy()) ** 2
    expected = error.mean(axis=1).sum(axis=(1, 2)).mean()
    assert float(RECONSTRUCTIONS["squared-error"].function(logits, images)) == pytest.approx(expected, rel=1e-5)


def test_binary_cross_entropy_stays_finite_for_hopeless_logits():
    images = torch.ones(1, 3, 4, 4)
    loss = RECONSTRUCTIONS["binary-cross-entropy"].function(torch.full((1, 3, 4, 4), -1000.0), images)
    assert float(loss) == pytest.approx(1000.0 * 16)
