"""stdout and stderr as they may be: closed, full, without a reader, or unable to show a character.

What is asked for goes to stdout, and trouble there is told and ends the call. stderr only says how the work goes: where
nobody can read it, the work goes on all the same.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from zspace.files import output_error


class NobodyReads(Exception):
    """The reader of stdout has gone, as ``zspace ... | head`` does."""


@runtime_checkable
class _Stream(Protocol):
    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...

    def fileno(self) -> int: ...


class _Forgiving:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or from now on nowhere."""
        try:
            return self._stream.write(text)
        except OSError:
            _lead_nowhere(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flush, or from now on nowhere."""
        try:
            self._stream.flush()
        except OSError:
            _lead_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the stream's own
        return getattr(self._stream, name)


@contextmanager
def dependable_streams() -> Iterator[None]:
    """Let stdout and stderr take whatever is written to them while the block runs."""
    _open_closed_descriptors()
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - what Python itself did not open
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    _show_all_characters()
    stderr = sys.stderr
    sys.stderr = _Forgiving(stderr)
    try:
        yield
    finally:
        sys.stderr = stderr


@contextmanager
def writing_to_stdout() -> Iterator[None]:
    """Write out, at the end of the block, all that it wrote to stdout.

    Raises
    ------
    NobodyReads
        When the reader has gone.
    OutputNotWritable, DiskFull
        When stdout cannot be written to.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        _lead_nowhere(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise NobodyReads from error
        raise output_error(Path("stdout"), error) from error


def write_document(text: str) -> None:
    """Write a JSON document, which is UTF-8 whatever the locale."""
    _show_all_characters("utf-8")
    write_line(text)


def write_line(text: str) -> None:
    """Write a line to stdout, and out."""
    with writing_to_stdout():
        sys.stdout.write(text + "\n")


def _open_closed_descriptors() -> None:
    """Keep files from getting the number of a standard stream: what libraries write there would end up in them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one


def _show_all_characters(encoding: str | None = None) -> None:
    r"""Write what the encoding lacks as \xe9 or \udce9; the latter, a stray byte of a path, is as JSON has it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _lead_nowhere(stream: _Stream) -> None:
    """Let what is still to be written vanish: Python would complain at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
