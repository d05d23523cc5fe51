"""What progress looks like away from a terminal and on one."""

import io
import threading
import time

import pytest
from rich.console import Console

from zspace.cli.progress import ProgressView, _Pace, clock, describe_values
from zspace.results import Progress


def test_spans_of_time_are_written_for_people():
    assert [clock(0.4), clock(59.6), clock(3599), clock(86_399)] == ["0 s", "1 min 0 s", "59 min 59 s", "23 h 59 min"]


def test_values_are_shown_with_the_digits_they_deserve():
    progress = Progress("train", 1, 2, "images", {"epoch": 3.0, "loss": 4515.4321, "share": 0.123456})
    assert describe_values(progress) == "epoch 3  loss 4,515.4  share 0.1235"


def view(**options):
    stream = io.StringIO()
    return stream, ProgressView(quiet=False, console=Console(file=stream, width=300, **options))


def test_plain_lines_show_share_rate_and_end():
    stream, progress_view = view()
    with progress_view as watch:
        for done in (0, 50, 100):
            watch(Progress("pack", done, 100, "images"))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "pack: 0% (0 of 100 images)"
    assert lines[-1].startswith("pack: 100% (100 of 100 images)  ")
    assert "images/s, took 0 s" in lines[-1]


def test_a_resumed_step_counts_its_rate_from_where_it_went_on():
    stream, progress_view = view()
    with progress_view as watch:
        watch(Progress("train", 900_000, 1_000_000, "images", note="going on after 900,000 images"))
    assert stream.getvalue() == "train: 90% (900,000 of 1,000,000 images)  going on after 900,000 images\n"


def test_a_terminal_gets_bars():
    stream, progress_view = view(force_terminal=True)
    with progress_view as watch:
        watch(Progress("pack", 30, 100, "images"))
    assert "30%" in stream.getvalue()


def test_quiet_draws_nothing():
    stream = io.StringIO()
    with ProgressView(quiet=True, console=Console(file=stream)) as watch:
        watch(Progress("pack", 30, 100, "images"))
    assert stream.getvalue() == ""


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr("zspace.cli.progress._LINE_SECONDS", 0.05)
    monkeypatch.setattr("zspace.cli.progress._BEAT_SECONDS", 0.01)


def wait_for(stream, n_lines):
    deadline = time.monotonic() + 20
    while len(stream.getvalue().splitlines()) < n_lines and time.monotonic() < deadline:
        time.sleep(0.01)
    return stream.getvalue().splitlines()


@pytest.mark.usefixtures("hasty")
def test_a_long_silence_is_broken_by_what_is_at_work():
    stream, progress_view = view()
    with progress_view as watch:
        watch(Progress("measure ae", 3, 7, "measures", doing="Clusters"))
        lines = wait_for(stream, 3)
    assert lines[0] == "measure ae: 43% (3 of 7 measures)  Clusters"
    assert lines[1] == "measure ae: 43% (3 of 7 measures)  Clusters, 0 s so far"


@pytest.mark.usefixtures("hasty")
def test_what_goes_on_after_a_step_inside_it_has_ended_is_told_and_nothing_after_all_ended():
    stream, progress_view = view()
    with progress_view as watch:
        watch(Progress("measure", 0, 1, "measures", doing="Clusters"))
        watch(Progress("null clouds", 39, 39, "clouds"))
        lines = wait_for(stream, 3)
        assert lines[2].startswith("measure: 0% (0 of 1 measures)  Clusters, ")
        watch(Progress("measure", 1, 1, "measures"))
        n_lines = len(stream.getvalue().splitlines())
        time.sleep(0.3)
        assert len(stream.getvalue().splitlines()) == n_lines
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_lines_come_at_ten_seconds_first_and_sparser_later():
    pace = _Pace(started=0.0, done_before=0, printed=100.0)
    assert not pace.is_due(109.0)
    assert pace.is_due(112.0)
    assert not _Pace(0.0, 0, printed=3600.0).is_due(3900.0)
    assert _Pace(0.0, 0, printed=3600.0).is_due(4100.0)


def test_a_terminal_says_what_is_at_work():
    stream, progress_view = view(force_terminal=True)
    with progress_view as watch:
        watch(Progress("measure ae", 3, 7, "measures", doing="Clusters"))
    assert "Clusters" in stream.getvalue()
