"""Planes of two axes or two principal components: which there are, and the cloud as seen in each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from zspace.errors import SettingOutOfRange
from zspace.geometry.clouds import Cloud
from zspace.geometry.planes.windows import CountLaw, PlaneGaussian, PlanePoints, Window, count_law, plane_gaussian

WHOLE_REACH = 4.0
"""The whole plane reaches this many standard deviations of its broader axis from the centre, to all four sides."""
_FORM = re.compile(r"(pc|axis)(\d+)-(pc|axis)(\d+)")


@dataclass(frozen=True)
class Plane:
    """Two principal components, or two raw axes; numbers count from 0 in here and components from 1 in names."""

    kind: str
    first: int
    second: int

    @property
    def name(self) -> str:
        """What settings call it, such as ``"pc1-pc2"``."""
        return "-".join(f"{self.kind}{number + self._offset}" for number in (self.first, self.second))

    @property
    def words(self) -> str:
        """What a person calls it, such as ``"components 1 and 2"``."""
        kind = "components" if self.kind == "pc" else "axes"
        return f"{kind} {self.first + self._offset} and {self.second + self._offset}"

    @property
    def labels(self) -> tuple[str, str]:
        """What is written at its axes."""
        word = "principal component" if self.kind == "pc" else "axis"
        x, y = (f"{word} {number + self._offset} (units of z)" for number in (self.first, self.second))
        return x, y

    @property
    def _offset(self) -> int:
        return 1 if self.kind == "pc" else 0


@dataclass(frozen=True)
class PlaneCloud:
    """The cloud as seen in one plane."""

    plane: Plane
    points: PlanePoints
    mean: Float64[np.ndarray, " 2"]
    covariance: Float64[np.ndarray, "2 2"]

    @cached_property
    def gaussian(self) -> PlaneGaussian | None:
        """The matched Gaussian's law on this plane, or None where it has no density."""
        return plane_gaussian(self.mean, self.covariance)

    @property
    def whole_side(self) -> float:
        """Side of the square that shows the whole plane, in units of z; 1 where all points are equal."""
        return 2 * WHOLE_REACH * float(np.sqrt(self.covariance.diagonal().max())) or 1.0

    def law(self, window: Window) -> CountLaw | None:
        """Return the law of the count in a window, or None without a Gaussian."""
        return count_law(self.gaussian, window, len(self.points)) if self.gaussian else None


def parse_planes(names: tuple[str, ...]) -> list[Plane]:
    """Return the planes of these names, however many dimensions there are.

    Raises
    ------
    SettingOutOfRange
        For a name that is no plane.
    """
    return [_plane(name) for name in names]


def chosen_planes(asked: tuple[str, ...], z_dim: int) -> tuple[list[Plane], tuple[str, ...]]:
    """Return the planes of these names, each once, and a sentence for each that had to be changed.

    Examples
    --------
    >>> planes, notes = chosen_planes(("pc1-pc18",), 8)
    >>> planes[0].name, notes
    ('pc1-pc8', ('there are 8 dimensions: components 1 and 8 stand for components 1 and 18',))
    """
    planes: dict[str, Plane] = {}
    notes = []
    for name in asked:
        plane = _plane(name)
        last = z_dim - 1
        first, second = min(plane.first, last), min(plane.second, last)
        if first == second:  # both lay beyond the last
            first, second = max(last - 1, 0), last
        used = Plane(plane.kind, first, second)
        if used != plane:
            notes.append(f"there are {z_dim} dimensions: {used.words} stand for {plane.words}")
        planes.setdefault(used.name, used)
    return list(planes.values()), tuple(notes)


def _plane(name: str) -> Plane:
    match = _FORM.fullmatch(name)
    offset = 1 if name.startswith("pc") else 0
    first, second = (int(match[place]) - offset for place in (2, 4)) if match else (0, 0)
    if not match or match[1] != match[3] or first == second or min(first, second) < 0:
        rule = "must name two different principal components from 1 or two different axes from 0"
        raise SettingOutOfRange("measure.planes", rule, repr(name), "Write 'pc1-pc2' or 'axis52-axis221'.")
    return Plane(match[1], first, second)


def planes_of(cloud: Cloud, planes: list[Plane]) -> Iterator[PlaneCloud]:
    """See a cloud in each of these planes, one after the other; components have their origin at the cloud's mean."""
    for plane in planes:
        numbers = [plane.first, plane.second]
        if plane.kind == "axis":
            points = cloud.points[:, numbers].astype(np.float64)
            yield PlaneCloud(plane, points, cloud.mean[numbers], cloud.covariance[np.ix_(numbers, numbers)])
        else:
            variances, components = cloud.principal
            directions = np.zeros((cloud.z_dim, 2))  # nothing lies along components that the points do not span
            for column, number in enumerate(numbers):
                directions[:, column] = components[:, number] if number < components.shape[1] else 0.0
            points = np.concatenate([(block.astype(np.float64) - cloud.mean) @ directions for block in cloud.blocks()])
            same = np.equal.outer(numbers, numbers)  # one dimension alone gives the plane pc1-pc1
            yield PlaneCloud(plane, points, np.zeros(2), np.where(same, variances[numbers], 0.0))
