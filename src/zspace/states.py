"""The state of a training at one moment, as arrays and plain records: all there is to a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np

from zspace.guarding import Guard
from zspace.records import Within
from zspace.results import EpochRecord, Rollback

Count = Annotated[int, Within(0)]


@dataclass
class Position:
    """How far a run has come, and what it remembers."""

    epoch: Count = 0
    """Epochs completed."""
    step: Count = 0
    """Steps of the current epoch completed."""
    epoch_seconds: float = 0.0
    """Time spent in the steps of the current epoch."""
    changes: tuple[tuple[Count, Count], ...] = ()
    """Epoch and step of every place from which noise and order were changed, so as not to repeat what went wrong."""
    history: tuple[EpochRecord, ...] = ()
    rollbacks: tuple[Rollback, ...] = ()
    guard: Guard = field(default_factory=Guard)

    def copied(self) -> Position:
        """Return a position that stays as this one is now."""
        return replace(self, guard=Guard(dict(self.guard.seen)))


@dataclass(frozen=True)
class State:
    """Weights, optimiser, controller and sums by name, and the position: from here a training goes on bit for bit."""

    arrays: dict[str, np.ndarray]
    position: Position
    n_steps_done: Count
    """Since the start."""

    @property
    def ends_epoch(self) -> bool:
        """Whether an epoch has just been completed."""
        return self.position.step == 0 and self.position.epoch > 0
