"""What can be read off a cloud and off every cloud drawn from a null model: rows of quantities and profiles."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.results import Tail


@dataclass(frozen=True)
class Quantity:
    """One number that is read off a view."""

    name: str
    title: str
    unit: str
    source: str
    tail: Tail
    """The side on which structure shows."""
    value: Callable[..., float | None]
    """Function of the view; of the view and that of a reference draw where the subject compares two samples. None where
    it cannot be found."""


@dataclass(frozen=True)
class Profile:
    """One curve that is read off a view; all clouds of a comparison share its x."""

    name: str
    title: str
    x_label: str
    y_label: str
    value: Callable[[Any], tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]]
    """Function of the view: x and y, with NaN where it cannot be found."""


@dataclass(frozen=True)
class Subject:
    """One subject that is looked at, which is one family of tests: its view of a cloud, and what is read off it."""

    name: str
    """Also that of the family."""
    title: str
    question: str
    view: Callable[[Cloud], Any]
    """A pure function of the points. What several subjects need, such as neighbours, the cloud keeps."""
    quantities: tuple[Quantity, ...]
    profiles: tuple[Profile, ...] = ()
    two_samples: bool = False
    """Whether a quantity is a function of two views: the cloud's, and that of one more draw of the null model."""

    def without(self, kept: Collection[str]) -> "Subject | None":
        """Return the subject without quantities, by ``"subject.quantity"``; None where it is named as a whole."""
        if self.name in kept:
            return None
        left = tuple(one for one in self.quantities if f"{self.name}.{one.name}" not in kept)
        return replace(self, quantities=left) if left else None
