"""What a run and a study have come to: read from their folders, with what is not finished and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zspace.errors import NotARunFolder, NothingFinished
from zspace.measuring import chosen_maps
from zspace.records import dotted, to_mapping
from zspace.results import (
    EncodeResult,
    GenerateResult,
    Map,
    MeasureResult,
    ModelResults,
    PackResult,
    StudyResults,
    TrainResult,
)
from zspace.runs.fingerprints import (
    cloud_fingerprint,
    encode_fingerprint,
    generate_fingerprint,
    map_fingerprint,
    measure_fingerprint,
    train_fingerprint,
)
from zspace.runs.folders import RunFolder, StudyFolder, pack_log, read_plan
from zspace.runs.pictures import map_step
from zspace.runs.steps import OTHER_SETTINGS, Result, StepLog
from zspace.settings import AskedRun, ImageSettings, Plan, StudySettings, asked_models, model_seed

_OTHER_VERSION = "written by another version of zspace"
_OTHER_IMAGES = "the images were last packed with other settings"


@dataclass(frozen=True)
class KnownRun:
    """A run of a study, with what its weights were trained as."""

    folder: RunFolder
    study: StudyFolder
    asked: AskedRun
    notes: tuple[str, ...] = ()
    """Sentences on what a reader of its results has to know, such as that the plan has moved on."""


def is_run_folder(path: Path) -> bool:
    """Return whether a path is a run folder of a study."""
    run = path.resolve()
    return run.parent.name == "runs" and (StudyFolder(run.parent.parent).plan.is_file() or RunFolder(run).is_trained)


def open_run(path: Path) -> KnownRun:
    """Return a run and its study.

    Raises
    ------
    NotARunFolder
        When the folder is no run of a study.
    FileDamaged
        When what lies there is not what was written.
    """
    run = RunFolder(path.resolve())
    study = StudyFolder(run.path.parent.parent)
    trained = StepLog(run.path).asked("train", AskedRun)
    if not study.plan.is_file() and trained is None:
        rule = "must be the folder of a run, such as OUT/runs/NAME"
        raise NotARunFolder(str(run.path), rule, "another folder", "Look below runs/ in the folder of the study.")
    planned = planned_runs(study, read_plan(study)) if study.plan.is_file() else {}
    asked = trained or planned.get(run.path.name)
    if asked is None:
        rule, runs = "must be a run of the study around it", ", ".join(planned)
        raise NotARunFolder(str(run.path), rule, run.path.name, f"Runs are: {runs}.")
    changes = tuple(_changes(asked, planned.get(run.path.name, asked)))
    if not changes:
        return KnownRun(run, study, asked)
    note = f"the weights of {run.path.name} were last finished with other settings than plan.toml has now: "
    return KnownRun(run, study, asked, (note + "; ".join(changes),))


def notes_on_points(path: Path) -> tuple[str, ...]:
    """Return what a reader of a run's z-points has to know of them and of the weights that encoded them.

    Raises
    ------
    NotARunFolder, FileDamaged
        As `open_run`.
    """
    run = open_run(path)
    log, asked = StepLog(run.folder.path), run.asked
    if log.asked("train", AskedRun) is None:
        return run.notes
    weights = log.result("train", TrainResult).weights_digest
    if log.unfinished("encode", encode_fingerprint(weights, asked.store_digest, asked.seed)) != OTHER_SETTINGS:
        return run.notes
    return (
        *run.notes,
        f"these z-points are of earlier weights than {path.name} has now: run zspace encode {path.name}",
    )


def planned_runs(study: StudyFolder, plan: Plan) -> dict[str, AskedRun]:
    """Return what each run of a study is to be, as the plan and the packed images have it, by its name."""
    settings, packed = plan.settings, _packed(study)
    store_digest = packed.store_digest if packed else ""
    return {
        name: AskedRun(settings.name, model, settings.images.size, model_seed(settings, model), store_digest)
        for name, model in asked_models(plan).items()
    }


def _packed(study: StudyFolder) -> PackResult | None:
    log = pack_log(study.store)
    return log.result("pack", PackResult) if log.path.is_file() else None


def _changes(trained: AskedRun, planned: AskedRun) -> Iterator[str]:
    """Yield in a few words what decides the weights and differs between what they are and what the plan has."""
    if _fingerprint(trained) == _fingerprint(planned):
        return
    now = dict(dotted(to_mapping(planned)))
    for key, value in dotted(to_mapping(trained)):
        if key == "store_digest" and value != now[key]:
            yield "other images"
        elif value != now.get(key):
            yield f"{key} was {value}, is {now.get(key)}"


def _fingerprint(asked: AskedRun) -> str:
    return train_fingerprint(asked.store_digest, asked.model, asked.seed)


def read_study(folder: StudyFolder, plan: Plan) -> StudyResults:
    """Read all that was found in a study and is what its plan asks for; of the rest, say why it is not there.

    Raises
    ------
    NothingFinished
        When no model is trained as the plan has it.
    FileDamaged
        When what lies there is not what was written.
    """
    models: dict[str, ModelResults] = {}
    unfinished: dict[str, str] = {}
    images = pack_log(folder.store).result("pack", PackResult)
    is_packed = pack_log(folder.store).asked("pack", ImageSettings) == plan.settings.images
    for name, asked in planned_runs(folder, plan).items():
        found = _read_model(folder.run(name), asked, plan.settings) if is_packed else _OTHER_IMAGES
        if isinstance(found, str):
            unfinished[name] = found
        else:
            models[name] = found
    if not models:
        got = "; ".join(f"{name}: {why}" for name, why in unfinished.items())
        rule, next_step = "must hold a trained model of this plan", "Run zspace study with this --out to its end."
        raise NothingFinished(str(folder.path), rule, got, next_step)
    return StudyResults(images, models, unfinished)


def _read_model(run: RunFolder, asked: AskedRun, settings: StudySettings) -> ModelResults | str:
    """Return what was found for a model, or why nothing of it is what was asked for."""
    log = StepLog(run.path)
    training, why = _read(log, "train", _fingerprint(asked), TrainResult, with_files=False)
    if training is None:
        trained = log.asked("train", AskedRun)
        changes = "; ".join(_changes(trained, asked)) if trained else ""
        return f"{why} ({changes})" if changes else why
    unfinished = {}
    made_from = encode_fingerprint(training.weights_digest, asked.store_digest, asked.seed)
    encoding, unfinished["encode"] = _read(log, "encode", made_from, EncodeResult, with_files=False)
    if encoding is None:
        unfinished["measure"] = unfinished["generate"] = "waits for the z-points"
        return ModelResults(training, unfinished=unfinished)
    split, seed = settings.measure.split, settings.seed
    cloud = cloud_fingerprint(encoding.latents_digest, split)
    made_from = measure_fingerprint(cloud, settings.measure, seed)
    measured, unfinished["measure"] = _read(log, "measure", made_from, MeasureResult, with_files=False)
    made_from = generate_fingerprint(encoding.latents_digest, settings.generate, split, seed)
    generation, unfinished["generate"] = _read(log, "generate", made_from, GenerateResult)
    maps: dict[str, Map] = {}
    if measured is not None:
        for name, one in chosen_maps(settings.measure, measured.cloud.n_used).items():
            made_from = map_fingerprint(cloud, one, settings.measure.map_attributes, seed)
            drawn, unfinished[map_step(name)] = _read(log, map_step(name), made_from, Map)
            maps |= {name: drawn} if drawn else {}
    return ModelResults(
        training,
        encoding,
        measured.measurements if measured else None,
        generation,
        maps,
        measured.cloud if measured else None,
        measured.verdict if measured else None,
        measured.no_verdict if measured else "",
        {step: why for step, why in unfinished.items() if why},
    )


def _read(
    log: StepLog, step: str, made_from: str, kind: type[Result], *, with_files: bool = True
) -> tuple[Result | None, str]:
    """Return what a step gave, if it is what is asked for now; else why not.

    A reader needs the files of pictures and maps; weights and z-points may have been deleted once they were measured.
    """
    found = log.finished(step, made_from, kind, with_files=with_files)
    why = "" if found is not None else log.unfinished(step, made_from, with_files=with_files) or _OTHER_VERSION
    return found, why
