"""Progress on the screen: bars on a terminal, plain lines elsewhere.

Where no record comes for a while, as in a long measure, a plain line says what is at work and for how long already.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import Event, RLock, Thread
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from zspace.results import Progress

_LINE_SECONDS = 10.0
"""Between two plain lines of the same step, at first."""
_LINE_SHARE = 0.1
"""Between two plain lines later on, as a share of the time that the step has taken: 1,000 lines last for ever."""
_BEAT_SECONDS = 1.0
"""Between two looks whether it is time to say that the work still goes on."""


@dataclass
class _Pace:
    """When and where a step began in this process: a resumed step does not count what was done before."""

    started: float
    done_before: int
    printed: float = -math.inf

    def is_due(self, now: float) -> bool:
        """Return whether it is time for another line."""
        return now - self.printed > max(_LINE_SECONDS, _LINE_SHARE * (now - self.started))

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
        self._open: dict[str, tuple[Progress, float]] = {}
        """The last record of every step that is not finished, and when it came; the newest last."""
        self._lock = RLock()
        self._ended = Event()
        self._heart = Thread(target=self._beat, name="progress", daemon=True)
        self._bars = Bars(
            TextColumn("{task.description:<16}"),
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[facts]}"),
            console=self._console,
        )

    def __enter__(self) -> ProgressView:
        """Begin to draw."""
        if self._draws_bars:
            self._bars.start()
        elif not self._quiet:
            self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of every bar on the screen."""
        if self._draws_bars:
            self._bars.stop()
        elif not self._quiet:
            self._ended.set()
            self._heart.join()

    @property
    def _draws_bars(self) -> bool:
        return self._console.is_terminal and not self._quiet

    def __call__(self, progress: Progress) -> None:
        """Draw one record."""
        if self._quiet:
            return
        with self._lock:
            now = monotonic()
            pace = self._paces.setdefault(progress.step, _Pace(now, progress.done))
            self._open.pop(progress.step, None)
            if progress.done < progress.total:
                self._open[progress.step] = progress, now
            facts = (pace.describe(progress), describe_values(progress), progress.doing, progress.note)
            if self._draws_bars:
                self._draw_bar(progress, "  ".join(filter(None, facts)))
            elif progress.done >= progress.total or progress.note or pace.is_due(now):
                self._print_line(progress, pace, facts)

    def _draw_bar(self, progress: Progress, facts: str) -> None:
        if progress.step not in self._tasks:
            self._tasks[progress.step] = self._bars.add_task(progress.step, facts="")
        self._bars.update(self._tasks[progress.step], completed=progress.done, total=progress.total, facts=facts)

    def _print_line(self, progress: Progress, pace: _Pace, facts: tuple[str, ...]) -> None:
        pace.printed = monotonic()
        share = progress.done / progress.total if progress.total else 1.0
        so_far = f"{share:.0%} ({progress.done:,} of {progress.total:,} {progress.unit})"
        self._console.print("  ".join(filter(None, (f"{progress.step}: {so_far}", *facts))), soft_wrap=True)

    def _beat(self) -> None:
        """Say now and then, while no record comes, what is at work."""
        while not self._ended.wait(_BEAT_SECONDS):
            with self._lock:
                self._tell_what_lasts()

    def _tell_what_lasts(self) -> None:
        if not self._open:
            return
        progress, came = next(reversed(self._open.values()))
        pace, now = self._paces[progress.step], monotonic()
        last = max(other.printed for other in self._paces.values())
        if now - came > _LINE_SECONDS and replace(pace, printed=last).is_due(now):
            lasts = f"{progress.doing}, {clock(now - came)} so far" if progress.doing else f"{clock(now - came)} so far"
            self._print_line(progress, pace, (describe_values(progress), lasts))
