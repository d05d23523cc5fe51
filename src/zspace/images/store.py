"""The image store: every image once, decoded, cut and scaled, as memory-mapped bytes; and beside them who they are.

A store is a folder of plain files that other programs can open: ``images.npy`` (n, size, size, RGB), ``index.parquet``
(row, name, split, width and height of the original, CRC-32 of the stored pixels, row it is a duplicate of),
``attributes.parquet`` (null where unknown), ``skipped.csv`` (name, reason) and ``store.json`` (format version and the
result of packing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float32, Int64, UInt32

from zspace.errors import FileDamaged, SettingsError, StoreIncomplete, StoreNotFound, StoreVersionUnknown
from zspace.files import read_json
from zspace.images.pixels import StoredPixels, pack_anew
from zspace.images.splits import SPLITS, Codes
from zspace.npy import NpyUnreadable, map_npy
from zspace.records import from_mapping
from zspace.results import PackResult
from zspace.settings import Split

STORE_VERSION = 1

IMAGES, INDEX, ATTRIBUTES = "images.npy", "index.parquet", "attributes.parquet"
SKIPPED, DOCUMENT = "skipped.csv", "store.json"
STORE_FILES = frozenset({IMAGES, INDEX, ATTRIBUTES, SKIPPED, DOCUMENT})


@dataclass(frozen=True, eq=False)
class ImageStore:
    """An opened store; all arrays share the order of the images."""

    folder: Path
    images: StoredPixels
    """RGB bytes, memory-mapped and read-only; each image is checked when it is first used."""
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
        When files are missing, cut short, changed or do not fit each other.
    StoreVersionUnknown
        When another format version wrote it.

    Cost
    ----
    The pixels stay on the disk until they are used, and are checked then. Names, splits and attributes are read and
    compared with their digest: about a second a million images.
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
    result = _read_result(folder, document.get("result"))
    names, splits, checksums = _read_index(folder, result)
    attributes = _read_attributes(folder, result)
    digest = store_digest(checksums, splits, names, result.attributes, attributes)
    if digest != result.store_digest:
        raise _incomplete(folder, f"names, splits, checksums or attributes other than {DOCUMENT} tells")
    mapped = _map_images(folder, (result.n_images, result.size, result.size, 3))
    return ImageStore(
        folder=folder,
        images=StoredPixels(mapped, checksums, names, folder / IMAGES),
        names=names,
        splits=splits,
        attribute_names=result.attributes,
        attributes=attributes if result.attributes else None,
        result=result,
    )


def store_digest(
    checksums: UInt32[np.ndarray, " n_images"],
    splits: Codes,
    names: Sequence[str],
    attribute_names: Sequence[str],
    attributes: Float32[np.ndarray, "n_images n_attributes"],
) -> str:
    """Return the digest of all that a store holds; the checksums stand for the pixels."""
    digest = hashlib.blake2b(digest_size=16)
    # Of the many bit patterns that mean NaN, a file gives back one.
    canonical = np.where(np.isnan(attributes), np.float32(np.nan), attributes)
    for part in (checksums.tobytes(), splits.tobytes(), canonical.tobytes()):
        digest.update(part)
    digest.update("\n".join([*names, *attribute_names]).encode())
    return digest.hexdigest()


def _read_document(folder: Path) -> dict[str, Any]:
    if not folder.is_dir() or not any((folder / name).exists() for name in STORE_FILES):
        got = "a folder of something else" if folder.is_dir() else "no such folder"
        raise StoreNotFound(
            str(folder),
            "must hold an image store",
            got,
            "Make it with zspace pack, or with zspace study where it is a study's.",
        )
    if not (folder / DOCUMENT).is_file():
        raise _incomplete(folder, f"no {DOCUMENT}")
    try:
        document = read_json(folder / DOCUMENT)
    except FileDamaged as error:
        raise _incomplete(folder, f"a damaged {DOCUMENT}") from error
    return document if isinstance(document, dict) else {}


def _incomplete(folder: Path, got: str) -> StoreIncomplete:
    return StoreIncomplete(str(folder), "must be a whole image store", got, pack_anew(folder))


def _read_result(folder: Path, result: object) -> PackResult:
    if not isinstance(result, dict):
        raise _incomplete(folder, f"a {DOCUMENT} without a result")
    try:
        return from_mapping(PackResult, result, DOCUMENT)
    except SettingsError as error:
        raise _incomplete(folder, str(error)) from error


def _map_images(folder: Path, shape: tuple[int, ...]) -> np.memmap:
    path = folder / IMAGES
    if not path.is_file():
        raise _incomplete(folder, f"no {IMAGES}")
    try:
        images = map_npy(path)
    except NpyUnreadable as error:
        raise _incomplete(folder, f"an {IMAGES} that is cut short or damaged ({error})") from error
    if images.shape != shape or images.dtype != np.uint8 or not images.flags.c_contiguous:
        raise _incomplete(folder, f"an {IMAGES} of {images.dtype} {images.shape} instead of uint8 {shape}")
    return images


def _read_index(folder: Path, result: PackResult) -> tuple[tuple[str, ...], Codes, UInt32[np.ndarray, " n_images"]]:
    """Return names, splits and checksums."""
    kinds: dict[str, pa.DataType] = {"name": pa.string(), "split": pa.string(), "crc32": pa.uint32()}
    names, splits, checksums = _read_columns(folder, INDEX, kinds, result.n_images)
    if any(column.null_count for column in (names, splits, checksums)):
        raise _incomplete(folder, f"an {INDEX} with empty cells")
    codes = np.full(result.n_images, len(SPLITS), np.uint8)
    for code, split in enumerate(SPLITS):
        codes[pc.equal(splits, pa.scalar(split)).to_numpy(zero_copy_only=False)] = code
    if (codes == len(SPLITS)).any():
        raise _incomplete(folder, f"an {INDEX} with an unknown split")
    return tuple(map(str, names.to_pylist())), codes, checksums.to_numpy()


def _read_attributes(folder: Path, result: PackResult) -> Float32[np.ndarray, "n_images n_attributes"]:
    if not result.attributes:
        return np.empty((result.n_images, 0), np.float32)
    kinds: dict[str, pa.DataType] = dict.fromkeys(result.attributes, pa.float32())
    columns = _read_columns(folder, ATTRIBUTES, kinds, result.n_images)
    return np.stack([column.to_numpy(zero_copy_only=False) for column in columns], axis=1)


def _read_columns(folder: Path, name: str, kinds: Mapping[str, pa.DataType], n_rows: int) -> list[pa.ChunkedArray[Any]]:
    """Return columns of a table of the store, each of its kind."""
    path = folder / name
    if not path.is_file():
        raise _incomplete(folder, f"no {name}")
    try:
        # Python opens the file, since Arrow takes no name that is not UTF-8.
        with path.open("rb") as file:
            table = pq.read_table(file)
        table.validate(full=True)  # else text that is no UTF-8 fails only when it is used
        if missing := [column for column in kinds if table.column_names.count(column) != 1]:
            raise _incomplete(folder, f"{name} without one column {missing[0]!r}")
        columns = [pc.cast(table.column(column), kind) for column, kind in kinds.items()]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _incomplete(folder, f"a damaged {name}") from error
    if table.num_rows != n_rows:
        raise _incomplete(folder, f"{name} with {table.num_rows} rows for {n_rows} images")
    return columns
