"""The verbs as records: what can be typed after ``zspace``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from zspace.cli.options import INTEGERS, STUDY, left_out, of_study, option
from zspace.errors import SettingOutOfRange
from zspace.records import from_mapping
from zspace.settings import (
    BUILT_IN_FACES,
    ImageSettings,
    MeasureSettings,
    NetworkSettings,
    ObjectiveSettings,
    StudySettings,
    TrainingSettings,
    preset_titles,
    set_dotted,
)


@dataclass(frozen=True)
class Output:
    """How every verb talks."""

    quiet: bool = False
    """No progress, only errors and the last line."""
    json: bool = False
    """One JSON document on stdout in place of text; progress stays on stderr."""
    dry_run: bool = False
    """Say what would be done, with every resolved setting, and stop."""
    debug: bool = False
    """Show the traceback of an error."""


@dataclass(frozen=True)
class PackedImages(ImageSettings):
    """Image settings with the source as the one positional argument."""

    source: tyro.conf.Positional[str] = BUILT_IN_FACES
    """Folder, .zip, .tar(.gz), Parquet file or folder, .npy or .npz; or "faces", the built-in drawn faces."""

    def plain(self) -> ImageSettings:
        """Return the same as plain image settings."""
        return ImageSettings(**{entry.name: getattr(self, entry.name) for entry in fields(ImageSettings)})


@dataclass(frozen=True)
class Pack:
    """Decode images once into a memory-mapped store."""

    images: tyro.conf.OmitArgPrefixes[PackedImages]
    out: Path
    """Folder of the store."""
    seed: int = 1
    """Only used for drawn faces."""
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class EncodedImages:
    """Which images to encode."""

    images: Annotated[str | None, left_out("those of the study")] = None
    """Other images: a folder, .zip, .tar(.gz), Parquet file or folder, .npy or .npz."""
    crop: Annotated[str | None, option(ImageSettings, "crop")] = None
    max_skipped_fraction: Annotated[float | None, option(ImageSettings, "max_skipped_fraction")] = None

    def settings(self) -> ImageSettings | None:
        """Return the image settings, what was not given having its default; None for the images of the study."""
        if self.images is None:
            return None
        asked = {"source": self.images, "crop": self.crop, "max_skipped_fraction": self.max_skipped_fraction}
        given = {key: value for key, value in asked.items() if value is not None}
        return from_mapping(ImageSettings, given, "encode")


@dataclass(frozen=True)
class StudyOptions:
    """What may be changed of a study without editing its file."""

    images: Annotated[str | None, of_study(ImageSettings, "source")] = None
    out: Annotated[Path | None, left_out("zspace-out/NAME")] = None
    """Folder of the study."""
    epochs: Annotated[int | None, of_study(TrainingSettings, "epochs")] = None
    size: Annotated[int | None, of_study(ImageSettings, "size")] = None
    seed: Annotated[int | None, of_study(StudySettings, "seed")] = None
    device: Annotated[Literal["auto", "cpu", "cuda"] | None, of_study(TrainingSettings, "device")] = None
    precision: Annotated[Literal["auto", "float32", "bf16"] | None, of_study(TrainingSettings, "precision")] = None
    keep: Annotated[int | None, of_study(TrainingSettings, "keep_every")] = None
    tensorboard: bool = False
    """Write the losses of every epoch for TensorBoard as well."""
    maps: Annotated[tuple[str, ...] | None, of_study(MeasureSettings, "maps")] = None
    max_skipped_fraction: Annotated[float | None, of_study(ImageSettings, "max_skipped_fraction")] = None
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE"), tyro.conf.UseAppendAction] = ()
    """Any other setting by its dotted key, such as models.*.network.z_dim=64; may be given several times."""
    runs: Annotated[int | None, of_study(StudySettings, "runs")] = None

    def flags(self) -> dict[str, Any]:
        """Return what was given as values by dotted key.

        Raises
        ------
        SettingOutOfRange
            When ``--set`` is no assignment, or sets what another option sets too.
        """
        named = {
            "images.source": self.images,
            "images.size": self.size,
            "images.max_skipped_fraction": self.max_skipped_fraction,
            "models.*.training.epochs": self.epochs,
            "models.*.training.device": self.device,
            "models.*.training.precision": self.precision,
            "models.*.training.keep_every": self.keep,
            "models.*.training.tensorboard": self.tensorboard or None,
            "measure.maps": self.maps,
            "seed": self.seed,
            "runs": self.runs,
        }
        given = {key: value for key, value in named.items() if value is not None}
        assigned = dict(parse_assignment(text) for text in self.set)
        for key in assigned:
            both = [other for other in given if _same_setting(key, other)]
            if both:
                rule, got = "must set what no other option sets", f"{key} and the option for {both[0]}"
                raise SettingOutOfRange("--set", rule, got, "Drop one of them.")
        return {**given, **assigned}


@dataclass(frozen=True)
class Study:
    """Run a whole study: images, models, measurements, generated pictures, report."""

    study: tyro.conf.Positional[Annotated[str, STUDY]]
    options: tyro.conf.OmitArgPrefixes[StudyOptions] = field(default_factory=StudyOptions)
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Train:
    """Pack the images of a study and train its models; or repeat a run from the end of an epoch."""

    study: tyro.conf.Positional[Annotated[str | None, STUDY, left_out("none, with --resume")]] = None
    resume: Annotated[Path | None, left_out("none")] = None
    """Run folder to repeat, in place of a study; the repetition goes into a folder beside it."""
    from_epoch: Annotated[int | None, left_out("none, needed with --resume")] = None
    """Last epoch that the repetition shares with the run; only used with --resume."""
    fresh_noise: bool = False
    """Draw other noise and another order from there on; only used with --resume."""
    options: tyro.conf.OmitArgPrefixes[StudyOptions] = field(default_factory=StudyOptions)
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Encode:
    """Turn images into z-points with the model of a run."""

    run: tyro.conf.Positional[Path]
    """Run folder, such as OUT/runs/NAME."""
    images: tyro.conf.OmitArgPrefixes[EncodedImages] = field(default_factory=EncodedImages)
    out: Annotated[Path | None, left_out("RUN/encoded/NAME")] = None
    """Folder for the packed images and latents.zarr; only used with --images."""
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Measure:
    """Measure z-points of a run, or of any other program, and report what they look like."""

    source: tyro.conf.Positional[Path]
    """Run folder, or .npy, .npz, .parquet, .csv, .tsv, .safetensors or Zarr with one z-point a row."""
    out: Annotated[Path | None, left_out("RUN/measured, or zspace-out/NAME-measured")] = None
    """Folder for results.json and report.html."""
    only: Annotated[tuple[str, ...], left_out("all")] = ()
    """Measures to take, by name, "verdict" and "maps" among them."""
    maps: Annotated[tuple[str, ...] | None, option(MeasureSettings, "maps")] = None
    points: Annotated[int | None, left_out("all")] = None
    """Measure this many points, chosen at random."""
    array: Annotated[str | None, left_out("the only one, or one of a usual name")] = None
    """Which array of the file, where it holds several."""
    columns: tuple[str, ...] = ()
    """Columns of a table to measure, such as d0:d63 or 2:65; those that can be dimensions when left out."""
    drop: tuple[str, ...] = ()
    """Columns of a table to leave out, likewise."""
    seed: int = 1
    """Of the null clouds and of the choice of points."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE"), tyro.conf.UseAppendAction] = ()
    """Any other setting of measuring, such as axis_bin=0.5; may be given several times."""
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)

    def settings(self) -> MeasureSettings:
        """Return how to measure.

        Raises
        ------
        UnknownSetting, SettingOutOfRange
            Naming what was asked for.
        """
        asked: dict[str, Any] = {}
        for text in self.set:
            set_dotted(asked, *parse_assignment(text))
        if self.points is not None and self.points < 2:
            raise SettingOutOfRange("--points", "must be at least 2", str(self.points), "Measure more points.")
        if self.maps is not None:
            asked["maps"] = self.maps
        return from_mapping(MeasureSettings, {**asked, "only": self.only}, "measure")


@dataclass(frozen=True)
class Report:
    """Write the report of a finished study again."""

    folder: tyro.conf.Positional[Path]
    """Folder of the study."""
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)


@dataclass(frozen=True)
class Budget:
    """Count parameters, memory and work of a model before any training."""

    study: Annotated[str | None, left_out("none")] = None
    """Count each model of this preset or .toml file, in place of one model described by the options."""
    model: Annotated[Literal["ae", "vae"] | None, left_out("the study's, or vae")] = None
    """Plain or variational autoencoder."""
    z_dim: Annotated[int | None, option(NetworkSettings, "z_dim")] = None
    dense: Annotated[tuple[int | str, ...] | None, INTEGERS, option(NetworkSettings, "dense")] = None
    filters: Annotated[tuple[int | str, ...] | None, INTEGERS, option(NetworkSettings, "filters")] = None
    kernel_sizes: Annotated[tuple[int | str, ...] | None, INTEGERS, option(NetworkSettings, "kernel_sizes")] = None
    strides: Annotated[tuple[int | str, ...] | None, INTEGERS, option(NetworkSettings, "strides")] = None
    block: Annotated[Literal["plain", "residual"] | None, option(NetworkSettings, "block")] = None
    batch_norm: Annotated[bool, left_out("the study's, or in a vae")] = False
    """Normalise the batch after every convolution."""
    no_batch_norm: Annotated[bool, left_out("the study's, or in an ae")] = False
    """Do not normalise."""
    activation: Annotated[
        Literal["leaky-relu", "relu", "elu", "silu"] | None, option(NetworkSettings, "activation")
    ] = None
    reconstruction: Annotated[
        Literal["binary-cross-entropy", "squared-error", "absolute-error", "gaussian"] | None,
        option(ObjectiveSettings, "reconstruction"),
    ] = None
    size: Annotated[int | None, option(ImageSettings, "size")] = None
    batch_size: Annotated[int | None, option(TrainingSettings, "batch_size")] = None
    epochs: Annotated[int | None, option(TrainingSettings, "epochs")] = None
    device: Annotated[Literal["auto", "cpu", "cuda"] | None, option(TrainingSettings, "device")] = None
    precision: Annotated[Literal["auto", "float32", "bf16"] | None, option(TrainingSettings, "precision")] = None
    images_per_second: Annotated[float | None, left_out("none")] = None
    """A rate measured on the machine that will train, as training prints it; without one no time is given."""
    n_images: Annotated[int | None, left_out("none")] = None
    """Images in the training split, for the time of an epoch; only used with --images-per-second."""
    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output)

    def flags(self) -> dict[str, Any]:
        """Return what was given as values by their key in a model."""
        if self.batch_norm and self.no_batch_norm:
            raise SettingOutOfRange("--batch-norm", "must stand alone", "--no-batch-norm as well", "Drop one of them.")
        return {
            "kind": self.model,
            **{f"network.{name}": getattr(self, name) for name in _NETWORK_OPTIONS},
            "network.batch_norm": self.batch_norm if self.batch_norm or self.no_batch_norm else None,
            "objective.reconstruction": self.reconstruction,
            **{f"training.{name}": getattr(self, name) for name in ("batch_size", "epochs", "device", "precision")},
        }


_NETWORK_OPTIONS = ("z_dim", "dense", "filters", "kernel_sizes", "strides", "block", "activation")

Command = Budget | Pack | Train | Encode | Measure | Study | Report


def _same_setting(one: str, other: str) -> bool:
    """Return whether two dotted keys can mean the same setting; ``*`` stands for any model.

    Examples
    --------
    >>> _same_setting("models.ae.training.epochs", "models.*.training.epochs")
    True
    """
    parts = zip(one.split("."), other.split("."), strict=False)
    return one.count(".") == other.count(".") and all(a == b or "*" in (a, b) for a, b in parts)


def parse_assignment(text: str) -> tuple[str, Any]:
    """Return key and value of ``KEY=VALUE``, the value as TOML has it, a bare word being text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise SettingOutOfRange("--set", "must be KEY=VALUE", repr(text), "Write for example --set seed=2.")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value  # a bare word is text


def _description() -> str:
    presets = "\n".join(f"  {name}: {title}" for name, title in preset_titles().items())
    return f"""Train autoencoders on images, see what their latent space really looks like, and sample it.

Studies that come with it, for zspace study NAME:
{presets}

zspace --version prints the version."""


def parse_command(arguments: list[str] | None = None) -> Command:
    """Read the command line; usage errors end the program with exit code 2, as everywhere."""
    command: Command = tyro.cli(
        Command,
        prog="zspace",
        description=_description(),
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone),
    )
    return command
