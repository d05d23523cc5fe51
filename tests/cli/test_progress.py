"""What progress looks like away from a terminal and on one."""

import io

from rich.console import Console

from zspace.cli.progress import ProgressView, clock, describe_values
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
