"""Records to plain mappings and back, with every type and range checked.

Settings come from TOML files and flags, results from JSON; both are frozen dataclasses. One function reads a mapping
into a record and says, on the first thing that does not fit, where it stands, what must hold and what was found.
"""

from __future__ import annotations

import dataclasses
import difflib
import reprlib
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from zspace.errors import SettingMissing, SettingOutOfRange, UnknownSetting
from zspace.files import has_stray_bytes, name_trouble

Record = TypeVar("Record")


@dataclass(frozen=True)
class Within:
    """A range that a number, or every number of a tuple, must lie in; both ends belong to it."""

    low: float
    high: float = float("inf")

    def __str__(self) -> str:
        if self.high == float("inf"):
            return f"at least {self.low:g}"
        return f"between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class NotEmpty:
    """The rule that a tuple or table holds at least one item."""


@dataclass(frozen=True)
class FolderName:
    """The rule that a text names one folder, wherever it is put: it leads nowhere else."""


@dataclass(frozen=True)
class Neutral:
    """The mark of a field that does not decide what comes out: a changed value makes nothing that was found untrue."""

    def __repr__(self) -> str:
        return "NEUTRAL"


NEUTRAL = Neutral()


class Checked:
    """Gives a frozen dataclass a constructor that refuses values of the wrong type or range."""

    def __post_init__(self) -> None:
        for name, hint in _hints(type(self)).items():
            _read(hint, getattr(self, name), f"{type(self).__name__}.{name}")


def _hints(record_type: Any) -> dict[str, Any]:  # noqa: ANN401
    hints = get_type_hints(record_type, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(record_type)}


def to_mapping(record: object) -> Any:  # noqa: ANN401 - mirrors whatever the record holds
    """Return the record as dictionaries, lists and plain values, ready for JSON or TOML; None stays None."""
    return _mapping(record, lambda record: [field.name for field in dataclasses.fields(record)])


def deciding_mapping(record: object) -> Any:  # noqa: ANN401 - mirrors whatever the record holds
    """Return what `to_mapping` does without the fields marked `NEUTRAL`: all that an outcome depends on.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Job:
    ...     size: int
    ...     is_quiet: Annotated[bool, NEUTRAL] = False
    >>> deciding_mapping(Job(3))
    {'size': 3}
    """
    return _mapping(record, _deciding_fields)


def _deciding_fields(record: Any) -> list[str]:  # noqa: ANN401
    return [name for name, hint in _hints(type(record)).items() if NEUTRAL not in getattr(hint, "__metadata__", ())]


def _mapping(record: object, fields: Callable[[Any], list[str]]) -> Any:  # noqa: ANN401
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {name: _mapping(getattr(record, name), fields) for name in fields(record)}
    if isinstance(record, Mapping):
        return {str(key): _mapping(value, fields) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [_mapping(value, fields) for value in record]
    if isinstance(record, (np.ndarray, np.generic)):
        return record.tolist()
    return str(record) if isinstance(record, Path) else record


def dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested tables under its dotted key; an empty table is a value itself.

    Examples
    --------
    >>> dict(dotted({"seed": 1, "images": {"size": 96, "more": {}}}))
    {'seed': 1, 'images.size': 96, 'images.more': {}}
    """
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def nearest(word: str, words: list[str]) -> str:
    """Return a sentence that names the known words nearest to an unknown one, or all of them if none is near."""
    near = difflib.get_close_matches(word, words, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(repr(candidate) for candidate in near)}?"
    return f"Known are: {', '.join(sorted(words))}."


def from_mapping(record_type: type[Record], mapping: object, where: str) -> Record:
    """Read a mapping into a record.

    Parameters
    ----------
    record_type
        A dataclass with annotated fields.
    mapping
        What a TOML or JSON file holds: a table, or it is refused; absent keys take their defaults.
    where
        How messages name the place, such as ``"study.toml"``.

    Raises
    ------
    UnknownSetting
        For a key that the record does not have; the message names the nearest ones.
    SettingMissing
        For a field without default that the mapping lacks.
    SettingOutOfRange
        For a value of the wrong type or outside its range.

    Examples
    --------
    >>> from_mapping(Within, {"low": 1}, "example")
    Within(low=1.0, high=inf)
    """
    if not isinstance(mapping, Mapping):
        raise _wrong(where, "must be a table", mapping)
    hints = _hints(record_type)
    for key in mapping:
        if key not in hints:
            raise UnknownSetting(_join(where, key), "must be a known key", repr(key), nearest(key, list(hints)))
    for field in dataclasses.fields(record_type):  # type: ignore[arg-type]
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if field.name not in mapping and not has_default:
            raise SettingMissing(_join(where, field.name), "must be given", "nothing", "Add it.")
    return record_type(**{key: _read(hints[key], value, _join(where, key)) for key, value in mapping.items()})


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _wrong(where: str, rule: str, value: object) -> SettingOutOfRange:
    return SettingOutOfRange(where, rule, reprlib.repr(value), "Change this value.")


def _read(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if reader := _READERS.get(get_origin(hint)):
        return reader(get_args(hint), value, where)
    if dataclasses.is_dataclass(hint):
        return _read_record(hint, value, where)
    return _read_plain(hint, value, where)


def _read_literal(arguments: tuple[Any, ...], value: object, where: str) -> object:
    if value not in arguments:
        raise _wrong(where, f"must be one of {', '.join(map(repr, arguments))}", value)
    return value


def _read_table(arguments: tuple[Any, ...], value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, "must be a table", value)
    keys = {key: _read(arguments[0], key, where) for key in value}
    return {keys[key]: _read(arguments[1], item, _join(where, key)) for key, item in value.items()}


def _read_marked(arguments: tuple[Any, ...], value: object, where: str) -> object:
    inner, *marks = arguments
    result = _read(inner, value, where)
    for mark in marks:
        if rule := _broken_rule(mark, result):
            raise _wrong(where, rule, value)
    return result


def _broken_rule(mark: object, value: Any) -> str | None:  # noqa: ANN401
    """Return the rule of a mark that a value breaks; None when it keeps it."""
    if isinstance(mark, NotEmpty) and not value:
        return "must hold at least one item"
    if isinstance(mark, FolderName) and (trouble := name_trouble(value)):
        return f"must be the name of a folder, which {trouble}"
    numbers = value if isinstance(value, tuple) else (value,)
    if isinstance(mark, Within) and any(not mark.low <= number <= mark.high for number in numbers):
        return f"must be {mark}"
    if isinstance(mark, Within) and not all(map(isfinite, numbers)):
        return "must be finite"
    return None


def _read_optional(arguments: tuple[Any, ...], value: object, where: str) -> object:
    if value is None and type(None) in arguments:
        return None
    inner = [argument for argument in arguments if argument is not type(None)]
    if len(inner) == 1:
        return _read(inner[0], value, where)
    for argument in inner:
        if type(value) is argument:
            return value
    raise _wrong(where, f"must be one of {', '.join(argument.__name__ for argument in inner)}", value)


def _read_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, "must be a list", value)
    if arguments[-1] is Ellipsis:
        return tuple(_read(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(arguments):
        raise _wrong(where, f"must have {len(arguments)} items", value)
    pairs = zip(arguments, value, strict=True)
    return tuple(_read(argument, item, f"{where}[{i}]") for i, (argument, item) in enumerate(pairs))


def _read_record(record_type: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if isinstance(value, record_type):
        return value
    if not isinstance(value, Mapping):
        raise _wrong(where, "must be a table", value)
    return from_mapping(record_type, value, where)


def _read_array(value: Any, where: str) -> np.ndarray:  # noqa: ANN401
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _wrong(where, "must be an array of numbers", value) from error


def _read_plain(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if hasattr(hint, "array_type"):
        return _read_array(value, where)
    if isinstance(value, str) and has_stray_bytes(value):
        raise SettingOutOfRange(where, "must be text that UTF-8 can hold", ascii(value), "Rename the file or folder.")
    if hint is float and type(value) is int and abs(value) <= sys.float_info.max:
        return float(value)
    if hint is Any or type(value) is hint or (hint is float and isinstance(value, float)):
        return value
    if hint is int and isinstance(value, float) and value.is_integer():
        raise _wrong(where, "must be a whole number without a decimal point", value)
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    raise _wrong(where, f"must be {names.get(hint, hint)}", value)


_READERS: dict[Any, Callable[[tuple[Any, ...], Any, str], Any]] = {
    Annotated: _read_marked,
    Union: _read_optional,
    types.UnionType: _read_optional,
    Literal: _read_literal,
    tuple: _read_tuple,
    dict: _read_table,
}
"""How to read a value of a generic type, by the type's origin."""
