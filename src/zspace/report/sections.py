"""Records become the sections of the page: facts of the data and of each model, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from zspace.figures import slug
from zspace.figures.numbers import format_grid
from zspace.report.findings import Finding
from zspace.report.map_plates import maps_section
from zspace.report.model_findings import detector_applies, has_learned
from zspace.report.plates import (
    Manner,
    MeasureSection,
    Plate,
    Sheet,
    component_sheet,
    copy_sheet,
    loss_plate,
    measure_section,
    pair_sheet,
    rate_plate,
    sampler_sheets,
)
from zspace.report.tables import Cell, EstimateTable, Table, estimate_table
from zspace.report.values import duration, number
from zspace.results import (
    CloudFacts,
    EncodeResult,
    GenerateResult,
    Map,
    MapSheet,
    Measurement,
    ModelResults,
    PackResult,
    TrainResult,
)
from zspace.settings import ModelSettings
from zspace.shapes import Images

Facts = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class ModelSection:
    """All that is shown of one model."""

    anchor: str
    name: str
    facts: Facts
    losses: Plate | None
    reconstruction_finding: Finding
    reconstructions: Sheet | None
    points: PointFacts | None
    unmeasured: str
    """Why nothing was measured; empty where it was."""
    measures: tuple[MeasureSection, ...]
    generated_finding: Finding | None
    rates: Plate | None
    rate_title: str
    rate_table: EstimateTable
    ungenerated: str
    """Why nothing was generated; empty where it was."""
    sheets: tuple[Sheet, ...]

    @property
    def plates(self) -> Iterator[Plate]:
        """All figures of the model."""
        yield from (plate for plate in (self.losses, self.rates) if plate is not None)
        for measure in self.measures:
            yield from measure.plates


@dataclass(frozen=True)
class DataSection:
    """What is said of the images."""

    facts: Facts
    skipped: Table
    duplicates: Table
    attributes: tuple[str, ...]


def data_section(images: PackResult) -> DataSection:
    """Return counts, splits, what was skipped and why, and duplicates."""
    splits = images.splits
    facts: Facts = (
        ("source", images.source),
        ("files looked at", number(images.n_files)),
        ("images", number(images.n_images)),
        ("skipped", number(images.n_skipped)),
        ("duplicates", number(images.n_duplicates)),
        ("training", number(splits.train)),
        ("validation", number(splits.validation)),
        ("test", number(splits.test)),
        ("split", images.split_rule),
        ("size", f"{images.size} × {images.size} pixels"),  # noqa: RUF001 - the sign for "by"
        ("crop", images.crop),
        ("enlarged", number(images.n_upscaled)),
    )
    reasons = tuple((reason, number(count)) for reason, count in images.skipped_reasons.items())
    return DataSection(
        facts,
        Table("Skipped files", ("reason", "files"), reasons),
        Table("Exact duplicates, the first pairs", ("copy", "equals"), images.duplicate_examples),
        images.attributes,
    )


@dataclass(frozen=True)
class PointFacts:
    """What is said of the z-points that were measured."""

    facts: Facts
    notes: tuple[str, ...]


def points_facts(found: CloudFacts) -> PointFacts:
    """Return what was read, and what was noticed about it."""
    facts: Facts = (
        ("source", found.source),
        ("points given", number(found.n_given)),
        ("points measured", number(found.n_used)),
        ("dimensions of z-space", number(found.z_dim)),
        ("rows left out: not finite", number(found.n_not_finite)),
        ("points that repeat another", number(found.n_duplicates)),
        ("axes on which nothing varies", number(found.n_constant_axes)),
        ("fewer points than dimensions", "yes" if found.n_used <= found.z_dim else "no"),
        ("posterior (mu and logvar)", "yes" if found.has_posterior else "no"),
    )
    return PointFacts(facts, found.notes)


def model_section(
    place: int,
    name: str,
    found: ModelResults,
    asked: ModelSettings | None,
    pictures: dict[str, Images],
    sheets: Mapping[str, MapSheet],
    findings: tuple[Finding, ...],
    manner: Manner,
) -> ModelSection:
    """Return one model's facts, figures, numbers and images.

    Parameters
    ----------
    place
        Position among the models; keeps anchors apart where names look alike.
    asked
        The model's settings, or None when the plan does not name it.
    sheets
        Where the points lie on each map, by its name.
    findings
        Of the model.
    manner
        Of the page.
    """
    anchor = f"m{place}-{slug(name)}"
    generation = found.generation
    beside = {
        "principal": component_sheet(generation, pictures.get("components")) if generation is not None else (),
        "copies": copy_sheet(pictures.get("copies")),
    }
    by_section = {finding.section: finding for finding in findings}
    return ModelSection(
        anchor=anchor,
        name=name,
        facts=_model_facts(found.training, found.encoding, asked),
        losses=loss_plate(anchor, found.training, manner) if found.training.history else None,
        reconstruction_finding=by_section["reconstructions"],
        reconstructions=pair_sheet(generation, pictures) if generation is not None else None,
        points=points_facts(found.cloud) if found.cloud else None,
        unmeasured=_why_missing(found, "measure") if found.measurements is None else "",
        measures=measure_sections(anchor, found.measurements or {}, found.maps, sheets, beside, findings, manner),
        generated_finding=by_section.get("generated"),
        rates=rate_plate(anchor, generation, manner) if generation is not None and _tells_faces(generation) else None,
        rate_title=_rate_title(generation),
        rate_table=_rate_table(generation) if generation is not None else EstimateTable(),
        ungenerated=_why_missing(found, "generate") if generation is None else "",
        sheets=sampler_sheets(generation, pictures) if generation is not None else (),
    )


def _why_missing(found: ModelResults, step: str) -> str:
    return found.unfinished.get(step, "run the study to its end")


def _tells_faces(generation: GenerateResult) -> bool:
    return bool(generation.scores) and has_learned(generation) and detector_applies(generation)


def _rate_title(generation: GenerateResult | None) -> str:
    if generation is None or has_learned(generation):
        return "Faces and spread"
    return "Faces and spread, of a model that is not known to have learned to draw: face rates say nothing"


def _rate_table(generation: GenerateResult) -> EstimateTable:
    """Return face rate and spread of every sampler; no rates where the detector does not apply."""
    rates = {f"Faces, {score.title}": score.face_rate for score in generation.scores}
    spreads = {f"Spread, {score.title}": score.spread for score in generation.scores if score.spread is not None}
    return estimate_table({**(rates if detector_applies(generation) else {}), **spreads})


def measure_sections(
    anchor: str,
    measurements: Mapping[str, Measurement],
    maps: Mapping[str, Map],
    sheets: Mapping[str, MapSheet],
    images: Mapping[str, tuple[Sheet, ...]],
    findings: tuple[Finding, ...],
    manner: Manner,
) -> tuple[MeasureSection, ...]:
    """Return the sections of all that was measured, the maps last.

    Parameters
    ----------
    sheets
        Where the points lie on each map, by its name.
    images
        What of them belongs to which measurement.
    findings
        One for each measurement, and one for the maps.
    manner
        Of the page.
    """
    told = {finding.section: finding for finding in findings}
    found = [
        measure_section(anchor, one, told[one.name], manner, images.get(name, ())) for name, one in measurements.items()
    ]
    return (*found, maps_section(anchor, maps, sheets, told["maps"], manner)) if maps else tuple(found)


def _model_facts(training: TrainResult, encoding: EncodeResult | None, asked: ModelSettings | None) -> Facts:
    found: Facts = (
        ("dimensions of z-space", number(training.z_dim)),
        ("encoder parameters", number(training.encoder_parameters)),
        ("decoder parameters", number(training.decoder_parameters)),
        ("training images", number(training.n_images)),
        ("epochs", number(training.epochs)),
        ("steps an epoch", number(training.steps_per_epoch)),
        ("images a second", number(training.images_per_second)),
        ("training time", duration(training.elapsed_seconds)),
        ("device", training.device),
        ("precision", training.precision),
        ("pixels while training", training.images_held or "not recorded"),
        ("processes", number(training.n_processes)),
        ("loss", f"{training.loss_name}, {training.loss_unit}"),
        ("z-points encoded", number(encoding.n_points) if encoding is not None else "not finished"),
        ("weights digest", training.weights_digest),
    )
    return (*_asked_facts(asked), *found) if asked else found


def _numbers(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))


def _asked_facts(asked: ModelSettings) -> Facts:
    network, training = asked.network, asked.training
    return (
        ("convolutions", " → ".join(map(str, network.filters))),
        ("kernels and strides", f"{_numbers(network.kernel_sizes)} and {_numbers(network.strides)} pixels"),
        ("batch normalisation", "yes" if network.batch_norm else "no"),
        ("batch", f"{training.batch_size:,} images"),
        ("step size of Adam", format_grid(training.learning_rate)),
    )
