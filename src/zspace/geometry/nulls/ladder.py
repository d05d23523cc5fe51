"""The ladder of null models: each keeps more of the cloud than the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from zspace.geometry.clouds import Cloud
from zspace.shapes import Points


@runtime_checkable
class Fitted(Protocol):
    """A null model that was fitted to a cloud."""

    @property
    def compared(self) -> Cloud:
        """The points to compare with draws: the cloud, or the part of it that the model was not fitted on."""
        ...

    def draw(self, random: np.random.Generator) -> Points:
        """Draw as many points as are compared, so that, were the model true, they and the compared are exchangeable."""
        ...


@dataclass(frozen=True)
class Null:
    """One row of the ladder."""

    name: str
    title: str
    keeps: str
    """One sentence, also said to readers of the report."""
    destroys: str
    fit: Callable[[Cloud, int], Fitted]
    """Function of the cloud and a seed."""
