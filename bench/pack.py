"""How fast packing is, beside decoding and scaling alone, a plain Pillow loop and Keras' directory loader.

Run by hand: ``.venv/bin/python bench/pack.py [--images FOLDER]``. All contestants take turns within one run, so that
whatever else the machine does falls on all of them; what counts are the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from zspace.images.candidates import is_image_name
from zspace.images.faces import draw_faces, sample_factors
from zspace.images.packing import pack_images
from zspace.machine import usable_cores
from zspace.settings import ImageSettings

PAUSE_SECONDS = 0.5
"""Before each turn: libraries let the threads of the turn before spin for a while, on the next one's cores."""
FACE_SIZE = 178  # the shorter side of CelebA's aligned photographs
FILES_AT_ONCE = 32

Act = Callable[[Path], None]


def draw_photographs(folder: Path, n_faces: int) -> None:
    """Write drawn faces as JPEG files of the size of CelebA's."""

    def draw(first: int) -> None:
        factors = sample_factors(min(FILES_AT_ONCE, n_faces - first), seed=1, first=first)
        for row, image in enumerate(draw_faces(factors, FACE_SIZE)):
            Image.fromarray(image).save(folder / f"face{first + row}.jpg", quality=90)

    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(draw, range(0, n_faces, FILES_AT_ONCE)))


def decode_and_scale(files: list[Path], size: int) -> None:
    """Read, decode, cut and scale on all cores and keep nothing: the ceiling for any packer on OpenCV."""

    def several(first: int) -> None:
        for file in files[first : first + FILES_AT_ONCE]:
            image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
            if image is None:
                continue
            height, width = image.shape[:2]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            filter_ = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
            cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=filter_)

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(several, range(0, len(files), FILES_AT_ONCE)))


def pack(folder: Path, size: int, place: Path) -> None:
    """Pack with zspace, everything included: listing, checks, checksums, attributes, writing."""
    pack_images(ImageSettings(source=str(folder), size=size, max_skipped_fraction=1), 1, place / "store")


def pillow_loop(files: list[Path], size: int) -> None:
    """Do what most scripts do."""
    images = np.empty((len(files), size, size, 3), np.uint8)
    for row, file in enumerate(files):
        with Image.open(file) as image:
            images[row] = np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BOX))


def keras_loader(folder: Path, size: int) -> None:
    """Run through Keras' own loader once."""
    keras = import_module("keras")  # a peer, not a dependency
    loader = keras.utils.image_dataset_from_directory(
        str(folder),
        labels=None,
        image_size=(size, size),
        interpolation="area",
        crop_to_aspect_ratio=True,
        shuffle=False,
    )
    for _batch in loader:
        pass


def contestants(folder: Path, files: list[Path], size: int) -> dict[str, Act]:
    """Return what takes turns, by name; the first is the ceiling."""
    found: dict[str, Act] = {
        "decode + scale alone": lambda _scratch: decode_and_scale(files, size),
        "zspace pack": lambda scratch: pack(folder, size, scratch),
        "Pillow loop, one core": lambda _scratch: pillow_loop(files, size),
    }
    if find_spec("tensorflow") and find_spec("keras"):
        found["Keras loader"] = lambda _scratch: keras_loader(folder, size)
    else:
        print("Keras' loader is left out: TensorFlow is not installed.")
    print(f"{len(files)} files, {size} x {size}, {usable_cores()} cores")
    return found


def seconds(act: Act) -> float:
    """Return how long one run takes, in an empty scratch folder that is cleared away afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        time.sleep(PAUSE_SECONDS)
        started = time.perf_counter()
        act(Path(scratch))
        return time.perf_counter() - started


def compare(folder: Path, size: int, n_turns: int) -> None:
    """Let all take turns, after one turn that fills the disk cache, and print rates and ratios."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and is_image_name(path.name))
    acts = contestants(folder, files, size)
    decode_and_scale(files, size)
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(n_turns):
        for name, act in acts.items():
            taken[name].append(seconds(act))
    ceiling = next(iter(taken.values()))
    for name, own in taken.items():
        ratio = statistics.median(best / mine for best, mine in zip(ceiling, own, strict=True))
        print(f"{name:22} {len(files) / statistics.median(own):8.0f} images/s   {100 * ratio:5.0f} % of the ceiling")


def main() -> None:
    """Read the flags, draw faces unless a folder is given, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of images; left out, built-in faces are drawn as JPEG")
    parser.add_argument("--size", type=int, default=96, help="side of the packed images, in pixels")
    parser.add_argument("--turns", type=int, default=7, help="how often each takes its turn")
    parser.add_argument("--faces", type=int, default=8000, help="how many faces to draw")
    flags = parser.parse_args()
    if flags.images is not None:
        compare(flags.images, flags.size, flags.turns)
        return
    with tempfile.TemporaryDirectory() as folder:
        draw_photographs(Path(folder), flags.faces)
        compare(Path(folder), flags.size, flags.turns)


if __name__ == "__main__":
    main()
