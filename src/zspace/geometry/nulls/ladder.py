"""The ladder of null models: each keeps more of the cloud than the one before."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.elliptical import EllipticalNull
from zspace.geometry.nulls.gaussian import GaussianNull, PriorNull
from zspace.geometry.nulls.marginals import CopulaNull, IndependentNull
from zspace.geometry.nulls.mixture import MixtureNull
from zspace.geometry.nulls.uniform import CubeNull, ShellNull
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
    kept: tuple[str, ...] = ()
    """Quantities, or whole subjects, that every draw has from the cloud by construction: they say nothing here."""


NULLS: dict[str, Null] = {
    row.name: row
    for row in (
        Null(
            "prior",
            "prior N(0, I)",
            keeps="Nothing but the number of points and of dimensions",
            destroys="Everything else: where the cloud lies, how wide it is in any direction, and all structure in it",
            fit=PriorNull.fit,
        ),
        Null(
            "gaussian",
            "Gaussian",
            keeps="Where the cloud lies and how wide it is in every direction: its mean and covariance, to the digit",
            destroys="Everything else: any gap, lump, string, sheet, hole, skewness or heavy tail; "
            "what is left is the one bell-shaped cloud of that centre and width",
            fit=GaussianNull.fit,
        ),
        Null(
            "elliptical",
            "elliptical model",
            keeps="The cloud's centre and shape, and how far out each point lies, in units of the shape's width in "
            "that direction (its Mahalanobis radius): thin shells, heavy tails and dense cores stay",
            destroys="The direction in which each point lies: every direction becomes as good as any other, so that "
            "clusters, strings, sheets and holes away from the centre are gone",
            fit=EllipticalNull.fit,
            kept=("radius",),
        ),
        Null(
            "independent",
            "model of independent components",
            keeps="Mean and covariance, and the values along the axes on which they depend on each other least, the "
            "principal components put right where values are not normal: two peaks, skewness or tails along one axis "
            "stay",
            destroys="Which values belong to the same point: they are shuffled for each axis by itself, so that "
            "nothing that takes two axes to see is left",
            fit=IndependentNull.fit,
            kept=(
                "axes.largest_skewness",
                "axes.mean_excess_kurtosis",
                "axes.largest_excess_kurtosis",
                "clusters.component_dip",
            ),
        ),
        Null(
            "copula",
            "Gaussian copula",
            keeps="The values along every axis of z, to the digit, and how strongly any two axes rise and fall "
            "together by rank: odd laws along the axes and correlation at the same time",
            destroys="Every other way in which axes go together: curves, rings, clusters that no single axis shows, "
            "and whatever takes three axes to see",
            fit=CopulaNull.fit,
        ),
        Null(
            "mixture",
            "mixture of Gaussians",
            keeps="Mean and covariance, and the cloud's large lumps: as many Gaussian parts, each of its own place, "
            "width and shape, as best predict points that they were not fitted to",
            destroys="All structure finer than these parts; inside a part there is no gap, string, sheet or hole",
            fit=MixtureNull.fit,
        ),
        Null(
            "shell",
            "uniform shell",
            keeps="The centre, the directions in which the cloud varies at all, and the distances from the centre that "
            "5 % and 95 % of the points fall short of",
            destroys="Everything else: all directions are equally likely, and so are all distances between these two",
            fit=ShellNull.fit,
        ),
        Null(
            "cube",
            "uniform box",
            keeps="The smallest box along the principal components that holds the cloud",
            destroys="Everything else: all places in the box are equally likely",
            fit=CubeNull.fit,
        ),
    )
}
"""All null models; those that are on no ladder are for whoever asks for them."""

LADDER = ("prior", "gaussian", "elliptical", "independent", "copula", "mixture")
"""The rungs in their order, the first that keeps least."""
