"""Budgets on the screen: a table of layers, then what follows from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from textwrap import fill
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zspace.budget import LayerBudget, ModelBudget, Variant
from zspace.cli.progress import clock
from zspace.records import to_mapping
from zspace.settings import Plan

_WIDTH = 79
_COLUMNS = ("layer", "output", "parameters", "weights", "grads", "Adam", "kept", "total", "share")


def budget_document(plan: Plan, found: Mapping[str, ModelBudget], *, one_model: bool) -> dict[str, Any]:
    """Return what ``--json`` prints: the budget itself for one model, else all of them by name under ``models``."""
    documents = {}
    for name, budget in found.items():
        prefix = f"models.{name}."
        origins = {key.removeprefix(prefix): value for key, value in plan.origins.items() if key.startswith(prefix)}
        if "images.size" in plan.origins:
            origins["image_size"] = plan.origins["images.size"]
        documents[name] = {
            **to_mapping(budget),
            "settings": to_mapping(plan.settings.models[name]),
            "origins": {key: f"{origin.kind}: {origin.reason}".rstrip(": ") for key, origin in origins.items()},
        }
    if one_model:
        (document,) = documents.values()
        return dict(document)
    return {"models": documents}


def budgets_text(plan: Plan, found: Mapping[str, ModelBudget]) -> str:
    """Return tables and advice for people; with colours where stdout is a terminal."""
    # Wider than any table: where numbers are long the terminal breaks the line, and no digit is lost.
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        for name, budget in found.items():
            for line in _heading(plan, name, budget):
                console.print(Text(line, "bold"))
            console.print(_table(budget))
            for line in _conclusions(budget):
                console.print(Text(fill(line, _WIDTH, subsequent_indent="  ")))
            console.print()
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).rstrip()


def _heading(plan: Plan, name: str, budget: ModelBudget) -> Iterator[str]:
    network = plan.settings.models[name].network
    size = budget.image_size
    yield f"{budget.kind.upper()} {name!r}, z of {network.z_dim:,}, images of {size:,} x {size:,}, memory in MiB"
    for key in ("network.batch_norm", "training.precision"):
        value = network.batch_norm if key == "network.batch_norm" else budget.precision
        origin = plan.origins.get(f"models.{name}.{key}")
        reason = f" ({origin.reason or origin.kind})" if origin else " (default)"
        yield f"{key.partition('.')[2]} {str(value).lower()}{reason}"
    yield f"batches of {budget.batch_size:,}"


def _table(budget: ModelBudget) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "layer" else "right", no_wrap=True)
    whole = sum(layer.total_bytes for layer in budget.layers)
    for part, rows in groupby(budget.layers, attrgetter("part")):
        layers = list(rows)
        if len(layers) == 1:
            table.add_row(*_cells(part, _shape(layers[0].output_shape), layers, whole), style="bold")
            continue
        table.add_row(*_cells(part, "", layers, whole), style="bold")
        for layer in layers:
            table.add_row(*_cells(f"  {layer.layer}", _shape(layer.output_shape), [layer], whole))
    table.add_row(*_cells("total", "", list(budget.layers), whole), style="bold")
    return table


def _cells(title: str, shape: str, layers: list[LayerBudget], whole: int) -> tuple[str, ...]:
    def mebibytes(name: str) -> str:
        return _mebibytes(sum(getattr(layer, name) for layer in layers), unit="")

    kinds = ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes", "total_bytes")
    parameters = sum(layer.parameters for layer in layers)
    share = sum(layer.total_bytes for layer in layers) / whole
    return title, shape, f"{parameters:,}", *map(mebibytes, kinds), f"{share:.1%}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(f"{side:,}" for side in shape)


def _mebibytes(n_bytes: int, unit: str = " MiB") -> str:
    """Return a size for people; what is there but too small to show is not written as zero.

    Examples
    --------
    >>> _mebibytes(3 << 20), _mebibytes(500, ""), _mebibytes(0, "")
    ('3.0 MiB', '<0.1', '-')
    """
    if n_bytes == 0:
        return f"-{unit}"
    size = n_bytes / 2**20
    return f"<0.1{unit}" if size < 0.05 else f"{size:,.1f}{unit}"


def _conclusions(budget: ModelBudget) -> Iterator[str]:
    yield f"Parameters: encoder {budget.encoder_parameters:,}, decoder {budget.decoder_parameters:,}."
    yield (
        f"Predicted peak: {_mebibytes(budget.peak_bytes)} = weights {_mebibytes(budget.weights_bytes, '')}"
        f" + gradients {_mebibytes(budget.gradients_bytes, '')} + Adam {_mebibytes(budget.optimizer_bytes, '')}"
        f" + kept for the backward pass {_mebibytes(budget.activations_bytes, '')}"
        f" + passing {_mebibytes(budget.transient_bytes, '')}."
    )
    yield f"Work: {budget.flops_per_image / 1e9:.4g} GFLOP an image, forward and backward."
    yield from _time_lines(budget)
    yield from _dominant_lines(budget)
    for variant in budget.variants:
        yield _variant_line(budget, variant)
    yield from budget.assumptions


def _time_lines(budget: ModelBudget) -> Iterator[str]:
    if not (time := budget.time):
        yield "Time: give a measured rate with --images-per-second, and --n-images."
        return
    line = f"Time: {time.images_per_second:,.4g} images/s is {time.flops_per_second / 1e9:,.4g} GFLOP/s"
    if time.epoch_seconds is not None and time.training_seconds is not None:
        line += f"; an epoch takes {clock(time.epoch_seconds)}, all of them {clock(time.training_seconds)}"
    yield f"{line}."


def _dominant_lines(budget: ModelBudget) -> Iterator[str]:
    for part, parameters in (("encoder", budget.encoder_parameters), ("decoder", budget.decoder_parameters)):
        layers = [layer for layer in budget.layers if layer.part == part]
        largest = max(layers, key=attrgetter("parameters"))
        dense = sum(layer.parameters for layer in layers if layer.is_dense)
        yield (
            f"Largest of the {part}: {largest.layer} with {largest.parameters:,} parameters,"
            f" {largest.parameters / parameters:.1%} of it; all dense layers together {dense / parameters:.1%}."
        )
    most = max(budget.layers, key=attrgetter("activations_bytes"))
    place = most.part if most.layer == most.part else f"{most.layer} of the {most.part}"
    yield (
        f"Keeps most for the backward pass: {place},"
        f" {_mebibytes(most.activations_bytes)}, {most.activations_bytes / budget.activations_bytes:.1%} of all that"
        " is kept; this part shrinks with the batch."
    )


def _variant_line(budget: ModelBudget, variant: Variant) -> str:
    whole = budget.encoder_parameters + budget.decoder_parameters
    saves = variant.parameters_saved > 0
    line = f"{variant.name[0].upper()}{variant.name[1:]}: "
    if variant.flatten_factor != 1:
        line += f"flattens to {variant.flatten_factor:g} times as many values, "
    line += (
        f"{'saves' if saves else 'costs'} {abs(variant.parameters_saved):,} parameters"
        f" ({abs(variant.parameters_saved) / whole:.1%}), encoder {variant.encoder_parameters:,}; peak "
    )
    change = f"{_mebibytes(abs(variant.peak_bytes_saved))} {'lower' if variant.peak_bytes_saved > 0 else 'higher'}"
    return f"{line}{change if variant.peak_bytes_saved else 'the same'}."
