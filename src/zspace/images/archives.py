"""Images inside .zip and .tar archives, read in place: nothing of an archive is ever written to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import (
    KNOWN_KINDS,
    TOO_MANY_BYTES,
    Candidate,
    ImageSource,
    Skipped,
    Table,
    clean_name,
    is_image_name,
    natural_key,
)
from zspace.images.folders import CELEBA_TABLES, find_celeba_table, stamp

_ENCRYPTED = 0x1
_READ_AHEAD_BYTES = 1 << 20


def open_zip(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a .zip archive; its images come in the natural order of their names.

    Parameters
    ----------
    path
        The archive.
    max_bytes
        Members that unpack to more are skipped unread: what a member claims is also the most that is unpacked.

    Raises
    ------
    SourceUnreadable
        When the file is no whole zip archive.
    NoImagesFound
        When no member has an image's ending.
    """
    with _zip(path) as archive:
        members = {member: clean_name(member.filename) for member in archive.infolist() if not member.is_dir()}
    images = [member for member, name in members.items() if is_image_name(name)]
    if not images:
        raise _no_images(path)
    images.sort(key=lambda member: natural_key(members[member]))

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        with _zip(path) as archive:
            yield (Candidate(members[image], partial(_read_member, archive, image, max_bytes)) for image in images)

    inside = [member for member, name in members.items() if name.rpartition("/")[2] in CELEBA_TABLES]
    return ImageSource(
        kind="zip",
        open=candidates,
        expected=lambda _n_done: len(images),
        fingerprint=lambda: stamp(path),
        celeba_table=_table_inside(path, inside[0]) if inside else find_celeba_table([path.absolute().parent]),
    )


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _unreadable(path, "zip", error) from error
    with archive:
        yield archive


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise Skipped("encrypted")
    if member.file_size > max_bytes:
        raise Skipped(TOO_MANY_BYTES)
    try:
        return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise Skipped("damaged inside the archive") from error
    except NotImplementedError as error:
        raise Skipped("packed by a method that cannot be read") from error


def _table_inside(path: Path, member: zipfile.ZipInfo) -> Table:
    def read() -> bytes:
        with _zip(path) as archive:
            return archive.read(member)

    return Table(f"{path}/{clean_name(member.filename)}", read)


def open_tar(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a .tar archive, plain or compressed by gzip, bzip2 or xz.

    It is read once from front to back, so the images come in the archive's own order, and how many there are is only
    an estimate until the end.

    Parameters
    ----------
    path
        The archive.
    max_bytes
        Larger members are skipped unread.

    Raises
    ------
    SourceUnreadable
        When the file is no tar archive; while reading, when it ends too early.
    """
    n_bytes = path.stat().st_size
    place = [0]

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        with path.open("rb") as file, _tar(path, file) as archive:
            yield _tar_candidates(path, archive, file, max_bytes, place)

    def expected(n_done: int) -> int:
        return max(n_done, round(n_done * n_bytes / max(place[0], 1)))

    # Opening and reading the first header now means that a wrong file is refused before anything is written.
    with path.open("rb") as file, _tar(path, file):
        pass
    return ImageSource(
        kind="tar",
        open=candidates,
        expected=expected,
        fingerprint=lambda: stamp(path),
        celeba_table=find_celeba_table([path.absolute().parent]),
    )


@contextmanager
def _tar(path: Path, file: BufferedReader) -> Iterator[tarfile.TarFile]:
    # The decompressors of the standard library notice a stream that is cut short; tarfile's own do not.
    try:
        unpacked = _unpacked(file)
        archive = tarfile.open(fileobj=unpacked, mode="r|", bufsize=_READ_AHEAD_BYTES)  # noqa: SIM115 - closed below
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _unreadable(path, "tar", error) from error
    with archive:
        yield archive


def _unpacked(file: BufferedReader) -> BufferedIOBase:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if start == b"\xfd7zXZ\x00" else file


def _tar_candidates(
    path: Path, archive: tarfile.TarFile, file: BufferedReader, max_bytes: int, place: list[int]
) -> Iterator[Candidate]:
    n_found = 0
    try:
        while (member := archive.next()) is not None:
            vars(archive)["members"] = []  # tarfile keeps every header, about 1 KB a member
            name = clean_name(member.name)
            if member.isfile() and is_image_name(name):
                n_found += 1
                yield _tar_candidate(archive, member, name, max_bytes)
                place[0] = file.tell()
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _unreadable(path, "tar", error) from error
    if not n_found:
        raise _no_images(path)


def _tar_candidate(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, max_bytes: int) -> Candidate:
    if member.size > max_bytes:
        return Candidate(name, _refuse_as_too_large)
    content = archive.extractfile(member)
    data = content.read() if content else b""
    return Candidate(name, lambda: data, n_bytes=len(data))


def _refuse_as_too_large() -> bytes:
    raise Skipped(TOO_MANY_BYTES)


def _unreadable(path: Path, kind: str, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        str(path), f"must be a whole {kind} archive", str(error) or type(error).__name__, "Download or copy it again."
    )


def _no_images(path: Path) -> NoImagesFound:
    rule = f"must hold images with an ending of {KNOWN_KINDS}"
    return NoImagesFound(str(path), rule, "an archive without any", "Look into the archive.")
