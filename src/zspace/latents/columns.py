"""Which columns of a table are dimensions: the rule, and the words that tell what it came to.

A column that is plainly no dimension is left out, with its reason; where values and name do not settle it, it is kept,
and that is told as well. The rule, the first line that fits:

1. no numbers, or no value at all: left out;
2. an index of pandas, by the table's own word or by its name: left out;
3. whole numbers that count the rows, each one more than the last: left out;
4. whole numbers under a name that ends in "id", "index", "label", "class" or the like: left out;
5. other numbers under such a name: kept and told;
6. whole numbers, not all equal, beside columns that hold fractions: kept and told;
7. whole numbers that are all different, beside whole numbers that repeat: kept and told;
8. anything else: kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Real

_ROW_WORDS = frozenset(
    ["id", "ids", "idx", "index", "indices", "uid", "uuid", "guid", "key", "row", "rowid", "rownumber", "rowno"]
)
_LABEL_WORDS = frozenset(
    [
        "label",
        "labels",
        "class",
        "classes",
        "target",
        "targets",
        "category",
        "cluster",
        "clusters",
        "group",
        "split",
        "fold",
    ]
)
_PANDAS_INDEX = re.compile(r"|Unnamed: ?\d+(_level_\d+)?|level_\d+|__index_level_\d+__")
_N_COUNTED = 3
"""Fewer rows than this count nothing."""
_N_SHOWN = 8
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    values: Real[np.ndarray, " n_rows"] | None
    """NaN where there is none; None for a column without numbers."""
    holds: str = "numbers"
    """In words."""
    is_index: bool = False
    """Whether the table itself says that it numbers or names the rows."""
    odd_text: str = ""
    """One of the texts among its numbers, if there are any; they count as no value."""

    @cached_property
    def given(self) -> np.ndarray:
        """The values that are there."""
        values = np.empty(0) if self.values is None else self.values
        return values[np.isfinite(values)] if values.dtype.kind == "f" else values

    @cached_property
    def is_whole(self) -> bool:
        """Whether all of them are whole numbers."""
        return self.given.dtype.kind in "iu" or bool((np.floor(self.given) == self.given).all())

    @cached_property
    def n_different(self) -> int:
        """How many different ones there are."""
        return len(np.unique(self.given))

    @property
    def are_all_different(self) -> bool:
        """Whether no value comes twice."""
        return self.n_different == len(self.given)

    @property
    def counts_rows(self) -> bool:
        """Whether each value is one more than that of the row before."""
        return (
            self.is_whole
            and len(self.given) >= _N_COUNTED
            and self.values is not None
            and len(self.given) == len(self.values)
            and bool((self.given[1:] - self.given[:-1] == 1).all())
        )

    def describe(self) -> str:
        """Return the name and what it holds, for a sentence."""
        if self.values is None:
            held = self.holds
        elif not len(self.given):
            held = "no values"
        elif not self.is_whole:
            held = "fractions"
        elif self.are_all_different:
            held = "whole numbers, all different"
        else:
            held = f"{self.n_different:,} whole {'value' if self.n_different == 1 else 'values'}"
        return f"{self.title} ({held})"

    @property
    def title(self) -> str:
        """The name as it can be printed."""
        plain = "".join(letter if letter.isprintable() else " " for letter in self.name).strip()
        return plain[:_LONGEST_NAME] or "the column without a name"


def split_columns(columns: Sequence[Column]) -> tuple[list[Column], tuple[str, ...]]:
    """Return the columns that are kept as dimensions, and what to tell of the others and of doubtful ones."""
    left_out = {place: reason for place, column in enumerate(columns) if (reason := _reason_against(column))}
    kept = [column for place, column in enumerate(columns) if place not in left_out]
    some_are_fractions = any(not column.is_whole for column in kept)
    some_repeat = any(column.is_whole and not column.are_all_different for column in kept)
    doubtful = [
        column.describe()
        for column in kept
        if _is_doubtful(column, some_are_fractions=some_are_fractions, some_repeat=some_repeat)
    ]
    notes = []
    if left_out:
        notes.append(f"left out: {_listed(list(left_out.values()))}")
    if doubtful:
        notes.append(f"kept, though perhaps no dimension: {_listed(doubtful)}; --drop leaves columns out")
    return kept, tuple(notes)


def gap_notes(kept: Sequence[Column]) -> tuple[str, ...]:
    """Return what to tell of cells without a number: their rows cannot be measured."""
    gaps = {column.title: len(column.values) - len(column.given) for column in kept if column.values is not None}
    gaps = {name: n_missing for name, n_missing in gaps.items() if n_missing}
    if not gaps:
        return ()
    odd = next((f", such as {column.odd_text}" for column in kept if column.odd_text), "")
    counts = _listed([f"{name} ({n_missing:,})" for name, n_missing in gaps.items()])
    return (f"cells without a finite number{odd}, whose rows are left out: {counts}",)


def _reason_against(column: Column) -> str | None:
    """Return what to say of a column that is plainly no dimension."""
    if column.values is None or not len(column.given):
        return column.describe()
    if column.is_index or (column.is_whole and _PANDAS_INDEX.fullmatch(column.name)):
        return f"{column.title} (an index of pandas)"
    if column.counts_rows:
        return f"{column.title} (row numbers)"
    return column.describe() if column.is_whole and _is_named_as_none(column.name) else None


def _is_doubtful(column: Column, *, some_are_fractions: bool, some_repeat: bool) -> bool:
    """Return whether a column that is kept stands out among the others, or is named like none of them should be."""
    if not column.is_whole:
        return _is_named_as_none(column.name)
    return column.n_different > 1 and (some_are_fractions or (column.are_all_different and some_repeat))


def _is_named_as_none(name: str) -> bool:
    """Return whether a name speaks of rows or of what they belong to.

    Examples
    --------
    >>> [_is_named_as_none(name) for name in ("imageId", "class", "row number", "valid", "d0")]
    [True, True, True, False, False]
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    last = words[-1].lower() if words else ""
    joined = "".join(words[-2:]).lower()
    return last in _ROW_WORDS | _LABEL_WORDS or joined in _ROW_WORDS


def pick_columns(columns: Sequence[Column], asked: Sequence[str]) -> list[int]:
    """Return the places of the columns that were asked for.

    Parameters
    ----------
    columns
        Of the table.
    asked
        Names; numbers counted from 1; or ranges of either, both ends included and in either order, such as ``d0:d63``.

    Raises
    ------
    KeyError
        With the name that no column has.
    """
    names = [column.name for column in columns]
    places: list[int] = []
    for one in asked:
        first, colon, last = one.partition(":")
        if not colon or one in names:
            places += [_place(names, one)]
        else:
            begin, end = sorted((_place(names, first), _place(names, last)))
            places += range(begin, end + 1)
    return list(dict.fromkeys(places))


def _place(names: Sequence[str], asked: str) -> int:
    if asked in names:
        return names.index(asked)
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    raise KeyError(asked)


def _listed(described: list[str]) -> str:
    more = f" and {len(described) - _N_SHOWN:,} more" if len(described) > _N_SHOWN else ""
    return ", ".join(described[:_N_SHOWN]) + more
