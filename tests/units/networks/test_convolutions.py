"""Convolutions whose biases are summed apart are PyTorch's convolutions."""

import pytest
import torch
from torch import nn

from zspace.networks.convolutions import Convolution, GrowingConvolution

PAIRS = [
    (Convolution, nn.Conv2d, {"stride": 2, "padding": 1}),
    (GrowingConvolution, nn.ConvTranspose2d, {"stride": 2, "padding": 1, "output_padding": 1}),
]


def both(ours, theirs, shape, **options):
    torch.manual_seed(1)
    one = ours(4, 5, 3, **shape, **options)
    other = theirs(4, 5, 3, **shape, **options)
    other.load_state_dict(one.state_dict())
    return one, other


def step(layer, x, after=None, **autocast):
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, **autocast):
        output = (after or nn.Identity())(layer(x))
    output.float().square().sum().backward()
    return [output, x.grad, *(parameter.grad for parameter in layer.parameters())]


@pytest.mark.parametrize(("ours", "theirs", "shape"), PAIRS)
@pytest.mark.parametrize("bias", [True, False])
def test_output_and_gradients_are_pytorchs(ours, theirs, shape, bias):
    one, other = both(ours, theirs, shape, bias=bias, dtype=torch.float64)
    x = torch.randn(3, 4, 6, 6, dtype=torch.float64).to(memory_format=torch.channels_last)
    found, expected = step(one, x, enabled=False), step(other, x, enabled=False)
    assert len(found) == len(expected) == 3 + bias
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("ours", "theirs", "shape"), PAIRS)
def test_an_activation_may_work_in_place_on_the_output(ours, theirs, shape):
    one, other = both(ours, theirs, shape)
    x = torch.randn(3, 4, 6, 6)
    found = step(one, x, nn.LeakyReLU(0.3, inplace=True), enabled=False)
    for a, b in zip(found, step(other, x, nn.LeakyReLU(0.3), enabled=False), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("ours", "theirs", "shape"), PAIRS)
def test_in_bf16_gradients_keep_the_type_of_the_weights(ours, theirs, shape):
    one, other = both(ours, theirs, shape)
    x = torch.randn(3, 4, 6, 6)
    found, expected = step(one, x, enabled=True), step(other, x, enabled=True)
    assert found[0].dtype == torch.bfloat16
    assert one.bias.grad.dtype == torch.float32
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0.02, atol=0.05 * float(b.detach().abs().max()))


@pytest.mark.parametrize(("ours", "_theirs", "shape"), PAIRS)
def test_a_bias_that_is_held_fast_gets_no_gradient(ours, _theirs, shape):
    layer = ours(4, 5, 3, **shape)
    layer.bias.requires_grad_(requires_grad=False)
    layer(torch.randn(1, 4, 6, 6)).sum().backward()
    assert layer.bias.grad is None
    assert layer.weight.grad is not None
