"""The KL term: its value, free bits, capacity and schedules."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from zspace.objectives.divergence import divergence_per_dimension, penalised_divergence, scheduled_weight
from zspace.settings import ObjectiveSettings


@pytest.fixture
def posterior():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(6, 4, generator=generator), torch.randn(6, 4, generator=generator) - 1


def test_the_divergence_is_that_of_two_normals(posterior):
    mu, logvar = posterior
    expected = kl_divergence(Normal(mu, (logvar / 2).exp()), Normal(torch.zeros(()), torch.ones(())))
    assert torch.allclose(divergence_per_dimension(mu, logvar), expected, atol=1e-6)


def test_a_posterior_equal_to_the_prior_costs_nothing():
    assert not divergence_per_dimension(torch.zeros(2, 3), torch.zeros(2, 3)).any()


def test_without_options_the_charge_is_the_mean_over_images(posterior):
    divergences = divergence_per_dimension(*posterior)
    charged = penalised_divergence(divergences.mean(dim=0), ObjectiveSettings())
    assert float(charged) == pytest.approx(float(divergences.sum(dim=1).mean()), rel=1e-6)


def test_free_bits_charge_at_least_their_sum_and_give_cheap_dimensions_no_gradient():
    per_dimension = torch.tensor([0.2, 3.0], requires_grad=True)
    charged = penalised_divergence(per_dimension, ObjectiveSettings(free_bits=0.5))
    assert float(charged.detach()) == pytest.approx(0.5 + 3.0)
    charged.backward()
    assert per_dimension.grad.tolist() == [0.0, 1.0]


def test_capacity_is_an_aim_from_both_sides():
    for value in (3.0, 7.0):
        charged = penalised_divergence(torch.tensor([value]), ObjectiveSettings(capacity=5.0))
        assert float(charged) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("schedule", "weights"),
    [
        ("fixed", [4.0, 4.0, 4.0, 4.0, 4.0]),
        ("warm-up", [0.0, 1.0, 2.0, 4.0, 4.0]),
        ("cyclic", [0.0, 2.0, 4.0, 0.0, 2.0]),
    ],
)
def test_schedules_move_the_weight(schedule, weights):
    settings = ObjectiveSettings(kl_weight=4.0, kl_schedule=schedule, kl_epochs=2.0)
    assert [scheduled_weight(settings, epochs) for epochs in (0.0, 0.5, 1.0, 2.0, 2.5)] == pytest.approx(weights)
