import zlib

import numpy as np
import pytest

from zspace.errors import FileDamaged
from zspace.images.pixels import StoredPixels

IMAGES = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    return tmp_path / "images.npy"


def stored(path) -> StoredPixels:
    checksums = np.array([zlib.crc32(image) for image in IMAGES], np.uint32)
    return StoredPixels(np.load(path, mmap_mode="r"), checksums, tuple(f"{row}.png" for row in range(6)), path)


def blacken(path, row: int) -> None:
    with path.open("r+b") as file:
        file.seek(128 + row * 192)
        file.write(bytes(192))


def test_pixels_read_like_an_array(path):
    pixels = stored(path)
    assert (len(pixels), pixels.shape, pixels.offset) == (6, (6, 8, 8, 3), 128)
    for rows in (3, slice(1, 4), np.array([4, 0, 4]), np.arange(6) % 2 == 0, np.array([], np.int64)):
        np.testing.assert_array_equal(pixels[rows], IMAGES[rows])


@pytest.mark.parametrize("rows", [4, slice(2, 5), np.array([0, 4]), np.arange(6) == 4])
def test_a_damaged_image_is_named_with_what_to_do(path, rows):
    blacken(path, 4)
    pixels = stored(path)
    np.testing.assert_array_equal(pixels[:4], IMAGES[:4])
    with pytest.raises(
        FileDamaged,
        match=r"images\.npy: must hold the pixels that were packed, by the checksums in index\.parquet, got others in "
        r"row 4, the image '4\.png'\. Delete the folder .* and run zspace study",
    ):
        pixels[rows]
    with pytest.raises(FileDamaged, match="row 4"):
        pixels[rows]


def test_an_image_is_checked_once(path, monkeypatch):
    pixels = stored(path)
    pixels[:]
    checked = []
    monkeypatch.setattr(zlib, "crc32", checked.append)
    np.testing.assert_array_equal(pixels[np.array([1, 5])], IMAGES[[1, 5]])
    assert checked == []
