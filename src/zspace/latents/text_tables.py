"""Tables in text: what parts their fields, whether the first line names them, and which numbers they hold."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from zspace.errors import LatentsUnreadable
from zspace.latents.arrays import check_memory
from zspace.latents.vectors import parse_vector

_LOOK_BYTES = 4 << 20
_LOOK_ROWS = 50
_MEMORY_PER_BYTE = 4
"""Text and its numbers, as columns and as points."""
_MOST_BLOCK_BYTES = 1 << 30
_DELIMITERS = ("\t", ";", "|", ",", " ")
"""Tried in this order: the first that parts all lines alike."""
MISSING = (
    *("", "?", "-", "--", ".", "NA", "N/A", "n/a", "na", "<NA>", "#N/A", "#NA", "NaN", "nan", "NAN", "-NaN", "-nan"),
    *("NULL", "Null", "null", "None", "none", "missing", "Missing", "1.#QNAN", "-1.#IND", "1.#IND", "-1.#QNAN"),
)
"""Words for "no value"."""
_NUMBER = re.compile(r"[-+\u2212\ufe63\uff0d]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"\d+")


@dataclass(frozen=True)
class TextLayout:
    """How a table is written as text."""

    delimiter: str
    decimal: str
    has_names: bool
    """Whether the first line names the columns."""
    notes: tuple[str, ...]
    """What had to be decided."""


def read_text_table(path: Path) -> tuple[pa.Table, TextLayout]:
    """Read a table in UTF-8, its fields parted by commas, tabs, semicolons, bars or single spaces.

    Raises
    ------
    LatentsUnreadable
        When it is no such text, or larger than the memory. Ragged lines are pyarrow's own errors.
    """
    n_bytes = path.stat().st_size
    check_memory(str(path), _MEMORY_PER_BYTE * n_bytes)
    layout = find_layout(path)
    table = pyarrow.csv.read_csv(
        path,
        # One block where that is possible: pyarrow settles a column's type by the first, and fails over the next.
        pyarrow.csv.ReadOptions(
            block_size=min(max(n_bytes + 1, 1 << 20), _MOST_BLOCK_BYTES),
            autogenerate_column_names=not layout.has_names,
        ),
        pyarrow.csv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
        pyarrow.csv.ConvertOptions(null_values=list(MISSING), strings_can_be_null=True, decimal_point=layout.decimal),
    )
    if not layout.has_names:
        table = table.rename_columns([f"column {place}" for place in range(1, table.num_columns + 1)])
    return table, layout


def find_layout(path: Path) -> TextLayout:
    """Return how a table is written, from its first lines."""
    text = _first_text(path)
    rows, delimiter = [], ","
    for delimiter in _DELIMITERS:
        rows = _rows(text, delimiter)
        if _are_parted_alike(rows, delimiter):
            break
    else:
        delimiter, rows = ",", _rows(text, ",")
    if not rows:
        raise LatentsUnreadable(str(path), "must hold rows of numbers", "an empty file", "Check the file.")
    values = [field for row in rows for field in row if _NUMBER.fullmatch(field)]
    has_comma = delimiter != "," and any("," in value for value in values)
    decimal = "," if has_comma and not any("." in value for value in values) else "."
    notes = ["numbers were read with a decimal comma"] if decimal == "," else []
    has_names = _is_header(rows[0], rows[1:])
    shown = delimiter.strip().join(rows[0][:3]) or rows[0][0]
    if not has_names:
        notes.append("the first line was read as a point: it holds numbers, not names")
    elif any(map(_is_value, rows[0])):
        notes.append(f"the first line, {shown} ..., was read as the names of the columns")
    return TextLayout(delimiter, decimal, has_names, tuple(notes))


def _are_parted_alike(rows: list[list[str]], delimiter: str) -> bool:
    """Return whether all lines have one number of fields, more than one; spaces that align numbers part no fields."""
    is_aligned = delimiter == " " and any("" in row for row in rows)
    return len({len(row) for row in rows}) == 1 and len(rows[0]) > 1 and not is_aligned


def _first_text(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_LOOK_BYTES)
    rule, next_step = "must be text in UTF-8", "Save it as UTF-8, or as .npy."
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise LatentsUnreadable(str(path), rule, "UTF-16", next_step)
    if b"\0" in start:
        raise LatentsUnreadable(str(path), rule, "bytes that are no text", next_step)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start, final=len(start) < _LOOK_BYTES)
    except UnicodeDecodeError as error:
        got = f"the byte {start[error.start]:#04x} at {error.start:,}"
        raise LatentsUnreadable(str(path), rule, got, next_step) from error
    # The last line may be cut: it is looked at only where the file ends.
    return text if len(start) < _LOOK_BYTES else text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the fields of the first lines, without lines that hold nothing."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    usual = csv.field_size_limit(len(text) + 1)  # one cell may hold a vector of thousands of numbers
    try:
        return [[field.strip() for field in row] for row in islice(lines, _LOOK_ROWS) if row]
    finally:
        csv.field_size_limit(usual)


def _is_value(field: str) -> bool:
    return bool(_NUMBER.fullmatch(field)) or parse_vector(field) is not None


def _is_header(first: list[str], others: list[list[str]]) -> bool:
    """Return whether the first line names the columns: no field of it is a value, or its numbers only count on.

    Numbers that count on, such as ``0,1,2``, are the names that pandas gives. Of fewer than three, the other lines must
    hold fractions, or they might as well be values.
    """
    values = [field for field in first if _is_value(field)]
    if not values:
        return any(field not in MISSING for field in first)
    if not all(_WHOLE.fullmatch(value) for value in values):
        return False
    numbers = [int(value) for value in values]
    if any(later - earlier != 1 for earlier, later in pairwise(numbers)):
        return False
    has_fractions = any(_is_value(field) and not _WHOLE.fullmatch(field) for row in others for field in row)
    return len(numbers) > 2 or (numbers[0] in (0, 1) and has_fractions)
