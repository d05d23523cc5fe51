"""Progress on the screen: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from zspace.results import Progress

_LINE_SECONDS = 10.0
"""Between two plain lines of the same step."""


@dataclass
class _Pace:
    """When and where a step began in this process: a resumed step does not count what was done before."""

    started: float
    done_before: int
    printed: float = 0.0

    def describe(self, progress: Progress) -> str:
        """Return rate and time left, or time taken."""
        elapsed = monotonic() - self.started
        n_done = progress.done - self.done_before
        if n_done <= 0 or elapsed <= 0:
            return ""
        rate = n_done / elapsed
        pace = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
        if progress.done >= progress.total:
            return f"{pace} {progress.unit}/s, took {clock(elapsed)}"
        return f"{pace} {progress.unit}/s, {clock((progress.total - progress.done) / rate)} left"


def clock(seconds: float) -> str:
    """Return a time span for people.

    Examples
    --------
    >>> clock(4.2), clock(75), clock(7260)
    ('4 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def describe_values(progress: Progress) -> str:
    """Return the numbers worth watching, each with the digits it deserves."""
    return "  ".join(f"{name} {_number(float(value))}" for name, value in progress.values.items())


def _number(value: float) -> str:
    if value.is_integer():
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) < 100 else f"{value:,.1f}"


class ProgressView:
    """Draws progress records on stderr; used as a context, and called with each record.

    Parameters
    ----------
    quiet
        Draw nothing.
    console
        Where to draw; by default stderr.
    """

    def __init__(self, quiet: bool, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._paces: dict[str, _Pace] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
            console=self._console,
        )

    def __enter__(self) -> ProgressView:
        """Begin to draw."""
        if self._draws_bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of every bar on the screen."""
        if self._draws_bars:
            self._bars.stop()

    @property
    def _draws_bars(self) -> bool:
        return self._console.is_terminal and not self._quiet

    def __call__(self, progress: Progress) -> None:
        """Draw one record."""
        if self._quiet:
            return
        pace = self._paces.setdefault(progress.step, _Pace(monotonic(), progress.done))
        facts = "  ".join(filter(None, (pace.describe(progress), describe_values(progress), progress.note)))
        if self._draws_bars:
            self._draw_bar(progress, facts)
        else:
            self._print_line(progress, pace, facts)

    def _draw_bar(self, progress: Progress, facts: str) -> None:
        if progress.step not in self._tasks:
            self._tasks[progress.step] = self._bars.add_task(progress.step, facts="")
        self._bars.update(self._tasks[progress.step], completed=progress.done, total=progress.total, facts=facts)

    def _print_line(self, progress: Progress, pace: _Pace, facts: str) -> None:
        now = monotonic()
        finished = progress.done >= progress.total
        if not (finished or progress.note or now - pace.printed > _LINE_SECONDS):
            return
        pace.printed = now
        share = progress.done / progress.total if progress.total else 1.0
        self._console.print(
            f"{progress.step}: {share:.0%} ({progress.done:,} of {progress.total:,} {progress.unit})  {facts}".rstrip(),
            soft_wrap=True,
        )
