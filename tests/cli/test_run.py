"""How calls end: streams that are closed, full or cannot show a path; interrupts; faults; and what is not loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PACK = "pack faces --n-faces 20 --size 16 --out"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")


def shell(line, cwd, **environment):
    """Run a line of bash in which ``zspace`` is the command; its exit code is that of zspace."""
    script = f'zspace() {{ {sys.executable} -m zspace "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, env={**os.environ, **environment}, capture_output=True, timeout=120
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("zspace --help | true; exit ${PIPESTATUS[0]}", 141),
        ("zspace --version >&-", 0),
        (f"zspace {PACK} a >&- 2>&-", 0),
        ("zspace study nope 2>&-", 2),
        ("zspace study nope <&- >&- 2>&-", 2),
    ],
)
def test_closed_streams_end_without_a_traceback(tmp_path, line, code):
    done = shell(line, tmp_path)
    assert done.returncode == code
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"Exception" not in done.stdout + done.stderr


@needs_full
@pytest.mark.parametrize("arguments", ["--version", "--version --json", "pack --help", f"{PACK} a --quiet"])
def test_a_full_stdout_is_an_error_of_the_tree(tmp_path, arguments):
    done = shell(f"zspace {arguments} > /dev/full", tmp_path)
    assert done.returncode == 4
    assert done.stderr == (
        b"DiskFull: stdout: needs free space on its disk, got a full disk. Free some space and run again.\n"
    )


@needs_full
def test_progress_that_cannot_be_shown_does_not_stop_the_work(tmp_path):
    done = shell(f"zspace {PACK} a 2> /dev/full", tmp_path)
    assert (done.returncode, done.stdout) == (0, b"20 images in a\n")
    refused = shell("zspace study nope --json 2> /dev/full", tmp_path)
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"] == "UnknownPreset"


def test_what_stderr_gets_never_lands_in_a_file_of_the_work(tmp_path):
    done = shell(f"zspace {PACK} a >&- 2>&-; grep -rl 'already done\\|images in' a", tmp_path)
    assert done.stdout == b""
    assert shell(f"zspace {PACK} a", tmp_path).stdout == b"20 images in a\n"


def test_a_locale_that_cannot_show_a_path_shows_escapes_and_json_stays_json(tmp_path):
    plain = shell(f"zspace {PACK} é", tmp_path, PYTHONIOENCODING="ascii")
    assert (plain.returncode, plain.stdout) == (0, b"20 images in \\xe9\n")
    document = shell(f"zspace {PACK} é --json", tmp_path, PYTHONIOENCODING="ascii")
    assert json.loads(document.stdout.decode("utf-8"))["out"] == "é"
    assert b"Traceback" not in shell("zspace study é", tmp_path, PYTHONIOENCODING="ascii").stderr
    assert shell("zspace --help", tmp_path, PYTHONIOENCODING="ascii").returncode == 0


def test_bytes_that_are_no_text_are_refused_wherever_they_stand(tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    try:
        Path(folder).mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    given = shell(f"zspace {PACK} $'caf\\xe9/a'", tmp_path)
    assert given.returncode == 2
    assert (
        b"command line: must be text of the locale, as paths are recorded in UTF-8, got 'caf\\udce9/a'." in given.stderr
    )
    inside = shell(f"zspace {PACK} a", folder)
    assert inside.returncode == 4
    assert b"must lie where all names are text in UTF-8" in inside.stderr
    source = shell("zspace pack . --out a", folder)
    assert source.returncode == 2
    assert b"source: must be text that UTF-8 can hold" in source.stderr
    assert list(Path(folder).iterdir()) == []


def test_control_characters_in_a_message_are_shown_and_do_nothing(zspace):
    outcome = zspace("report", "a\x1b[2J\nb")
    assert outcome.code == 4
    assert "a\\x1b[2J\\nb: must be the folder of a study" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def import_hook(*names, act):
    """Return a program that runs zspace while imports of these libraries do something else."""
    return f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it runs in the background
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            {act}
sys.meta_path.insert(0, Finder())
from zspace.cli import main
main(sys.argv[1:])
"""


def run_python(program, *arguments, cwd):
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", ["tyro", "numpy", "torch"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_interrupt_while_libraries_load_ends_in_one_line(tmp_path, name, number):
    program = import_hook(name, act=f"os.kill(os.getpid(), signal.{number})")
    done = run_python(program, "study", "demo", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 130
    assert done.stderr == "Interrupted: What is finished is kept: run the same command to go on.\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["study", "--help"], ["pack", "faces", "--out", "store", "--dry-run"]]
)
def test_what_computes_nothing_loads_neither_torch_nor_matplotlib(tmp_path, arguments):
    program = import_hook("torch", "matplotlib", "sklearn", "openTSNE", act="raise AssertionError(name)")
    done = run_python(program, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_what_measuring_would_do_is_told_without_torch_and_matplotlib(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).standard_normal((20, 3)))
    program = import_hook("torch", "matplotlib", act="raise AssertionError(name)")
    done = run_python(program, "measure", "points.npy", "--dry-run", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "20 points of 3 dimensions" in done.stdout


def break_packing(monkeypatch, error):
    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr("zspace.workflows.pack.pack_images", fail)


def test_what_nobody_foresaw_is_one_line_and_says_how_to_see_more(zspace, monkeypatch, tmp_path):
    break_packing(monkeypatch, KeyError("surprise"))
    outcome = zspace("pack", "faces", "--out", tmp_path / "a")
    assert outcome.code == 70
    assert outcome.stderr == (
        "Fault: KeyError: 'surprise'. This is a fault in zspace; run with --debug to see where it comes from.\n"
    )
    assert zspace("pack", "faces", "--out", tmp_path / "a", "--json").document["error"] == "Fault"
    shown = zspace("pack", "faces", "--out", tmp_path / "a", "--debug")
    assert shown.code == 70
    assert "Traceback (most recent call last)" in shown.stderr
    assert shown.stderr.endswith("run with --debug to see where it comes from.\n")


@pytest.mark.parametrize(
    "error",
    [MemoryError("Unable to allocate 7 GiB"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 7 GiB")],
)
def test_too_little_memory_is_no_fault_of_the_program(zspace, monkeypatch, tmp_path, error):
    break_packing(monkeypatch, error)
    outcome = zspace("pack", "faces", "--out", tmp_path / "a")
    assert outcome.code == 71
    assert outcome.stderr.startswith(f"OutOfMemory: {type(error).__name__}: {error}. Give it more memory, or fewer")


def test_debug_shows_the_traceback_of_an_error_and_keeps_its_code(zspace):
    outcome = zspace("study", "nope", "--debug")
    assert outcome.code == 2
    assert "Traceback (most recent call last)" in outcome.stderr
    assert "Traceback" not in zspace("study", "nope").stderr


def test_the_version_is_that_of_the_package(zspace):
    from zspace import __version__

    assert zspace("--version").stdout == f"zspace {__version__}\n"
    assert zspace("--version", "--json").document == {"version": __version__}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "demo", "--epochs", "x"], "Error parsing --epochs"),
        (["study", "demo", "--epoch", "3"], "--epochs"),
        (["studi"], "Unrecognized options: studi"),
        ([], "Missing subcommand"),
    ],
)
def test_a_usage_error_carries_its_message_in_json(zspace, arguments, message):
    outcome = zspace(*arguments, "--json")
    assert outcome.code == 2
    assert outcome.document["error"] == "UsageError"
    assert message in outcome.document["message"]
    assert not set("╭╮╰╯─│\n") & set(outcome.document["message"])
    assert "---" not in outcome.document["message"]
    assert message in " ".join(outcome.stderr.split())
    assert zspace(*arguments).stdout == ""


def test_an_interrupt_in_the_first_moments_ends_without_a_traceback(tmp_path):
    done = run_python(import_hook("tomli_w", act="os.kill(os.getpid(), signal.SIGINT)"), "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
