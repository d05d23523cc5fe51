"""Shapes, parameters and image sizes of the convolutional network."""

import pytest
import torch

from zspace.errors import ImageSizeNotDivisible, SettingOutOfRange
from zspace.networks.convolutional import ConvolutionalEncoder, check_image_size, convolutional_decoder
from zspace.networks.layers import count_parameters
from zspace.settings import NetworkSettings

FOUR, THREE = (32, 64, 128, 256), (32, 64, 256)


@pytest.mark.parametrize(
    ("changes", "n_heads", "encoder", "decoder"),
    [
        ({"z_dim": 512, "batch_norm": True}, 2, 9_828_544, 5_116_867),
        ({"z_dim": 256, "batch_norm": True}, 2, 5_109_440, 2_757_571),
        ({"z_dim": 256, "batch_norm": True, "dense": (256,)}, 2, 2_881_472, 2_757_571),
        ({"z_dim": 256, "batch_norm": True, "dense": (384,)}, 2, 4_126_784, 2_757_571),
        ({"z_dim": 256}, 1, 2_747_968, 2_756_675),
    ],
)
def test_the_posts_networks_have_the_posts_numbers_of_parameters(changes, n_heads, encoder, decoder):
    settings = NetworkSettings(**changes)
    assert count_parameters(ConvolutionalEncoder(settings, 96, n_heads)) == encoder
    assert count_parameters(convolutional_decoder(settings, 96)) == decoder


@pytest.mark.parametrize("block", ["plain", "residual"])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(
    ("kernels", "strides", "size"),
    [
        ((3,), (2,), 24),
        ((1,), (1,), 12),
        ((5,), (3,), 27),
        ((4, 3), (2, 3), 24),
        ((2,), (2,), 12),
        ((3, 5), (4, 1), 12),
    ],
)
def test_the_decoder_gives_back_the_size_the_encoder_took(block, batch_norm, kernels, strides, size):
    settings = NetworkSettings(
        filters=(4, 5), kernel_sizes=kernels, strides=strides, z_dim=7, block=block, batch_norm=batch_norm, dense=(6,)
    )
    images = torch.rand(2, 3, size, size)
    heads = ConvolutionalEncoder(settings, size, n_heads=2)(images)
    assert [tuple(head.shape) for head in heads] == [(2, 7), (2, 7)]
    assert convolutional_decoder(settings, size)(heads[0]).shape == images.shape


@pytest.mark.parametrize(
    ("size", "choices"), [(100, "Use --size 96 or 112"), (8, "Use --size 16,"), (17, "Use --size 16 or 32")]
)
def test_a_size_the_strides_do_not_divide_names_the_nearest_that_work(size, choices):
    message = rf"images\.size: must be a multiple of 16, since strides of 2 x 2 x 2 x 2 shrink it, got {size} pixels\. {choices}"
    with pytest.raises(ImageSizeNotDivisible, match=message):
        check_image_size(NetworkSettings(), size, "images.size")


def test_numbers_that_fit_no_layer_are_refused():
    with pytest.raises(
        SettingOutOfRange, match=r"network\.strides: must have one number, or one for each of the 4 fil"
    ):
        check_image_size(NetworkSettings(strides=(2, 2)), 96, "images.size")
    with pytest.raises(
        SettingOutOfRange, match=r"network\.kernel_sizes: must be odd where the stride is 1.* Use 3 or 5"
    ):
        ConvolutionalEncoder(NetworkSettings(filters=(4,), kernel_sizes=(4,), strides=(1,)), 8, 1)
