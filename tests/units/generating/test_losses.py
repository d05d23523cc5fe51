"""What drawing costs in a model's own objective."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zspace.generating.losses import drawing_losses
from zspace.models import Autoencoder
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings

SMALL = ModelSettings(network=NetworkSettings(filters=(4, 8), z_dim=3))
N = 12


def pictures():
    images = np.random.default_rng(1).integers(0, 256, (N, 16, 16, 3), dtype=np.uint8)
    images[:, 0], images[:, 1] = 0, 255  # pixels that are black, or white, in every image
    return images


def losses_with(objective):
    model = Autoencoder(replace(SMALL, objective=ObjectiveSettings(reconstruction=objective)), 16, seed=1)
    codes = np.random.default_rng(2).standard_normal((N, 3), dtype=np.float32)
    return model, codes, drawing_losses(model, codes, pictures())


@pytest.mark.parametrize("objective", ["binary-cross-entropy", "squared-error", "absolute-error"])
def test_the_drawn_loss_is_the_models_own(objective):
    model, codes, found = losses_with(objective)
    with torch.inference_mode():
        logits = model.decoder(torch.from_numpy(codes))
        wanted = torch.from_numpy(pictures()).permute(0, 3, 1, 2) / 255.0
        whole = float(RECONSTRUCTIONS[objective].function(logits, wanted, torch.zeros(())))
    assert found.drawn.mean() == pytest.approx(whole, rel=1e-5)
    assert (found.name, found.unit) == (objective, RECONSTRUCTIONS[objective].unit)


def distance(objective, drawn, images):
    per_value = {
        "binary-cross-entropy": lambda: -images * np.log(drawn) - (1 - images) * np.log(1 - drawn),
        "squared-error": lambda: (drawn - images) ** 2,
        "absolute-error": lambda: np.abs(drawn - images),
    }[objective]()
    return float(per_value.mean() * 16 * 16)


@pytest.mark.parametrize("objective", ["binary-cross-entropy", "squared-error", "absolute-error"])
def test_no_constant_image_does_better_than_the_best(objective):
    images = pictures() / 255.0
    found = losses_with(objective)[2].constant.mean()
    for guess in (images.mean(axis=0), np.median(images, axis=0), images[0], np.full_like(images[0], 0.5)):
        assert found <= distance(objective, guess.clip(1e-9, 1 - 1e-9), images) + 1e-3


def test_exact_drawing_costs_the_entropy_and_errors_nothing():
    images = (pictures() / 255.0).clip(1e-12, 1 - 1e-12)
    entropy = distance("binary-cross-entropy", images, images)
    assert losses_with("binary-cross-entropy")[2].perfect.mean() == pytest.approx(entropy, rel=1e-4)
    for objective in ("squared-error", "absolute-error"):
        assert losses_with(objective)[2].perfect.mean() == pytest.approx(0.0, abs=1e-4)


def test_a_likelihood_with_a_variance_is_judged_by_its_distance():
    found = losses_with("gaussian")[2]
    assert (found.name, found.unit) == ("squared-error", "squared intensity per image")
    assert found.perfect.mean() == pytest.approx(0.0, abs=1e-4)
