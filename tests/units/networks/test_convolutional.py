"""Shapes, parameters and image sizes of the convolutional network."""

import pytest
import torch

from zspace.errors import ImageSizeNotDivisible
from zspace.models import count_parameters
from zspace.networks.convolutional import (
    check_image_size,
    convolutional_decoder,
    convolutional_encoder,
    initialise_glorot_uniform,
)
from zspace.settings import NetworkSettings


def test_the_posts_autoencoder_has_the_posts_number_of_parameters():
    settings = NetworkSettings()
    assert count_parameters(convolutional_encoder(settings, 96)) == 2_747_968
    assert count_parameters(convolutional_decoder(settings, 96)) == 2_756_675


def test_batch_norm_counts_its_running_statistics_as_keras_does():
    assert count_parameters(convolutional_decoder(NetworkSettings(batch_norm=True), 96)) == 2_757_571


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize(("stride", "size"), [(1, 12), (2, 24), (3, 27)])
def test_the_decoder_gives_back_the_size_the_encoder_took(kernel_size, stride, size):
    settings = NetworkSettings(filters=(4, 5), kernel_size=kernel_size, stride=stride, z_dim=7)
    images = torch.rand(2, 3, size, size)
    z = convolutional_encoder(settings, size)(images)
    assert z.shape == (2, 7)
    assert convolutional_decoder(settings, size)(z).shape == images.shape


@pytest.mark.parametrize(
    ("size", "choices"), [(100, "Use --size 96 or 112"), (8, "Use --size 16,"), (17, "Use --size 16 or 32")]
)
def test_a_size_the_strides_do_not_divide_names_the_nearest_that_work(size, choices):
    with pytest.raises(
        ImageSizeNotDivisible, match=rf"images\.size: must be a multiple of 16.* {size} pixels\. {choices}"
    ):
        check_image_size(NetworkSettings(), size, "images.size")


def test_initial_weights_follow_glorot_and_the_seed():
    networks = [convolutional_encoder(NetworkSettings(), 96) for _ in range(3)]
    for network, seed in zip(networks, (1, 1, 2), strict=True):
        initialise_glorot_uniform(network, seed)
    first, same, other = (network[-1] for network in networks)
    limit = (6 / (9216 + 256)) ** 0.5
    assert float(first.weight.detach().abs().max()) <= limit
    assert float(first.weight.detach().std()) == pytest.approx(limit / 3**0.5, rel=0.01)
    assert not first.bias.any()
    assert torch.equal(first.weight, same.weight)
    assert not torch.equal(first.weight, other.weight)
