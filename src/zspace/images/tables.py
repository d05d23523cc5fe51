"""Images inside Parquet files: the Hugging Face layout, or any column of encoded bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import TOO_MANY_BYTES, Candidate, ImageSource, Skipped, clean_name
from zspace.images.folders import stamp

_MOST_ROWS_AT_ONCE = 32
_BYTES_AT_ONCE = 64 << 20
_MOST_SHRUNK = 50
"""Encoded images hardly shrink any more: a row group that is larger than a block and shrank further holds no images."""
_READ_AHEAD_BYTES = 1 << 20
_DAMAGED = (pa.ArrowException, OSError, ValueError)
"""What Arrow raises over a file; ValueError also for text that is no UTF-8."""


@dataclass(frozen=True)
class _Layout:
    image: str
    is_struct: bool
    attributes: tuple[str, ...]


def open_parquet(path: Path, max_bytes: int) -> ImageSource:
    """Return the source for a Parquet file, or for all Parquet files of a folder in the order of their names.

    The images are a struct column with ``bytes`` and ``path`` (Hugging Face) or a binary column; numbers and
    booleans beside them become attributes. Rows keep their order; a row without a path is named after its file and
    number.

    Parameters
    ----------
    path
        A file, or a folder that holds ``.parquet`` files.
    max_bytes
        Larger images are skipped.

    Raises
    ------
    SourceUnreadable
        When a file is no Parquet, has no image column or several, or when the files' columns differ.
    NoImagesFound
        When there are no rows.

    Cost
    ----
    Memory for one page of the image column, and for 32 rows at a time or as many as take 64 MiB, whatever the size of
    the row groups. Row groups of more than 64 MiB that shrank to less than a fiftieth in the file are never unpacked:
    98 KB could become gigabytes. Their rows are skipped.
    """
    files = parquet_files(path) if path.is_dir() else [path]
    schemas = [_schema(file) for file in files]
    layout = _layout(files[0], schemas[0])
    for file, schema in zip(files, schemas, strict=True):
        if missing := {layout.image, *layout.attributes} - set(schema.names):
            raise SourceUnreadable(
                str(file),
                f"must have the columns of {files[0].name}",
                f"a file without {', '.join(map(repr, sorted(missing)))}",
                "Give files of one table.",
            )
    n_rows = sum(_n_rows(file) for file in files)
    if not n_rows:
        raise NoImagesFound(str(path), "must hold rows", "an empty table", "Check the path.")

    @contextmanager
    def candidates() -> Iterator[Iterator[Candidate]]:
        yield (candidate for file in files for candidate in _rows(file, layout, max_bytes))

    return ImageSource(
        kind="parquet",
        open=candidates,
        expected=lambda _n_done: n_rows,
        fingerprint=lambda: [stamp(file) for file in files],
        attribute_names=layout.attributes,
    )


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder and of those below, in the order of their names."""
    return sorted(file for file in folder.rglob("*.parquet") if file.is_file())


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    try:
        # Python opens the file, since Arrow takes no name that is not UTF-8. Without the other two, Arrow holds whole
        # row groups, which for images are often larger than a gigabyte.
        with (
            file.open("rb") as opened,
            pq.ParquetFile(opened, pre_buffer=False, buffer_size=_READ_AHEAD_BYTES) as table,
        ):
            yield table
    except _DAMAGED as error:
        raise _unreadable(file, error) from error


def _schema(file: Path) -> pa.Schema:
    with _opened(file) as table:
        return table.schema_arrow


def _n_rows(file: Path) -> int:
    with _opened(file) as table:
        return int(table.metadata.num_rows)


def _unreadable(file: Path, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        str(file),
        "must be a whole Parquet file",
        str(error).splitlines()[0] if str(error) else type(error).__name__,
        "Download or copy it again.",
    )


def _is_bytes(column: pa.DataType) -> bool:
    return pa.types.is_binary(column) or pa.types.is_large_binary(column)


def _is_image_struct(column: pa.DataType) -> bool:
    return pa.types.is_struct(column) and column.get_field_index("bytes") >= 0 and _is_bytes(column.field("bytes").type)


def is_number(column: pa.DataType) -> bool:
    """Return whether a column of this type can be an attribute."""
    return pa.types.is_integer(column) or pa.types.is_floating(column) or pa.types.is_boolean(column)


def _layout(file: Path, schema: pa.Schema) -> _Layout:
    found = [field.name for field in schema if _is_image_struct(field.type)]
    found = found or [field.name for field in schema if _is_bytes(field.type)]
    named = [name for name in found if name in ("image", "img")]
    images = named if len(named) == 1 else found
    if len(images) != 1:
        columns = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise SourceUnreadable(
            str(file),
            "must have one column of image bytes, or one of them named 'image'",
            f"{len(images)} in the columns {columns}",
            "Rename or remove columns.",
        )
    if repeated := sorted(name for name, count in Counter(schema.names).items() if count > 1):
        rule, got = "must have columns of different names", f"{repeated[0]!r} more than once"
        raise SourceUnreadable(str(file), rule, got, "Rename columns.")
    attributes = tuple(field.name for field in schema if is_number(field.type))
    return _Layout(images[0], pa.types.is_struct(schema.field(images[0]).type), attributes)


def _rows(file: Path, layout: _Layout, max_bytes: int) -> Iterator[Candidate]:
    columns = [layout.image, *layout.attributes]
    name_of_row = f"{file.stem}/{{:09d}}"
    n_before = 0
    with _opened(file) as table:
        for number in range(table.num_row_groups):
            group = table.metadata.row_group(number)
            n_bytes, is_bomb = _unpacked_size(group, layout.image)
            if is_bomb:
                yield from _refused_rows(group.num_rows, name_of_row, n_before)
                n_before += group.num_rows
                continue
            n_at_once = min(_MOST_ROWS_AT_ONCE, max(1, _BYTES_AT_ONCE * group.num_rows // max(n_bytes, 1)))
            for batch in table.iter_batches(n_at_once, [number], columns, use_threads=False):
                yield from _batch_candidates(batch, layout, name_of_row, n_before, max_bytes)
                n_before += batch.num_rows
                del batch  # it would be held while the next is unpacked


def _unpacked_size(group: pq.RowGroupMetaData, image: str) -> tuple[int, bool]:
    """Return how many bytes the image column of a row group unpacks to, and whether that is too many to be images."""
    chunks = [chunk for chunk in map(group.column, range(group.num_columns)) if _first_name(chunk) == image]
    unpacked = sum(chunk.total_uncompressed_size for chunk in chunks)
    packed = sum(chunk.total_compressed_size for chunk in chunks)
    return unpacked, unpacked > max(_BYTES_AT_ONCE, _MOST_SHRUNK * packed)


def _first_name(chunk: pq.ColumnChunkMetaData) -> str:
    return str(chunk.path_in_schema).partition(".")[0]


def _refused_rows(n_rows: int, name_of_row: str, n_before: int) -> Iterator[Candidate]:
    for row in range(n_before, n_before + n_rows):
        yield Candidate(clean_name(name_of_row.format(row)), _refuse_as_bomb)


def _refuse_as_bomb() -> bytes:
    raise Skipped(f"in a row group that unpacks to more than {_MOST_SHRUNK} times its size in the file")


def _batch_candidates(
    batch: pa.RecordBatch, layout: _Layout, name_of_row: str, n_before: int, max_bytes: int
) -> Iterator[Candidate]:
    images = batch.column(layout.image)
    contents = pc.struct_field(images, "bytes") if layout.is_struct else images
    has_paths = layout.is_struct and images.type.get_field_index("path") >= 0
    paths = pc.struct_field(images, "path").to_pylist() if has_paths else [None] * batch.num_rows
    values = attribute_values(batch, layout.attributes)
    for row, data in enumerate(contents.to_pylist()):
        name = clean_name(paths[row] or name_of_row.format(n_before + row))
        yield Candidate(name, _reader(data, max_bytes), tuple(values[row].tolist()), n_bytes=len(data or b""))


def attribute_values(table: pa.RecordBatch | pa.Table, columns: tuple[str, ...]) -> np.ndarray:
    """Return these columns of a table as float32 of shape (rows, columns), NaN where a value is missing."""
    if not columns:
        return np.empty((table.num_rows, 0), np.float32)
    arrays = (pc.cast(table.column(name), pa.float32(), safe=False) for name in columns)
    return np.stack([array.to_numpy(zero_copy_only=False) for array in arrays], axis=1)


def _reader(data: bytes | None, max_bytes: int) -> Callable[[], bytes]:
    def read() -> bytes:
        if data is None:
            raise Skipped("no image bytes in its row")
        if len(data) > max_bytes:
            raise Skipped(TOO_MANY_BYTES)
        return data

    return read
