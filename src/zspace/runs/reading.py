"""A run folder and the study around it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zspace.errors import NotARunFolder
from zspace.runs.folders import RunFolder, StudyFolder, read_plan
from zspace.settings import ModelSettings, Plan, asked_models, model_seed


@dataclass(frozen=True)
class KnownRun:
    """A run of a study, with what it was asked to be."""

    folder: RunFolder
    study: StudyFolder
    plan: Plan
    asked: ModelSettings
    """What was left to "auto" is "auto" again: checkpoints belong to what was asked, not to what it came to here."""

    @property
    def seed(self) -> int:
        """The seed of this model."""
        return model_seed(self.plan.settings, self.asked)


def is_run_folder(path: Path) -> bool:
    """Return whether a path is a run folder of a study."""
    return StudyFolder(path.resolve().parent.parent).plan.is_file() and path.resolve().parent.name == "runs"


def open_run(path: Path) -> KnownRun:
    """Return a run and its study.

    Raises
    ------
    NotARunFolder
        When the folder is no run of a study.
    """
    run = RunFolder(path.resolve())
    study = StudyFolder(run.path.parent.parent)
    if not study.plan.is_file():
        rule = "must be the folder of a run, such as OUT/runs/NAME"
        raise NotARunFolder(str(run.path), rule, "another folder", "Look below runs/ in the folder of the study.")
    plan = read_plan(study)
    asked = asked_models(plan).get(run.path.name)
    if asked is None:
        names = ", ".join(plan.settings.models)
        raise NotARunFolder(str(run.path), "must be a run of the study around it", run.path.name, f"Runs are: {names}.")
    return KnownRun(run, study, plan, asked)
