"""Contestant: a plain PyTorch loop in float32, as a good tutorial would write it."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from contestants.networks import autoencoder, float_images, reconstruction_loss, summed_cross_entropy
from contestants.turn import ADAM_EPSILON, KL_WEIGHT, LEARNING_RATE, NOISE_LIMIT, Outcome, Stopwatch, Task, answer


def train(task: Task) -> Outcome:
    """Train with a DataLoader over a TensorDataset, Adam, and a running loss."""
    model = autoencoder(task)
    first_loss = reconstruction_loss(model, task)
    loader = DataLoader(TensorDataset(float_images(task)), task.batch_size, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=ADAM_EPSILON)
    watch = Stopwatch(task)
    running_loss = 0.0
    model.train()
    for (images,) in loader:
        optimizer.zero_grad()
        loss = _loss(model.encoder, model.decoder, images)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        running_loss += loss.item()
        if watch.tick():
            break
    return Outcome(watch.seconds(), first_loss, reconstruction_loss(model, task), {"torch": torch.__version__})


def _loss(encoder: nn.Module, decoder: nn.Module, images: torch.Tensor) -> torch.Tensor:
    mu, *rest = encoder(images)
    if not rest:
        return summed_cross_entropy(decoder(mu), images)
    logvar = rest[0]
    noise = torch.randn_like(mu).clamp(-NOISE_LIMIT, NOISE_LIMIT)
    z = mu + torch.exp(0.5 * logvar) * noise
    divergence = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1).mean()
    return summed_cross_entropy(decoder(z), images) + KL_WEIGHT * divergence


if __name__ == "__main__":
    answer(train)
