"""Vectors inside the cells of a table: lists of Parquet, and texts such as ``[0.1, 0.2]``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zspace.errors import LatentsUnreadable

if TYPE_CHECKING:
    Cells = pa.ChunkedArray[Any]
else:
    Cells = pa.ChunkedArray  # pyarrow's classes take no parameters at run time
"""The cells of a column."""

_BRACKETED = re.compile(r"(?:[a-zA-Z_.]+\()?\s*[\[(]+(?P<body>[^()]*?)[\])]+(?:,\s*dtype=[\w.]+)?\)?")
_NUMPY_NUMBER = re.compile(r"np\.\w+\(([^()]*)\)")
"""One number as NumPy shows it within a list of Python."""
_SHORTENED = "..."
_N_SHOWN = 40


def parse_vector(text: str) -> list[float] | None:
    """Return the numbers of a text that holds a vector; None when it holds none.

    Numbers stand in brackets, parted by commas, semicolons or spaces; without brackets they must be parted by spaces or
    semicolons, or be at least three with decimal points, since ``0,5`` and ``1,234`` are single numbers.

    Examples
    --------
    >>> parse_vector("[0.1, 0.2]"), parse_vector("0.5 1e-3"), parse_vector("[0,5; 1]"), parse_vector("1,234")
    ([0.1, 0.2], [0.5, 0.001], [0.5, 1.0], None)
    """
    text = _NUMPY_NUMBER.sub(r"\1", text.strip())
    bracketed = _BRACKETED.fullmatch(text)
    body = bracketed["body"].replace("[", " ").replace("]", " ") if bracketed else text
    if ";" in body:
        body = body.replace(",", ".")
    is_plain = bool(re.search(r"[\s;]", body)) or (body.count(",") > 1 and "." in body)
    if not bracketed and not is_plain:
        return None
    parts = re.split(r"\s*[,;]\s*|\s+", body.strip())
    try:
        numbers = [float(part) for part in parts if part]
    except ValueError:
        return None
    return numbers if len(numbers) > (0 if bracketed else 1) else None


def vectors_in_text(place: str, column: Cells) -> np.ndarray | None:
    """Return the vectors of a column of texts; None when its first text is no vector.

    Raises
    ------
    LatentsUnreadable
        When a later one is none, or they differ in length.
    """
    first = next((text for text in column.slice(0, 100).to_pylist() if text), "")
    if _SHORTENED in first and first.startswith("["):
        rule, next_step = "must hold whole vectors", "Save the points as .npy: pandas shortens long arrays in text."
        raise LatentsUnreadable(f"{place}, row 0", rule, _shown(first), next_step)
    if parse_vector(first) is None:
        return None
    rows: list[np.ndarray] = []
    for row, text in enumerate(column.to_pylist()):
        numbers = parse_vector(text or "")
        if numbers is None or len(numbers) != len(rows[0] if rows else numbers):
            rule, next_step = "must hold vectors of one length", "Drop the other rows, or leave it out with --drop."
            got = "no value" if not text else f"{_shown(text)}" if numbers is None else f"one of {len(numbers)}"
            raise LatentsUnreadable(f"{place}, row {row}", rule, got, next_step)
        rows.append(np.array(numbers))
    return np.stack(rows)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _N_SHOWN else text[:_N_SHOWN] + " ...")


_LISTS = (
    *(pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
    *(pa.types.is_list_view, pa.types.is_large_list_view),
)


def list_values_type(kind: pa.DataType) -> pa.DataType | None:
    """Return what lists, or lists within lists, hold in the end; None for what is no list."""
    if isinstance(kind, pa.BaseExtensionType):
        return list_values_type(kind.storage_type)
    if not any(is_kind(kind) for is_kind in _LISTS):
        return None
    values: pa.DataType = getattr(kind, "value_type")  # noqa: B009 - all lists have it, their common class has not
    return list_values_type(values) or values


def is_number_type(kind: pa.DataType) -> bool:
    """Return whether values of this type are real numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def numpy_values(column: Cells) -> np.ndarray:
    """Return numbers as NumPy has them; NaN where there is none."""
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    found: np.ndarray = column.to_numpy()
    return found


def vectors_in_lists(place: str, column: Cells) -> np.ndarray:
    """Return the vectors of a column of lists, or the arrays of lists within lists; NaN where a number is missing.

    Raises
    ------
    LatentsUnreadable
        When they differ in length, or one is missing.
    """
    cells: Any = column
    shape = [len(column)]
    if isinstance(cells.type, pa.BaseExtensionType):
        cells = cells.cast(cells.type.storage_type)
    while list_values_type(cells.type) is not None:
        lengths = pc.unique(pc.list_value_length(cells)).to_pylist()
        if len(lengths) != 1 or lengths[0] is None:
            shown = ", ".join("missing" if length is None else str(length) for length in lengths[:5]) or "no rows"
            rule, next_step = "must hold vectors of one length", "Drop the other rows, or leave it out with --drop."
            raise LatentsUnreadable(place, rule, shown, next_step)
        shape.append(lengths[0])
        cells = pc.list_flatten(cells)
    return numpy_values(cells).reshape(shape)
