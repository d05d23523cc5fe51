"""Write an image store so that it is whole or not there: built in a hidden folder beside, and renamed at the end."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32

from zspace.errors import FileDamaged, FolderInUse, FolderNotEmpty, OutputNotWritable
from zspace.files import make_folder, read_json, real_place, write_json, write_text, writing_to
from zspace.images.store import ATTRIBUTES, DOCUMENT, IMAGES, STORE_FILES, STORE_VERSION
from zspace.records import to_mapping
from zspace.results import PackResult
from zspace.shapes import Images

_BEING_BUILT = ".packing"
_LIVE_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


@contextmanager
def building(folder: Path, source: str) -> Iterator[Path]:
    """Give a hidden folder beside ``folder`` to build in, and move it into place if the block ends well.

    What killed processes left there is removed first. Killed at any moment, this leaves the old store, the new one, or
    none: never a part of one under its name.

    Parameters
    ----------
    folder
        Where the store will be: missing, empty, or an earlier store of the same source, which is replaced at the end.
    source
        The source as the settings name it.

    Raises
    ------
    FolderNotEmpty
        When the folder holds anything else, also a store of another source.
    FolderInUse
        When another process is packing into it.
    OutputNotWritable, DiskFull
        When the file system refuses.
    """
    folder = real_place(folder)
    _refuse_to_replace(folder, source)
    make_folder(folder.parent)
    with writing_to(folder):
        _remove_leftovers(folder)
        partial = folder.with_name(f".{folder.name}.{os.getpid()}{_BEING_BUILT}")
        partial.mkdir()
        lock = _lock(partial)
    try:
        yield partial
        with writing_to(folder):
            _move_into_place(partial, folder)
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(partial, ignore_errors=True)


def _refuse_to_replace(folder: Path, source: str) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputNotWritable(str(folder), "must be a folder", "a file", "Choose another place with --out.")
    with writing_to(folder):
        strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in STORE_FILES)
    strange = [name for name in strange if not name.startswith(".")]
    rule = "must be a new folder, an empty one, or a store of the same images"
    if strange:
        raise FolderNotEmpty(str(folder), rule, f"a folder with {strange[0]!r}", "Choose another place with --out.")
    with suppress(FileDamaged, KeyError, TypeError):  # half a store may be replaced
        other = read_json(folder / DOCUMENT)["result"]["source"]
        if other != source:
            raise FolderNotEmpty(str(folder), rule, f"a store of {other!r}", "Choose another place with --out.")


def _lock(folder: Path) -> int | None:
    """Hold a lock on a folder; the system lets go of it when the process ends, however it ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_leftovers(folder: Path) -> None:
    for entry in folder.parent.iterdir():
        if not (entry.name.startswith(f".{folder.name}.") and _BEING_BUILT in entry.suffix):
            continue
        lock = _lock(entry)
        if lock is None:
            raise FolderInUse(
                str(folder),
                "must be packed into by one process at a time",
                "another that is at it",
                "Wait for it, or choose another place with --out.",
            )
        shutil.rmtree(entry)
        os.close(lock)


def _move_into_place(partial: Path, folder: Path) -> None:
    old = partial.with_suffix(f"{_BEING_BUILT}-old")
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


class ImageWriter:
    """Writes images one block after another, and the header, which says how many they are, at the end.

    Plain writes, not a memory map: pages waiting for the disk then belong to the system, not to this process.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size, self._n_images = folder, size, 0
        with _writing_into(folder):
            self._file = (folder / IMAGES).open("wb")
        self._file.seek(len(self._header()))

    def _header(self) -> bytes:
        # NumPy pads the header for the largest possible count: its length never changes.
        file = io.BytesIO()
        shape = (self._n_images, self._size, self._size, 3)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return file.getvalue()

    def write(self, images: Images) -> None:
        """Append a block of images."""
        with _writing_into(self._folder):
            self._file.write(images.data)
        self._n_images += len(images)

    def finish(self) -> None:
        """Write the header.

        Without waiting for the disk, which would take as long as writing: where the power fails at this moment, the
        file is shorter than its header says, and `open_store` tells.
        """
        with _writing_into(self._folder):
            self._file.seek(0)
            self._file.write(self._header())
            self._file.flush()

    def close(self) -> None:
        """Close the file; harmless after a failure."""
        with suppress(OSError):  # what could not be written was told by write or finish
            self._file.close()


def _writing_into(partial: Path) -> AbstractContextManager[None]:
    # Nobody knows the hidden folder: errors are about the place it lies in.
    return writing_to(partial.parent)


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table into the folder that is being built."""
    # Python opens the file, since Arrow takes no name that is not UTF-8.
    with _writing_into(path.parent), path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")


def write_attributes(folder: Path, names: Sequence[str], values: Float32[np.ndarray, "n_images n_attributes"]) -> None:
    """Write the attributes, null where the values are NaN."""
    columns = [pa.array(column, from_pandas=True) for column in values.T]
    write_parquet(folder / ATTRIBUTES, pa.table(columns, names=list(names)))


def write_skipped(path: Path, skipped: Sequence[tuple[str, str]]) -> None:
    """Write names and reasons of the skipped files as CSV.

    A spreadsheet takes a cell that begins with one of ``= + - @``, a tab or a line end for a formula and runs it. Such
    a name gets an apostrophe in front, which spreadsheets read as "this is text", and so does one that begins with an
    apostrophe: who reads the file takes one apostrophe away wherever a name begins with it.
    """
    rows = ((_as_text(name), reason) for name, reason in skipped)
    write_text(path, "".join(map(_csv_line, [("name", "reason"), *rows])))


def _csv_line(cells: tuple[str, str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # it quotes what its line ends are made of, and no other
    return line.getvalue().removesuffix("\r\n") + "\n"


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_LIVE_STARTS) else cell


def write_document(folder: Path, result: PackResult) -> None:
    """Write ``store.json``, the last file: with it the store is whole."""
    write_json(folder / DOCUMENT, {"version": STORE_VERSION, "result": to_mapping(result)})
