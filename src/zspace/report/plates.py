"""Figures with all that stands beside them, and sheets of images, ready for the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from zspace.figures import (
    LOSS_CAPTION,
    RATE_CAPTION,
    REFERENCES,
    FigureRow,
    contact_sheet,
    draw_losses,
    draw_rates,
    figure_set,
    inline_svg,
    paired_sheet,
    slug,
    to_png,
    to_svg,
)
from zspace.report.findings import Finding
from zspace.report.headline import rate_words
from zspace.report.model_findings import detector_applies, has_learned
from zspace.report.posts import posts_on
from zspace.report.tables import (
    Cell,
    EstimateTable,
    Table,
    account_table,
    curve_table,
    estimate_table,
    history_table,
)
from zspace.report.values import Number, duration, estimate_number, estimate_words, number
from zspace.report.words import quantity_words
from zspace.results import GenerateResult, Measurement, SampleScore, TrainResult
from zspace.shapes import Image, Images

N_COLUMNS = 8
"""Images in a row of a contact sheet: faces stay recognisable on a phone."""

N_PAIRS_SHOWN = 16
"""Pairs of images that are alike, as pictures."""


@dataclass(frozen=True)
class Manner:
    """How a page tells: what goes for all of its figures."""

    compare_with_posts: bool
    said: dict[str, set[str]] = field(default_factory=dict)
    """By section, the sentences on reading its figures that stand on the page already."""

    def unsaid(self, section: str, caption: str) -> str:
        """Return the sentences of a caption that this section, of any model, has not told yet; they are now told."""
        said = self.said.setdefault(section, set())
        sentences = [one for one in _SENTENCES.split(caption) if one not in said]
        said.update(sentences)
        return " ".join(sentences)


_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z])")


@dataclass(frozen=True)
class Comparison:
    """One line of an "in the posts" box."""

    quantity: str
    posts: str
    model: str
    here: Cell


@dataclass(frozen=True)
class Plate:
    """A figure with all that stands beside it."""

    anchor: str
    title: str
    caption: str
    """How to read it; empty where it has been said before."""
    file_name: str
    """Of the figure as a file, without its ending."""
    document: str
    """The figure as an SVG document."""
    comparisons: tuple[Comparison, ...]
    tables: tuple[Table, ...]
    is_wide: bool = False

    @property
    def svg(self) -> Markup:
        """The figure as part of the page."""
        # What is drawn comes escaped from matplotlib's own XML writer.
        return Markup(inline_svg(self.document))  # noqa: S704


@dataclass(frozen=True)
class Sheet:
    """A contact sheet with its heading."""

    title: str
    rate: Cell
    source: str
    """A data URI, or nothing when no images were kept."""
    width: int
    height: int
    caption: str


@dataclass(frozen=True)
class MeasureSection:
    """One measurement."""

    anchor: str
    title: str
    question: str
    finding: Finding
    plates: tuple[Plate, ...]
    estimates: EstimateTable
    elapsed: Number | None = None
    summary: Table | None = None
    """Stands before the figures."""
    listing: Table | None = None
    """Behind the sheets, folded away."""
    sheets: tuple[Sheet, ...] = ()


def measure_section(
    anchor: str, measurement: Measurement, finding: Finding, manner: Manner, sheets: tuple[Sheet, ...] = ()
) -> MeasureSection:
    """Return a measurement's figures, each with caption, numbers and the posts' values, and all its estimates.

    Parameters
    ----------
    finding
        What it found.
    manner
        Of the page.
    sheets
        Images that belong to it.
    """
    drawn = figure_set(measurement)
    anchor = f"{anchor}-{slug(measurement.name)}"
    return MeasureSection(
        anchor=anchor,
        title=drawn.title,
        question=drawn.question,
        finding=finding,
        plates=tuple(_measure_plate(anchor, measurement, row, manner) for row in drawn.rows(measurement)),
        estimates=estimate_table(measurement.estimates),
        elapsed=None if measurement.elapsed_seconds is None else duration(measurement.elapsed_seconds),
        listing=_pair_table(measurement) if measurement.pairs else None,
        sheets=sheets,
    )


def _pair_table(measurement: Measurement) -> Table:
    rows = tuple(
        (pair.name, pair.other_name, number(pair.likeness), "yes" if pair.exact else "no") for pair in measurement.pairs
    )
    return Table("The most alike images among neighbours", ("image", "neighbour", "likeness", "same pixels"), rows)


def comparisons(section: str, here: Mapping[str, tuple[str, Cell]], manner: Manner) -> tuple[Comparison, ...]:
    """Return what the posts report beside what was found here; nothing where the study is not to be compared with them.

    Parameters
    ----------
    section
        Of the posts' values.
    here
        By their key: what the quantity is called, and what was found.
    """
    if not manner.compare_with_posts:
        return ()
    return tuple(
        Comparison(here[post.key][0], post.value, post.model, here[post.key][1])
        for post in posts_on(section, tuple(here))
    )


def _measure_plate(anchor: str, measurement: Measurement, row: FigureRow, manner: Manner) -> Plate:
    here = {key: (quantity_words(key), estimate_words(measurement.estimates.get(key))) for key in row.estimates}
    return Plate(
        anchor=f"{anchor}-{row.key}",
        title=row.title,
        caption=manner.unsaid(measurement.name, row.caption),
        file_name=row.key,
        document=to_svg(row.draw(measurement), f"{anchor}-{row.key}"),
        comparisons=comparisons(measurement.name, here, manner),
        tables=tuple(curve_table(name, measurement.curves[name]) for name in row.curves),
        is_wide=row.is_wide,
    )


def loss_plate(anchor: str, training: TrainResult, manner: Manner) -> Plate:
    """Return the loss curves, with the posts' loss beside the study's."""
    last = training.history[-1]
    loss = last.training_loss
    here: dict[str, Cell] = {
        "loss": Number(f"{number(loss)} {training.loss_unit} (training, epoch {last.epoch})", repr(loss)),
        "loss_per_pixel": number(loss / training.n_pixels),
        "images_per_second": Number(
            f"{number(training.images_per_second)} ({training.device})", repr(training.images_per_second)
        ),
    }
    return Plate(
        anchor=f"{anchor}-losses",
        title="Loss over training",
        caption=manner.unsaid("losses", LOSS_CAPTION),
        file_name="losses",
        document=to_svg(draw_losses(training), f"{anchor}-losses"),
        comparisons=comparisons("training", {key: (quantity_words(key), cell) for key, cell in here.items()}, manner),
        tables=(account_table(training), history_table(training)),
    )


def rate_plate(anchor: str, generation: GenerateResult, manner: Manner) -> Plate:
    """Return the face rates of all samplers beside the references."""
    here = {score.sampler: (score.title, rate_words(score)) for score in generation.scores}
    return Plate(
        anchor=f"{anchor}-rates",
        title="How often a face is found",
        caption=manner.unsaid("rates", RATE_CAPTION),
        file_name="rates",
        document=to_svg(draw_rates(generation), f"{anchor}-rates"),
        comparisons=comparisons("generation", here, manner),
        tables=(),
    )


def score_words(score: SampleScore, generation: GenerateResult) -> str:
    """Return what is known of the images of a sampler: their faces, where that says anything, and their spread."""
    words = []
    if has_learned(generation) and detector_applies(generation):
        words.append(f"faces {rate_words(score)}")
    if score.spread is not None and score.spread.value is not None:
        words.append(f"spread {estimate_number(score.spread)}")
    return ", ".join(words)


def pair_sheet(generation: GenerateResult, pictures: dict[str, Images]) -> Sheet:
    """Return originals above their reconstructions, with how varied these are."""
    originals, reconstructions = (pictures.get(key, ()) for key in REFERENCES)
    kept = len(originals) > 0 and len(reconstructions) > 0
    caption = (
        "Rows in pairs: originals above, their reconstructions below. The originals are drawn at random from the "
        f"{generation.originals_split} split, not chosen by eye."
    )
    rate = next(
        (score_words(score, generation) for score in generation.scores if score.sampler == "reconstructions"), ""
    )
    image = paired_sheet(pictures["originals"], pictures["reconstructions"], N_COLUMNS) if kept else None
    return _sheet("Originals and reconstructions", rate, image, caption)


def sampler_sheets(generation: GenerateResult, pictures: dict[str, Images]) -> tuple[Sheet, ...]:
    """Return one sheet per sampler, in the order of the scores."""
    sheets = []
    for score in generation.scores:
        if score.sampler in REFERENCES:
            continue
        images = pictures.get(score.sampler)
        image = contact_sheet(images, N_COLUMNS) if images is not None and len(images) else None
        caption = f"The first ones drawn, by generate.samplers = {score.sampler}."
        sheets.append(_sheet(score.title, score_words(score, generation), image, caption))
    return tuple(sheets)


def component_sheet(generation: GenerateResult, images: Images | None) -> tuple[Sheet, ...]:
    """Return the images along the first principal components, one row for each; nothing where none were decoded."""
    steps = generation.component_steps
    if images is None or not len(images):
        return ()
    caption = (
        "Decoded points on straight lines through the centre of the cloud: one row for each principal component, the "
        f"largest first, at {', '.join(f'{step:+g}' if step else '0' for step in steps)} standard deviations."
    )
    return (_sheet("Along the first principal components", "", contact_sheet(images, len(steps)), caption),)


def copy_sheet(images: Images | None) -> tuple[Sheet, ...]:
    """Return the most alike neighbours, one above the other; nothing where there are none.

    Parameters
    ----------
    images
        The two images of each pair, one after the other.
    """
    if images is None or not len(images):
        return ()
    caption = "Rows in pairs: images above, below each the neighbour in z that it is most like; the most alike first."
    sheet = paired_sheet(images[::2], images[1::2], N_COLUMNS)
    return (_sheet("The most alike images among neighbours", "", sheet, caption),)


def _sheet(title: str, rate: Cell, image: Image | None, caption: str) -> Sheet:
    if image is None:
        return Sheet(title, rate, "", 0, 0, "No images were kept.")
    source = f"data:image/png;base64,{base64.b64encode(to_png(image)).decode()}"
    return Sheet(title, rate, source, image.shape[1], image.shape[0], caption)
