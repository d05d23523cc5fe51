"""Contestant: zspace's own training loop. Option ``precision``: "bf16" or "float32"."""

from importlib.metadata import version

import numpy as np
import torch

from contestants.networks import SEED, autoencoder, reconstruction_loss
from contestants.turn import Outcome, Stopwatch, Task, answer
from zspace.images.loader import ImageBatches
from zspace.training import Moment, Training


def train(task: Task) -> Outcome:
    """Train through `zspace.training.Training`, as ``zspace train`` does."""
    model = autoencoder(task)
    pixels = task.pixels()
    first_loss = reconstruction_loss(model, task)
    batches = ImageBatches(pixels, np.arange(len(pixels)), torch.device("cpu"))
    training = Training(model, batches, None, model.settings.training, SEED)
    watch = Stopwatch(task)
    for moment in training.run():
        if moment is Moment.AFTER_EPOCH or (moment is not Moment.BEGUN and watch.tick()):
            break
    versions = {"zspace": version("zspace"), "torch": torch.__version__}
    return Outcome(watch.seconds(), first_loss, reconstruction_loss(training.model, task), versions)


if __name__ == "__main__":
    answer(train)
