"""From a source of images to an image store: `pack_images`."""

from __future__ import annotations

import math
import time
from array import array
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from zspace.errors import SourceUnreadable, TooFewImages, TooManySkipped
from zspace.images.attributes import (
    AttributeTable,
    JoinedAttributes,
    beside,
    join_attributes,
    read_attribute_table,
)
from zspace.images.batches import Batch, Recipe, finish_batches
from zspace.images.candidates import ImageSource
from zspace.images.duplicates import Originals, find_originals
from zspace.images.fitting import crop_rule
from zspace.images.sources import FEWEST_IMAGES, open_source, source_signature, too_few_images
from zspace.images.splits import SPLITS, Codes, check_fractions, split_images
from zspace.images.store import IMAGES, INDEX, SKIPPED, store_digest
from zspace.images.store_files import (
    ImageWriter,
    building,
    write_attributes,
    write_document,
    write_parquet,
    write_skipped,
)
from zspace.machine import usable_cores
from zspace.results import PackResult, Progress, SplitCounts, Watcher, watch_nothing
from zspace.settings import ImageSettings

__all__ = ["pack_images", "source_signature"]

_SECONDS_BETWEEN_RECORDS = 0.2
_N_DUPLICATES_SHOWN = 20
_DARKEST_WHITE = 64
"""A set whose brightest value lies below is told to be dark: it may be of another range than 0 to 255."""


@dataclass
class _Packed:
    """What is known of the images apart from their pixels, growing batch by batch; some 150 bytes an image."""

    names: list[str] = field(default_factory=list)
    checksums: array[int] = field(default_factory=lambda: array("I"))
    sides: array[int] = field(default_factory=lambda: array("i"))
    attributes: array[float] = field(default_factory=lambda: array("f"))
    skipped: list[tuple[str, str]] = field(default_factory=list)
    n_upscaled: int = 0
    brightest: int = 0
    masks: list[str] = field(default_factory=list)

    @property
    def n_files(self) -> int:
        return len(self.names) + len(self.skipped)

    def add(self, batch: Batch) -> None:
        self.names += batch.names
        self.checksums += batch.checksums
        self.sides += batch.sides
        self.attributes += batch.attributes
        self.skipped += batch.skipped
        self.n_upscaled += batch.n_upscaled
        self.brightest = max(self.brightest, batch.brightest)
        self.masks += batch.masks


def pack_images(
    settings: ImageSettings, seed: int, folder: Path, watch: Watcher = watch_nothing, *, for_training: bool = True
) -> PackResult:
    """Decode, cut and scale every image of a source once, into a store that opens at once.

    Parameters
    ----------
    settings
        Which images, and how they become squares.
    seed
        Only used for the drawn faces.
    folder
        Where the store will be: missing, empty, or an earlier store of the same source, which is replaced at the end.
    watch
        Called about five times a second, and at the end. The total is an estimate while a tar archive is read.
    for_training
        Whether a model will be trained on them. If not, one image is enough, and all are of one split, the test.

    Returns
    -------
    PackResult
        The same that the store keeps in ``store.json``.

    Raises
    ------
    SettingOutOfRange
        When the crop is no crop, or the splits leave nothing to train on.
    SourceNotFound, SourceUnreadable, NoImagesFound, TooFewImages
        When the source gives no images, or masks of 0 and 1 that would all be black.
    TooManySkipped
        When more files than allowed give no image; they are listed in ``<folder>.skipped.csv``.
    AttributesUnreadable
        When the table of attributes cannot be read or joined.
    FolderNotEmpty, FolderInUse, OutputNotWritable, DiskFull
        When the store cannot be written.

    Cost
    ----
    Little more than decoding and scaling on all cores (`bench/pack.py` tells); some 200 MiB of memory and 300
    bytes an image, or up to 900 MiB while photographs of many megapixels are decoded. However it ends, Ctrl-C and kill
    included, nothing is left at ``folder`` that opens but is not whole.
    """
    started = time.perf_counter()
    if for_training:
        check_fractions(settings)
    fewest = FEWEST_IMAGES if for_training else 1
    recipe = Recipe(crop_rule(settings.crop), settings.size, settings.max_megapixels)
    source = open_source(settings, seed, fewest)
    table = read_attribute_table(settings, source)
    with building(folder, settings.source) as partial:
        packed = _write_images(source, recipe, partial, watch)
        _refuse_unless_usable(packed, settings, _skipped_list(folder), fewest)
        codes, split_rule = _split(packed, settings) if for_training else _unsplit(packed)
        found = _find_out(packed, source, table, partial, codes, split_rule)
        write_parquet(partial / INDEX, _index(packed, found))
        if found.attributes.names:
            write_attributes(partial, found.attributes.names, found.attributes.values)
        write_skipped(partial / SKIPPED, packed.skipped)
        notes = (*source.notes, *source.late_notes(), *_note_of_darkness(packed), *found.attributes.notes)
        result = _result(packed, found, settings, notes, time.perf_counter() - started)
        write_document(partial, result)
    _skipped_list(folder).unlink(missing_ok=True)
    return result


def _write_images(source: ImageSource, recipe: Recipe, folder: Path, watch: Watcher) -> _Packed:
    packed = _Packed()
    watched_at = time.monotonic()
    with (
        closing(ImageWriter(folder, recipe.size)) as writer,
        source.open() as candidates,
        closing(finish_batches(candidates, recipe, usable_cores())) as batches,
    ):
        for batch in batches:
            writer.write(batch.images)
            packed.add(batch)
            if time.monotonic() - watched_at >= _SECONDS_BETWEEN_RECORDS:
                watch(_progress(packed, source.expected(packed.n_files)))
                watched_at = time.monotonic()
        writer.finish()
    watch(_progress(packed, packed.n_files))
    return packed


def _progress(packed: _Packed, total: int) -> Progress:
    return Progress("pack", packed.n_files, total, "images", {"skipped": len(packed.skipped)})


def _skipped_list(folder: Path) -> Path:
    folder = folder.absolute()
    return folder.with_name(f"{folder.name}.{SKIPPED}")


def _reasons(packed: _Packed) -> dict[str, int]:
    return dict(Counter(reason for _, reason in packed.skipped).most_common())


def _refuse_unless_usable(packed: _Packed, settings: ImageSettings, skipped_list: Path, fewest: int) -> None:
    n_skipped = len(packed.skipped)
    if n_skipped > settings.max_skipped_fraction * packed.n_files:
        write_skipped(skipped_list, packed.skipped)
        reasons = ", ".join(f"{count} {reason}" for reason, count in _reasons(packed).items())
        commonest = next(iter(_reasons(packed)))
        enough = math.ceil(1000 * n_skipped / packed.n_files) / 1000
        go_on = f"--max-skipped-fraction {enough:g} would go on without them."
        if not packed.names:
            go_on = f"none is left to go on with: mend what is commonest, {commonest!r}, or check the path."
        raise TooManySkipped(
            settings.source,
            f"must give images for all but {settings.max_skipped_fraction:.3g} of its files",
            f"{n_skipped} skipped of {packed.n_files} ({reasons})",
            f"They are listed in {skipped_list}; {go_on}",
        )
    if len(packed.names) < fewest:
        raise too_few_images(settings.source, len(packed.names), fewest)
    if packed.brightest == 1:
        rule, got = "must hold pictures of values up to 255", "none above 1, as in masks of 0 and 1"
        raise SourceUnreadable(settings.source, rule, got, "Multiply the values by 255.")


def _note_of_darkness(packed: _Packed) -> tuple[str, ...]:
    if packed.masks:
        which = f"{len(packed.masks)} of the images hold nothing above 1, such as {packed.masks[0]!r}"
        return (f"{which}: they are black. If they are masks of 0 and 1, save them as 0 and 255.",)
    if packed.brightest >= _DARKEST_WHITE:
        return ()
    next_step = "If white is less in them, scale it to 255."
    return (f"The images are dark: their brightest value is {packed.brightest} of 255. {next_step}",)


def _split(packed: _Packed, settings: ImageSettings) -> tuple[Codes, str]:
    codes, rule = split_images(packed.names, np.array(packed.checksums, np.uint32), settings)
    _refuse_without_training(codes, settings)
    return codes, rule


def _unsplit(packed: _Packed) -> tuple[Codes, str]:
    codes = np.full(len(packed.names), SPLITS.index("test"), np.uint8)
    return codes, "not split: no model is trained on these images"


def _refuse_without_training(codes: Codes, settings: ImageSettings) -> None:
    if not (codes == SPLITS.index("train")).any():
        raise TooFewImages(
            settings.source,
            "must leave an image to train on",
            f"{len(codes)} that all fell to validation and testing",
            "Give more images, or lower --validation-fraction and --test-fraction.",
        )


@dataclass(frozen=True)
class _Found:
    """What is known of all images together."""

    codes: Codes
    split_rule: str
    originals: Originals
    attributes: JoinedAttributes

    @property
    def copies(self) -> Originals:
        """Rows of the images that repeat an earlier one."""
        return np.flatnonzero(self.originals != np.arange(len(self.originals)))


def _find_out(
    packed: _Packed, source: ImageSource, table: AttributeTable | None, folder: Path, codes: Codes, split_rule: str
) -> _Found:
    checksums = np.array(packed.checksums, np.uint32)
    values = np.array(packed.attributes, np.float32).reshape(len(packed.names), len(source.attribute_names))
    attributes = JoinedAttributes(source.attribute_names, values)
    if table is not None:
        attributes = beside(attributes, join_attributes(table, packed.names))
    return _Found(codes, split_rule, find_originals(checksums, folder / IMAGES), attributes)


def _index(packed: _Packed, found: _Found) -> pa.Table:
    rows = np.arange(len(packed.names))
    sides = np.array(packed.sides, np.int32).reshape(-1, 2)
    return pa.table(
        {
            "row": rows,
            "name": packed.names,
            "split": np.array(SPLITS)[found.codes],
            "width": sides[:, 0],
            "height": sides[:, 1],
            "crc32": np.array(packed.checksums, np.uint32),
            "duplicate_of": pa.array(found.originals, mask=found.originals == rows),
        }
    )


def _result(
    packed: _Packed, found: _Found, settings: ImageSettings, notes: tuple[str, ...], elapsed_seconds: float
) -> PackResult:
    names, copies = packed.names, found.copies
    checksums = np.array(packed.checksums, np.uint32)
    return PackResult(
        source=settings.source,
        n_files=packed.n_files,
        n_images=len(names),
        n_skipped=len(packed.skipped),
        skipped_reasons=_reasons(packed),
        n_duplicates=len(copies),
        duplicate_examples=tuple((names[row], names[found.originals[row]]) for row in copies[:_N_DUPLICATES_SHOWN]),
        splits=SplitCounts(**{split: int((found.codes == code).sum()) for code, split in enumerate(SPLITS)}),
        split_rule=found.split_rule,
        size=settings.size,
        crop=settings.crop,
        attributes=found.attributes.names,
        n_upscaled=packed.n_upscaled,
        store_digest=store_digest(
            checksums, found.codes, packed.names, found.attributes.names, found.attributes.values
        ),
        elapsed_seconds=elapsed_seconds,
        notes=notes,
    )
