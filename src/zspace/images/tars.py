"""Images inside .tar archives, plain or compressed, read from front to back and never written to disk.

A tar is whole or said not to be. Python's reader takes a damaged header or a missing end for the end of the archive;
here both are errors. Archives that were joined end to end are read to the last one. Links are resolved within the
archive, after everything else; where they lead anywhere else, they are skipped with that reason.
"""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import posixpath
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from zspace.images.archives import no_images, unreadable
from zspace.images.candidates import (
    NOT_A_FILE,
    TOO_MANY_BYTES,
    Candidate,
    ImageSource,
    Skipped,
    clean_name,
    ending_of,
    is_hidden,
    is_image_name,
    left_out_note,
)
from zspace.images.folders import CELEBA_TABLES, find_celeba_table, stamp

_READ_AHEAD_BYTES = 1 << 20
_MOST_HEADER_BYTES = 1 << 20
"""Of a long name or of a table of extra facts; Python's reader takes whatever size is claimed into memory."""
_EXTRA_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_MOST_LINKS_FOLLOWED = 40
_EndMark: type[tarfile.TarError] = tarfile.EOFHeaderError  # type: ignore[attr-defined] # unknown to the type stubs
_EndOfFile: type[tarfile.TarError] = tarfile.EmptyHeaderError  # type: ignore[attr-defined]
_Invalid: type[tarfile.TarError] = tarfile.InvalidHeaderError  # type: ignore[attr-defined]
_BadHeader, _DamagedTar = tarfile.HeaderError, tarfile.ReadError
_DAMAGED = (
    *(tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError),
    *(ValueError, OverflowError, RecursionError),  # from numbers in headers, and from headers upon headers
)


class _Member(tarfile.TarInfo):
    """A header that is refused where Python's reader would end the archive in silence."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Return a header that claims no impossible size."""
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in _EXTRA_HEADERS and member.size > _MOST_HEADER_BYTES):
            raise _Invalid(f"a size of {member.size:,} bytes")
        return member

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> _Member:
        """Return the next header; zeros end an archive, and the file must end with them."""
        try:
            member = super().fromtarfile(tarfile)
        except _EndMark:
            vars(tarfile)["has_ended"] = True
            raise
        except _EndOfFile:
            if vars(tarfile).get("has_ended"):
                raise
            raise _DamagedTar("no end mark: it was cut short, or never finished") from None
        except _BadHeader as error:
            raise _DamagedTar(f"a header that cannot be read ({error})") from error
        vars(tarfile)["has_ended"] = False
        return member


class _WholeTar(tarfile.TarFile):
    tarinfo = _Member


def open_tar(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a .tar archive, plain or compressed by gzip, bzip2 or xz.

    It is read once from front to back, so the images come in the archive's own order, and how many there are is only
    an estimate until the end. Where it holds links with an image's name, it is read a second time for what they lead
    to: these images come last.

    Parameters
    ----------
    path
        The archive.
    max_bytes
        Larger members are skipped unread.

    Raises
    ------
    SourceUnreadable
        When the file is no tar archive; while reading, when a header is damaged or the end is missing.
    """
    reading = _Reading(path, max_bytes)
    # Opening and reading the first header now means that a wrong file is refused before anything is written.
    with reading.opened():
        pass
    return ImageSource(
        kind="tar",
        open=reading.candidates,
        expected=reading.expected,
        fingerprint=lambda: stamp(path),
        celeba_table=find_celeba_table([path.absolute().parent]),
        late_notes=lambda: left_out_note(reading.others),
    )


class _Reading:
    """One pass over an archive, and what it found so far."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._n_bytes, self._n_bytes_read = path.stat().st_size, 0
        self._links: dict[str, str | None] = {}
        """Where each link leads, as a clean name; None for out of the archive."""
        self.others: Counter[str] = Counter()

    def expected(self, n_done: int) -> int:
        """Return how many candidates there are by how far they have led into the file."""
        return max(n_done, round(n_done * self._n_bytes / max(self._n_bytes_read, 1)))

    @contextmanager
    def opened(self) -> Iterator[Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]]:
        """Give the members with their clean names."""
        # The decompressors of the standard library notice a stream that is cut short; tarfile's own do not.
        try:
            with (
                self._path.open("rb") as file,
                _WholeTar.open(fileobj=_unpacked(file), mode="r|", bufsize=_READ_AHEAD_BYTES, ignore_zeros=True) as tar,
            ):
                yield self._members(tar, file)
        except _DAMAGED as error:
            raise unreadable(self._path, "tar", error) from error

    def _members(
        self, tar: tarfile.TarFile, file: BufferedReader
    ) -> Iterator[tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
        while (member := tar.next()) is not None:
            vars(tar)["members"] = []  # tarfile keeps every header, about 1 KB a member
            yield clean_name(member.name), member, tar
            self._n_bytes_read = max(self._n_bytes_read, file.tell())

    @contextmanager
    def candidates(self) -> Iterator[Iterator[Candidate]]:
        """Give the images in the archive's order, then those that links lead to."""
        self._links.clear()
        self.others.clear()
        yield self._candidates()

    def _candidates(self) -> Iterator[Candidate]:
        n_found = 0
        with self.opened() as members:
            for name, member, tar in members:
                if member.issym() or member.islnk():
                    self._links[name] = _target(name, member)
                elif is_image_name(name) and not member.isdir():
                    n_found += 1
                    yield self._candidate(name, member, tar)
                elif member.isfile() and not is_hidden(name) and posixpath.basename(name) not in CELEBA_TABLES:
                    self.others[ending_of(name)] += 1
        links = [name for name in self._links if is_image_name(name)]
        if not n_found and not links:
            raise no_images(self._path)
        yield from self._linked(links)

    def _candidate(self, name: str, member: tarfile.TarInfo, tar: tarfile.TarFile) -> Candidate:
        if not member.isfile():
            return Candidate(name, lambda: _refuse(NOT_A_FILE))
        if member.size > self._max_bytes:
            return Candidate(name, lambda: _refuse(TOO_MANY_BYTES))
        content = tar.extractfile(member)
        data = content.read() if content else b""
        return Candidate(name, lambda: data, n_bytes=len(data))

    def _linked(self, links: list[str]) -> Iterator[Candidate]:
        wanted: dict[str, list[str]] = {}
        for name in links:
            wanted.setdefault(self._followed(name) or "", []).append(name)
        nowhere = wanted.pop("", [])
        if wanted:
            with self.opened() as members:
                for target, member, tar in members:
                    if member.isfile() and target in wanted:
                        candidate = self._candidate(target, member, tar)
                        yield from (replace(candidate, name=name) for name in wanted.pop(target))
        for name in [*nowhere, *itertools.chain.from_iterable(wanted.values())]:
            yield Candidate(name, lambda: _refuse("a link to nothing inside the archive"))

    def _followed(self, name: str) -> str | None:
        """Return what a link leads to in the end, through links and linked folders on the way."""
        place: str | None = name
        for _ in range(_MOST_LINKS_FOLLOWED):
            if place is None:
                return None
            parts = place.split("/")
            heads = ("/".join(parts[:n]) for n in range(1, len(parts) + 1))
            head = next((head for head in heads if head in self._links), None)
            if head is None:
                return place
            target = self._links[head]
            place = target and posixpath.normpath(target + place.removeprefix(head))
        return None


def _target(name: str, member: tarfile.TarInfo) -> str | None:
    """Return the clean name that a link leads to; None for out of the archive."""
    if member.islnk():
        return clean_name(posixpath.normpath(member.linkname)) or None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
    return None if target.startswith(("/", "../")) or target in (".", "..") else clean_name(target)


def _unpacked(file: BufferedReader) -> BufferedIOBase:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    return lzma.LZMAFile(file) if start == b"\xfd7zXZ\x00" else file


def _refuse(reason: str) -> bytes:
    raise Skipped(reason)
