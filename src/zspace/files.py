"""Atomic writes, digests, and the text formats: JSON, JSON lines and TOML.

A file written here is either the old one or the new one, never half of one, and where a link stands at its place the
link stays and what it leads to is written. Trouble with the file system comes out as an error that names the place and
what to do; names that come from outside are checked by `name_trouble` before they become part of a path.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomli_w

from zspace.errors import DiskFull, FileDamaged, OutputNotWritable, SettingOutOfRange, ZspaceError

_READ_BYTES = 1 << 20
_SHOWN = 60
_LONGEST_NAME = 200
"""In bytes. File systems take 255; names of half-written files and of repetitions are longer than the name itself."""
_LONGEST_SLUG = 100
_FORBIDDEN = frozenset('/\\:*?"<>|')
_DEVICES = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))))
"""Names that stand for devices on Windows, whatever ending follows."""


def name_trouble(name: str) -> str | None:
    """Return what a text lacks to be the name of one file or folder on every file system; None when it is one.

    A name that passes leads nowhere but to an entry of the folder it is put into, and can be copied to other systems.

    Examples
    --------
    >>> name_trouble("vae-1"), name_trouble("../vae")
    (None, 'may not begin with a dot')
    """
    rules = {
        "may not be empty": not name,
        "may not begin with a dot": name.startswith("."),
        "may not begin or end with a space, nor end with a dot": name != name.strip() or name.endswith("."),
        f"may not hold any of {' '.join(sorted(_FORBIDDEN))}": not _FORBIDDEN.isdisjoint(name),
        "may hold nothing that cannot be printed": not name.isprintable(),
        f"may be at most {_LONGEST_NAME} bytes long": len(name.encode("utf-8", "replace")) > _LONGEST_NAME,
        "may not be a device's on Windows": name.partition(".")[0].rstrip().lower() in _DEVICES,
    }
    return next((rule for rule, is_broken in rules.items() if is_broken), None)


def has_stray_bytes(text: str) -> bool:
    r"""Return whether a text, as a path of the system, holds bytes that are no text in its encoding.

    Examples
    --------
    >>> has_stray_bytes("caf\udce9"), has_stray_bytes("café")
    (True, False)
    """
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def place_name(source: str | Path) -> str:
    """Return a name for the folder of what is made from a file or folder: its own, ending and all.

    Where a path ends in no name, as ``..`` does, it is the name of the folder that it leads to.

    Examples
    --------
    >>> place_name("latents/a.npy"), place_name("/")
    ('a.npy', 'root')
    """
    return Path(os.path.realpath(source)).name or "root"  # which leaves a link onto itself as it is


def output_error(path: Path, error: OSError) -> ZspaceError:
    """Return the error that tells a person what the file system's refusal to write means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        if _has_no_inodes(path):
            next_step = "Delete files, many small ones if need be, or choose another place with --out."
            return DiskFull(
                str(path), "needs a free inode for every file", "a disk with space but no free inodes", next_step
            )
        return DiskFull(str(path), "needs free space on its disk", "a full disk", "Free some space and run again.")
    return OutputNotWritable(
        str(path),
        "must be a place this user may write to",
        error.strerror or type(error).__name__,
        "Choose another place with --out, or change its permissions.",
    )


def _has_no_inodes(path: Path) -> bool:
    """Return whether the disk has space, but no room for the name of one more file."""
    place = next((parent for parent in (path, *path.parents) if parent.exists()), None)
    if place is None or not hasattr(os, "statvfs"):
        return False
    with suppress(OSError):
        disk = os.statvfs(place)
        # Some file systems make inodes as they need them, and say that they have none at all.
        return disk.f_files > 0 and disk.f_favail == 0 and disk.f_bavail > 0
    return False


def real_place(path: Path) -> Path:
    """Return where a path leads through links, whether something lies there or not.

    Raises
    ------
    OutputNotWritable
        When links lead round in a circle, or to where a name is no UTF-8: most libraries cannot write there.
    """
    place = Path(os.path.realpath(path))
    if has_stray_bytes(str(place)):
        rule, next_step = (
            "must lie where all names are text in UTF-8",
            "Choose another place with --out, or rename the folder.",
        )
        raise OutputNotWritable(ascii(str(path)), rule, ascii(str(place)), next_step)
    if place.is_symlink():
        rule, next_step = "must lead somewhere", "Choose another place with --out, or delete the link."
        raise OutputNotWritable(str(path), rule, "links that lead round in a circle", next_step)
    return place


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn every refusal of the file system inside the block into an error about ``path``."""
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to, and move it into place if the block ends well.

    Where ``path`` is a link, it stays one, and what it leads to is written. The move is atomic: a reader, or a process
    killed at any moment, sees the old file or the new one.

    Raises
    ------
    OutputNotWritable, DiskFull
        When the file system refuses.
    """
    path = real_place(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            # On a full disk even tidying up may fail; the first error is the one to tell.
            with suppress(OSError):
                partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside ``path`` to fill, and move it into place if the block ends well.

    What stood at ``path`` before is replaced; folders that a killed process left behind are removed. Where ``path`` is
    a link, it stays one, and what it leads to is replaced.

    Raises
    ------
    OutputNotWritable, DiskFull
        When the file system refuses.
    """
    path = real_place(path)
    partial = path.with_name(f".{path.name}.partial")
    with writing_to(path):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            yield partial
            old = path.with_name(f".{path.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            if path.exists():
                path.rename(old)
            partial.rename(path)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically; bytes of a path that are no UTF-8 become escapes, which JSON reads back."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def make_folder(path: Path) -> Path:
    """Make a folder and its parents unless they exist, and return it."""
    with writing_to(path):
        real_place(path).mkdir(parents=True, exist_ok=True)  # also where a link leads to what is not there yet
    return path


def to_json(document: object) -> str:
    """Return one JSON document, strict: NaN and infinity are refused."""
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def write_json(path: Path, document: object) -> None:
    """Write one JSON document, atomically."""
    write_text(path, to_json(document) + "\n")


def _damaged(path: Path, kind: str, error: Exception) -> FileDamaged:
    return FileDamaged(str(path), f"must hold {kind}", str(error), "Mend it, or delete it and run again.")


def _plain_text(path: Path) -> str:
    """Return the text of a file; of a pipe or a device, which might never end, none."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "no plain file")
    return path.read_text(encoding="utf-8")


def irregular_entry(folder: Path) -> Path | None:
    """Return the first thing in a folder and below that is neither file nor folder, such as a pipe; None if none is."""
    return next((path for path in sorted(folder.rglob("*")) if not (path.is_file() or path.is_dir())), None)


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON may be anything; callers read it into records
    """Return the JSON document of a file.

    Raises
    ------
    FileDamaged
        When the file is no JSON.
    """
    try:
        return json.loads(_plain_text(path))
    except (ValueError, OSError, RecursionError) as error:
        raise _damaged(path, "one JSON document", error) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the table of a TOML file.

    Raises
    ------
    FileDamaged
        When the file is no TOML.
    """
    try:
        return tomllib.loads(_plain_text(path))
    except (ValueError, OSError, RecursionError) as error:
        raise _damaged(path, "a TOML table", error) from error


def write_toml(path: Path, table: Mapping[str, Any]) -> None:
    """Write a TOML table, atomically.

    Raises
    ------
    SettingOutOfRange
        When a text holds bytes that are no UTF-8, as a path may: TOML has no way to write them.
    """
    text = tomli_w.dumps(table)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        got = repr(text[max(0, error.start - _SHOWN) : error.end].splitlines()[-1])
        rule, next_step = "must hold names that are UTF-8", "Rename the folder, or give a link to it of a plain name."
        raise SettingOutOfRange(str(path), rule, got, next_step) from error
    write_text(path, text)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines file; a last line cut short by a kill is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def write_json_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines, atomically."""
    write_text(path, "".join(to_json(row) + "\n" for row in rows))


def document_digest(document: object) -> str:
    """Return a short digest that is the same for equal documents, whatever the order of their keys.

    Examples
    --------
    >>> document_digest({"a": 1, "b": 2}) == document_digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(document, allow_nan=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """Return the BLAKE2 digest of a file's bytes."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def tree_digest(path: Path) -> str:
    """Return a digest of a file, or of all files in a folder and below with their names."""
    if path.is_file():
        return file_digest(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return document_digest([[str(file.relative_to(path)), file_digest(file)] for file in files])


def slug(text: str) -> str:
    """Return a text as lower-case words with hyphens, fit for file names and anchors.

    Where that would be too long for a file, or texts in other scripts would become the same, a digest tells them apart.

    Examples
    --------
    >>> slug("radius, bin 0.5")
    'radius-bin-0.5'
    """
    words = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")
    if words and len(words) <= _LONGEST_SLUG and text.isascii():
        return words
    return f"{words[:_LONGEST_SLUG]}-{document_digest(text)[:12]}".lstrip("-")
