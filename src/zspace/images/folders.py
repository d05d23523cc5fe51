"""A folder of image files, searched recursively."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import (
    KNOWN_KINDS,
    NOT_A_FILE,
    TOO_MANY_BYTES,
    Candidate,
    ImageSource,
    Skipped,
    Table,
    clean_name,
    count_endings,
    ending_of,
    is_image_name,
    left_out_note,
    natural_key,
)

CELEBA_TABLES = ("list_attr_celeba.txt", "list_attr_celeba.csv")


def find_celeba_table(folders: list[Path]) -> Table | None:
    """Return the first of CelebA's attribute files that lies in one of the folders."""
    for folder in folders:
        for name in CELEBA_TABLES:
            path = folder / name
            if path.is_file():
                return Table(str(path), path.read_bytes, path)
    return None


def stamp(path: Path) -> list[object]:
    """Return the name, size and modification time of a file, for fingerprints."""
    status = path.stat()
    return [path.name, status.st_size, status.st_mtime_ns]


def open_folder(folder: Path, max_bytes: int) -> ImageSource:
    """Return the source for a folder and the folders below it.

    Hidden files and folders are left out, and files without an image's ending; a note counts these. A folder reached
    twice through symbolic links is read once, so loops end. What is no regular file, such as a pipe or a device, or a
    link to one, is skipped without waiting for it.

    Parameters
    ----------
    folder
        An existing folder.
    max_bytes
        Larger files are skipped unread.

    Raises
    ------
    NoImagesFound
        When no file has an image's ending; the message counts the endings that were seen.
    SourceUnreadable
        When a folder below may not be listed.

    Cost
    ----
    One listing of every folder, and about 150 bytes of memory a file.
    """
    others: Counter[str] = Counter()
    names = list(_walk(str(folder), "", set(), others))
    if not names:
        raise NoImagesFound(
            str(folder),
            f"must hold images with an ending of {KNOWN_KINDS}, here or in folders below",
            _seen(others),
            "Check the path.",
        )
    above_first = list((folder / names[0]).parents)
    inside = above_first[: above_first.index(folder) + 1]

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        yield (Candidate(clean_name(name), partial(_read_file, f"{folder}/{name}", max_bytes)) for name in names)

    return ImageSource(
        kind="folder",
        open=candidates,
        expected=lambda _n_done: len(names),
        fingerprint=lambda: [_stamp_of_image(folder, name) for name in names],
        celeba_table=find_celeba_table([*inside, folder.absolute().parent]),
        notes=left_out_note(others),
    )


def _walk(folder: str, prefix: str, seen: set[tuple[int, int]], others: Counter[str]) -> Iterator[str]:
    for entry in _entries(folder, seen):
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if _is_folder(entry):
            yield from _walk(entry.path, f"{prefix}{entry.name}/", seen, others)
        elif is_image_name(entry.name):  # a dangling link or a pipe too: it is skipped with its reason
            yield prefix + entry.name
        elif entry.name not in CELEBA_TABLES:
            others[ending_of(clean_name(entry.name))] += 1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link onto itself
        return False


_ALL_DIGITS_ALIKE = str.maketrans("123456789", "000000000")


def _entries(folder: str, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    try:
        status = os.stat(folder)  # noqa: PTH116 - a million Path objects would cost more than the walk
        place = (status.st_dev, status.st_ino)
        if place in seen:
            return []
        seen.add(place)
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        raise SourceUnreadable(
            folder, "must be a folder that can be listed", error.strerror or "an error", "Change its permissions."
        ) from error
    if len({entry.name.translate(_ALL_DIGITS_ALIKE) for entry in found}) <= 1:
        # Numbers of the same length in the same places: text sorts as their values do, and ten times as fast.
        return sorted(found, key=lambda entry: entry.name)
    return sorted(found, key=lambda entry: natural_key(entry.name))


def _seen(others: Counter[str]) -> str:
    if not others:
        return "no files at all"
    return f"{others.total()} other files ({count_endings(others)})"


def _stamp_of_image(folder: Path, name: str) -> list[object]:
    try:
        status = os.stat(f"{folder}/{name}")  # noqa: PTH116 - as above
    except OSError:
        return [clean_name(name), None, None]
    return [clean_name(name), status.st_size, status.st_mtime_ns]


def _read_file(path: str, max_bytes: int) -> bytes:
    # Straight from the system: a Path and a file object would take 5 % of the time of decoding a small photograph.
    try:
        # Without O_NONBLOCK, opening a pipe would wait for someone to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            return _read_descriptor(descriptor, max_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Skipped(f"cannot be read: {error.strerror}") from error


def _read_descriptor(descriptor: int, max_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Skipped(NOT_A_FILE)
    n_bytes = status.st_size
    if n_bytes > max_bytes:
        raise Skipped(TOO_MANY_BYTES)
    data = os.read(descriptor, n_bytes)
    while len(data) < n_bytes and (more := os.read(descriptor, n_bytes - len(data))):
        data += more
    return data
