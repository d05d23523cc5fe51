"""The parts of a drawn face, one function a part, painted back to front.

A new part is one function and its place in `STILL_PARTS` or `LEANING_PARTS`. Lengths are those of `drawing`, in which
a head is about 0.9 wide and 1.2 high. Places on a face are given over the half-width and half-height of the head, from
its middle: `Sitters.landmark` turns them with the head and puts them on the sheets.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from zspace.images.drawing import (
    Arch,
    Light,
    Number,
    Palette,
    Patch,
    Plane,
    Sheets,
    colour,
    ellipse,
    front_of_ball,
    hill,
    lambert,
    lens,
    lit_ball,
    paint,
    stain,
)

Column = Float32[np.ndarray, "n 1 1"]

SKIN: Palette = ((0.56, 0.39, 0.31), (0.68, 0.47, 0.36), (0.80, 0.59, 0.45), (0.89, 0.70, 0.57), (0.94, 0.80, 0.71))
HAIR: Palette = ((0.08, 0.07, 0.09), (0.26, 0.15, 0.10), (0.50, 0.23, 0.11), (0.62, 0.43, 0.22), (0.50, 0.48, 0.48))
IRIS: Palette = ((0.22, 0.11, 0.06), (0.42, 0.28, 0.12), (0.30, 0.46, 0.24), (0.22, 0.48, 0.70), (0.50, 0.58, 0.66))
WALL: Palette = ((0.72, 0.43, 0.41), (0.76, 0.63, 0.42), (0.45, 0.61, 0.45), (0.36, 0.60, 0.68), (0.50, 0.45, 0.70))
CLOTHES: Palette = ((0.20, 0.34, 0.46), (0.24, 0.26, 0.44), (0.62, 0.28, 0.26), (0.82, 0.56, 0.26), (0.88, 0.84, 0.74))
LIPS: Palette = ((0.88, 0.60, 0.60),)  # over skin
WHITE: Palette = ((0.95, 0.94, 0.92),)
THROAT: Palette = ((0.30, 0.08, 0.08),)
RIMS: Palette = ((0.34, 0.22, 0.13),)
INK: Palette = ((0.07, 0.05, 0.06),)
BLUSH = np.array([0.0, 0.16, 0.14], np.float32).reshape(3, 1, 1, 1)  # what a blush takes away

HEAD_Y = -0.03  # its middle; the head turns about it
HEAD_HALF_WIDTH = 0.46
HEAD_HALF_HEIGHT = 0.62
DEPTH = 0.85  # of the head, over its half-width: how far a turn moves what lies on its front
NOD_DEPTH = 0.5  # the same for a nod, over its half-height
EYE_X = 0.4  # to either side, as the next one over the size of the head
EYE_Y = -0.06
EAR_ANGLE = 1.75  # radians from the front: a little behind the side
LIGHT_HEIGHT = 0.44  # radians above the eyes
SIDES = (-1.0, 1.0)


class Faces(NamedTuple):
    """A factor table by column, angles in radians; `zspace.images.faces.FACTORS` tells ranges and meanings."""

    yaw: Column
    pitch: Column
    tilt: Column
    light_azimuth: Column
    skin_tone: Column
    face_width: Column
    jaw_width: Column
    hair_tone: Column
    hair_length: Column
    hair_volume: Column
    parting: Column
    eye_size: Column
    eye_tone: Column
    gaze: Column
    brow_height: Column
    brow_angle: Column
    smile: Column
    mouth_open: Column
    background_tone: Column
    glasses: Column
    beard: Column


class Landmark(NamedTuple):
    """Where a place of the face lies on the sheet, and how narrow the turn of the head makes things there."""

    x: Column
    y: Column
    squeeze: Column


@dataclass(frozen=True)
class Sitters:
    """Faces ready to be drawn: eggs whose outline stays, while what lies on their front moves as they turn."""

    face: Faces
    half_width: Column
    light: Light

    def landmark(self, x: float, y: float, lift: float = 1.0) -> Landmark:
        """Put a place of the face on the sheet, `lift` times as far in front as the egg is there."""
        front = lift * sqrt(max(1 - x * x - y * y, 0.05))
        turned_x = x * np.cos(self.face.yaw) + DEPTH * front * np.sin(self.face.yaw)
        turned_y = y * np.cos(self.face.pitch) + NOD_DEPTH * front * np.sin(self.face.pitch)
        squeeze = np.cos(self.face.yaw) - DEPTH * x / front * np.sin(self.face.yaw)
        return Landmark(self.half_width * turned_x, HEAD_Y + HEAD_HALF_HEIGHT * turned_y, squeeze)

    def egg(self, patch: Patch) -> tuple[Plane, Plane]:
        """Get coordinates in which the outline of the head is the unit circle: it narrows towards the chin."""
        across, down = patch.around(0.0, HEAD_Y, self.half_width, HEAD_HALF_HEIGHT)
        towards_chin = (down + 0.1).clip(0) * (1 / 1.1)
        return across / (1 - (1 - self.face.jaw_width) * towards_chin * towards_chin), down


def egg_outline(across: Plane, down: Plane) -> Plane:
    """Get the distance to the outline of the head, nearly."""
    radius: Plane = np.sqrt(across * across + down * down)
    return (radius - 1) * HEAD_HALF_WIDTH


# ------------------------------------------------------------------------------------------------- behind the head


def paint_wall(sheets: Sheets, sitters: Sitters) -> None:
    """Fill the sheet with a soft gradient, brightest in the middle above."""
    patch = sheets.whole
    patch.light[:] = colour(WALL, sitters.face.background_tone) * (1 - 0.25 * (patch.y + 0.7 * patch.x * patch.x))


def paint_clothes(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the shoulders, in a colour that goes with the wall."""
    patch = sheets.patch(0.0, 1.22, 0.86, 0.56)
    glow = lit_ball(patch, 0.0, 1.22, 1.0, 0.75, sitters.light)
    paint(patch, ellipse(patch, 0.0, 1.22, 0.86, 0.56), colour(CLOTHES, sitters.face.background_tone) * glow)


def paint_back_hair(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the hair behind the neck: none to be seen when short, down to the shoulders when long."""
    face = sitters.face
    radius_x = sitters.half_width + 0.3 * face.hair_volume + 0.06 * face.hair_length
    top, bottom = -0.5, HEAD_Y + 0.2 + 0.85 * face.hair_length
    ball = (0.0, (top + bottom) / 2, radius_x, (bottom - top) / 2)
    patch = sheets.patch(*ball)
    glow = lit_ball(patch, *ball, sitters.light) * strands(patch, *ball)
    paint(patch, ellipse(patch, *ball), colour(HAIR, face.hair_tone, 0.55) * glow)


def paint_neck(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the neck, in the shadow of the chin."""
    radius = 0.56 * sitters.half_width
    patch = sheets.patch(0.0, 0.52, radius, 0.36)
    glow = lit_ball(patch, 0.0, 0.7, 1.3 * radius, 1.0, sitters.light)
    glow *= (1.4 * patch.y - 0.32).clip(0.4, 1)
    paint(patch, ellipse(patch, 0.0, 0.52, radius, 0.36), colour(SKIN, sitters.face.skin_tone, 0.9) * glow)


def paint_ears(sheets: Sheets, sitters: Sitters) -> None:
    """Paint both ears; they sit a little behind the middle, so that a turn shows one and hides the other."""
    y = HEAD_Y + HEAD_HALF_HEIGHT * (0.08 - 0.3 * np.sin(sitters.face.pitch))
    for side in SIDES:
        x = 1.06 * sitters.half_width * np.sin(side * EAR_ANGLE + sitters.face.yaw)
        patch = sheets.patch(x, y, 0.075, 0.125)
        glow = lit_ball(patch, x, y, 0.1, 0.18, sitters.light)
        paint(patch, ellipse(patch, x, y, 0.075, 0.125), colour(SKIN, sitters.face.skin_tone, 0.85) * glow)
        stain(sheets, x, y, 0.06, 0.1, 0.35)


# ----------------------------------------------------------------------------------------------------- head and skin


class Bump(NamedTuple):
    """A hill of the face's relief, or a hollow where its height is negative; radii and height over the half-width."""

    x: float
    y: float
    radius_x: float
    radius_y: float
    height: float
    lift: float = 1.0


RELIEF = (
    Bump(0.0, 0.06, 0.17, 0.45, 0.085, 1.1),  # bridge of the nose
    Bump(0.0, 0.26, 0.21, 0.2, 0.10, 1.2),  # tip of the nose
    Bump(-EYE_X, EYE_Y, 0.33, 0.24, -0.05),  # sockets
    Bump(EYE_X, EYE_Y, 0.33, 0.24, -0.05),
    Bump(-0.5, 0.26, 0.42, 0.36, 0.03),  # cheeks
    Bump(0.5, 0.26, 0.42, 0.36, 0.03),
    Bump(0.0, 0.76, 0.3, 0.22, 0.04),  # chin
)


def relief_slopes(patch: Patch, sitters: Sitters) -> tuple[Plane, Plane]:
    """Get how steeply the relief rises to the right and downwards: the gradient of its `hill`s."""
    slope_x = slope_y = np.zeros((1, 1, 1), np.float32)
    for bump in RELIEF:
        at = sitters.landmark(bump.x, bump.y, bump.lift)
        radius_x, radius_y = bump.radius_x * sitters.half_width, bump.radius_y * sitters.half_width
        across, down = patch.around(at.x, at.y, radius_x, radius_y)
        steepness = (1 - across * across - down * down).clip(0) * (-4 * bump.height * sitters.half_width)
        slope_x = slope_x + steepness * across * (1 / radius_x)
        slope_y = slope_y + steepness * down * (1 / radius_y)
    return slope_x, slope_y


def paint_head(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the skin of the head, lit by the normals of an egg with a relief."""
    patch = sheets.patch(0.0, HEAD_Y, sitters.half_width, HEAD_HALF_HEIGHT)
    across, down = sitters.egg(patch)
    slope_x, slope_y = relief_slopes(patch, sitters)
    # A face is flatter in front than an egg.
    glow = lambert(0.85 * across - slope_x, 0.7 * down - slope_y, front_of_ball(across, down), sitters.light)
    paint(patch, egg_outline(across, down), colour(SKIN, sitters.face.skin_tone, 1.16) * glow)


def paint_blush_and_sockets(sheets: Sheets, sitters: Sitters) -> None:
    """Redden the cheeks and darken the hollows about the eyes."""
    for side in SIDES:
        at = sitters.landmark(0.52 * side, 0.28)
        stain(sheets, at.x, at.y, 0.2 * at.squeeze, 0.16, BLUSH)
        at = sitters.landmark(EYE_X * side, EYE_Y - 0.03)
        stain(sheets, at.x, at.y, 0.2 * at.squeeze, 0.14, 0.5)


def paint_nose(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the shadow that the nose casts away from the light, its nostrils and the highlight on its tip."""
    tip, light = sitters.landmark(0.0, 0.26, 1.2), sitters.light
    stain(sheets, tip.x - 0.07 * light.x, tip.y + 0.075, 0.13, 0.065, 0.35)
    for side in SIDES:
        at = sitters.landmark(0.1 * side, 0.34, 1.12)
        patch = sheets.patch(at.x, at.y, 0.03 * at.squeeze, 0.017)
        paint(patch, ellipse(patch, at.x, at.y, 0.03 * at.squeeze, 0.017), colour(THROAT, brightness=0.6), 0.7)
    shine = (tip.x + 0.03 * light.x, tip.y - 0.03, 0.06, 0.055)
    patch = sheets.patch(*shine)
    patch.light[:] += 0.09 * hill(patch, *shine)


def paint_beard(sheets: Sheets, sitters: Sitters) -> None:
    """Paint a short beard over the jaw and the upper lip, soft towards the cheeks."""
    face = sitters.face
    patch = sheets.patch(0.0, 0.33, sitters.half_width + 0.08, 0.33)
    at = sitters.landmark(0.0, -0.1)
    bare = ellipse(patch, at.x, at.y, 1.04 * sitters.half_width, 0.31)
    below_ears = np.maximum(egg_outline(*sitters.egg(patch)) + 0.02, 0.1 - patch.y)
    grown: Plane = np.maximum(below_ears, -bare)
    paint(patch, grown, colour(HAIR, 0.4 * face.hair_tone, 0.9), 0.68 * face.beard, blur=0.12)


# ---------------------------------------------------------------------------------------------------------- features


def paint_eyes(sheets: Sheets, sitters: Sitters) -> None:
    """Paint both eyes: white, iris, pupil and glint between the lids, then the lashes and the lower lid."""
    face = sitters.face
    up, down = 0.058 * face.eye_size, 0.039 * face.eye_size
    for side in SIDES:
        at = sitters.landmark(EYE_X * side, EYE_Y)
        slit = Arch(at.x, at.y, 0.115 * face.eye_size * at.squeeze, lean=-0.012 * side)
        patch = sheets.patch(at.x, at.y, slit.half_width + 0.012, up + 0.04)
        paint_eyeball(patch, lens(patch, slit, up, down), at, sitters)
        lashes = slit._replace(half_width=slit.half_width + 0.012)
        paint(patch, lens(patch, lashes, up + 0.022, 0.004 - up), colour(INK), 0.9)
        paint(patch, lens(patch, slit, -down, down + 0.012), colour(SKIN, face.skin_tone, 0.3), 0.5)


def paint_eyeball(patch: Patch, lids: Plane, at: Landmark, sitters: Sitters) -> None:
    """Paint what is seen of one eyeball between its lids."""
    face = sitters.face
    paint(patch, lids, colour(WHITE, brightness=0.42))  # in the shade of the brow
    x = at.x + 0.065 * np.sin(face.gaze) + 0.05 * np.sin(sitters.face.yaw)
    radius = 0.033 + 0.034 * face.eye_size
    iris = ellipse(patch, x, at.y - 0.005, radius * at.squeeze, radius)
    paint(patch, np.maximum(iris, lids), colour(IRIS, face.eye_tone))
    pupil = ellipse(patch, x, at.y - 0.005, 0.5 * radius * at.squeeze, 0.5 * radius)
    paint(patch, np.maximum(pupil, lids), colour(INK))
    glint = ellipse(patch, x + 0.025 * sitters.light.x, at.y - 0.025, 0.016, 0.016)
    paint(patch, np.maximum(glint, lids), colour(WHITE), 0.9)


def paint_brows(sheets: Sheets, sitters: Sitters) -> None:
    """Paint both brows: arcs that can be raised, and leant towards the nose."""
    face = sitters.face
    hair = colour(HAIR, 0.6 * face.hair_tone, 0.4)
    for side in SIDES:
        at = sitters.landmark(1.02 * EYE_X * side, EYE_Y - 0.25)
        half_width = 0.155 * at.squeeze
        lean = -side * half_width * np.tan(face.brow_angle)
        arch = Arch(at.x, at.y - HEAD_HALF_HEIGHT * face.brow_height, half_width, bend=0.035, lean=lean)
        patch = sheets.patch(arch.x, arch.y, half_width, 0.045 + np.abs(lean))
        paint(patch, lens(patch, arch, 0.036, 0.010), hair, 0.9)


def paint_mouth(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the lips and, where they part, the dark of the mouth and the upper teeth."""
    face = sitters.face
    at = sitters.landmark(0.0, 0.54, 1.05)
    bend, gap = -0.065 * face.smile, 0.06 * face.mouth_open
    line = Arch(at.x, at.y - 0.5 * bend, (0.165 + 0.04 * face.smile) * at.squeeze, bend)
    patch = sheets.patch(line.x, line.y, line.half_width, 0.07 + np.abs(bend) + 1.4 * gap)
    lips = colour(SKIN, face.skin_tone) * colour(LIPS)
    paint(patch, lens(patch, line, 0.042 + 0.4 * gap, 0.0), 0.85 * lips)
    paint(patch, lens(patch, line, 0.0, 0.055 + 1.4 * gap), lips)
    slit = line._replace(half_width=0.92 * line.half_width)
    paint(patch, lens(patch, slit, 0.006 + 0.4 * gap, 0.008 + 1.2 * gap), colour(THROAT))
    teeth = line._replace(half_width=0.8 * line.half_width)
    paint(patch, lens(patch, teeth, 0.4 * gap, 0.35 * gap), colour(WHITE), np.minimum(2 * face.mouth_open, 1))
    stain(sheets, line.x, line.y + 0.1 + 1.4 * gap, 0.12, 0.04, 0.2)  # the hollow above the chin


# --------------------------------------------------------------------------------------------------- hair and glasses


def strands(patch: Patch, x: Number, y: Number, radius_x: Number, radius_y: Number) -> Plane:
    """Get the light and dark of strands, broad and fine, that run down from the crown like meridians."""
    across, down = patch.around(x, y, radius_x, radius_y)
    meridian = across / np.sqrt((1 - down * down).clip(0.15))
    shine: Plane = 0.8 + 0.4 * (zigzag(4 * meridian) + zigzag(11 * meridian))
    return shine


def zigzag(place: Plane) -> Plane:
    """Get a wave of period 1 between 0 and a half, without steps."""
    wave: Plane = np.abs(place - np.floor(place) - 0.5)
    return wave


def paint_front_hair(sheets: Sheets, sitters: Sitters) -> None:
    """Paint the hair over the top and the sides of the head: a ball, open where the face is."""
    face, light = sitters.face, sitters.light
    # Short hair is a higher ball, which ends above the ears.
    x, y = -0.1 * np.sin(face.yaw), HEAD_Y - 0.24 + 0.24 * face.hair_length
    radius_x = sitters.half_width + 0.05 + 0.4 * face.hair_volume
    radius_y = HEAD_HALF_HEIGHT + y - HEAD_Y + face.hair_volume
    patch = sheets.patch(x, y, radius_x + 0.1, radius_y + 0.1)
    at = sitters.landmark(0.0, 0.25)
    slant = patch.slanted(np.tan(face.parting))
    opening = ellipse(slant, at.x, at.y, (1.06 - 0.2 * face.hair_length) * sitters.half_width, 0.61)
    head = egg_outline(*sitters.egg(patch))
    # Hair beside the head stays, also where the opening reaches past it; below the ears it may end.
    bare = np.maximum(opening, head - 0.01 - 0.8 * patch.y.clip(0))
    cap = np.maximum(ellipse(patch, x, y, radius_x, radius_y), -bare)
    glow = lit_ball(patch, x, y, radius_x, 1.1 * radius_y, light)
    glow *= strands(patch, x + 0.5 * face.parting, y, radius_x, 1.05 * radius_y)
    glow += 0.35 * hill(patch, 0.3 * light.x, y - 0.7 * radius_y, 0.4, 0.2)
    paint(patch, np.maximum(cap - 0.03, head), colour(INK), 0.22, blur=0.1)  # its shadow
    paint(patch, cap, colour(HAIR, face.hair_tone, 1.05) * glow)


def paint_glasses(sheets: Sheets, sitters: Sitters) -> None:
    """Paint thin round rims with a bridge."""
    worn = sitters.face.glasses
    for side in SIDES:
        at = sitters.landmark(EYE_X * side, EYE_Y + 0.02, 1.1)
        radius_x, radius_y = 0.158 * at.squeeze, 0.14
        patch = sheets.patch(at.x, at.y, radius_x + 0.014, radius_y + 0.014)
        rim = ellipse(patch, at.x, at.y, radius_x, radius_y)
        paint(patch, np.abs(rim) - 0.011, colour(RIMS), worn)
    at = sitters.landmark(0.0, EYE_Y, 1.15)
    patch = sheets.patch(at.x, at.y - 0.02, 0.05, 0.03)
    paint(patch, lens(patch, Arch(at.x, at.y - 0.02, 0.05), 0.03, -0.004), colour(RIMS), worn)


STILL_PARTS = (paint_wall, paint_clothes)
LEANING_PARTS = (
    paint_back_hair,
    paint_neck,
    paint_ears,
    paint_head,
    paint_blush_and_sockets,
    paint_nose,
    paint_beard,
    paint_eyes,
    paint_mouth,
    paint_front_hair,
    paint_brows,
    paint_glasses,
)


def face_pictures(faces: Faces, size: int) -> UInt8[np.ndarray, "n size size 3"]:
    """Draw faces, from the wall behind them to the glasses before them."""
    sitters = Sitters(faces, HEAD_HALF_WIDTH * faces.face_width, Light.at(faces.light_azimuth, LIGHT_HEIGHT))
    upright = Sheets.blank(len(faces.yaw), size)
    leaning = upright.leaning(faces.tilt)
    for paint_part in STILL_PARTS:
        paint_part(upright, sitters)
    for paint_part in LEANING_PARTS:
        paint_part(leaning, sitters)
    return upright.developed()
