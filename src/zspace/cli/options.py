"""How settings become options: their help, their defaults, and lists written with commas."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from itertools import pairwise
from typing import Any

import tyro

from zspace.settings import preset_titles


def option(record_type: Any, name: str) -> Any:  # noqa: ANN401 - tyro's mark has no public type
    """Return the mark of an option that stands for a setting: help and default are the setting's own.

    Parameters
    ----------
    record_type
        A record of `zspace.settings`.
    name
        Its field.
    """
    hint = f"(default: {_shown_default(record_type, name)})"
    return tyro.conf.arg(help=field_text(record_type, name), help_behavior_hint=hint)


def left_out(meaning: str) -> Any:  # noqa: ANN401
    """Return the mark of an option that has no value of its own when it is left out, but a meaning."""
    return tyro.conf.arg(help_behavior_hint=f"(default: {meaning})")


def _shown_default(record_type: Any, name: str) -> str:  # noqa: ANN401
    default = next(field.default for field in dataclasses.fields(record_type) if field.name == name)
    return ",".join(map(str, default)) or "none" if isinstance(default, tuple) else str(default)


STUDY = tyro.conf.arg(
    metavar="STUDY",
    help="A preset, or the path of a .toml file. Presets are:\n"
    + "\n".join(f"{name}: {title}" for name, title in preset_titles().items()),
)
"""The mark of the study to run; its help tells the presets."""


def of_study(record_type: Any, name: str) -> Any:  # noqa: ANN401
    """Return the mark of an option that changes a setting of a study: where it is left out, the study's own stands.

    Parameters
    ----------
    record_type
        A record of `zspace.settings`.
    name
        Its field.
    """
    hint = f"(default: the study's, or {_shown_default(record_type, name)})"
    return tyro.conf.arg(help=field_text(record_type, name), help_behavior_hint=hint)


def field_text(record_type: Any, name: str) -> str:  # noqa: ANN401
    """Return the text under a field of a record.

    Examples
    --------
    >>> from zspace.settings import TrainingSettings
    >>> field_text(TrainingSettings, "batch_size")
    'Images per step.'
    """
    (record,) = ast.parse(inspect.getsource(record_type)).body
    for entry, text in pairwise(getattr(record, "body", [])):
        if isinstance(entry, ast.AnnAssign) and isinstance(entry.target, ast.Name) and entry.target.id == name:
            return " ".join(str(ast.literal_eval(text.value)).split())
    raise KeyError(name)


def _read_integers(words: list[str]) -> tuple[int | str, ...]:
    """Return the numbers; a word that is none goes on as it is, for the settings to refuse with their own words."""
    parts = [part for word in words for part in word.split(",") if part]
    return tuple(int(part) if part.removeprefix("-").isdecimal() else part for part in parts)


def _write_integers(values: tuple[int | str, ...] | None) -> list[str]:
    return [",".join(map(str, values or ()))]


def _are_integers(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, int) for item in value)


INTEGERS = tyro.constructors.PrimitiveConstructorSpec[tuple[int | str, ...]](
    nargs="*",
    metavar="INT,INT,...",
    instance_from_str=_read_integers,
    is_instance=_are_integers,
    str_from_instance=_write_integers,
)
"""A list of whole numbers, written ``32,64,128`` or ``32 64 128``; nothing after the option is the empty list."""
