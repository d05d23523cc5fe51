"""``study``: images and one or more models to a report, resumable at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from zspace.errors import SettingMissing
from zspace.generating.samplers import parse_sampler
from zspace.images.store import open_store
from zspace.measuring import check_measures
from zspace.networks.convolutional import check_image_size
from zspace.processes import wait_for_all
from zspace.results import StudyResults, TrainResult, Watcher, watch_nothing
from zspace.runs.folders import StudyFolder, claim_study_folder, locked
from zspace.runs.reading import open_run
from zspace.settings import BUILT_IN_FACES, ModelSettings, Origin, Plan, StudySettings, model_seed
from zspace.training import resolve_device, resolve_training
from zspace.workflows.encode import encode
from zspace.workflows.generate import generate
from zspace.workflows.measure import measure
from zspace.workflows.pack import absolute_paths, pack, would_pack
from zspace.workflows.report import report
from zspace.workflows.train import load_model, train


def study(asked: Plan, out: Path, watch: Watcher = watch_nothing) -> StudyResults:
    """Run a whole study: pack, then train, encode, measure and generate for every model, then report.

    Steps that are finished and depend on nothing that changed are not repeated; a step that was interrupted goes on.

    Parameters
    ----------
    asked
        The plan as `zspace.settings.resolve_plan` gave it.
    out
        Folder of the study.
    watch
        Called with every progress record.

    Raises
    ------
    ZspaceError
        Of the family of the step that failed. What was finished before stays.
    """
    settings = asked.settings
    with _packed_study(asked, out, watch) as folder:
        for name, model_settings in settings.models.items():
            _study_model(folder, name, model_settings, settings, watch)
        return report(folder, watch)


def train_models(asked: Plan, out: Path, watch: Watcher = watch_nothing) -> dict[str, TrainResult]:
    """Pack the images of a study and train its models, and stop there; `study` goes on from it.

    Parameters and errors are those of `study`.
    """
    with _packed_study(asked, out, watch) as folder:
        return {name: _train(folder, name, asked.settings, watch) for name in asked.settings.models}


@contextmanager
def _packed_study(asked: Plan, out: Path, watch: Watcher) -> Iterator[StudyFolder]:
    """Make the folder this study's own, keep others out of it, and pack the images."""
    check_before_work(asked.settings)
    folder = StudyFolder(out)
    with locked(out):
        claim_study_folder(folder, derive_plan(asked))
        pack(asked.settings.images, asked.settings.seed, folder.store, watch)
        yield folder


def assist(asked: Plan, out: Path) -> None:
    """Train the models of a study beside the first process of torchrun, which does all else.

    Parameters
    ----------
    asked
        The plan, the same in every process.
    out
        Folder of the study; all processes must see the same one.
    """
    check_before_work(asked.settings)
    for name in asked.settings.models:
        _train(StudyFolder(out), name, asked.settings, watch_nothing)


def _train(folder: StudyFolder, name: str, settings: StudySettings, watch: Watcher) -> TrainResult:
    wait_for_all()  # the first process may still be packing, or measuring the model before
    model = settings.models[name]
    seed = model_seed(settings, model)
    return train(open_store(folder.store), folder.run(name), model, seed, watch, study=settings.name)


def _study_model(folder: StudyFolder, name: str, asked: ModelSettings, settings: StudySettings, watch: Watcher) -> None:
    _train(folder, name, settings, watch)
    store, run = open_store(folder.store), folder.run(name)
    model = load_model(run, open_run(run.path).asked)
    encode(store, run, model, model_seed(settings, asked), watch)
    measure(store, run, settings.measure, settings.seed, watch)
    generate(store, run, model, settings.generate, settings.measure.split, settings.seed, watch)


def would_study(asked: Plan, out: Path, *, to_the_end: bool) -> list[str]:
    """Return sentences of what `study` would do, or, not to the end, `train_models`; errors as of `would_pack`."""
    folder, settings = StudyFolder(out), asked.settings
    models = ", ".join(
        f"{name!r} ({model.kind.upper()}, {model.training.epochs:,} epochs)" for name, model in settings.models.items()
    )
    then = f", encode, measure and generate with each, and write {folder.report}" if to_the_end else ""
    return [
        would_pack(settings.images, settings.seed, folder.store),
        f"Would train {models}{then}; what is finished there and made from the same is not done again.",
    ]


def check_before_work(settings: StudySettings) -> None:
    """Refuse, before any work, what would fail at a later step.

    Raises
    ------
    SettingMissing, ImageSizeNotDivisible, UnknownSetting, DeviceMissing
        Naming the setting.
    """
    if settings.needs_images and settings.images.source == BUILT_IN_FACES:
        raise SettingMissing("images.source", "must be given for this study", "nothing", "Give --images PATH.")
    for name, model in settings.models.items():
        check_image_size(model.network, settings.images.size, f"images.size for model {name!r}")
        resolve_device(model.training.device)
    for specification in settings.generate.samplers:
        parse_sampler(specification)
    check_measures(settings.measure)


def derive_plan(asked: Plan) -> Plan:
    """Return the plan with everything decided that was left open, each with its reason."""
    origins = dict(asked.origins)
    models = {}
    for name, model in asked.settings.models.items():
        training, reasons = resolve_training(model.training)
        models[name] = replace(model, training=training)
        origins |= {f"models.{name}.training.{key}": origin for key, origin in reasons.items()}
    images = absolute_paths(asked.settings.images)
    if images.source != asked.settings.images.source:
        origins["images.source"] = Origin("derived", f"the full path of {asked.settings.images.source}")
    return Plan(replace(asked.settings, images=images, models=models), origins)
