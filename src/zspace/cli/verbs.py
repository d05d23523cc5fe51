"""Call one workflow for the parsed command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from zspace.cli.commands import (
    Budget,
    Command,
    Encode,
    Measure,
    Pack,
    Report,
    Study,
    StudyOptions,
    Train,
)
from zspace.cli.progress import ProgressView
from zspace.errors import SettingMissing
from zspace.records import dotted, to_mapping
from zspace.results import StudyResults
from zspace.settings import Plan, plan_document, resolve_plan


def run(command: Command) -> tuple[dict[str, Any], str] | None:
    """Return the JSON document and the text that tell what came out; None in a process that only helps another."""
    match command:
        case Budget():
            return _budget(command)
        case Pack():
            return _pack(command)
        case Train():
            return _train(command)
        case Encode():
            return _encode(command)
        case Measure():
            return _measure(command)
        case Study():
            return _study(command)
        case Report():
            return _report(command)


def _budget(command: Budget) -> tuple[dict[str, Any], str]:
    from zspace.cli.budgets import budget_document, budgets_text
    from zspace.workflows.budget import budget, plan_budget

    plan = plan_budget(command.study, command.size, command.flags())
    if command.output.dry_run:
        return {"plan": plan_document(plan)}, _plan_rows(plan, ("images.size", "models."))
    found = budget(plan, command.images_per_second, command.n_images)
    return budget_document(plan, found, one_model=command.study is None), budgets_text(plan, found)


def _pack(command: Pack) -> tuple[dict[str, Any], str]:
    # Workflows are imported when they are needed: --help and --dry-run need no PyTorch.
    from zspace.workflows.pack import pack, would_pack

    settings = command.images.plain()
    if command.output.dry_run:
        would = would_pack(settings, command.seed, command.out)
        document = {"would": [would], "settings": to_mapping(settings), "out": str(command.out)}
        return document, "\n".join((would, _lines(to_mapping(settings))))
    with ProgressView(command.output.quiet) as watch:
        result = pack(settings, command.seed, command.out, watch)
    text = f"{result.n_images:,} images in {command.out}"
    if result.n_skipped:
        text += f"; {result.n_skipped:,} files skipped, see {command.out / 'skipped.csv'}"
    if result.n_duplicates:
        text += f"; {result.n_duplicates:,} exact duplicates"
    text = "\n".join([text, *result.notes])
    return {"out": str(command.out), "pack": to_mapping(result)}, text


def _resolve(study: str, options: StudyOptions) -> tuple[Plan, Path]:
    asked = resolve_plan(study, options.flags())
    return asked, options.out or Path("zspace-out") / asked.settings.name


def _dry_run(asked: Plan, out: Path, *, to_the_end: bool) -> tuple[dict[str, Any], str]:
    from zspace.workflows.study import check_before_work, derive_plan, would_study

    check_before_work(asked.settings)
    plan = derive_plan(asked)
    would = would_study(plan, out, to_the_end=to_the_end)
    text = "\n".join((*would, f"out: {out}", _plan_rows(plan)))
    return {"would": would, "out": str(out), "plan": plan_document(plan)}, text


def _train(command: Train) -> tuple[dict[str, Any], str] | None:
    if command.resume is not None:
        return _repeat(command, command.resume)
    if command.study is None:
        raise SettingMissing("train", "needs a study, or --resume RUN", "neither", "Name a preset, such as demo.")
    asked, out = _resolve(command.study, command.options)
    if command.output.dry_run:
        return _dry_run(asked, out, to_the_end=False)
    from zspace.cli.trainings import trainings_document, trainings_text
    from zspace.comparing import compare_seeds
    from zspace.processes import is_first, together
    from zspace.workflows.study import train_models

    with together():
        if not is_first():
            return _assist(asked, out)
        with ProgressView(command.output.quiet) as watch:
            results = train_models(asked, out, watch)
    stable = compare_seeds(results, asked.settings.runs)
    return {"out": str(out), **trainings_document(results, stable)}, trainings_text(results, stable)


def _repeat(command: Train, resume: Path) -> tuple[dict[str, Any], str]:
    if command.study is not None or command.from_epoch is None:
        rule, got = "--resume takes --from-epoch and no study", "another combination"
        raise SettingMissing("train", rule, got, "Write zspace train --resume RUN --from-epoch 18.")
    from zspace.cli.trainings import trainings_document, trainings_text
    from zspace.workflows.repeat import repeat, would_repeat

    if command.output.dry_run:
        would = would_repeat(resume, command.from_epoch, command.fresh_noise)
        return {"would": [would]}, would
    with ProgressView(command.output.quiet) as watch:
        run, result = repeat(resume, command.from_epoch, command.fresh_noise, watch)
    results = {run.path.name: result}
    return {"run": str(run.path), **trainings_document(results, {})}, trainings_text(results, {})


def _assist(asked: Plan, out: Path) -> tuple[dict[str, Any], str] | None:
    from zspace.workflows.study import assist

    assist(asked, out)
    return None


def _study(command: Study) -> tuple[dict[str, Any], str] | None:
    asked, out = _resolve(command.study, command.options)
    if command.output.dry_run:
        return _dry_run(asked, out, to_the_end=True)
    from zspace.cli.verdicts import verdict_lines
    from zspace.processes import is_first, together
    from zspace.report.headline import learning_lines
    from zspace.workflows.study import study

    with together():
        if not is_first():
            return _assist(asked, out)
        with ProgressView(command.output.quiet) as watch:
            results = study(asked, out, watch)
    path = out / "report.html"
    lines = [] if command.output.quiet else [*learning_lines(results), *verdict_lines(results)]
    told = "\n".join([*lines, f"Report: {path}"])
    return {"out": str(out), "report": str(path), "results": _without_curves(results)}, told


_ENCODED = ("source", "crop", "max_skipped_fraction", "max_megapixels")
"""What of the image settings applies to images that are encoded: their size is the model's, and there is no split."""


def _encode(command: Encode) -> tuple[dict[str, Any], str]:
    from zspace.workflows.encode import default_place, encode_others, encode_study, would_encode

    settings = command.images.settings()
    out = command.run if settings is None else command.out or default_place(command.run, settings)
    if command.output.dry_run:
        document = {} if settings is None else {key: getattr(settings, key) for key in _ENCODED}
        would = would_encode(command.run, settings, out)
        text = "\n".join((*would, _lines({"out": out, **document})))
        return {"would": would, "settings": document, "out": str(out)}, text
    with ProgressView(command.output.quiet) as watch:
        if settings is None:
            result = encode_study(command.run, watch)
        else:
            result = encode_others(command.run, settings, out, watch)
    points = f"{result.n_points:,} z-points of {result.z_dim:,} dimensions in {out / 'latents.zarr'}"
    text = "\n".join([*result.notes, points])
    return {"out": str(out), "encode": to_mapping(result)}, text


def _measure(command: Measure) -> tuple[dict[str, Any], str]:
    from zspace.cli.verdicts import verdict_document, verdict_text
    from zspace.latents import Selection, cloud_sentence
    from zspace.workflows.points import default_place, look_at_points, measure_points

    settings = command.settings()
    selection = Selection(command.array, command.columns, command.drop, command.points)
    out = command.out or default_place(command.source)
    if command.output.dry_run:
        facts, asked = look_at_points(command.source, out, command.seed, selection), to_mapping(settings)
        document = {"settings": asked, "out": str(out), "cloud": to_mapping(facts)}
        return document, f"{cloud_sentence(facts)}\n{_lines({'out': out, **dict(dotted(asked))})}"
    with ProgressView(command.output.quiet) as watch:
        result, maps = measure_points(
            command.source,
            out,
            settings,
            command.seed,
            selection,
            watch,
        )
    document = {**to_mapping(replace(result, verdict=None)), "verdict": verdict_document(result.verdict)}
    _drop_curves(document["measurements"])
    path = out / "report.html"
    text = f"{cloud_sentence(result.cloud)}\nReport: {path}"
    if told := "" if command.output.quiet else verdict_text(result):
        text = f"{text}\n\n{told}"
    return {"out": str(out), "report": str(path), **document, "maps": to_mapping(maps)}, text


def _report(command: Report) -> tuple[dict[str, Any], str]:
    from zspace.runs.folders import StudyFolder, read_plan
    from zspace.workflows.report import report

    path = command.folder / "report.html"
    if command.output.dry_run:
        models = ", ".join(map(repr, read_plan(StudyFolder(command.folder)).settings.models))
        would = f"Would write {path}, of {models}, unless it tells all that was found already."
        return {"would": [would], "report": str(path)}, would
    with ProgressView(command.output.quiet) as watch:
        results = report(StudyFolder(command.folder), watch)
    text = "\n".join([*(f"Not in it: {what}: {why}" for what, why in results.missing), f"Report: {path}"])
    return {"report": str(path), "results": _without_curves(results)}, text


def _without_curves(results: StudyResults) -> dict[str, Any]:
    """Leave out the long curves and the draws; the run folders' results.json hold them."""
    from zspace.cli.verdicts import verdict_document

    document: dict[str, Any] = to_mapping(results)
    for name, model in document["models"].items():
        _drop_curves(model["measurements"] or {})
        model["verdict"] = verdict_document(results.models[name].verdict)
    return document


def _drop_curves(measurements: dict[str, Any]) -> None:
    for measurement in measurements.values():
        del measurement["curves"]
        del measurement["grids"]
        del measurement["pairs"]


def _lines(settings: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in settings.items())


def _plan_rows(plan: Plan, prefixes: tuple[str, ...] = ("",)) -> str:
    """Return a line for every setting whose key begins with a prefix: key, value, origin."""
    document = plan_document(plan)
    values = {key: value for key, value in dotted(document["settings"]) if key.startswith(prefixes)}
    width, origins = max(map(len, values)), document["origins"]
    return "\n".join(f"{key:<{width}}  {value!s:<28}  {origins.get(key, '')}".rstrip() for key, value in values.items())
