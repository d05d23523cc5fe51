"""Initial weights, activations and residual blocks."""

import pytest
import torch

from zspace.networks.convolutional import ConvolutionalEncoder
from zspace.networks.layers import ACTIVATIONS, INITIALIZERS, ResidualBlock, initialise
from zspace.settings import NetworkSettings

FAN_IN, FAN_OUT = 9216, 256


def head_after(initializer, seed=1):
    network = ConvolutionalEncoder(NetworkSettings(), 96, n_heads=1)
    initialise(network, initializer, seed)
    return network.heads[0]


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [
        ("glorot-uniform", (2 / (FAN_IN + FAN_OUT)) ** 0.5),
        ("he-normal", (2 / FAN_IN) ** 0.5),
        ("pytorch", (1 / (3 * FAN_IN)) ** 0.5),
    ],
)
def test_initial_weights_have_the_spread_their_source_gives(initializer, deviation):
    head = head_after(initializer)
    assert float(head.weight.detach().std()) == pytest.approx(deviation, rel=0.01)
    assert not head.bias.any()


def test_the_seed_decides_the_initial_weights():
    assert torch.equal(head_after("glorot-uniform").weight, head_after("glorot-uniform").weight)
    assert not torch.equal(head_after("glorot-uniform").weight, head_after("glorot-uniform", seed=2).weight)


def test_every_choice_of_the_settings_has_a_row():
    choices = NetworkSettings.__annotations__
    for name, table in (("activation", ACTIVATIONS), ("initializer", INITIALIZERS)):
        assert all(repr(row).strip("'") in str(choices[name]) for row in table)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_residual_block_keeps_shape_and_passes_its_input_on(batch_norm):
    block = ResidualBlock(NetworkSettings(batch_norm=batch_norm, activation="relu"), 5).eval()
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(2, 5, 6, 7)
    assert torch.allclose(block(x), x)
