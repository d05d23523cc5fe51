"""What ``zspace train`` prints: the runs, and what is stable between seeds."""

from __future__ import annotations

from collections.abc import Iterable

from zspace.records import to_mapping
from zspace.results import Estimate, TrainResult

_HEAD = ("run", "epochs", "loss", "validation", "KL share", "radius while training", "images/s", "rollbacks")


def trainings_text(results: dict[str, TrainResult], stable: dict[str, dict[str, Estimate]]) -> str:
    """Return one line per run and, where there are several seeds, the mean of every quantity with its interval."""
    lines = table_lines([_HEAD, *(_run_row(name, result) for name, result in results.items())])
    for model, estimates in stable.items():
        head = (model, "mean over runs", "95 % interval", "unit")
        lines += ["", *table_lines([head, *(_estimate_row(name, found) for name, found in estimates.items())])]
    return "\n".join(lines)


def trainings_document(results: dict[str, TrainResult], stable: dict[str, dict[str, Estimate]]) -> dict[str, object]:
    """Return the same for machines."""
    return {"runs": to_mapping(results), "stable": to_mapping(stable)}


def _run_row(name: str, result: TrainResult) -> tuple[str, ...]:
    last = result.history[-1]
    share = last.training.kl_share
    return (
        name,
        str(result.epochs),
        f"{last.training.total:,.1f}",
        "-" if last.validation is None else f"{last.validation.total:,.1f}",
        "-" if share is None else f"{share:.3g}",
        f"{last.training.mean_radius:.2f}",
        f"{result.images_per_second:,.0f}",
        str(len(result.rollbacks)),
    )


def _estimate_row(name: str, found: Estimate) -> tuple[str, ...]:
    interval = "-" if found.interval is None else f"{found.interval[0]:.5g} to {found.interval[1]:.5g}"
    return name.replace("_", " "), f"{found.value:.5g}", interval, found.unit


def table_lines(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines whose columns stand below one another."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
