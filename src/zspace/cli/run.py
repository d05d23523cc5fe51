"""How a call of the command line ends: what is told, where, and with which exit code.

Everything heavy is imported inside, so that Ctrl-C ends in the same words while libraries load.
"""

from __future__ import annotations

import re
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, replace
from io import StringIO
from types import FrameType
from typing import TYPE_CHECKING

from zspace.cli.streams import NobodyReads, dependable_streams, write_document, write_line, writing_to_stdout
from zspace.errors import SettingOutOfRange, ZspaceError
from zspace.files import has_stray_bytes, to_json

if TYPE_CHECKING:
    from zspace.cli.commands import Command

INTERRUPTED = 128 + 2
"""Exit code after Ctrl-C or a polite kill, as shells have it."""
NOBODY_READS = 128 + 13
"""Exit code when the reader of stdout has gone, as shells have it."""
FAULT = 70
"""Exit code of what nobody foresaw; EX_SOFTWARE in sysexits.h."""
OUT_OF_MEMORY = 71
"""Exit code when the machine has too little memory; EX_OSERR in sysexits.h."""

_FRAME = re.compile(r"[╭╮╰╯─│]|--{2,}")
"""What tyro draws round its messages."""


@dataclass(frozen=True)
class _Manner:
    """How to tell it; known before the command line is understood."""

    json: bool
    debug: bool


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the outcome."""
    words = sys.argv[1:] if arguments is None else arguments
    with dependable_streams():
        code = _exit_code(words)
    if code:
        sys.exit(code)


def _exit_code(words: list[str]) -> int:
    """Act, tell what came out or what went wrong, and return the exit code."""
    manner = _Manner("--json" in words, "--debug" in words)
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        return _act(words, manner)
    except KeyboardInterrupt:
        with _undisturbed():
            _tell(manner, "Interrupted", "What is finished is kept: run the same command to go on.")
        return INTERRUPTED
    except NobodyReads:
        return NOBODY_READS
    except ZspaceError as error:
        _tell(manner, type(error).__name__, str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the outermost frame: nothing is swallowed, and the exit code says so
        told = f"{type(error).__name__}: {error}".rstrip(": ")
        if _lacks_memory(error):
            _tell(manner, "OutOfMemory", f"{told}. Give it more memory, or fewer or smaller images, points or batches.")
            return OUT_OF_MEMORY
        _tell(manner, "Fault", f"{told}. This is a fault in zspace; run with --debug to see where it comes from.")
        return FAULT


def _lacks_memory(error: Exception) -> bool:
    """Return whether NumPy, or PyTorch on a GPU or a CPU, asked for more memory than there is."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


def _act(words: list[str], manner: _Manner) -> int:
    if words[:1] == ["--version"]:
        from zspace import __version__

        _say(manner, {"version": __version__}, f"zspace {__version__}")
        return 0
    _refuse_stray_bytes(words)
    try:
        command = _parse(words, manner)
    except SystemExit as stop:  # tyro has printed help, or what is wrong
        return int(stop.code or 0)
    from zspace.cli.verbs import run

    if told := run(command):
        _say(manner, *told)
    return 0


def _refuse_stray_bytes(words: list[str]) -> None:
    """Refuse paths that no TOML, JSON or Parquet file could hold the name of."""
    for word in words:
        if has_stray_bytes(word):
            rule = "must be text of the locale, as paths are recorded in UTF-8"
            raise SettingOutOfRange(
                "command line", rule, ascii(word), "Rename the file or folder, or use a UTF-8 locale."
            )


def _parse(words: list[str], manner: _Manner) -> Command:
    """Read the command line; its usage errors stand on stderr, and with --json in the document as well."""
    from zspace.cli.commands import parse_command

    if not manner.json:
        with writing_to_stdout():
            return parse_command(words)
    said = StringIO()
    try:
        # Without the option, which every verb has and no call without a verb: tyro then names what is really wrong.
        with redirect_stderr(said), writing_to_stdout():
            command = parse_command([word for word in words if word != "--json"])
    except SystemExit as stop:
        sys.stderr.write(said.getvalue())
        if stop.code:
            message = " ".join(_FRAME.sub(" ", said.getvalue()).split())
            _say(manner, {"error": "UsageError", "message": message}, "")
        raise
    return replace(command, output=replace(command.output, json=True))


def _say(manner: _Manner, document: dict[str, object], text: str) -> None:
    if manner.json:
        write_document(to_json(document))
    else:
        write_line(text)


def _tell(manner: _Manner, name: str, message: str) -> None:
    """Say what went wrong: one line on stderr, and with --json a document on stdout."""
    if manner.debug:
        traceback.print_exc()
    if manner.json:
        with suppress(NobodyReads, ZspaceError):  # the first trouble is the one to tell
            _say(manner, {"error": name, "message": message}, "")
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble((name, "bold red"), ": ", _on_one_line(message))
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)


def _on_one_line(message: str) -> str:
    r"""Return a text whose control characters, such as line breaks in the names of files, are seen and do nothing.

    Examples
    --------
    >>> _on_one_line("a\nb é")
    'a\\nb é'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in message)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C wait until the first has been answered."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, act in before.items():
            signal.signal(number, act)
