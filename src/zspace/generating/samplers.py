"""Ways to choose random z-points: each one function and one row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zspace.errors import UnknownSetting
from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.laws import matched_gaussian_points
from zspace.records import nearest
from zspace.seeds import random_stream
from zspace.shapes import Points

_SMALLEST_WIDTH, _LARGEST_WIDTH = 1e-30, 1e30
"""Widths beyond these would come out as zero or infinity in float32."""


@dataclass(frozen=True)
class Sampler:
    """One row of the table: a name, its headline, and a function of the cloud."""

    name: str
    title: str
    """``{width}`` stands for the number after the colon."""
    draw: Callable[[Cloud, int, float, np.random.Generator], Points]
    takes_width: bool = False


def _standard_normal(cloud: Cloud, n_points: int, _width: float, random: np.random.Generator) -> Points:
    return random.standard_normal((n_points, cloud.z_dim), dtype=np.float32)


def _uniform_cube(cloud: Cloud, n_points: int, width: float, random: np.random.Generator) -> Points:
    return random.uniform(-width, width, (n_points, cloud.z_dim)).astype(np.float32)


def _fitted_gaussian(cloud: Cloud, n_points: int, _width: float, random: np.random.Generator) -> Points:
    return matched_gaussian_points(cloud, n_points, random)


SAMPLERS: dict[str, Sampler] = {
    row.name: row
    for row in (
        Sampler("normal", "N(0, 1) on every axis", _standard_normal),
        Sampler("uniform", "uniform in [-{width}, {width}] on every axis", _uniform_cube, takes_width=True),
        Sampler("fitted-gaussian", "Gaussian with the cloud's own mean and covariance", _fitted_gaussian),
    )
}


def parse_sampler(specification: str) -> tuple[Sampler, float]:
    """Return the row and the width that ``"NAME"`` or ``"NAME:WIDTH"`` stands for.

    Raises
    ------
    UnknownSetting
        For an unknown name, a missing or superfluous width, or one that is no positive number.

    Examples
    --------
    >>> parse_sampler("uniform:2")[1]
    2.0
    """
    name, colon, text = specification.partition(":")
    where = "generate.samplers"
    if name not in SAMPLERS:
        raise UnknownSetting(where, "must name samplers", repr(specification), nearest(name, list(SAMPLERS)))
    sampler = SAMPLERS[name]
    if sampler.takes_width != bool(colon):
        rule = "needs a width after a colon" if sampler.takes_width else "takes no width"
        example = f"{name}:2" if sampler.takes_width else name
        raise UnknownSetting(where, f"{name} {rule}", repr(specification), f"Write {example!r}.")
    return sampler, _positive_number(text, specification) if colon else 0.0


def _positive_number(text: str, specification: str) -> float:
    try:
        width = float(text)
    except ValueError:
        width = 0.0
    if not _SMALLEST_WIDTH <= width <= _LARGEST_WIDTH:
        rule = f"the width must be a positive number, from {_SMALLEST_WIDTH:g} to {_LARGEST_WIDTH:g}"
        where = "generate.samplers"
        raise UnknownSetting(where, rule, repr(specification), "Write for example 'uniform:2'.")
    return width


def sampler_title(specification: str) -> str:
    """Return the headline of a sampler.

    Examples
    --------
    >>> sampler_title("uniform:2")
    'uniform in [-2, 2] on every axis'
    """
    sampler, width = parse_sampler(specification)
    return sampler.title.format(width=f"{width:g}")


def draw_points(specification: str, cloud: Cloud, n_points: int, seed: int) -> Points:
    """Draw random z-points.

    Parameters
    ----------
    specification
        ``"NAME"`` or ``"NAME:WIDTH"`` of a row of `SAMPLERS`.
    cloud
        The encoded images; samplers that ignore it take only its number of dimensions.
    n_points
        How many to draw.
    seed
        The stream ("sampler", specification) is used: samplers do not disturb one another.
    """
    sampler, width = parse_sampler(specification)
    return sampler.draw(cloud, n_points, width, random_stream(seed, "sampler", specification))
