"""Soft-edged shapes on sheets of linear light: what the built-in faces are drawn with.

A shape is a signed distance (negative inside), worked out only on the patch of the sheet that it can touch and painted
through a ramp one pixel wide. That ramp is the anti-aliasing, and it makes a picture depend continuously on where its
shapes lie. Light stays linear until the end, so that shading and soft edges add up as light does.

A batch of sheets is drawn in one go: a number that differs between them is an array of shape (n, 1, 1). Pixels only
see operations that IEEE 754 rounds exactly (sums, products, quotients, roots), so that no sheet depends on the others.

Coordinates run to the right and downwards from the middle of the sheet, which reaches `VIEW` each way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

Number = float | Float32[np.ndarray, "n 1 1"]
Plane = Float32[np.ndarray, "#n rows columns"]
Planes = Float32[np.ndarray, "3 #n rows columns"]
Colour = Float32[np.ndarray, "3 #n 1 1"]  # linear light
Palette = Sequence[tuple[float, float, float]]  # a path of colours, as displayed, 0-1

VIEW = 0.84  # from the middle of the sheet to each of its sides
PIVOT_Y = 0.72  # a leaning sheet turns about this height: the neck
AMBIENT = 0.38  # the share of the light that comes from everywhere


# ------------------------------------------------------------------------------------------------------------- sheet


@dataclass(frozen=True)
class Patch:
    """The same rectangle of every sheet: the coordinates of its pixels and a view of the light painted there."""

    x: Plane
    y: Plane
    light: Planes
    pixel: float

    def around(self, x: Number, y: Number, radius_x: Number, radius_y: Number) -> tuple[Plane, Plane]:
        """Get coordinates in which an upright ellipse is the unit circle."""
        return (self.x - x) * (1 / radius_x), (self.y - y) * (1 / radius_y)

    def slanted(self, slope: Number) -> Patch:
        """Get the same pixels under coordinates that rise to the right."""
        return Patch(self.x, self.y + slope * self.x, self.light, self.pixel)


@dataclass(frozen=True)
class Sheets:
    """The squares that are painted on, under upright coordinates or under some that lean."""

    whole: Patch
    sine: Number  # of the lean, clockwise
    cosine: Number

    @staticmethod
    def blank(n_sheets: int, size: int) -> Sheets:
        """Get upright, dark sheets of `size` by `size` pixels."""
        pixel = 2 * VIEW / size
        middles = ((np.arange(size) + 0.5) * pixel - VIEW).astype(np.float32)
        x, y = np.meshgrid(middles, middles)
        light = np.zeros((3, n_sheets, size, size), np.float32)
        return Sheets(Patch(x[None], y[None], light, pixel), 0.0, 1.0)

    def leaning(self, radians: Number) -> Sheets:
        """Get these upright sheets, their light shared, under coordinates that lean clockwise."""
        x, y, sine, cosine = self.whole.x, self.whole.y - PIVOT_Y, np.sin(radians), np.cos(radians)
        leaning = Patch(x * cosine + y * sine, y * cosine - x * sine + PIVOT_Y, self.whole.light, self.whole.pixel)
        return Sheets(leaning, sine, cosine)

    def patch(self, x: Number, y: Number, reach_x: Number, reach_y: Number) -> Patch:
        """Cut out what can be touched, on any sheet, by shapes that reach so far from a point."""
        sine, cosine, whole = self.sine, self.cosine, self.whole
        upright_x = x * cosine - (y - PIVOT_Y) * sine
        upright_y = x * sine + (y - PIVOT_Y) * cosine + PIVOT_Y
        columns = self._span(upright_x, reach_x * cosine + reach_y * np.abs(sine))
        rows = self._span(upright_y, reach_y * cosine + reach_x * np.abs(sine))
        return Patch(whole.x[:, rows, columns], whole.y[:, rows, columns], whole.light[..., rows, columns], whole.pixel)

    def _span(self, middle: Number, reach: Number) -> slice:
        size, pixel = self.whole.light.shape[-1], self.whole.pixel
        # Two pixels more on either side, for the soft edge: no distance here grows slower than half the true one.
        first = int((np.min(middle - reach) + VIEW) / pixel - 2)
        last = int((np.max(middle + reach) + VIEW) / pixel + 2)
        return slice(min(max(first, 0), size), min(max(last + 1, 0), size))

    def developed(self) -> UInt8[np.ndarray, "n size size 3"]:
        """Turn linear light into bytes to display, by a gamma of 2: a root, rounded alike on every machine."""
        display = np.sqrt(self.whole.light.clip(0, 1)) * 255 + 0.5
        return np.ascontiguousarray(display.astype(np.uint8).transpose(1, 2, 3, 0))


# ------------------------------------------------------------------------------------------------------------- paint


def colour(palette: Palette, tone: Number = 0.0, brightness: float = 1.0) -> Colour:
    """Get the linear colours that lie `tone` (0-1) of the way along a palette."""
    places = np.linspace(0, 1, len(palette))
    display = np.array([np.interp(np.ravel(tone), places, channel) for channel in zip(*palette, strict=True)])
    linear: Colour = (brightness * display * display).astype(np.float32)[:, :, None, None]
    return linear


def cover(distance: Plane, width: float) -> Plane:
    """Get 1 inside a shape and 0 outside it, through a ramp of this width about its edge."""
    return (0.5 - distance * (1 / width)).clip(0, 1)


def paint(patch: Patch, distance: Plane, light: Colour | Planes, opacity: Number = 1.0, blur: float = 0.0) -> None:
    """Lay light over the inside of a shape, through an edge as wide as `blur` but at least one pixel."""
    covered = cover(distance, max(patch.pixel, blur))
    patch.light[:] += (opacity * covered) * (light - patch.light)


def stain(sheets: Sheets, x: Number, y: Number, radius_x: Number, radius_y: Number, taken: float | Colour) -> None:
    """Take away a share of the light, one for all channels or one for each, on a soft spot."""
    patch = sheets.patch(x, y, radius_x, radius_y)
    patch.light[:] *= 1 - taken * hill(patch, x, y, radius_x, radius_y)


# ------------------------------------------------------------------------------------------------------------ shapes


def hill(patch: Patch, x: Number, y: Number, radius_x: Number, radius_y: Number) -> Plane:
    """Get (1 - r^2)^2: 1 in the middle, 0 at the rim and beyond, without a crease there."""
    across, down = patch.around(x, y, radius_x, radius_y)
    height: Plane = np.square((1 - across * across - down * down).clip(0))
    return height


def ellipse(patch: Patch, x: Number, y: Number, radius_x: Number, radius_y: Number) -> Plane:
    """Get the distance to an ellipse, exact to first order at its edge, where the paint needs it."""
    across, down = patch.around(x, y, radius_x, radius_y)
    level = across * across + down * down - 1
    across *= 1 / radius_x
    down *= 1 / radius_y
    # The level over the length of its gradient; the last term keeps the middle finite.
    distance: Plane = level / (2 * np.sqrt(across * across + down * down) + 1e-6)
    return distance


class Arch(NamedTuple):
    """A line from corner to corner: its middle, half its width, how far both corners sink and the right one more."""

    x: Number
    y: Number
    half_width: Number
    bend: Number = 0.0
    lean: Number = 0.0


def lens(patch: Patch, arch: Arch, up: Number, down: Number) -> Plane:
    """Get the (vertical) distance to what swells `up` and `down` from an arch and closes at its corners.

    Eyes, lids, brows and lips are lenses; where one of the two swellings is negative, a crescent is left.
    """
    across = patch.x - arch.x
    along = across * (1 / arch.half_width)
    square = along * along
    below = patch.y - arch.y - arch.bend * square - arch.lean * along
    swelling = 1 - square
    swollen = np.maximum(below - down * swelling, -below - up * swelling)
    # Thin corners would trail off sideways, as the vertical distance hardly grows there.
    distance: Plane = np.maximum(swollen, np.abs(across) - arch.half_width)
    return distance


# ----------------------------------------------------------------------------------------------------------- shading


class Light(NamedTuple):
    """The direction towards the light, of length 1: to the right, downwards and out of the sheet."""

    x: Number
    y: Number
    z: Number

    @staticmethod
    def at(azimuth: Number, height: float) -> Light:
        """Get a light so many radians to the right of the viewer, and above."""
        return Light(np.sin(azimuth) * cos(height), -sin(height), np.cos(azimuth) * cos(height))


def lambert(normal_x: Plane, normal_y: Plane, normal_z: Plane, light: Light) -> Plane:
    """Get the light that a matt surface sends back; the normals may have any length.

    The cosine law, wrapped a little beyond the edge of the shadow as skin and hair do, over ambient light.
    """
    facing = normal_x * light.x + normal_y * light.y + normal_z * light.z
    facing /= np.sqrt(normal_x * normal_x + normal_y * normal_y + normal_z * normal_z)
    return AMBIENT + (1 - AMBIENT) * (0.75 * facing + 0.25).clip(0)


def lit_ball(patch: Patch, x: Number, y: Number, radius_x: Number, radius_y: Number, light: Light) -> Plane:
    """Get the light on a ball stretched to these radii."""
    across, down = patch.around(x, y, radius_x, radius_y)
    return lambert(across, down, front_of_ball(across, down), light)


def front_of_ball(across: Plane, down: Plane) -> Plane:
    """Get how far a unit ball bulges out of the sheet; a little everywhere, so that normals have a direction."""
    front: Plane = np.sqrt((1 - across * across - down * down).clip(0.09))
    return front
