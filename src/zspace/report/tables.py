"""Records become tables: estimates, curves, the history of training, the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from zspace.figures import plane_words
from zspace.figures.numbers import format_grid, format_number
from zspace.records import dotted, to_mapping
from zspace.report.values import (
    NOT_RECORDED,
    Number,
    band_level_words,
    band_verdict,
    band_words,
    estimate_number,
    interval_words,
    level_words,
    number,
    unit_words,
)
from zspace.report.words import quantity_words, sentence_case
from zspace.results import Curve, EpochRecord, Estimate, LossAccount, TrainResult
from zspace.settings import Origin, Plan

MAX_CELLS = 6000
"""Larger tables are given as text in CSV form: a browser gets slow with tens of thousands of cells."""

Cell = str | Number


@dataclass(frozen=True)
class Table:
    """A plain table; ``csv`` takes the place of ``rows`` when there are too many."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    csv: str = ""


@dataclass(frozen=True)
class EstimateRow:
    """One estimate, each part ready to be read."""

    key: str
    quantity: str
    value: Number | None
    unit: str
    reason: str
    interval: str
    band: str
    band_level: str
    verdict: str
    p_value: Number | None
    n_used: Number
    n_given: Number
    notes: tuple[str, ...]
    """Source, interval, null model, assumptions and seed, but for those that are footnotes of the table."""
    footnotes: tuple[int, ...]
    """Numbers of those that are, counted from 1."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class EstimateTable:
    """Estimates, and below them what is true of several."""

    rows: tuple[EstimateRow, ...] = ()
    footnotes: tuple[str, ...] = ()


def estimate_table(estimates: Mapping[str, Estimate]) -> EstimateTable:
    """Return every estimate with interval, null band, counts, source, notes and warnings.

    What several of them share, word by word, is told once, as a footnote.
    """
    counts = Counter(note for estimate in estimates.values() for note in _notes(estimate))
    footnotes = tuple(note for note, count in counts.items() if count > 1)
    return EstimateTable(tuple(_estimate_row(key, one, footnotes) for key, one in estimates.items()), footnotes)


def _estimate_row(key: str, estimate: Estimate, footnotes: tuple[str, ...]) -> EstimateRow:
    notes = _notes(estimate)
    return EstimateRow(
        key=key,
        quantity=quantity_words(key),
        value=estimate_number(estimate),
        unit=unit_words(estimate),
        reason="" if estimate.value is not None else estimate.reason or NOT_RECORDED,
        interval=interval_words(estimate),
        band=band_words(estimate),
        band_level=band_level_words(estimate),
        verdict=band_verdict(estimate),
        p_value=Number(format_number(estimate.p, digits=2), repr(estimate.p)) if estimate.p is not None else None,
        n_used=number(estimate.n_used),
        n_given=number(estimate.n_given),
        notes=tuple(note for note in notes if note not in footnotes),
        footnotes=tuple(footnotes.index(note) + 1 for note in notes if note in footnotes),
        warnings=estimate.warnings,
    )


def _notes(estimate: Estimate) -> tuple[str, ...]:
    source = (f"{sentence_case(estimate.source)}.",) if estimate.source else ()
    level = level_words(estimate) if estimate.interval else ""
    interval = (f"Interval of {level}.",) if level else ()
    null = _null_notes(estimate)
    assumes = (f"Assumes that {'; '.join(estimate.assumptions)}.",) if estimate.assumptions else ()
    seed = (f"Seed {estimate.seed}.",) if estimate.seed is not None else ()
    return (*source, *interval, *null, *assumes, *seed)


def _null_notes(estimate: Estimate) -> tuple[str, ...]:
    compared = estimate.comparison
    if compared is None or compared.band is None:
        return ()
    notes = (f"Null model: {compared.null}; the band holds {band_level_words(estimate)}.",)
    if compared.n_compared is None or compared.value is None:
        return notes
    value = format_number(compared.value)
    return (*notes, f"Compared on {format_grid(compared.n_compared)} of the points, for which it is {value}.")


def curve_table(name: str, curve: Curve) -> Table:
    """Return the numbers behind a curve: one row per bin or place, with null band and law beside each curve."""
    columns = dict(_columns(curve))
    n_rows = len(next(iter(columns.values())))
    title = f"Numbers of {plane_words(name)}: {n_rows:,} rows, {len(columns):,} columns"
    if n_rows * len(columns) > MAX_CELLS:
        return Table(f"{title}, as CSV", tuple(columns), csv=_csv(columns))
    rows = zip(*([format_grid(float(value)) for value in values] for values in columns.values()), strict=True)
    return Table(title, tuple(columns), tuple(rows))


def _columns(curve: Curve) -> Iterator[tuple[str, Any]]:
    if curve.kind == "histogram":
        yield f"{curve.x_label}, from", curve.x[:-1]
        yield f"{curve.x_label}, below", curve.x[1:]
    else:
        yield curve.x_label, curve.x
    for row, label in enumerate(curve.labels):
        yield label, curve.y[row]
        for name, values in ((f"{label} null, lowest", curve.null_low), (f"{label} null, highest", curve.null_high)):
            if values is not None:
                yield name, values[row]
        for law in curve.laws:
            yield f"{label} law" if len(curve.laws) == 1 else f"{label} law, {law.name}", law.values[row]


def _csv(columns: Mapping[str, Any]) -> str:
    head = ",".join('"' + name.replace('"', '""') + '"' for name in columns)
    rows = np.stack([np.asarray(values, dtype=float) for values in columns.values()], axis=1)
    return "\n".join([head, *(",".join(map(_csv_number, row)) for row in rows.tolist())])


def _csv_number(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"


def history_table(training: TrainResult) -> Table:
    """Return the losses of every epoch, per image and per pixel, for a VAE with all that the KL term does."""
    is_variational = any(record.training.divergence is not None for record in training.history)
    head = (
        "epoch",
        "images seen",
        "training loss",
        "per pixel",
        "validation loss",
        "per pixel",
        "mean radius",
        "seconds",
    )
    kl_head = ("reconstruction", "KL (nats)", "KL weight", "KL term", "KL share") if is_variational else ()
    rows = tuple(
        (
            number(record.epoch),
            number(record.n_images_seen),
            *_loss_cells(record.training_loss, training.n_pixels),
            *_loss_cells(record.validation_loss, training.n_pixels),
            number(record.training.mean_radius),
            number(record.elapsed_seconds),
            *(_divergence_cells(record) if is_variational else ()),
        )
        for record in training.history
    )
    title = f"Losses of every epoch: {training.loss_name}, {training.loss_unit}"
    return Table(title, (*head, *kl_head), rows)


def _loss_cells(loss: float | None, n_pixels: int) -> tuple[Cell, Cell]:
    return ("none held out", "") if loss is None else (number(loss), number(loss / n_pixels))


def _divergence_cells(record: EpochRecord) -> tuple[Cell, ...]:
    parts = record.training
    divergence, weight, kl_share = (
        "" if value is None else number(value) for value in (parts.divergence, record.kl_weight, parts.kl_share)
    )
    return number(parts.reconstruction), divergence, weight, number(parts.kl_term), kl_share


def account_table(training: TrainResult) -> Table:
    """Return the last losses in every unit in which people compare them."""
    accounts = [("training", training.training_account), ("validation", training.validation_account)]
    known = [(name, account) for name, account in accounts if account is not None]
    rows = tuple(
        (quantity_words(entry.name), *(_account_cell(getattr(account, entry.name)) for _, account in known))
        for entry in fields(LossAccount)
    )
    return Table("The last losses in every unit", ("quantity", *(name for name, _ in known)), rows)


def _account_cell(value: float | str | None) -> Cell:
    if value is None:
        return "does not apply"
    return value if isinstance(value, str) else number(value)


def plan_table(plan: Plan) -> Table:
    """Return every setting with its value, where it comes from, and for derived ones the reason."""
    rows = []
    for key, value in dotted(to_mapping(plan.settings)):
        origin = plan.origins.get(key, Origin("default"))
        rows.append((key, setting_words(value), origin.kind, origin.reason))
    return Table(f"All {len(rows)} settings", ("setting", "value", "origin", "reason"), tuple(rows))


def setting_words(value: object) -> str:
    """Return a setting's value as a person would write it."""
    if value is None or value == "" or value == []:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(setting_words(item) for item in value)
    return format_grid(value) if isinstance(value, float) else str(value)
