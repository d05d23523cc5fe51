"""Folders: whose they are, and who is at work in them."""

import subprocess
import sys
from dataclasses import replace

import pytest

from zspace.errors import (
    FolderHoldsAnotherStudy,
    FolderInUse,
    FolderNotEmpty,
    NotAStudyFolder,
    OutputNotWritable,
)
from zspace.runs.folders import StudyFolder, claim_study_folder, locked, read_plan
from zspace.settings import Plan, resolve_plan


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
        FolderNotEmpty,
        match=r"--out must be new, empty, or the folder of this study, got other files, such as thesis\.",
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
    program = "import sys; from pathlib import Path; from zspace.runs.folders import locked\n"
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
