"""The line-up: a cloud hidden among clouds of a null model, for readers to test their own eyes."""

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.ladder import Fitted, Null
from zspace.results import LineUp
from zspace.seeds import random_stream

N_PANELS = 20
"""Whoever sees no difference is right one time in so many."""
N_SHOWN = 400
"""Points in a panel: enough for strings and gaps to show, few enough to be told apart on a phone."""
_DIGITS = 4


def line_up(null: Null, fitted: Fitted, seed: int) -> LineUp:
    """Hide a cloud among clouds drawn from a null model.

    Parameters
    ----------
    null
        Its row of the ladder.
    fitted
        The same, fitted; it says which points are compared.
    seed
        The cloud's place, the draws, and which points are shown come from it.

    Returns
    -------
    Of every cloud, the points in the plane of its own two leading components, so that all are seen by the same rule:
    were the null model true, nothing but chance would set the cloud apart. Clouds of one dimension lie on a line.

    Cost
    ----
    Principal components of 20 clouds of as many points as are compared.

    Source
    ------
    Buja et al. 2009, Phil. Trans. R. Soc. A 367, 4361; one reader who picks the cloud has a p-value of 1 / 20.
    """
    place = int(random_stream(seed, "line-up", null.name, "place").integers(N_PANELS))
    panels = []
    for number in range(N_PANELS):
        random = random_stream(seed, "line-up", null.name, number)
        cloud = fitted.compared if number == place else Cloud(fitted.draw(random))
        panels.append(_panel(cloud, random))
    return LineUp(null.name, null.title, place + 1, np.stack(panels))


def _panel(cloud: Cloud, random: np.random.Generator) -> Float64[np.ndarray, "n_shown 2"]:
    """Return some points of a cloud in its leading plane, in an order that tells nothing, with the digits that show."""
    rows = random.permutation(cloud.n_points)[:N_SHOWN]
    plane = np.zeros((len(rows), 2))
    leading = cloud.rotated[rows, :2]
    plane[:, : leading.shape[1]] = leading
    return np.array([[float(f"{x:.{_DIGITS}g}") for x in point] for point in plane.tolist()])
