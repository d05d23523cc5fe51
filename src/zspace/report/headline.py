"""What a reader wants to know first: the findings of each model, the few numbers behind them, and models side by side.

No number stands here that a useless model could earn: rates of faces need a model that has learned to draw.
"""

from __future__ import annotations

from dataclasses import dataclass

from zspace.figures import REFERENCES
from zspace.report.findings import Finding, measurement_findings
from zspace.report.model_findings import best_sampler, detector_applies, findings_of, has_learned, learning_finding
from zspace.report.tables import Cell, Table
from zspace.report.values import (
    NOT_RECORDED,
    Number,
    estimate_number,
    estimate_words,
    interval_words,
    level_words,
    number,
    share,
)
from zspace.results import (
    Estimate,
    GenerateResult,
    Learning,
    Map,
    Measurement,
    ModelResults,
    SampleScore,
    StudyResults,
    TrainResult,
)


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
class Headline:
    """The first screen of one model."""

    anchor: str
    name: str
    findings: tuple[Finding, ...]
    cards: tuple[Card, ...]
    bars: tuple[RateBar, ...]


def headline_of(anchor: str, name: str, found: ModelResults) -> Headline:
    """Return the headline of a model, all read from its records."""
    generation, measured = found.generation, found.measurements or {}
    z_dim = found.encoding.z_dim if found.encoding is not None else found.training.z_dim
    shows_faces = generation is not None and has_learned(generation) and detector_applies(generation)
    cards = [
        _learning_card(generation.learning if generation is not None else None),
        _loss_card(found.training),
        _radius_card(measured),
        _variance_card(measured, z_dim),
        _faces_card(generation) if generation is not None and shows_faces else None,
    ]
    bars = tuple(_bar(score) for score in generation.scores) if generation is not None and shows_faces else ()
    findings = findings_of(found)
    return Headline(anchor, name, findings, tuple(card for card in cards if card is not None), bars)


def points_headline(name: str, z_dim: int, measured: dict[str, Measurement], maps: dict[str, Map]) -> Headline:
    """Return the headline of z-points without a model."""
    cards = (_radius_card(measured), _variance_card(measured, z_dim))
    findings = measurement_findings(measured, maps)
    return Headline("points", name, findings, tuple(card for card in cards if card is not None), ())


def final_loss(training: TrainResult) -> tuple[str, float] | None:
    """Return which loss speaks for a model, and its value: validation where there is one."""
    if not training.history:
        return None
    last = training.history[-1]
    if last.validation_loss is not None:
        return "validation", last.validation_loss
    return "training", last.training_loss


def _learning_card(learning: Learning | None) -> Card | None:
    if learning is None or learning.explained.value is None:
        return None
    notes = (
        f"{interval_words(learning.explained)} ({level_words(learning.explained)})",
        f"loss {_shown(learning.loss)}, of one constant image {_shown(learning.constant_loss)}",
    )
    return Card("From one constant image to exact drawing", _shown(learning.explained), "", notes)


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
    best = best_sampler(generation)
    if best is None or best.face_rate.value is None:
        return None
    notes = [f"the best sampler: {best.title}"]
    if best.spread is not None:
        notes.append(f"its images vary {estimate_words(best.spread, with_unit=False)} as much as the originals")
    originals = next((score for score in generation.scores if score.sampler == "originals"), None)
    if originals is not None:
        notes.append(f"the originals themselves: {rate_words(originals)}")
    value = share(best.face_rate.value, best.face_rate.interval)
    return Card("Faces from random z-points", value, "", tuple(notes))


def _shown(estimate: Estimate | None) -> Cell:
    if estimate is None:
        return "not measured"
    return estimate_number(estimate) or f"not known: {estimate.reason or NOT_RECORDED}"


def rate_words(score: SampleScore) -> Cell:
    """Return a face rate with its interval as percentages, or why it is not known."""
    return estimate_words(score.face_rate, with_unit=False)


def _bar(score: SampleScore) -> RateBar:
    rate = score.face_rate.value
    percent = None if rate is None else round(100 * rate, 2)
    return RateBar(score.title, rate_words(score), percent, score.sampler in REFERENCES)


# --- Models side by side ----------------------------------------------------------------------------------------------

_COMPARED = (
    "Has learned to draw",
    "From one constant image to exact drawing",
    "Parameters",
    "Epochs",
    "Loss",
    "Loss per pixel",
    "Loss in",
    "Mean radius",
    "Densest radius",
)


def comparison_table(results: StudyResults) -> Table:
    """Return the models side by side: one column per model, one row per quantity."""
    models = results.models
    generations = [found.generation for found in models.values() if found.generation is not None]
    judged = [generation for generation in generations if detector_applies(generation)]
    samplers = {score.sampler: score.title for generation in judged for score in generation.scores}
    names = (*_COMPARED, *(f"Faces, {title}" for title in samplers.values()))
    columns = [_comparison_column(found, tuple(samplers)) for found in models.values()]
    return Table("Models side by side", ("", *models), tuple(zip(names, *columns, strict=True)))


def _comparison_column(found: ModelResults, samplers: tuple[str, ...]) -> tuple[Cell, ...]:
    training, final = found.training, final_loss(found.training)
    losses: tuple[Cell, Cell] = ("not recorded", "")
    if final is not None:
        which, loss = final
        losses = (Number(f"{number(loss)} ({which})", repr(loss)), number(loss / training.n_pixels))
    learning = found.generation.learning if found.generation is not None else None
    measured = found.measurements or {}
    return (
        learning.verdict if learning is not None else "cannot tell",
        estimate_words(learning.explained if learning is not None else None, with_unit=False),
        number(training.encoder_parameters + training.decoder_parameters),
        number(training.epochs),
        *losses,
        training.loss_unit,
        *(estimate_words(_estimate(measured, "radius", key)) for key in ("mean_radius", "peak_radius")),
        *_rate_cells(found.generation, samplers),
    )


def _rate_cells(generation: GenerateResult | None, samplers: tuple[str, ...]) -> tuple[Cell, ...]:
    if generation is None:
        return ("not finished",) * len(samplers)
    if not detector_applies(generation):
        return ("does not apply",) * len(samplers)
    mark = "" if has_learned(generation) else "; says nothing, since it is not known to have learned"
    rates = {score.sampler: rate_words(score) for score in generation.scores}
    return tuple(_marked(rates.get(sampler, "not drawn"), mark) for sampler in samplers)


def _marked(cell: Cell, mark: str) -> Cell:
    return Number(f"{cell}{mark}", cell.exact) if isinstance(cell, Number) else cell


def learning_lines(results: StudyResults) -> tuple[str, ...]:
    """Return one line for every model that is not known to have learned to draw."""
    return tuple(
        f"{name}: {learning_finding(found.generation, found.unfinished.get('generate', '')).sentence}"
        for name, found in results.models.items()
        if not has_learned(found.generation)
    )
