"""z-points in tables, Parquet and text: a column of vectors, or one column a dimension."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zspace.errors import LatentsUnreadable
from zspace.latents.arrays import LatentsFile, Selection, StoredArray, check_memory, name_list
from zspace.latents.columns import Column, gap_notes, pick_columns, split_columns
from zspace.latents.text_tables import read_text_table
from zspace.latents.vectors import (
    Cells,
    is_number_type,
    list_values_type,
    numpy_values,
    vectors_in_lists,
    vectors_in_text,
)
from zspace.records import nearest

_VALUE_BYTES = 16
"""Of a number: in pyarrow, and as a column of NumPy."""
_NUMBER_TEXT = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?[iI]nf(inity)?$"
_MINUS_SIGNS = "[\u2212\ufe63\uff0d]"
"""Of typographers, which spreadsheets and word processors write."""
_MOSTLY = 0.5
"""A column of texts is one of numbers when more than this share of them are."""
_N_SHOWN = 40
_WORDS = (
    (pa.types.is_boolean, "true or false"),
    (pa.types.is_temporal, "times"),
    (pa.types.is_null, "no values"),
    (pa.types.is_nested, "structures"),
)
"""What a column without numbers holds."""


@dataclass(frozen=True)
class _Table:
    """A table that has been opened; its columns are read when they are asked for."""

    path: Path
    names: list[str]
    types: list[pa.DataType]
    read: Callable[[int], Cells]
    """Returns the column of a place."""
    notes: tuple[str, ...] = ()
    decimal: str = "."
    index_names: frozenset[str] = frozenset()
    """Columns of which the table says that they number or name the rows."""

    def place_of(self, column: int) -> str:
        """Return what a column is called in an error."""
        return f"{self.path}, {self.names[column]}"


def open_text_table(path: Path, selection: Selection) -> LatentsFile:
    """Open a .csv or .tsv file."""
    table, layout = read_text_table(path)
    if junk := [name for name, kind in zip(table.column_names, table.schema.types, strict=True) if kind == pa.binary()]:
        rule, next_step = "must be text in UTF-8", "Save it as UTF-8, or as .npy."
        raise LatentsUnreadable(f"{path}, {junk[0]}", rule, "bytes that are none", next_step)
    opened = _Table(path, table.column_names, table.schema.types, table.column, layout.notes, layout.decimal)
    return _points_file(opened, selection)


def open_parquet(path: Path, selection: Selection) -> LatentsFile:
    """Open a Parquet file; columns that can be no part of the points are not read."""
    schema = pq.read_schema(path)
    names, types = schema.names, schema.types
    if len(set(names)) < len(names):
        raise LatentsUnreadable(str(path), "must have columns of different names", name_list(names), "Rename some.")
    pandas = schema.pandas_metadata or {}
    index = frozenset(name for name in pandas.get("index_columns", ()) if isinstance(name, str))
    numbers = [name for name, kind in zip(names, types, strict=True) if is_number_type(kind)]

    @cache
    def all_numbers() -> dict[str, Cells]:
        # Together: a file of thousands of columns would otherwise be opened thousands of times.
        with _parquet(path) as file:
            check_memory(str(path), _VALUE_BYTES * file.metadata.num_rows * len(numbers))
            table = file.read(columns=numbers)
        return dict(zip(table.column_names, table.columns, strict=True))

    @cache
    def read(place: int) -> Cells:
        name, kind = names[place], types[place]
        return all_numbers()[name] if is_number_type(kind) else _read_large(path, name, is_text=_is_text(kind))

    return _points_file(_Table(path, names, types, read, index_names=index), selection)


def _parquet(path: Path, repeated: list[str] | None = None) -> pq.ParquetFile:
    """Open a file; of the texts in the columns named, those that repeat are kept once."""
    return pq.ParquetFile(path, memory_map=True, read_dictionary=repeated, page_checksum_verification=True)


def _read_large(path: Path, name: str, *, is_text: bool) -> Cells:
    """Return a column of lists or texts, of which the file must say beforehand how much it holds."""
    with _parquet(path, [name] if is_text else None) as file:
        parts = _stored_parts(file, name)
        n_bytes = sum(_VALUE_BYTES * part.num_values + part.total_uncompressed_size for part in parts)
        check_memory(f"{path}, {name}", n_bytes)
        return file.read(columns=[name]).column(name)


def _stored_parts(file: pq.ParquetFile, name: str) -> list[pq.ColumnChunkMetaData]:
    """Return what the file says of the parts of one column, group by group."""
    for place in range(file.metadata.num_row_groups):
        # Where that is damaged, asking for it ends the process; reading a row fails with an error.
        next(file.iter_batches(batch_size=1, row_groups=[place], columns=[name]), None)
    groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
    parts = [group.column(place) for group in groups for place in range(group.num_columns)]
    return [part for part in parts if part.path_in_schema == name or part.path_in_schema.startswith(f"{name}.")]


def _points_file(table: _Table, selection: Selection) -> LatentsFile:
    """Take every column of vectors as one array; without such columns, all columns of numbers as one."""
    possible = [
        place
        for place, name in enumerate(table.names)
        if name not in selection.drop and (name in selection.columns or not selection.columns)
    ]
    if vectors := _vector_columns(table, possible):
        _check_names(table, vectors, selection)
        others = [name for name in table.names if name not in vectors]
        beside = [f"left out beside the vectors: {name_list(others)}"] if others else []
        return LatentsFile(table.path, vectors, (*beside, *table.notes))
    columns = [_read_column(table, place) for place in range(len(table.names))]
    kept, said = _chosen(table.path, columns, selection)
    values = np.stack([column.values for column in kept if column.values is not None], axis=1)
    stored = StoredArray(values.shape, values.dtype, lambda: values, is_mapped=True)  # reading takes no more memory
    return LatentsFile(table.path, {table.path.stem: stored}, (*said, *table.notes, *gap_notes(kept)))


def _check_names(table: _Table, vectors: Collection[str], selection: Selection) -> None:
    """Refuse columns that are not there, and columns of numbers asked for together with vectors."""
    for option, names, known in (
        ("--columns", selection.columns, list(vectors)),
        ("--drop", selection.drop, table.names),
    ):
        if other := next((name for name in names if name not in known), None):
            rule = f"{option} must name columns of vectors" if option == "--columns" else "--drop must name columns"
            raise LatentsUnreadable(str(table.path), rule, repr(other), nearest(other, known))


def _vector_columns(table: _Table, possible: Sequence[int]) -> dict[str, StoredArray]:
    """Return which of these columns have cells that hold vectors: lists, or without any such, texts."""
    lists = {place: values for place in possible if (values := list_values_type(table.types[place])) is not None}
    numbers = {place: values for place, values in lists.items() if is_number_type(values)}
    if numbers:
        return {table.names[place]: _list_array(table, place, values) for place, values in numbers.items()}
    found = {}
    for place in filter(lambda place: _is_text(table.types[place]), possible):
        vectors = vectors_in_text(table.place_of(place), _texts(table, place))
        if vectors is not None:
            found[table.names[place]] = StoredArray(vectors.shape, vectors.dtype, partial(np.asarray, vectors))
    return found


def _list_array(table: _Table, place: int, values: pa.DataType) -> StoredArray:
    """Return a column of lists as an array, of the shape that it has if all lists are of one length."""
    name = table.names[place]
    with _parquet(table.path) as file:
        n_values, n_rows = sum(part.num_values for part in _stored_parts(file, name)), file.metadata.num_rows
    dtype = np.dtype(np.float64 if pa.types.is_decimal(values) else values.to_pandas_dtype())
    shape = n_rows, n_values // max(n_rows, 1)
    return StoredArray(shape, dtype, lambda: vectors_in_lists(table.place_of(place), table.read(place)))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _texts(table: _Table, place: int) -> Cells:
    """Return a column of texts; refuse one whose repeated texts would not fit into memory one by one."""
    column = table.read(place)
    if not pa.types.is_dictionary(column.type):
        return column
    for chunk in column.chunks:
        part: Any = chunk
        lengths = pc.take(pc.binary_length(part.dictionary), part.indices)
        check_memory(table.place_of(place), pc.sum(lengths).as_py() or 0)
    return column.cast(column.type.value_type)


def _read_column(table: _Table, place: int) -> Column:
    """Return a column with its numbers, if it has any."""
    name, kind = table.names[place], table.types[place]
    is_index = name in table.index_names
    if pa.types.is_dictionary(kind) and not _is_text(kind):
        kind = kind.value_type
    if is_number_type(kind):
        return Column(name, numpy_values(table.read(place).cast(kind)), is_index=is_index)
    if _is_text(kind):
        return _text_column(name, _texts(table, place), table.decimal, is_index=is_index)
    words = next((word for is_kind, word in _WORDS if is_kind(kind)), str(kind))
    return Column(name, None, words, is_index=is_index)


def _text_column(name: str, texts: Cells, decimal: str, *, is_index: bool) -> Column:
    """Return a column of texts as numbers when most of them are, and name one that is none."""
    given = texts.drop_null()
    if not len(given):
        return Column(name, None, "no values", is_index=is_index)
    plain = pc.replace_substring(pc.utf8_trim_whitespace(texts), decimal, ".")
    plain = pc.replace_substring_regex(plain, _MINUS_SIGNS, "-")
    are_numbers = pc.match_substring_regex(plain, _NUMBER_TEXT)
    others = texts.filter(pc.and_(pc.invert(are_numbers), texts.is_valid()))
    if len(others) >= _MOSTLY * len(given):
        return Column(name, None, f"text, such as {others[0].as_py()[:_N_SHOWN]!r}", is_index=is_index)
    numbers = pc.if_else(are_numbers, plain, None).cast(pa.float64())
    odd = f"{others[0].as_py()[:_N_SHOWN]!r}" if len(others) else ""
    return Column(name, numpy_values(numbers), is_index=is_index, odd_text=odd)


def _chosen(path: Path, columns: Sequence[Column], selection: Selection) -> tuple[list[Column], tuple[str, ...]]:
    """Return the columns that are the dimensions: those asked for, or those that the rule keeps."""
    dropped = _picked(path, columns, selection.drop)
    asked = [place for place in _picked(path, columns, selection.columns) if place not in dropped]
    notes: tuple[str, ...]
    if selection.columns:
        kept = [columns[place] for place in asked]
        notes = (f"{len(kept):,} of {len(columns):,} columns, as asked for",)
        if without := [column.describe() for column in kept if column.values is None]:
            rule, next_step = "--columns must name columns of numbers", "Leave it out."
            raise LatentsUnreadable(str(path), rule, without[0], next_step)
    else:
        kept, notes = split_columns([column for place, column in enumerate(columns) if place not in dropped])
        if dropped:
            names = name_list([columns[place].name for place in dropped])
            notes = (f"left out, as asked for: {names}", *notes)
    if not kept:
        rule = "must have columns of numbers, or one of vectors"
        got = "; ".join(notes) or "no columns"
        raise LatentsUnreadable(str(path), rule, got, "Check the file, or name the dimensions with --columns.")
    return kept, notes


def _picked(path: Path, columns: Sequence[Column], asked: Sequence[str]) -> list[int]:
    try:
        return pick_columns(columns, asked)
    except KeyError as error:
        names, name = [column.name for column in columns], str(error.args[0])
        rule = f"must have a column {name!r}"
        raise LatentsUnreadable(str(path), rule, name_list(names), nearest(name, names)) from error
