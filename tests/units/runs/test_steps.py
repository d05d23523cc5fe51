"""The log of steps: what counts as finished, and what it says of the rest."""

import json
from dataclasses import dataclass

import pytest

from zspace.errors import FileDamaged, NotARunFolder
from zspace.runs.fingerprints import fingerprint
from zspace.runs.steps import StepLog


@dataclass(frozen=True)
class Found:
    number: float


def test_a_step_is_finished_only_for_its_fingerprint_and_with_its_files(tmp_path):
    log = StepLog(tmp_path)
    output = tmp_path / "weights"
    output.write_text("12345")
    assert log.finished("train", "f1", Found) is None
    log.record("train", "f1", Found(2.5), {output: ""})
    log.record("encode", "f2", Found(1.0), {})
    assert log.finished("train", "f1", Found) == Found(2.5)
    assert log.finished("train", "other", Found) is None
    output.write_text("123")
    assert log.finished("train", "f1", Found) is None
    output.unlink()
    assert log.finished("train", "f1", Found) is None
    assert log.result("encode", Found) == Found(1.0)


def test_a_missing_step_and_another_format_are_told(tmp_path):
    log = StepLog(tmp_path)
    with pytest.raises(NotARunFolder, match=r"must hold a finished step 'train', got none\. Run the study to its end"):
        log.result("train", Found)
    log.path.write_text(json.dumps({"format": 99, "steps": {}}))
    with pytest.raises(
        FileDamaged, match=r"results\.json: must be of format 2, got format 99\. Use the zspace version"
    ):
        log.result("train", Found)


def test_fingerprints_follow_every_part():
    base = {"a": Found(1.0), "b": "x"}
    assert fingerprint(**base) == fingerprint(**base)
    assert fingerprint(**base) != fingerprint(**{**base, "a": Found(2.0)})


def test_a_step_is_taken_once_and_says_when_it_was(tmp_path):
    taken, told = [], []

    def take():
        taken.append(1)
        (tmp_path / "file").write_text("left behind")
        return Found(2.5), {tmp_path / "file": ""}

    log = StepLog(tmp_path)
    for _ in range(2):
        assert log.once("count", "same", Found, take, told.append, "count all") == Found(2.5)
    assert len(taken) == 1
    assert [(progress.step, progress.note) for progress in told] == [("count all", "already done")]
    log.once("count", "other", Found, take, told.append)
    (tmp_path / "file").unlink()
    log.once("count", "other", Found, take, told.append)
    assert len(taken) == 3
