"""Images inside .zip archives, read in place: nothing of an archive is ever written to disk."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from zspace.errors import AttributesUnreadable, NoImagesFound, SourceUnreadable
from zspace.images.candidates import (
    KNOWN_KINDS,
    TOO_MANY_BYTES,
    Candidate,
    ImageSource,
    Skipped,
    Table,
    clean_name,
    ending_of,
    is_hidden,
    is_image_name,
    left_out_note,
    natural_key,
)
from zspace.images.folders import CELEBA_TABLES, find_celeba_table, stamp

_ENCRYPTED = 0x1
_MEMBER_START = b"PK\3\4"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others zipfile unpacks without bound: 4 KB packed by bzip2 can become 4 GB in one step."""
_BYTES_AT_ONCE = 1 << 16
_BY_NO_METHOD = "packed by a method that cannot be read: pack again with deflate"


def open_zip(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a .zip archive; its images come in the natural order of their names.

    Parameters
    ----------
    path
        The archive.
    max_bytes
        Members that claim to unpack to more are skipped unread. What a member claims is also the most that is
        unpacked of it, in small pieces: one that claims little and holds gigabytes is skipped, too.

    Raises
    ------
    SourceUnreadable
        When the file is no whole zip archive.
    NoImagesFound
        When no member has an image's ending.
    """
    with _zip(path) as archive:
        members = {member: clean_name(member.filename) for member in archive.infolist() if not member.is_dir()}
    others = Counter(ending_of(name) for name in members.values() if _is_other(name))
    images = [member for member, name in members.items() if is_image_name(name)]
    if not images:
        raise no_images(path)
    images.sort(key=lambda member: natural_key(members[member]))

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        with _zip(path) as archive:
            yield (
                Candidate(
                    members[image], partial(_read_member, archive, image, max_bytes), n_bytes_read=image.file_size
                )
                for image in images
            )

    inside = [member for member, name in members.items() if name.rpartition("/")[2] in CELEBA_TABLES]
    return ImageSource(
        kind="zip",
        open=candidates,
        expected=lambda _n_done: len(images),
        fingerprint=lambda: stamp(path),
        celeba_table=_table_inside(path, inside[0], max_bytes)
        if inside
        else find_celeba_table([path.absolute().parent]),
        notes=(*_note_of_another(path, min(member.header_offset for member in members)), *left_out_note(others)),
    )


def _is_other(name: str) -> bool:
    return not (is_image_name(name) or is_hidden(name) or name.rpartition("/")[2] in CELEBA_TABLES)


def _note_of_another(path: Path, n_bytes_before: int) -> tuple[str, ...]:
    """Tell of an archive that stands before this one in the file: a zip is read from its end."""
    with path.open("rb") as file:
        is_another = n_bytes_before > 0 and file.read(len(_MEMBER_START)) == _MEMBER_START
    return (f"Not read: the first {n_bytes_before:,} bytes of {path.name}, another archive.",) if is_another else ()


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise unreadable(path, "zip", error) from error
    with archive:
        yield archive


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    if member.flag_bits & _ENCRYPTED:
        raise Skipped("encrypted")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Skipped("a symbolic link inside the archive")
    if member.compress_type not in _METHODS:
        raise Skipped(_BY_NO_METHOD)
    if member.file_size > max_bytes:
        raise Skipped(TOO_MANY_BYTES)
    try:
        return _unpacked(archive, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error) as error:
        raise Skipped("damaged inside the archive, or larger than it claims there") from error
    except (NotImplementedError, RuntimeError) as error:
        raise Skipped(_BY_NO_METHOD) from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    # Not archive.read: that unpacks up to 2 GB of whatever is there before it cuts off what was not claimed.
    data = bytearray()
    with archive.open(member) as stream:
        while block := stream.read(_BYTES_AT_ONCE):
            data += block
    return bytes(data)


def _table_inside(path: Path, member: zipfile.ZipInfo, max_bytes: int) -> Table:
    name = f"{path}/{clean_name(member.filename)}"

    def read() -> bytes:
        try:
            with _zip(path) as archive:
                return _read_member(archive, member, max_bytes)
        except Skipped as skipped:
            rule, next_step = "must be a readable file", "Mend the archive, or leave the table out of it."
            raise AttributesUnreadable(name, rule, f"one that is {skipped.reason}", next_step) from skipped

    return Table(name, read)


def unreadable(path: Path, kind: str, error: Exception) -> SourceUnreadable:
    """Return the error for a damaged archive."""
    return SourceUnreadable(
        str(path), f"must be a whole {kind} archive", str(error) or type(error).__name__, "Download or copy it again."
    )


def no_images(path: Path) -> NoImagesFound:
    """Return the error for an archive without images."""
    rule = f"must hold images with an ending of {KNOWN_KINDS}"
    return NoImagesFound(str(path), rule, "an archive without any", "Look into the archive.")
