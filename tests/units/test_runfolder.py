"""Folders: whose they are, what is finished in them, and z-points on disk."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from zspace.errors import (
    FileDamaged,
    FolderHoldsAnotherStudy,
    FolderInUse,
    FolderNotEmpty,
    NotARunFolder,
    NotAStudyFolder,
    OutputNotWritable,
)
from zspace.runfolder import (
    StepLog,
    StudyFolder,
    claim_study_folder,
    fingerprint,
    locked,
    read_latent_ids,
    read_latents,
    read_plan,
    write_latents,
)
from zspace.settings import Plan, resolve_plan


@dataclass(frozen=True)
class Found:
    number: float


def test_a_new_folder_becomes_the_studys_own(tmp_path):
    folder, plan = StudyFolder(tmp_path / "out"), resolve_plan("demo", {})
    claim_study_folder(folder, plan)
    assert read_plan(folder) == plan


def test_the_same_study_may_come_back_with_other_settings(tmp_path):
    folder = StudyFolder(tmp_path)
    claim_study_folder(folder, resolve_plan("demo", {}))
    claim_study_folder(folder, resolve_plan("demo", {"seed": 7}))
    assert read_plan(folder).settings.seed == 7


def test_another_study_is_not_overwritten(tmp_path):
    folder = StudyFolder(tmp_path)
    plan = resolve_plan("demo", {})
    claim_study_folder(folder, plan)
    with pytest.raises(
        FolderHoldsAnotherStudy, match=r"with name 'celeba-ae', got one with name 'demo'\. Choose another"
    ):
        claim_study_folder(folder, resolve_plan("celeba-ae", {}))
    other = replace(plan.settings, images=replace(plan.settings.images, source="/photos"))
    with pytest.raises(
        FolderHoldsAnotherStudy, match=r"with images\.source '/photos', got one with images\.source 'faces'"
    ):
        claim_study_folder(folder, Plan(other, {}))
    assert read_plan(folder) == plan


def test_foreign_files_are_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(
        FolderNotEmpty, match=r"--out must be new, empty, or the folder of this study, got other files\."
    ):
        claim_study_folder(StudyFolder(tmp_path), resolve_plan("demo", {}))
    with pytest.raises(FolderNotEmpty, match=r"--out must be a folder, got a file\. Choose another --out\."):
        claim_study_folder(StudyFolder(tmp_path / "thesis.tex"), resolve_plan("demo", {}))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_without_a_plan_is_no_study(tmp_path):
    with pytest.raises(
        NotAStudyFolder, match=r"must be the folder of a study, got no plan\.toml in it\. Run zspace study"
    ):
        read_plan(StudyFolder(tmp_path))


def test_two_processes_cannot_work_in_one_folder(tmp_path):
    program = "import sys; from pathlib import Path; from zspace.runfolder import locked\n"
    program += "with locked(Path(sys.argv[1])): print('inside', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "inside\n"
    with pytest.raises(FolderInUse, match=r"one process may write to a folder at a time, got another one at work"):
        with locked(tmp_path):
            pass
    other.communicate("")
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputNotWritable, match=r"must be a place this user may write to"):
        with locked(tmp_path / "file" / "out"):
            pass


def test_a_step_is_finished_only_for_its_fingerprint_and_with_its_files(tmp_path):
    log = StepLog(tmp_path)
    output = tmp_path / "weights"
    output.write_text("12345")
    assert log.finished("train", "f1", Found) is None
    log.record("train", "f1", Found(2.5), [output])
    log.record("encode", "f2", Found(1.0), [])
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
        FileDamaged, match=r"results\.json: must be of format 1, got format 99\. Use the zspace version"
    ):
        log.result("train", Found)


def test_fingerprints_follow_every_part():
    base = {"a": Found(1.0), "b": "x"}
    assert fingerprint(**base) == fingerprint(**base)
    assert fingerprint(**base) != fingerprint(**{**base, "a": Found(2.0)})


def test_latents_come_back_and_replace_older_ones(tmp_path):
    path = tmp_path / "latents.zarr"
    random = np.random.default_rng(0)
    for n_points in (5, 20_000):
        z = random.standard_normal((n_points, 3)).astype(np.float32)
        write_latents(path, {"z": z}, np.arange(n_points)[::-1].copy())
    assert np.array_equal(read_latents(path, "z"), z)
    assert read_latent_ids(path)[0] == 19_999
    with pytest.raises(NotARunFolder, match=r"must be a Zarr group of z-points, got nothing"):
        read_latents(tmp_path / "none.zarr", "z")


def test_a_step_is_taken_once_and_says_when_it_was(tmp_path):
    taken, told = [], []

    def take():
        taken.append(1)
        (tmp_path / "file").write_text("left behind")
        return Found(2.5), [tmp_path / "file"]

    log = StepLog(tmp_path)
    for _ in range(2):
        assert log.once("count", "same", Found, take, told.append, "count all") == Found(2.5)
    assert len(taken) == 1
    assert [(progress.step, progress.note) for progress in told] == [("count all", "already done")]
    log.once("count", "other", Found, take, told.append)
    (tmp_path / "file").unlink()
    log.once("count", "other", Found, take, told.append)
    assert len(taken) == 3
