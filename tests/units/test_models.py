"""A model: encode, sample, decode, losses."""

from dataclasses import replace

import pytest
import torch

from zspace.errors import ImageSizeNotDivisible
from zspace.models import Autoencoder, Posterior
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings

SMALL = ModelSettings(network=NetworkSettings(filters=(4, 8), z_dim=3))
VAE = replace(SMALL, kind="vae")
WEIGHT = torch.tensor(2.0)


def images(n=5):
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("settings", [SMALL, VAE])
def test_images_become_points_and_images_again(settings):
    model = Autoencoder(settings, 16, seed=1)
    posterior = model.encode(images())
    assert posterior.mu.shape == (5, 3)
    assert (posterior.logvar is None) == (settings.kind == "ae")
    decoded = model.decode(model.sampling(posterior, torch.zeros(5, 3))).detach()
    assert decoded.shape == images().shape
    assert 0 < float(decoded.min()) < float(decoded.max()) < 1


def test_an_untrained_loss_is_close_to_ln_2_per_pixel():
    losses = Autoencoder(SMALL, 16, seed=1).losses(images(50), torch.empty(50, 3), WEIGHT)
    assert float(losses.total.detach()) == pytest.approx(16 * 16 * 0.693, rel=0.02)
    assert float(losses.divergence) == 0.0


def test_the_total_of_a_vae_is_reconstruction_plus_weighed_divergence():
    losses = Autoencoder(VAE, 16, seed=1).losses(images(), torch.randn(5, 3), WEIGHT)
    total, reconstruction, divergence = (float(part.detach()) for part in losses[:3])
    assert total == pytest.approx(reconstruction + 2 * divergence, rel=1e-6)
    assert divergence > 0


def test_noise_is_limited_as_in_the_posts_and_scaled():
    posterior = Posterior(torch.zeros(1, 3), torch.full((1, 3), 2 * torch.tensor(3.0).log()))
    noise = torch.tensor([[-9.0, 0.5, 9.0]])
    limited = Autoencoder(VAE, 16, seed=1).sampling(posterior, noise)
    assert limited.tolist() == [pytest.approx([-15.0, 1.5, 15.0])]
    free = replace(VAE, objective=ObjectiveSettings(noise_limit=0.0, noise_factor=2.0))
    assert Autoencoder(free, 16, seed=1).sampling(posterior, noise).tolist() == [pytest.approx([-54.0, 3.0, 54.0])]


def test_only_the_gaussian_learns_its_variance():
    gaussian = replace(SMALL, objective=ObjectiveSettings(reconstruction="gaussian"))
    for settings, learns in ((SMALL, False), (gaussian, True)):
        model = Autoencoder(settings, 16, seed=1)
        model.losses(images(), torch.empty(5, 3), WEIGHT).total.backward()
        assert (model.objective.log_variance.grad is not None) == learns


def test_the_seed_decides_the_weights():
    first, same, other = (Autoencoder(SMALL, 16, seed).encoder.features[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_an_image_size_that_does_not_fit_is_refused():
    with pytest.raises(ImageSizeNotDivisible, match=r"image size: must be a multiple of 4.*got 18 pixels"):
        Autoencoder(SMALL, 18, seed=1)


def test_the_loss_of_an_autoencoder_does_not_know_the_scale_of_its_z_space():
    model = Autoencoder(SMALL, 16, seed=1)
    before = model.losses(images(), torch.empty(5, 3), WEIGHT)
    with torch.no_grad():
        for parameter in model.encoder.heads[0].parameters():
            parameter.mul_(4)  # a power of two: not a bit of the mantissa changes
        next(layer for layer in model.decoder if isinstance(layer, torch.nn.Linear)).weight.div_(4)
    after = model.losses(images(), torch.empty(5, 3), WEIGHT)
    assert torch.equal(after.total, before.total)
    assert torch.equal(after.mean_radius, 4 * before.mean_radius)
