"""Recognise what was given as images: a folder, an archive, a table, an array, or the built-in drawn faces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from zspace.errors import NoImagesFound, SourceNotFound, SourceUnreadable, TooFewImages
from zspace.files import document_digest
from zspace.images.archives import open_zip
from zspace.images.arrays import open_array
from zspace.images.candidates import Candidate, ImageSource, is_image_name
from zspace.images.faces import FACTORS, PIXELS_AT_ONCE, draw_faces, sample_factors
from zspace.images.folders import open_folder, stamp
from zspace.images.tables import open_parquet, parquet_files
from zspace.images.tars import open_tar
from zspace.records import nearest
from zspace.settings import BUILT_IN_FACES, ImageSettings
from zspace.shapes import Image

FEWEST_IMAGES = 2

_BYTES_PER_PIXEL = 4
_LEAST_BYTES = 1 << 20
_KINDS = "a folder, .zip, .tar, .tar.gz, .parquet, .npy or .npz"
_OPENERS: dict[str, Callable[[Path, int], ImageSource]] = {
    ".zip": open_zip,
    ".tar": open_tar,
    ".tar.gz": open_tar,
    ".tgz": open_tar,
    ".tar.bz2": open_tar,
    ".tar.xz": open_tar,
    ".parquet": open_parquet,
    ".npy": open_array,
    ".npz": open_array,
}


def open_source(settings: ImageSettings, seed: int, fewest: int = FEWEST_IMAGES) -> ImageSource:
    """Return the source that the settings name, recognised and ready to be read.

    Parameters
    ----------
    settings
        Their ``source`` decides; ``max_megapixels`` also bounds the bytes of one encoded image, at 4 a pixel.
    seed
        Only used for the drawn faces.
    fewest
        How many images there must be.

    Raises
    ------
    SourceNotFound
        When there is no such path.
    SourceUnreadable
        When the path is of no known kind, or damaged.
    NoImagesFound, TooFewImages
        When fewer images than asked can be there.
    """
    if settings.source == BUILT_IN_FACES:
        return _enough(_drawn_faces(settings, seed), settings.source, fewest)
    path = Path(settings.source).expanduser()
    max_bytes = max(_LEAST_BYTES, int(settings.max_megapixels * 1e6 * _BYTES_PER_PIXEL))
    return _enough(_recognised(path, max_bytes), settings.source, fewest)


def _recognised(path: Path, max_bytes: int) -> ImageSource:
    if not _exists(path):
        raise _not_found(path)
    if path.is_dir():
        return _open_folder(path, max_bytes)
    endings = [ending for ending in _OPENERS if path.name.lower().endswith(ending)]
    if not endings or not path.is_file():  # a pipe of such a name would be waited for
        raise _unknown_kind(path)
    return _OPENERS[endings[0]](path, max_bytes)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        rule, got = f"must be {_KINDS}", f"{str(path)!r}: {error.strerror}"
        raise SourceUnreadable("images.source", rule, got, "Check the path and its permissions.") from error


def source_signature(settings: ImageSettings) -> str:
    """Return a digest that changes when the source changes: names, sizes and times of its files, nothing decoded.

    Settings that only say how images are packed, such as the size, take no part; those that say which images and
    attributes there are do.

    Raises
    ------
    SourceNotFound, SourceUnreadable, NoImagesFound
        As `open_source`.

    Cost
    ----
    One look at every file of a folder, a few microseconds each; archives, tables and arrays are single files.
    """
    source = open_source(settings, seed=0, fewest=1)
    table = Path(settings.attributes) if settings.attributes else source.celeba_table and source.celeba_table.path
    tables = [stamp(table)] if table and table.is_file() else []
    return document_digest([source.kind, source.fingerprint(), tables])


def _open_folder(folder: Path, max_bytes: int) -> ImageSource:
    try:
        return open_folder(folder, max_bytes)
    except NoImagesFound:
        if not parquet_files(folder):
            raise
        return open_parquet(folder, max_bytes)


def _not_found(path: Path) -> SourceNotFound:
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = nearest(path.name, [*beside, BUILT_IN_FACES])
    next_step = hint if hint.startswith("Did you mean") else "Check the path."
    rule = f"must be {_KINDS}, or {BUILT_IN_FACES!r}"
    return SourceNotFound("images.source", rule, f"{str(path)!r}, which does not exist", next_step)


def _unknown_kind(path: Path) -> SourceUnreadable:
    next_step = "Give the folder it lies in." if is_image_name(path.name) else "Unpack or convert it first."
    return SourceUnreadable("images.source", f"must be {_KINDS}", f"the file {path}", next_step)


def _enough(source: ImageSource, name: str, fewest: int) -> ImageSource:
    # An archive that is read front to back does not know yet; packing counts again at the end.
    if source.kind != "tar" and (n_images := source.expected(0)) < fewest:
        raise too_few_images(name, n_images, fewest)
    return source


def too_few_images(name: str, n_images: int, fewest: int) -> TooFewImages:
    """Return the error for a source with fewer images than the next step needs."""
    rule = f"must hold at least {fewest} usable images" if fewest > 1 else "must hold a usable image"
    return TooFewImages(name, rule, str(n_images), "Give more images; a few thousand make a useful autoencoder.")


class _DrawnBlock:
    """Faces that are drawn together on first use, because drawing them one by one takes three times as long."""

    def __init__(self, factors: np.ndarray, size: int) -> None:
        self._factors, self._size = factors, size
        self._images: np.ndarray | None = None
        self._lock = threading.Lock()

    def image(self, row: int) -> Image:
        with self._lock:
            if self._images is None:
                self._images = draw_faces(self._factors, self._size)
            image: Image = self._images[row]
            return image


def _drawn_faces(settings: ImageSettings, seed: int) -> ImageSource:
    n_at_once = max(1, PIXELS_AT_ONCE // settings.size**2)

    def draw() -> Iterator[Candidate]:
        for first in range(0, settings.n_faces, n_at_once):
            factors = sample_factors(min(n_at_once, settings.n_faces - first), seed, first)
            block = _DrawnBlock(factors, settings.size)
            for row, values in enumerate(factors.tolist()):
                yield Candidate(f"face-{first + row:07d}", partial(block.image, row), tuple(values))

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        yield draw()

    beside = Path(BUILT_IN_FACES)
    notes = (f"The folder ./{beside} here was not read: write ./{beside} for it.",) if beside.exists() else ()
    return ImageSource(
        kind="faces",
        open=candidates,
        expected=lambda _n_done: settings.n_faces,
        fingerprint=lambda: [settings.n_faces, [str(factor) for factor in FACTORS]],
        attribute_names=tuple(factor.name for factor in FACTORS),
        notes=notes,
    )
