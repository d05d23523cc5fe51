"""Call one workflow for the parsed command, and say how it ended."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape

from zspace.cli.commands import (
    Budget,
    Command,
    Encode,
    Measure,
    Output,
    Pack,
    Report,
    Study,
    StudyOptions,
    Train,
    parse_command,
)
from zspace.cli.progress import ProgressView
from zspace.errors import SettingMissing, ZspaceError
from zspace.files import to_json
from zspace.records import dotted, to_mapping
from zspace.results import StudyResults
from zspace.settings import Plan, plan_document, resolve_plan

INTERRUPTED = 130
"""Exit code after Ctrl-C or a polite kill, as shells have it."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code of the outcome."""
    output = Output(json="--json" in (sys.argv[1:] if arguments is None else arguments))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command = _parse(arguments, output)
        output = command.output
        told = _run(command)
    except KeyboardInterrupt:
        _fail(output, "Interrupted", "What is finished is kept: run the same command to go on.")
        sys.exit(INTERRUPTED)
    except ZspaceError as error:
        if output.debug:
            raise
        _fail(output, type(error).__name__, str(error))
        sys.exit(error.exit_code)
    if told is not None:
        document, text = told
        _write_line(to_json(document) if output.json else text)


def _parse(arguments: list[str] | None, output: Output) -> Command:
    """Read the command line; its usage errors stand on stderr, and with --json there is a document as well."""
    try:
        return parse_command(arguments)
    except SystemExit as stop:
        if stop.code and output.json:
            _write_line(to_json({"error": "UsageError", "message": "see stderr, or --help"}))
        raise


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _write_line(text: str) -> None:
    sys.stdout.write(text + "\n")


def _fail(output: Output, name: str, message: str) -> None:
    if output.json:
        _write_line(to_json({"error": name, "message": message}))
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]{name}[/]: {escape(message)}", soft_wrap=True)


def _run(command: Command) -> tuple[dict[str, Any], str] | None:
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
    from zspace.workflows.pack import pack

    settings = command.images.plain()
    if command.output.dry_run:
        return {"settings": to_mapping(settings), "out": str(command.out)}, _lines(to_mapping(settings))
    with ProgressView(command.output.quiet) as watch:
        result = pack(settings, command.seed, command.out, watch)
    text = f"{result.n_images:,} images in {command.out}"
    if result.n_skipped:
        text += f"; {result.n_skipped:,} files skipped, see {command.out / 'skipped.csv'}"
    if result.n_duplicates:
        text += f"; {result.n_duplicates:,} exact duplicates"
    return {"out": str(command.out), "pack": to_mapping(result)}, text


def _resolve(study: str, options: StudyOptions) -> tuple[Plan, Path]:
    asked = resolve_plan(study, options.flags())
    return asked, options.out or Path("zspace-out") / asked.settings.name


def _dry_run(asked: Plan, out: Path) -> tuple[dict[str, Any], str]:
    from zspace.workflows.study import check_before_work, derive_plan

    check_before_work(asked.settings)
    plan = derive_plan(asked)
    return {"out": str(out), "plan": plan_document(plan)}, _plan_text(plan, out)


def _train(command: Train) -> tuple[dict[str, Any], str] | None:
    from zspace.cli.trainings import trainings_document, trainings_text
    from zspace.comparing import compare_seeds
    from zspace.processes import is_first, together
    from zspace.workflows.study import train_models

    if command.resume is not None:
        return _repeat(command, command.resume)
    if command.study is None:
        raise SettingMissing("train", "needs a study, or --resume RUN", "neither", "Name a preset, such as demo.")
    asked, out = _resolve(command.study, command.options)
    if command.output.dry_run:
        return _dry_run(asked, out)
    with together():
        if not is_first():
            return _assist(asked, out)
        with ProgressView(command.output.quiet) as watch:
            results = train_models(asked, out, watch)
    stable = compare_seeds(results, asked.settings.runs)
    return {"out": str(out), **trainings_document(results, stable)}, trainings_text(results, stable)


def _repeat(command: Train, resume: Path) -> tuple[dict[str, Any], str]:
    from zspace.cli.trainings import trainings_document, trainings_text
    from zspace.workflows.repeat import repeat

    if command.study is not None or command.from_epoch is None:
        rule, got = "--resume takes --from-epoch and no study", "another combination"
        raise SettingMissing("train", rule, got, "Write zspace train --resume RUN --from-epoch 18.")
    with ProgressView(command.output.quiet) as watch:
        run, result = repeat(resume, command.from_epoch, command.fresh_noise, watch)
    results = {run.path.name: result}
    return {"run": str(run.path), **trainings_document(results, {})}, trainings_text(results, {})


def _assist(asked: Plan, out: Path) -> tuple[dict[str, Any], str] | None:
    from zspace.workflows.study import assist

    assist(asked, out)
    return None


def _study(command: Study) -> tuple[dict[str, Any], str] | None:
    from zspace.processes import is_first, together
    from zspace.report.headline import learning_lines
    from zspace.workflows.study import study

    asked, out = _resolve(command.study, command.options)
    if command.output.dry_run:
        return _dry_run(asked, out)
    with together():
        if not is_first():
            return _assist(asked, out)
        with ProgressView(command.output.quiet) as watch:
            results = study(asked, out, watch)
    path = out / "report.html"
    told = "\n".join([*([] if command.output.quiet else learning_lines(results)), f"Report: {path}"])
    return {"out": str(out), "report": str(path), "results": _without_curves(results)}, told


def _encode(command: Encode) -> tuple[dict[str, Any], str]:
    from zspace.workflows.encode import default_place, encode_others, encode_study

    settings = command.images.settings()
    out = command.run if settings is None else command.out or default_place(command.run, settings)
    if command.output.dry_run:
        document = {} if settings is None else to_mapping(settings)
        return {"settings": document, "out": str(out)}, _lines({"out": out, **document})
    with ProgressView(command.output.quiet) as watch:
        if settings is None:
            result = encode_study(command.run, watch)
        else:
            result = encode_others(command.run, settings, out, watch)
    text = f"{result.n_points:,} z-points of {result.z_dim:,} dimensions in {out / 'latents.zarr'}"
    return {"out": str(out), "encode": to_mapping(result)}, text


def _measure(command: Measure) -> tuple[dict[str, Any], str]:
    from zspace.workflows.points import default_place, measure_points

    settings = command.settings()
    out = command.out or default_place(command.source)
    if command.output.dry_run:
        return {"settings": to_mapping(settings), "out": str(out)}, _lines(to_mapping(settings))
    with ProgressView(command.output.quiet) as watch:
        result, maps = measure_points(
            command.source,
            out,
            settings,
            command.seed,
            array_name=command.array,
            n_points=command.points,
            watch=watch,
        )
    document = to_mapping(result)
    _drop_curves(document["measurements"])
    path = out / "report.html"
    return {"out": str(out), "report": str(path), **document, "maps": to_mapping(maps)}, f"Report: {path}"


def _report(command: Report) -> tuple[dict[str, Any], str]:
    from zspace.runfolder import StudyFolder
    from zspace.workflows.report import report

    path = command.folder / "report.html"
    if command.output.dry_run:
        return {"report": str(path)}, f"Would write {path}"
    with ProgressView(command.output.quiet) as watch:
        results = report(StudyFolder(command.folder), watch)
    return {"report": str(path), "results": _without_curves(results)}, f"Report: {path}"


def _without_curves(results: StudyResults) -> dict[str, Any]:
    """Leave out the long curves; the run folders' results.json hold them."""
    document: dict[str, Any] = to_mapping(results)
    for model in document["models"].values():
        _drop_curves(model["measurements"] or {})
    return document


def _drop_curves(measurements: dict[str, Any]) -> None:
    for measurement in measurements.values():
        del measurement["curves"]
        del measurement["grids"]
        del measurement["pairs"]


def _lines(settings: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {value}" for key, value in settings.items())


def _plan_text(plan: Plan, out: Path) -> str:
    return f"out: {out}\n{_plan_rows(plan)}"


def _plan_rows(plan: Plan, prefixes: tuple[str, ...] = ("",)) -> str:
    """Return a line for every setting whose key begins with a prefix: key, value, origin."""
    document = plan_document(plan)
    values = {key: value for key, value in dotted(document["settings"]) if key.startswith(prefixes)}
    width, origins = max(map(len, values)), document["origins"]
    return "\n".join(f"{key:<{width}}  {value!s:<28}  {origins.get(key, '')}".rstrip() for key, value in values.items())
