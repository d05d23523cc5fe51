"""What a reader wants to know first: the few numbers that answer the posts' questions, per model."""

from __future__ import annotations

from dataclasses import dataclass

from zspace.figures import REFERENCES
from zspace.report.plates import rate_words
from zspace.report.tables import Cell, Table
from zspace.report.values import (
    NOT_RECORDED,
    Number,
    band_verdict,
    estimate_number,
    estimate_words,
    interval_words,
    level_words,
    number,
    share,
)
from zspace.results import Estimate, GenerateResult, Measurement, ModelResults, SampleScore, StudyResults, TrainResult


@dataclass(frozen=True)
class Card:
    """One headline number."""

    label: str
    value: Cell
    unit: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RateBar:
    """One sampler's rate, as a bar."""

    title: str
    rate: Cell
    percent: float | None
    """Length of the bar, 0 to 100; None when the rate is not known."""
    is_reference: bool


@dataclass(frozen=True)
class Findings:
    """The headline of one model."""

    anchor: str
    name: str
    cards: tuple[Card, ...]
    bars: tuple[RateBar, ...]


def findings_of(anchor: str, name: str, found: ModelResults) -> Findings:
    """Return the headline numbers of a model, all read from its records."""
    measured = found.measurements
    cards = [
        _loss_card(found.training),
        _radius_card(measured),
        _variance_card(measured, found.encoding.z_dim),
        _faces_card(found.generation),
    ]
    bars = tuple(_bar(score) for score in found.generation.scores)
    return Findings(anchor, name, tuple(card for card in cards if card is not None), bars)


def points_findings(name: str, z_dim: int, measured: dict[str, Measurement]) -> Findings:
    """Return the headline numbers of z-points without a model."""
    cards = (_radius_card(measured), _variance_card(measured, z_dim))
    return Findings("points", name, tuple(card for card in cards if card is not None), ())


def final_loss(training: TrainResult) -> tuple[str, float] | None:
    """Return which loss speaks for a model, and its value: validation where there is one."""
    if not training.history:
        return None
    last = training.history[-1]
    if last.validation_loss is not None:
        return "validation", last.validation_loss
    return "training", last.training_loss


def _loss_card(training: TrainResult) -> Card | None:
    final = final_loss(training)
    if final is None:
        return None
    which, loss = final
    last = training.history[-1]
    notes = [f"{number(loss / training.n_pixels)} per pixel, after epoch {last.epoch}"]
    if which == "validation":
        notes.append(f"training {number(last.training_loss)}")
    return Card(f"Loss on {which} images", number(loss), training.loss_unit, tuple(notes))


def _estimate(measured: dict[str, Measurement], measure: str, key: str) -> Estimate | None:
    measurement = measured.get(measure)
    return measurement.estimates.get(key) if measurement is not None else None


def _radius_card(measured: dict[str, Measurement]) -> Card | None:
    mean, peak = _estimate(measured, "radius", "mean_radius"), _estimate(measured, "radius", "peak_radius")
    if mean is None:
        return None
    notes = [f"{interval_words(mean)} ({level_words(mean)})"] if mean.interval else []
    if peak is not None:
        notes.append(f"densest at {_shown(peak)}")
    if verdict := band_verdict(mean):
        notes.append(f"this mean is {verdict} its null band")
    return Card("Mean radius", _shown(mean), mean.unit, tuple(notes))


def _variance_card(measured: dict[str, Measurement], z_dim: int) -> Card | None:
    needed = _estimate(measured, "principal", "n_for_90_percent")
    if needed is None:
        return None
    notes = [f"of {number(z_dim)} hold 90 % of the variance"]
    if (first := _estimate(measured, "principal", "first_component_share")) is not None:
        notes.append(f"the first alone: {_shown(first)}")
    return Card("Principal components", _shown(needed), "", tuple(notes))


def _faces_card(generation: GenerateResult) -> Card | None:
    samplers = [score for score in generation.scores if score.sampler not in REFERENCES]
    known = [(score.face_rate.value, score) for score in samplers if score.face_rate.value is not None]
    if not samplers:
        return None
    if not known:
        reason = samplers[0].face_rate.reason or NOT_RECORDED
        return Card("Faces from random z-points", "not known", "", (reason,))
    rate, best = max(known, key=lambda pair: pair[0])
    word = "best" if rate >= _WORKS else "no sampler works; the best"
    notes = [f"{word} of {len(samplers)} samplers: {best.title}"]
    notes += [
        f"the originals themselves: {rate_words(score)}" for score in generation.scores if score.sampler == "originals"
    ]
    return Card("Faces from random z-points", share(rate, best.face_rate.interval), "", tuple(notes))


def _shown(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return "not measured"
    return estimate_number(estimate) or f"not known: {estimate.reason or NOT_RECORDED}"


def _bar(score: SampleScore) -> RateBar:
    rate = score.face_rate.value
    percent = None if rate is None else round(100 * rate, 2)
    return RateBar(score.title, rate_words(score), percent, score.sampler in REFERENCES)


def comparison_table(results: StudyResults) -> Table:
    """Return the models side by side: one column per model, one row per quantity."""
    models = results.models
    samplers = {score.sampler: score.title for found in models.values() for score in found.generation.scores}
    names = (*_COMPARED, *(f"Faces, {title}" for title in samplers.values()))
    columns = [_comparison_column(found, tuple(samplers)) for found in models.values()]
    return Table("Models side by side", ("", *models), tuple(zip(names, *columns, strict=True)))


_WORKS = 0.5
"""A sampler that shows no face in half of its images is not called one that works."""

_COMPARED = ("Parameters", "Epochs", "Loss", "Loss per pixel", "Loss in", "Mean radius", "Densest radius")


def _comparison_column(found: ModelResults, samplers: tuple[str, ...]) -> tuple[Cell, ...]:
    training, final = found.training, final_loss(found.training)
    rates = {score.sampler: rate_words(score) for score in found.generation.scores}
    losses: tuple[Cell, Cell] = ("not recorded", "")
    if final is not None:
        which, loss = final
        losses = (Number(f"{number(loss)} ({which})", repr(loss)), number(loss / training.n_pixels))
    return (
        number(training.encoder_parameters + training.decoder_parameters),
        number(training.epochs),
        *losses,
        training.loss_unit,
        *(estimate_words(_estimate(found.measurements, "radius", key)) for key in ("mean_radius", "peak_radius")),
        *(rates.get(sampler, "not drawn") for sampler in samplers),
    )
