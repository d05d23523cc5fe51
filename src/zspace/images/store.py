"""The image store: every image once, decoded, cut and scaled, as memory-mapped bytes; and beside them who they are.

A store is a folder of plain files that other programs can open: ``images.npy`` (n, size, size, RGB), ``index.parquet``
(row, name, split, width and height of the original, CRC-32 of the stored pixels, row it is a duplicate of),
``attributes.parquet`` (null where unknown), ``skipped.csv`` (name, reason) and ``store.json`` (format version and the
result of packing).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32, Int64

from zspace.errors import FileDamaged, SettingsError, StoreIncomplete, StoreNotFound, StoreVersionUnknown
from zspace.files import read_json
from zspace.images.splits import SPLITS, Codes
from zspace.images.tables import attribute_values
from zspace.records import from_mapping
from zspace.results import PackResult
from zspace.settings import Split
from zspace.shapes import Images

STORE_VERSION = 1

IMAGES, INDEX, ATTRIBUTES = "images.npy", "index.parquet", "attributes.parquet"
SKIPPED, DOCUMENT = "skipped.csv", "store.json"
STORE_FILES = frozenset({IMAGES, INDEX, ATTRIBUTES, SKIPPED, DOCUMENT})


@dataclass(frozen=True, eq=False)
class ImageStore:
    """An opened store; all arrays share the order of the images."""

    folder: Path
    images: Images
    """RGB bytes, memory-mapped and read-only."""
    names: tuple[str, ...]
    """Paths inside the source; not always unique."""
    splits: Codes
    """Codes into `splits.SPLITS`: 0 train, 1 validation, 2 test."""
    attribute_names: tuple[str, ...]
    attributes: Float32[np.ndarray, "n_images n_attributes"] | None
    """NaN where unknown; None when the store has no attributes."""
    result: PackResult

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, split: Split) -> Int64[np.ndarray, " n_rows"]:
        """Return the rows of a split in ascending order; ``"all"`` gives every row.

        Examples
        --------
        ``store.images[store.rows("validation")]``
        """
        if split == "all":
            return np.arange(len(self))
        return np.flatnonzero(self.splits == SPLITS.index(split))


def open_store(folder: Path) -> ImageStore:
    """Open an image store.

    Parameters
    ----------
    folder
        What `pack_images` was given.

    Raises
    ------
    StoreNotFound
        When the folder is missing or holds nothing of a store.
    StoreIncomplete
        When files are missing, cut short or do not fit each other.
    StoreVersionUnknown
        When another format version wrote it.

    Cost
    ----
    The pixels stay on the disk until they are used. Names and attributes are read: about a second a million images.
    """
    document = _read_document(folder)
    version = document.get("version")
    if version != STORE_VERSION:
        raise StoreVersionUnknown(
            str(folder),
            f"must be an image store of format version {STORE_VERSION}",
            f"version {version}",
            "Run zspace pack again, or use the zspace that wrote it.",
        )
    try:
        result = from_mapping(PackResult, document.get("result", {}), DOCUMENT)
    except SettingsError as error:
        raise _incomplete(folder, str(error)) from error
    index = _read_table(folder, INDEX, result.n_images)
    attributes = None
    if result.attributes:
        table = _read_table(folder, ATTRIBUTES, result.n_images)
        attributes = attribute_values(table, result.attributes)
    return ImageStore(
        folder=folder,
        images=_map_images(folder, (result.n_images, result.size, result.size, 3)),
        names=tuple(map(str, index.column("name").to_pylist())),
        splits=_split_codes(folder, index),
        attribute_names=result.attributes,
        attributes=attributes,
        result=result,
    )


def _read_document(folder: Path) -> dict[str, Any]:
    if not folder.is_dir() or not any((folder / name).exists() for name in STORE_FILES):
        got = "a folder of something else" if folder.is_dir() else "no such folder"
        raise StoreNotFound(str(folder), "must hold an image store", got, "Make it with zspace pack.")
    if not (folder / DOCUMENT).is_file():
        raise _incomplete(folder, f"no {DOCUMENT}")
    try:
        document = read_json(folder / DOCUMENT)
    except FileDamaged as error:
        raise _incomplete(folder, f"a damaged {DOCUMENT}") from error
    return document if isinstance(document, dict) else {}


def _incomplete(folder: Path, got: str) -> StoreIncomplete:
    return StoreIncomplete(str(folder), "must be a whole image store", got, "Run zspace pack again to rebuild it.")


def _map_images(folder: Path, shape: tuple[int, ...]) -> Images:
    path = folder / IMAGES
    if not path.is_file():
        raise _incomplete(folder, f"no {IMAGES}")
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _incomplete(folder, f"an {IMAGES} that is cut short or damaged") from error
    if images.shape != shape or images.dtype != np.uint8:
        raise _incomplete(folder, f"an {IMAGES} of {images.dtype} {images.shape} instead of uint8 {shape}")
    mapped: Images = images
    return mapped


def _read_table(folder: Path, name: str, n_rows: int) -> pa.Table:
    path = folder / name
    if not path.is_file():
        raise _incomplete(folder, f"no {name}")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _incomplete(folder, f"a damaged {name}") from error
    if table.num_rows != n_rows:
        raise _incomplete(folder, f"{name} with {table.num_rows} rows for {n_rows} images")
    return table


def _split_codes(folder: Path, index: pa.Table) -> Codes:
    try:
        return np.array([SPLITS.index(split) for split in index.column("split").to_pylist()], np.uint8)
    except ValueError as error:
        raise _incomplete(folder, f"an {INDEX} with an unknown split") from error
