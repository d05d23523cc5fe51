"""What every contestant of `bench/train.py` shares: the task it is given, the stopwatch, and how it answers.

A contestant runs in a process of its own, maybe in an environment of its own: this module needs NumPy alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILTERS = (32, 64, 128, 256)
"""Of the posts' encoder; the decoder runs through them backwards."""
Z_DIM = 256
LEARNING_RATE = 5e-4
ADAM_EPSILON = 1e-7
KL_WEIGHT = 5.0
"""The posts' "fact"."""
NOISE_LIMIT = 5.0


@dataclass(frozen=True)
class Task:
    """What to train on, and for how long."""

    images: str
    """Path of a .npy file: uint8, (n, size, size, 3), exactly as many images as the steps need."""
    model: str
    """"ae", or "vae" with BatchNorm."""
    batch_size: int
    warm_up: int
    """Steps before the stopwatch starts."""
    steps: int
    """Steps that are timed."""
    threads: int
    options: dict[str, Any]
    """How this contestant is tuned."""

    @property
    def is_variational(self) -> bool:
        """Whether a VAE is to be trained."""
        return self.model == "vae"

    def pixels(self) -> NDArray[np.uint8]:
        """Return the images."""
        pixels: NDArray[np.uint8] = np.load(self.images)
        return pixels


@dataclass(frozen=True)
class Outcome:
    """What a contestant has to show."""

    seconds: float
    """For the timed steps."""
    first_loss: float
    """Reconstruction loss of the first batch's worth of images before the first step, in nats per image."""
    last_loss: float
    """The same for the same images after the last step."""
    versions: dict[str, str]


class Finished(Exception):
    """The last timed step is done."""


class Stopwatch:
    """Notes when each step ended."""

    def __init__(self, task: Task) -> None:
        self._warm_up, self._n_steps = task.warm_up, task.warm_up + task.steps
        self._ends: list[float] = []

    def tick(self) -> bool:
        """Note the end of a step; return whether it was the last one."""
        self._ends.append(perf_counter())
        return len(self._ends) >= self._n_steps

    def seconds(self) -> float:
        """Return the time of the timed steps."""
        return self._ends[self._n_steps - 1] - self._ends[self._warm_up - 1]


def answer(train: Callable[[Task], Outcome]) -> None:
    """Read the task from the file named on the command line, train, and write what came of it beside that file."""
    given, result = Path(sys.argv[1]), Path(sys.argv[2])
    task = Task(**json.loads(given.read_text(encoding="utf-8")))
    result.write_text(json.dumps(asdict(train(task))), encoding="utf-8")
