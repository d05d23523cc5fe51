"""A model: encode, decode, loss."""

import pytest
import torch

from zspace.errors import ImageSizeNotDivisible
from zspace.models import Autoencoder
from zspace.settings import ModelSettings, NetworkSettings

SMALL = ModelSettings(network=NetworkSettings(filters=(4, 8), z_dim=3))


def test_images_become_points_and_images_again():
    model = Autoencoder(SMALL, 16, seed=1)
    images = torch.rand(5, 3, 16, 16)
    z = model.encode(images)
    assert z.shape == (5, 3)
    decoded = model.decode(z).detach()
    assert decoded.shape == images.shape
    assert 0 < float(decoded.min()) < float(decoded.max()) < 1


def test_an_untrained_loss_is_close_to_one_bit_per_pixel():
    loss = Autoencoder(SMALL, 16, seed=1).loss(torch.rand(50, 3, 16, 16))
    assert float(loss.detach()) == pytest.approx(16 * 16 * 0.693, rel=0.02)


def test_the_seed_decides_the_weights():
    first, same, other = (Autoencoder(SMALL, 16, seed).encoder[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_an_image_size_that_does_not_fit_is_refused():
    with pytest.raises(ImageSizeNotDivisible, match=r"image size: must be a multiple of 4.*got 18 pixels"):
        Autoencoder(SMALL, 18, seed=1)
