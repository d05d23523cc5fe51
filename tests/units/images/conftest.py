"""Small pictures, and sources made of them, for the tests of this folder."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zspace.settings import ImageSettings


def picture(seed: int, height: int = 40, width: int = 40) -> np.ndarray:
    """A smooth colour picture, so that lossy formats keep it nearly as it is."""
    low, high = np.random.default_rng(seed).integers(0, 256, (2, 3))
    across = np.linspace(0, 1, width)[None, :, None]
    down = np.linspace(0, 1, height)[:, None, None]
    return np.rint(low + (high - low) * (0.6 * across + 0.4 * down)).astype(np.uint8)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(name="picture")
def _picture():
    return picture


@pytest.fixture(name="encoded")
def _encoded():
    return encoded


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of 30 different PNG files, img1.png to img30.png."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(1, 31):
        (folder / f"img{number}.png").write_bytes(encoded(picture(number)))
    return folder


@pytest.fixture
def settings_for():
    """Settings of 16 pixels a side for a source."""

    def make(source, **changes) -> ImageSettings:
        return ImageSettings(**{"source": str(source), "size": 16, **changes})

    return make


@pytest.fixture
def read_all():
    """Opens a source and reads everything in it: a list of (name, content)."""

    def read(source) -> list:
        with source.open() as candidates:
            return [(candidate.name, candidate.read()) for candidate in candidates]

    return read
