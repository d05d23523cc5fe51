"""Records become the sections of the page: facts of the data and of each model, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from zspace.figures import slug
from zspace.figures.numbers import format_grid
from zspace.report.map_plates import maps_section
from zspace.report.plates import (
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
from zspace.report.tables import Cell, EstimateRow, Table, estimate_rows
from zspace.report.values import duration, number
from zspace.results import CloudFacts, EncodeResult, Map, MapSheet, Measurement, ModelResults, PackResult, TrainResult
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
    reconstructions: Sheet
    points: PointFacts | None
    measures: tuple[MeasureSection, ...]
    rates: Plate | None
    rate_rows: tuple[EstimateRow, ...]
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
    """
    anchor = f"m{place}-{slug(name)}"
    beside = {
        "principal": component_sheet(found.generation, pictures.get("components")),
        "copies": copy_sheet(pictures.get("copies")),
    }
    return ModelSection(
        anchor=anchor,
        name=name,
        facts=_model_facts(found.training, found.encoding, asked),
        losses=loss_plate(anchor, found.training) if found.training.history else None,
        reconstructions=pair_sheet(found.generation, pictures),
        points=points_facts(found.cloud) if found.cloud else None,
        measures=measure_sections(anchor, found.measurements, found.maps, sheets, beside),
        rates=rate_plate(anchor, found.generation) if found.generation.scores else None,
        rate_rows=estimate_rows({score.title: score.face_rate for score in found.generation.scores}),
        sheets=sampler_sheets(found.generation, pictures),
    )


def measure_sections(
    anchor: str,
    measurements: Mapping[str, Measurement],
    maps: Mapping[str, Map],
    sheets: Mapping[str, MapSheet],
    images: Mapping[str, tuple[Sheet, ...]],
) -> tuple[MeasureSection, ...]:
    """Return the sections of all that was measured, the maps last.

    Parameters
    ----------
    sheets
        Where the points lie on each map, by its name.
    images
        What of them belongs to which measurement.
    """
    found = [measure_section(anchor, one, images.get(name, ())) for name, one in measurements.items()]
    return (*found, maps_section(anchor, maps, sheets)) if maps else tuple(found)


def _model_facts(training: TrainResult, encoding: EncodeResult, asked: ModelSettings | None) -> Facts:
    found: Facts = (
        ("dimensions of z-space", number(encoding.z_dim)),
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
        ("z-points encoded", number(encoding.n_points)),
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
