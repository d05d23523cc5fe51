"""Drawn faces with known factors: the built-in data set, with nothing to download.

Because the causes of every picture are known, and drawn independently of each other, these faces are also a truth to
hold a latent space against: as many dimensions as there are continuous factors, two copies for each binary one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from zspace.errors import ImagesTooSmall, SettingOutOfRange
from zspace.images.face_parts import Faces, face_pictures
from zspace.seeds import stream_seed

SMALLEST_SIZE = 16  # below this an eye is less than two pixels wide


@dataclass(frozen=True)
class Factor:
    """One known cause of variation of a drawn face: its name, range, unit and whether it is binary."""

    name: str
    low: float
    high: float
    unit: str
    binary: bool
    meaning: str


def _continuous(name: str, low: float, high: float, unit: str, meaning: str) -> Factor:
    return Factor(name, low, high, unit, False, meaning)


def _binary(name: str, meaning: str) -> Factor:
    return Factor(name, 0.0, 1.0, "no or yes", True, meaning)


# Left and right are those of the picture. A share runs along a palette, or from none to all that a face can do.
FACTORS: tuple[Factor, ...] = (
    _continuous("yaw", -20.0, 20.0, "degrees", "turn of the head to the right"),
    _continuous("pitch", -10.0, 10.0, "degrees", "nod of the head downwards"),
    _continuous("tilt", -8.0, 8.0, "degrees", "lean of the head to the right"),
    _continuous("light_azimuth", -60.0, 60.0, "degrees", "direction of the light, from left to right"),
    _continuous("skin_tone", 0.0, 1.0, "share", "skin from dark to light"),
    _continuous("face_width", 0.9, 1.1, "ratio", "width of the head, to the usual one"),
    _continuous("jaw_width", 0.78, 0.98, "ratio", "width of the chin, to that of an ellipse"),
    _continuous("hair_tone", 0.0, 1.0, "share", "hair from black by brown, red and blond to grey"),
    _continuous("hair_length", 0.0, 1.0, "share", "hair from above the ears down to the shoulders"),
    _continuous("hair_volume", 0.05, 0.18, "half-heads", "thickness of the hair on top"),
    _continuous("parting", -16.0, 16.0, "degrees", "slant of the hairline, up to the left"),
    _continuous("eye_size", 0.85, 1.2, "ratio", "size of the eyes, to the usual one"),
    _continuous("eye_tone", 0.0, 1.0, "share", "iris from brown by green and blue to grey"),
    _continuous("gaze", -40.0, 40.0, "degrees", "turn of the eyes to the right, in the head"),
    _continuous("brow_height", -0.05, 0.12, "half-heads", "rise of the brows"),
    _continuous("brow_angle", -14.0, 14.0, "degrees", "lean of the brows towards the nose: up is angry, down is sad"),
    _continuous("smile", -0.6, 1.0, "share", "corners of the mouth from down to up"),
    _continuous("mouth_open", 0.0, 1.0, "share", "gap between the lips"),
    _continuous("background_tone", 0.0, 1.0, "share", "wall and clothes, from red by green to violet"),
    _binary("glasses", "thin round rims"),
    _binary("beard", "short beard"),
)

PIXELS_AT_ONCE = 65536  # what a core keeps in its cache
YES_SHARE = 0.3  # of the faces, for each binary factor
_DRAWS_PER_BLOCK = 4  # a step of the Philox counter yields four random numbers
_BLOCKS_PER_ROW = -(-len(FACTORS) // _DRAWS_PER_BLOCK)


def sample_factors(n_images: int, seed: int, first: int = 0) -> Float32[np.ndarray, "n_images n_factors"]:
    """Draw the factors of faces: uniform in their ranges and independent of each other.

    Parameters
    ----------
    n_images
        How many rows to draw.
    seed
        The seed of the data set.
    first
        Number of the first row.

    Returns
    -------
    Array
        One row an image and one column a factor, in the order of `FACTORS`. Binary factors are 0 or 1.

    Raises
    ------
    SettingOutOfRange
        `n_images` or `first` is negative.

    Randomness
    ----------
    The stream "faces" of the seed. Row `i` depends on the seed and on `first + i` alone, so drawing in chunks gives
    what drawing at once gives.

    Examples
    --------
    >>> at_once, later = sample_factors(10, seed=1), sample_factors(4, seed=1, first=6)
    >>> bool((at_once[6:] == later).all())
    True
    """
    for name, value in (("n_images", n_images), ("first", first)):
        if value < 0:
            raise SettingOutOfRange(name, "must not be negative", str(value), "Count rows from 0.")
    counter = np.random.Philox(key=stream_seed(seed, "faces"))
    counter.advance(first * _BLOCKS_PER_ROW)
    draws = np.random.Generator(counter).random((n_images, _BLOCKS_PER_ROW * _DRAWS_PER_BLOCK))[:, : len(FACTORS)]
    low, high, binary = (np.array(column) for column in zip(*((f.low, f.high, f.binary) for f in FACTORS), strict=True))
    shares = np.where(binary, draws < YES_SHARE, draws)
    factors: Float32[np.ndarray, "n_images n_factors"] = (low + shares * (high - low)).astype(np.float32)
    return factors


def draw_faces(
    factors: Float32[np.ndarray, "n_images n_factors"], size: int
) -> UInt8[np.ndarray, "n_images size size 3"]:
    """Draw one colour face per row of a factor table.

    Parameters
    ----------
    factors
        Rows as from `sample_factors`.
    size
        Height and width in pixels, at least 16.

    Returns
    -------
    Array
        RGB images. Each depends on its own row alone, never on the batch it is drawn in.

    Raises
    ------
    ImagesTooSmall
        `size` is below 16.
    SettingOutOfRange
        The table has another number of columns than there are factors, or a value lies outside its factor's range.

    Cost
    ----
    On one core about 1 millisecond an image of 64 x 64 pixels, growing with their number; `bench/faces.py` measures
    it. Threads do not help.

    Examples
    --------
    >>> draw_faces(sample_factors(2, seed=1), size=64).shape
    (2, 64, 64, 3)
    """
    if size < SMALLEST_SIZE:
        rule = f"must be at least {SMALLEST_SIZE} pixels for a drawn face"
        raise ImagesTooSmall("size", rule, str(size), "Ask for larger images.")
    _refuse_bad_factors(factors)
    images = np.empty((len(factors), size, size, 3), np.uint8)
    n_at_once = max(1, PIXELS_AT_ONCE // size**2)
    for start in range(0, len(factors), n_at_once):
        chunk = slice(start, start + n_at_once)
        images[chunk] = face_pictures(_by_column(factors[chunk]), size)
    return images


def _by_column(factors: Float32[np.ndarray, "n_images n_factors"]) -> Faces:
    in_radians = np.array([np.pi / 180 if factor.unit == "degrees" else 1 for factor in FACTORS], np.float32)
    return Faces(*np.ascontiguousarray((factors * in_radians).T)[:, :, None, None])


def _refuse_bad_factors(factors: Float32[np.ndarray, "n_images n_columns"]) -> None:
    n_columns, next_step = factors.shape[1], "Take rows from sample_factors."
    if n_columns != len(FACTORS):
        raise SettingOutOfRange("factors", f"must have {len(FACTORS)} columns", str(n_columns), next_step)
    for factor, values in zip(FACTORS, factors.T, strict=True):
        inside = (values >= np.float32(factor.low)) & (values <= np.float32(factor.high))
        if not inside.all():  # NaN lies inside nothing
            rule = f"must lie between {factor.low:g} and {factor.high:g} {factor.unit}"
            raise SettingOutOfRange(f"factors, column {factor.name}", rule, str(values[~inside][0]), next_step)
