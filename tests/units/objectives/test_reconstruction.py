"""Reconstruction losses against plain formulas."""

import numpy as np
import pytest
import torch

from zspace.objectives.reconstruction import RECONSTRUCTIONS

LOG_VARIANCE = -1.5


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(5, 3, 4, 4, generator=generator)
    return logits, torch.rand(5, 3, 4, 4, generator=generator)


PER_VALUE = {
    "binary-cross-entropy": lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)),
    "squared-error": lambda p, y: (p - y) ** 2,
    "absolute-error": lambda p, y: np.abs(p - y),
    "gaussian": lambda p, y: 0.5 * (np.log(2 * np.pi * np.exp(LOG_VARIANCE)) + (p - y) ** 2 / np.exp(LOG_VARIANCE)),
}


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_every_loss_is_the_posts_sum_over_pixels_of_channel_means(pair, name):
    logits, images = pair
    p, y = 1 / (1 + np.exp(-logits.double().numpy())), images.double().numpy()
    expected = PER_VALUE[name](p, y).mean(axis=1).sum(axis=(1, 2)).mean()
    found = RECONSTRUCTIONS[name].function(logits, images, torch.tensor(LOG_VARIANCE))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_binary_cross_entropy_stays_finite_for_hopeless_logits():
    images = torch.ones(1, 3, 4, 4)
    logits = torch.full((1, 3, 4, 4), -1000.0)
    loss = RECONSTRUCTIONS["binary-cross-entropy"].function(logits, images, torch.zeros(()))
    assert float(loss) == pytest.approx(1000.0 * 16)
