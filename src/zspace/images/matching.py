"""Which row of a table means which image, by their names alone.

A row means an image when the shorter of the two paths ends the longer one, folder by folder: ``data/dog/1.png`` means
``dog/1.png`` and ``1.png``, never ``cat/1.png``. Of several rows that mean an image, that of the longest path in common
counts. Where that leaves a row with several images, or an image with several rows, none of them counts, and the number
of them is told. Composed and decomposed letters are the same letters.
"""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
from jaxtyping import Int64

from zspace.images.candidates import HEIF_SUFFIXES, clean_name, ending_of, image_suffixes

_USUAL_NAMES = frozenset({"file", "filename", "file_name", "image", "image_id", "path", "name"})
_WEB = ("http:", "https:")
"""Of an address, which `clean_name` has left one slash."""
_FURTHER_SUFFIXES = HEIF_SUFFIXES | {".avif", ".gif", ".svg"}


@dataclass(frozen=True)
class Form:
    """How the names of table and images are compared."""

    without_ending: bool
    without_common_folders: bool
    """Whether the folders that all rows, or all images, lie in are left out: elsewhere they may have other names."""

    def keys(self, names: Sequence[str]) -> list[str]:
        """Return the names in this form; those of the empty text stay empty."""
        formed = [name if name.isascii() else unicodedata.normalize("NFC", name) for name in names]
        if self.without_ending:
            formed = [name.removesuffix(posixpath.splitext(name)[1]) for name in formed]
        if self.without_common_folders:
            n_left_out = len(_common_folders([name for name in formed if name]))
            formed = [name[n_left_out:] for name in formed]
        return formed


_FORMS = [[Form(ending, folders) for ending in (False, True)] for folders in (False, True)]


def _common_folders(names: Sequence[str]) -> str:
    """Return the folders that begin all names, with a slash behind them."""
    if not names:
        return ""
    first, last = min(names), max(names)  # what these two begin with in common, all do
    n_common = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("/", 0, n_common) + 1]


@dataclass
class Match:
    """What a column of names says of the images."""

    column: str
    form: Form
    rows: Int64[np.ndarray, " n_images"]
    """Row of each image; -1 for none."""
    is_headless: bool
    """Whether the column's own name means an image: it is rather the first row of a table without column names."""
    repeated: str | None = None
    """The first text that means the same image in two rows."""
    ambiguous: list[str] = field(default_factory=list)
    """Texts of rows that mean several images, and of those of which an image fits several."""

    @property
    def n_matched(self) -> int:
        """Images with a row."""
        return int((self.rows >= 0).sum())

    @property
    def score(self) -> tuple[int, int]:
        """How well the column names the images."""
        return self.n_matched, len(self.ambiguous)


def best_match(columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> Match | None:
    """Return how the column that names the images does so; None when no column has to do with them.

    Columns whose cells look like file names come first, then those with a usual heading such as ``image_id``, then
    other texts, then bare numbers; within each, the column that names the most images. Where cells look like file
    names and fit no image, no other column is taken, and bare numbers never stand in for a column with a usual heading:
    a rank from 1 to 6 would name ``1.png`` to ``6.png``. The match then returned has no rows.

    The folders that all rows, or all images, lie in are left out only where nothing matches with them.

    Parameters
    ----------
    columns
        Texts of every column that may hold names, cleaned as the names of images are.
    names
        Of the images; the same name again is the same image.

    Cost
    ----
    A few microseconds a row and image, column and form.
    """
    kinds: dict[_Kind, dict[str, Sequence[str]]] = {kind: {} for kind in _Kind}
    for column, texts in columns.items():
        kinds[_kind(column, texts)][column] = texts
    unmatched: Match | None = None
    for kind, of_kind in kinds.items():
        if kind is _Kind.NUMBERS and kinds[_Kind.USUAL]:
            break
        found = _best_of(of_kind, names)
        if found and found.n_matched:
            return found
        if found and (found.ambiguous or kind in (_Kind.FILES, _Kind.USUAL)):
            unmatched = unmatched or found
        if kind is _Kind.FILES and found:
            break
    return unmatched


class _Kind(Enum):
    """What a column looks like by its cells and heading; the likeliest to name images first."""

    FILES = auto()
    USUAL = auto()
    TEXTS = auto()
    NUMBERS = auto()


def _kind(column: str, texts: Sequence[str]) -> _Kind:
    cells = [text for text in texts if text]
    if 2 * sum(map(_is_like_a_file, cells)) > len(cells):
        return _Kind.FILES
    if column.strip().lower() in _USUAL_NAMES:
        return _Kind.USUAL
    return _Kind.NUMBERS if all(map(is_decimal, cells)) else _Kind.TEXTS


def _is_like_a_file(cell: str) -> bool:
    if ending_of(cell) in image_suffixes() | _FURTHER_SUFFIXES:
        return not cell.startswith(_WEB)
    return "/" in cell and not cell.startswith(_WEB) and any(map(str.isalpha, cell))  # 1/2/2020 is a date


def is_decimal(cell: str) -> bool:
    """Return whether a cell is a number in plain digits."""
    return cell.strip().lstrip("+-").replace(".", "", 1).isdecimal()


def _best_of(columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> Match | None:
    """Return how the column that names the most images does so; without rows where none does."""
    best: Match | None = None
    for forms in _FORMS:
        before = best
        for form in forms:
            images = _Images(names, form.keys(names))
            found = [images.match(column, form, texts) for column, texts in columns.items()]
            best = max([best, *found] if best else found, key=lambda match: match.score, default=None)
            if best and best.n_matched == len(names):
                return best
        if best and best.n_matched:
            return best
    # What fits several images only without its folders, which are others than the images', fits none.
    return before


class _Images:
    """Images by the keys of their names, and by the ends of these."""

    def __init__(self, names: Sequence[str], keys: list[str]) -> None:
        self._keys = keys
        owner: dict[str, str] = {}
        shared = {key for name, key in zip(names, keys, strict=True) if owner.setdefault(key, name) != name}
        self._whole = owner.keys() - shared
        self._by_end: dict[str, str | None] = dict.fromkeys(shared)
        """The one image whose path ends so; None for several."""
        for key in self._whole:
            for end in _ends(key):
                self._by_end[end] = None if end in self._by_end else key

    def match(self, column: str, form: Form, texts: Sequence[str]) -> Match:
        found: dict[str, tuple[int, int]] = {}
        """By image, the length in common and the row."""
        match = Match(column, form, np.empty(0, np.int64), self._meant(form.keys([clean_name(column)])[0]) is not None)
        texts_formed = form.keys(texts)
        unclear: dict[str, int] = {}
        for row, text in enumerate(texts_formed):
            key = self._meant(text)
            if key is None:
                match.ambiguous += [text] if text in self._by_end else []
                continue
            n_common = min(len(key), len(text))
            n_before, row_before = found.get(key, (-1, -1))
            if n_common == n_before and text == texts_formed[row_before]:
                match.repeated = match.repeated or text
            elif n_common == n_before:
                unclear[key] = n_common
                match.ambiguous.append(text)
            if n_common > n_before:
                found[key] = n_common, row
        for key, n_common in unclear.items():
            if found[key][0] == n_common:
                del found[key]
        rows = (found.get(key, (0, -1))[1] for key in self._keys)
        match.rows = np.fromiter(rows, np.int64, len(self._keys))
        return match

    def _meant(self, text: str) -> str | None:
        if text in self._whole:
            return text
        if text in self._by_end:
            return self._by_end[text]
        return next((end for end in _ends(text) if end in self._whole), None)


def _ends(path: str) -> Iterator[str]:
    """Yield the path without its first folder, without its first two, and so on."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path
