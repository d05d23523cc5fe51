"""Attributes of images from a table beside them: CelebA's, or any CSV or Parquet with a file-name column.

An attribute is a number. Where an image has no row, or its row no value, the attribute is unknown: null in the
store's Parquet file, NaN in memory, and a note in the result says how many images that concerns.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from jaxtyping import Float32

from zspace.errors import AttributesUnreadable
from zspace.images.candidates import ImageSource, Table, clean_name, is_image_name
from zspace.images.matching import Match, best_match, is_decimal
from zspace.images.tables import attribute_values, is_number
from zspace.settings import ImageSettings

Values = Float32[np.ndarray, "n_images n_attributes"]

_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "None"]
_MOST_BYTES = 1 << 29
"""Of a table, also of a Parquet when it is unpacked; CelebA's 40 attributes of a million images would take 320 MB."""


@dataclass(frozen=True)
class AttributeTable:
    """A table of attributes that was read but not yet joined to images."""

    name: str
    columns: pa.Table
    was_asked_for: bool
    """Whether the user named it, so that a table which fits no image is an error."""


@dataclass(frozen=True)
class JoinedAttributes:
    """Attributes in the order of the images."""

    names: tuple[str, ...]
    values: Values
    """NaN where unknown."""
    notes: tuple[str, ...] = ()


def read_attribute_table(settings: ImageSettings, source: ImageSource) -> AttributeTable | None:
    """Return the table that the settings name, else the one found with the images, else None.

    Raises
    ------
    AttributesUnreadable
        When the file is missing, or no table.
    """
    if settings.attributes is None:
        found = source.celeba_table
        return None if found is None else AttributeTable(found.name, _read(found), was_asked_for=False)
    path = Path(settings.attributes).expanduser()
    if not path.is_file():
        raise AttributesUnreadable("images.attributes", "must be a file", f"no file at {path}", "Check the path.")
    return AttributeTable(str(path), _read(Table(str(path), path.read_bytes, path)), was_asked_for=True)


def _read(table: Table) -> pa.Table:
    try:
        columns = _parsed(table)
    except (pa.ArrowException, OSError, ValueError, StopIteration, csv.Error) as error:
        got = str(error).splitlines()[0] if str(error) else "an empty file"
        raise _no_table(table.name, got) from error
    names = columns.column_names
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise _no_table(table.name, f"several columns {repeated[0]!r}" if repeated[0] else "several without a name")
    return columns


def _no_table(name: str, got: str) -> AttributesUnreadable:
    return AttributesUnreadable(
        name,
        "must be a .csv with a line of column names, all different, a .parquet, or CelebA's .txt",
        got,
        "Mend the file, or leave it out.",
    )


def _parsed(table: Table) -> pa.Table:
    if table.path and table.path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES:,} bytes")
    name = table.name.lower()
    if name.endswith(".parquet"):
        return _read_parquet(table.read())
    # Old Macs end lines with CR alone, which would make the file one line.
    data = table.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _read_text(data, is_celeba=name.endswith(".txt"))


def _read_parquet(data: bytes) -> pa.Table:
    with pq.ParquetFile(io.BytesIO(data)) as file:
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        if sum(group.total_byte_size for group in groups) > _MOST_BYTES:
            raise ValueError(f"a table that unpacks to more than {_MOST_BYTES:,} bytes")
        columns = _with_plain_types(file.read())
        columns.validate(full=True)  # else text that is no UTF-8 fails only when it is used
        return columns


def _with_plain_types(columns: pa.Table) -> pa.Table:
    """Return the columns with every kind of text as text, also bytes that are some, and no dictionaries."""
    return pa.table([_plain(column) for column in columns.columns], names=columns.column_names)


def _plain(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any]:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return pc.cast(column, pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        with suppress(pa.ArrowInvalid):  # other bytes, such as pictures
            return pc.cast(column, pa.string())
    return column


def _read_text(data: bytes, *, is_celeba: bool) -> pa.Table:
    if is_celeba:
        names, data, delimiter = _celeba_as_csv(data)
    else:
        first_line = data.partition(b"\n")[0].decode("utf-8-sig")
        delimiter = max(",;\t", key=first_line.count)
        names = next(csv.reader([first_line], delimiter=delimiter))
    if _is_data(names):
        raise ValueError(f"a first line of {_list(names)}, which is a row")
    # As text first: "000001" must stay a name, where a guessed type would make it the number 1. CelebA's is known.
    text_columns = names[:1] if is_celeba else names
    return pyarrow.csv.read_csv(
        io.BytesIO(data),
        read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(text_columns, pa.string()), strings_can_be_null=True, null_values=_MISSING
        ),
    )


def _is_data(cells: list[str]) -> bool:
    """Return whether a first line is a row: it names an image, or is nothing but numbers. Its row would be lost."""
    return any(is_image_name(clean_name(cell.strip())) for cell in cells) or all(map(is_decimal, cells))


def _celeba_as_csv(data: bytes) -> tuple[list[str], bytes, str]:
    """Columns are parted by one or two spaces, the count of rows may stand first, and the names lack a heading."""
    lines = data.replace(b"  ", b" ")
    if lines.partition(b"\n")[0].strip().isdigit():
        lines = lines.partition(b"\n")[2]
    header, _, rows = lines.partition(b"\n")
    names = header.decode().split()
    if len(rows.partition(b"\n")[0].split()) > len(names):
        names = ["image_id", *names]
    return names, lines.replace(b" \n", b"\n"), " "


def join_attributes(table: AttributeTable, names: Sequence[str]) -> JoinedAttributes:
    """Return the attributes of the images, in their order.

    The file-name column is told by the rule of `zspace.images.matching`. All other
    columns of numbers or booleans become attributes. A table of nothing but -1 and 1, as CelebA's, becomes 0 and 1.

    Parameters
    ----------
    table
        As read.
    names
        Paths of the images inside the source.

    Raises
    ------
    AttributesUnreadable
        When a table that was asked for fits no image or holds no number, or when it names an image twice.
    """
    columns = table.columns
    candidates = {name: _texts(columns.column(name)) for name in columns.column_names if _is_text(columns, name)}
    match = best_match(candidates, names)
    if match is None or not match.n_matched:
        return _no_match(table, match, candidates, names)
    _refuse_unless_clear(table, match)
    numbers, texts = _numeric_columns(columns.drop_columns([match.column]))
    if table.was_asked_for and not numbers.column_names:
        raise _unreadable(table, "must have a column of numbers", f"only {_list(columns.column_names)}")
    rows = match.rows
    values = np.full((len(names), numbers.num_columns), np.nan, np.float32)
    values[rows >= 0] = attribute_values(numbers, tuple(numbers.column_names))[rows[rows >= 0]]
    values[~np.isfinite(values)] = np.nan
    is_signs = bool(np.isin(values[np.isfinite(values)], (-1, 1)).all())
    notes = _notes(table, match, is_signs=is_signs, texts=texts)
    return JoinedAttributes(tuple(numbers.column_names), (values + 1) / 2 if is_signs else values, notes)


def beside(own: JoinedAttributes, joined: JoinedAttributes) -> JoinedAttributes:
    """Return the source's own attributes and those of a table side by side.

    Raises
    ------
    AttributesUnreadable
        When both have an attribute of the same name.
    """
    if both := sorted(set(own.names) & set(joined.names)):
        rule = "must have names that the images' own attributes do not have"
        raise AttributesUnreadable("images.attributes", rule, _list(both), "Rename them in the table.")
    values = np.hstack([own.values, joined.values])
    return JoinedAttributes(own.names + joined.names, values, own.notes + joined.notes)


def _refuse_unless_clear(table: AttributeTable, match: Match) -> None:
    if match.repeated is not None:
        got = f"{match.repeated!r} twice in column {match.column!r}"
        raise _unreadable(table, "must name every image once", got)
    if match.is_headless:
        raise _no_table(table.name, f"the column name {match.column!r}, which is that of an image")


def _is_text(columns: pa.Table, name: str) -> bool:
    column = columns.schema.field(name).type
    return bool(pa.types.is_string(column))


def _texts(column: pa.ChunkedArray[Any]) -> list[str]:
    return [clean_name(text or "") for text in column.to_pylist()]


def _numeric_columns(columns: pa.Table) -> tuple[pa.Table, list[str]]:
    """Return the columns that hold numbers, as numbers, and the names of those that do not."""
    numbers: dict[str, pa.ChunkedArray[Any]] = {}
    texts = []
    for name in columns.column_names:
        number = _as_number(columns.column(name))
        if number is None:
            texts.append(name)
        else:
            numbers[name] = number
    return pa.table(numbers), texts


def _as_number(column: pa.ChunkedArray[Any]) -> pa.ChunkedArray[Any] | None:
    if is_number(column.type) or pa.types.is_null(column.type):
        return column
    if pa.types.is_string(column.type):
        trimmed = pc.utf8_trim_whitespace(column)
        for target in (pa.float64(), pa.bool_()):
            try:
                return pc.cast(trimmed, target)
            except pa.ArrowInvalid:
                continue
    return None


def _notes(table: AttributeTable, match: Match, *, is_signs: bool, texts: list[str]) -> tuple[str, ...]:
    notes = [f"Attributes come from {table.name}, whose column {match.column!r} names the images."]
    if match.form.without_common_folders:
        notes.append("Its names fit without the folders that all of them, or all images, lie in.")
    if is_signs:
        notes.append("Its values -1 and 1 became 0 and 1.")
    if match.ambiguous:
        n_rows = len(match.ambiguous)
        notes.append(f"Rows that fit several images, or share one, were left out: {n_rows} ({_list(match.ambiguous)}).")
    if n_unknown := len(match.rows) - match.n_matched:
        notes.append(f"Images without a row there, whose attributes are unknown: {n_unknown}.")
    if texts:
        notes.append(f"Its columns without numbers were left out: {_list(texts)}.")
    return (" ".join(notes),)


def _no_match(
    table: AttributeTable, match: Match | None, candidates: dict[str, list[str]], names: Sequence[str]
) -> JoinedAttributes:
    columns = table.columns
    seen = f"{columns.num_rows} rows with the columns {_list(columns.column_names)}"
    if match is not None:
        seen = _why_unmatched(match, candidates[match.column], names)
    elif columns.num_rows:
        first = {name: columns.column(name)[0].as_py() for name in columns.column_names[:3]}
        seen += f"; the first row begins {first}"
    if table.was_asked_for:
        raise _unreadable(table, f"must have a column that names the images, such as {names[0]!r}", seen)
    none = f"names none of them: {seen}" if match is not None else "names none of them"
    note = f"{table.name} lies with the images but {none}; it was left out."
    return JoinedAttributes((), np.empty((len(names), 0), np.float32), (note,))


def _why_unmatched(match: Match, texts: Sequence[str], names: Sequence[str]) -> str:
    first = next((text for text in texts if text), "")
    column = f"in column {match.column!r}"
    in_small = best_match({match.column: [text.casefold() for text in texts]}, [name.casefold() for name in names])
    if in_small and in_small.n_matched:
        return f"names {column} that differ from the images' in small and large letters, such as {first!r}"
    if match.ambiguous:
        n_rows = len(match.ambiguous)
        return f"{n_rows} rows {column} that fit several images or share one ({_list(match.ambiguous)})"
    return f"{first!r} {column}, which fits no image" if first else f"only empty cells {column}"


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _unreadable(table: AttributeTable, rule: str, got: str) -> AttributesUnreadable:
    return AttributesUnreadable(table.name, rule, got, "Mend the table, or leave --attributes out.")
