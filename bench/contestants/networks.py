"""The network that the three contestants on PyTorch share: zspace's own, with the same initial weights."""

import torch
from torch import Tensor
from torch.nn import functional

from contestants.turn import ADAM_EPSILON, FILTERS, KL_WEIGHT, LEARNING_RATE, NOISE_LIMIT, Z_DIM, Task
from zspace.models import Autoencoder
from zspace.settings import ModelSettings, NetworkSettings, ObjectiveSettings, TrainingSettings

SEED = 1


def settings(task: Task) -> ModelSettings:
    """Return zspace's settings for a task."""
    return ModelSettings(
        "vae" if task.is_variational else "ae",
        network=NetworkSettings(filters=FILTERS, z_dim=Z_DIM, batch_norm=task.is_variational),
        objective=ObjectiveSettings(kl_weight=KL_WEIGHT, noise_limit=NOISE_LIMIT),
        training=TrainingSettings(
            epochs=1,
            batch_size=task.batch_size,
            learning_rate=LEARNING_RATE,
            adam_epsilon=ADAM_EPSILON,
            device="cpu",
            precision="bf16" if task.options.get("precision") == "bf16" else "float32",
        ),
    )


def autoencoder(task: Task) -> Autoencoder:
    """Return the model with its initial weights."""
    torch.set_num_threads(task.threads)
    return Autoencoder(settings(task), task.pixels().shape[1], SEED)


def float_images(task: Task) -> Tensor:
    """Return all images as (n, 3, size, size) in [0, 1], laid out as PyTorch does by default."""
    return torch.from_numpy(task.pixels()).permute(0, 3, 1, 2).float().div_(255.0).contiguous()


def summed_cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """Return the binary cross-entropy in the posts' unit, written the plain way."""
    total = functional.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    return total / (len(images) * images.shape[1])


@torch.no_grad()
def reconstruction_loss(model: Autoencoder, task: Task) -> float:
    """Return the loss of the first images, in training mode and float32: the same question for every contestant."""
    images = float_images(task)[: task.batch_size]
    model.train()
    generator = torch.Generator().manual_seed(SEED)
    noise = torch.randn(len(images), Z_DIM, generator=generator)
    return float(summed_cross_entropy(model.decoder(model.sampling(model.encode(images), noise)), images))
