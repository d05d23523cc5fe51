"""What was asked (settings) and what it was resolved to (plan), as frozen records.

The text under each field is the help of the command line and the table of the docs; the range in its type is checked
wherever the value comes from. A field marked NEUTRAL does not decide the weights at a given step: changing it keeps
checkpoints and finished trainings. Settings files are TOML with the same names.
"""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from zspace.errors import SettingOutOfRange, UnknownPreset
from zspace.files import read_toml
from zspace.records import NEUTRAL, Checked, FolderName, NotEmpty, Within, dotted, from_mapping, nearest, to_mapping

Fraction = Annotated[float, Within(0, 1)]
Split = Literal["train", "validation", "test", "all"]

BUILT_IN_FACES = "faces"
_REPETITION = re.compile(r"-from-\d+-(again|fresh)$", re.IGNORECASE)
"""How the names of runs end that `zspace train --resume` makes."""


@dataclass(frozen=True)
class ImageSettings(Checked):
    """Which images, and how they become squares of one size."""

    source: str = BUILT_IN_FACES
    """A folder, .zip, .tar(.gz), Parquet file or folder, .npy or .npz; or "faces", the built-in drawn faces."""
    size: Annotated[int, Within(8, 2048)] = 96
    """Side of the stored square images, in pixels."""
    crop: str = "square"
    """"square" cuts the centre square, "none" stretches the whole image, "left,top,width,height" cuts a box."""
    attributes: str | None = None
    """A .csv or .parquet table with a file-name column; None looks for CelebA's list_attr_celeba beside the images."""
    max_skipped_fraction: Fraction = 0.01
    """Share of the files that may be unreadable before packing stops with an error, 0 to 1."""
    max_megapixels: Annotated[float, Within(0.001)] = 100.0
    """A file that would decode to more pixels than this is skipped, in millions of pixels."""
    validation_fraction: Fraction = 0.1
    """Share of the images held out to watch training; only used when the names are not CelebA's."""
    test_fraction: Fraction = 0.1
    """Share of the images that nothing but the last word is said on; only used when the names are not CelebA's."""
    n_faces: Annotated[int, Within(1)] = 8000
    """How many faces to draw; only used when source is "faces"."""


@dataclass(frozen=True)
class NetworkSettings(Checked):
    """The convolutional encoder and its mirror image, the decoder."""

    filters: Annotated[tuple[int, ...], Within(1), NotEmpty()] = (32, 64, 128, 256)
    """Output channels of each convolution of the encoder; the decoder runs through them backwards."""
    kernel_sizes: Annotated[tuple[int, ...], Within(1, 15), NotEmpty()] = (3,)
    """Side of each convolution's window, in pixels; one number serves all layers."""
    strides: Annotated[tuple[int, ...], Within(1, 8), NotEmpty()] = (2,)
    """Step of each convolution, in pixels: it shrinks the image by this factor; one number serves all layers."""
    block: Literal["plain", "residual"] = "plain"
    """"plain" convolutions, or each followed by a shallow residual block of two 3x3 convolutions."""
    dense: Annotated[tuple[int, ...], Within(1)] = ()
    """Widths of extra dense layers in the encoder, between flatten and the heads."""
    z_dim: Annotated[int, Within(1)] = 256
    """Number of dimensions of the latent space."""
    batch_norm: bool | None = None
    """Normalise after every convolution but the decoder's last (momentum 0.99, epsilon 1e-3); None: only in a VAE."""
    activation: Literal["leaky-relu", "relu", "elu", "silu"] = "leaky-relu"
    """Activation after every convolution and extra dense layer."""
    leaky_slope: Annotated[float, Within(0, 1)] = 0.3
    """Slope for negative inputs; only used when activation is "leaky-relu"."""
    initializer: Literal["glorot-uniform", "he-normal", "pytorch"] = "glorot-uniform"
    """Initial weights: "glorot-uniform" as in Keras, "he-normal", or PyTorch's own."""


@dataclass(frozen=True)
class ObjectiveSettings(Checked):
    """What training minimises."""

    reconstruction: Literal["binary-cross-entropy", "squared-error", "absolute-error", "gaussian"] = (
        "binary-cross-entropy"
    )
    """Distance between image and reconstruction: mean over channels, summed over pixels, mean over images."""
    kl_weight: Annotated[float, Within(0)] = 5.0
    """Factor of the KL term, the posts' "fact"; only used by a VAE."""
    kl_schedule: Literal["fixed", "warm-up", "cyclic", "target-share"] = "fixed"
    """How the factor moves: not at all, up from 0 once, up from 0 in cycles, or so that the KL term keeps a share."""
    kl_epochs: Annotated[float, Within(0.001)] = 5.0
    """Length of the warm-up, or of one cycle, in epochs; only used by these schedules."""
    kl_target_share: Annotated[float, Within(0.0001, 0.9)] = 0.03
    """Share of the total loss that the KL term is held at; only used by the schedule "target-share"."""
    free_bits: Annotated[float, Within(0)] = 0.0
    """KL that each latent dimension may spend at no cost, in nats; mean over the batch, as in Kingma et al. 2016."""
    capacity: Annotated[float, Within(0)] = 0.0
    """Raw KL to aim at, in nats per image: the term becomes |KL - capacity|; 0 is the plain KL term."""
    noise_limit: Annotated[float, Within(0)] = 5.0
    """Largest |epsilon| when sampling z, the posts' limit; 0 sets none."""
    noise_factor: Annotated[float, Within(0)] = 1.0
    """Factor of epsilon when sampling z."""


@dataclass(frozen=True)
class TrainingSettings(Checked):
    """How the weights are found."""

    epochs: Annotated[int, Within(1), NEUTRAL] = 24
    """Passes over the training images."""
    batch_size: Annotated[int, Within(1)] = 128
    """Images per step."""
    learning_rate: Annotated[float, Within(0)] = 5e-4
    """Step size of Adam."""
    adam_epsilon: Annotated[float, Within(0)] = 1e-7
    """Adam's guard against division by zero; Keras' default, ten times PyTorch's."""
    split: Split = "train"
    """Which images to train on; "all" leaves nothing held out, as the posts did."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; "auto" takes a CUDA device where there is one."""
    precision: Literal["auto", "float32", "bf16"] = "auto"
    """Number format of the convolutions; "auto" takes bf16 where the hardware multiplies it fast."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the step, on a GPU into CUDA graphs; "auto" does so on a CUDA device."""
    keep_every: Annotated[int, Within(0), NEUTRAL] = 0
    """Keep the checkpoint of every such epoch for good, to repeat from; 0 keeps only the two newest."""
    guard: bool = True
    """Watch loss, gradient, KL and radius; on a jump go back to the last look without one and on with other noise."""
    max_rollbacks: Annotated[int, Within(0), NEUTRAL] = 3
    """How often the guard may go back before training stops with an error."""
    tensorboard: Annotated[bool, NEUTRAL] = False
    """Write the losses of every epoch for TensorBoard as well; needs zspace[tensorboard]."""
    checkpoint_seconds: Annotated[float, Within(0), NEUTRAL] = 30.0
    """At most this much work is lost when the process is killed, in seconds; every epoch's end is kept anyway."""


NORMALISES = {"ae": False, "vae": True}
"""Whether a model of which nothing else is said normalises its batches: as the posts' models of its kind do."""


@dataclass(frozen=True)
class ModelSettings(Checked):
    """One model of a study: its network, what it minimises and how it is trained."""

    kind: Literal["ae", "vae"] = "ae"
    """Plain autoencoder, or variational autoencoder."""
    seed: Annotated[Annotated[int, Within(0)] | None, NEUTRAL] = None
    """Seed of initial weights, order and noise of this model; None takes the study's."""
    network: NetworkSettings = field(default_factory=NetworkSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network.batch_norm is None:
            resolved = replace(self.network, batch_norm=NORMALISES[self.kind])
            object.__setattr__(self, "network", resolved)  # while the record is made, before anyone has seen it

    @property
    def batch_norm_origin(self) -> Origin:
        """Why batches are normalised or not, where nothing was asked."""
        does = "normalises" if NORMALISES[self.kind] else "does not normalise"
        return Origin("derived", f"the posts' {self.kind} {does} its batches")


@dataclass(frozen=True)
class MapSettings(Checked):
    """One map of the cloud: how its points are laid out on a sheet."""

    method: Literal["tsne", "pca", "umap"] = "tsne"
    """How: t-SNE, the two leading principal components, or UMAP, which needs zspace[umap]."""
    n_points: Annotated[int, Within(0)] = 20_000
    """Points drawn at random from the cloud for the map; 0 takes all, and so does a number beyond."""
    n_components: Annotated[int, Within(0)] = 0
    """Map this many leading principal components; 0 maps z as it is."""
    perplexity: Annotated[float, Within(1)] = 30.0
    """Effective number of neighbours in t-SNE, and the number of neighbours in UMAP; not used by "pca"."""
    exaggeration: Annotated[float, Within(1)] = 12.0
    """Factor of the attraction in the first quarter of the iterations; only used by "tsne"."""
    n_iterations: Annotated[int, Within(4)] = 1000
    """Steps of the descent, with the exaggerated ones; only used by "tsne"."""
    n_neighbors: Annotated[int, Within(1)] = 15
    """Neighbours that the map is judged by: how many stay neighbours."""
    n_scored: Annotated[int, Within(2)] = 5000
    """Points, drawn at random, that the map is judged at; with fewer points on the map it is judged at all."""
    null_twin: bool = True
    """Draw the same map of a Gaussian cloud of the same mean and covariance too; it takes as long again."""


@dataclass(frozen=True)
class VerdictSettings(Checked):
    """How the cloud is compared with null models, for the verdict on what it is."""

    n_compared: Annotated[int, Within(100, 20_000)] = 2048
    """Points that are compared, drawn at random from the cloud; a smaller cloud is compared whole."""
    n_draws: Annotated[int, Within(19, 9999)] = 199
    """Most clouds drawn from each null model; fewer where it is clear before. With 10 families of tests, a corrected p
    of 0.05 takes 199."""
    level: Annotated[float, Within(0.001, 0.2)] = 0.05
    """Corrected p-value up to which a null model is told apart, and a claim made."""
    nulls: tuple[Literal["shell", "cube"], ...] = ()
    """Null models beside those of the ladder: points spread evenly in a "shell" or a "cube"."""
    limits: bool = True
    """Plant strings, sheets, clusters and a hole, to tell which share of the points would have been seen."""


@dataclass(frozen=True)
class MeasureSettings(Checked):
    """What is measured on the cloud of z-points."""

    split: Split = "train"
    """Whose z-points to measure."""
    only: tuple[str, ...] = ()
    """Names of the measures to take; empty takes all."""
    radius_bins: Annotated[tuple[float, ...], Within(1e-9), NotEmpty()] | None = None
    """Bin widths of the density over the radius, in units of z; None derives one that suits the points."""
    axis_bin: Annotated[float, Within(1e-9)] | None = None
    """Bin width of the density along every axis, in units of z; None derives one that suits the points."""
    planes: Annotated[tuple[str, ...], NotEmpty()] = ("pc1-pc2", "pc1-pc18", "pc8-pc35", "axis52-axis221")
    """Planes to look at: two principal components, counted from 1, or two raw axes, counted from 0."""
    plane_sides: Annotated[tuple[float, ...], Within(1e-9)] = (5.0, 2.0, 0.5)
    """Sides of the squares around the centre that each plane is seen in besides the whole, in units of z."""
    max_clusters: Annotated[int, Within(2, 1000)] = 80
    """Largest number of clusters to look for."""
    cluster_step: Annotated[int, Within(1)] = 2
    """Numbers of clusters to look for: every one up to 12, from there the multiples of this, up to the largest."""
    attribute_clusters: Annotated[int, Within(2, 1000)] = 12
    """Clusters in which the attributes of the images are looked for."""
    maps: tuple[str, ...] = ("quick",)
    """Maps to draw, each a method with settings, such as "tsne:n_points=80000,perplexity=10"; or "posts", the posts'
    own, or "none"."""
    map_attributes: tuple[str, ...] = ()
    """Attributes of the images that maps are coloured by; empty takes those that neighbours on the map share most."""
    n_null_clouds: Annotated[int, Within(2)] = 39
    """Clouds drawn from the null model; for a p-value of 0.05 it takes 39, or 19 where structure shows on one side."""
    verdict: VerdictSettings = field(default_factory=VerdictSettings)
    """How the cloud is compared with null models for the verdict."""


@dataclass(frozen=True)
class GenerateSettings(Checked):
    """Which random z-points are decoded, and how many."""

    samplers: tuple[str, ...] = ("normal", "uniform:2", "uniform:10", "fitted-gaussian")
    """Samplers by name; a number after the colon is the sampler's width."""
    n_components: Annotated[int, Within(0)] = 8
    """First principal components along which images are decoded."""
    n_shown: Annotated[int, Within(1)] = 32
    """Images drawn in the report for each sampler."""
    n_scored: Annotated[int, Within(1)] = 1000
    """Images per sampler that the face detector looks at, for a rate with an interval."""


@dataclass(frozen=True)
class StudySettings(Checked):
    """A whole study: images, one or more models, what to measure and what to generate."""

    name: Annotated[str, FolderName()]
    """The study's name; its folder takes it when --out is not given."""
    title: str = ""
    """Headline of the report."""
    seed: Annotated[int, Within(0)] = 1
    """The one seed; every random act draws from its own named stream of it."""
    runs: Annotated[int, Within(1, 100)] = 1
    """Train every model this often, with seeds one apart; the runs are called NAME-1, NAME-2 and so on."""
    needs_images: bool = False
    """Refuse the built-in drawn faces: the study is about images that have to be given."""
    compare_with_posts: bool = False
    """Set what the three posts report beside what is found here; the presets of their models do. The report alone
    reads it."""
    images: ImageSettings = field(default_factory=ImageSettings)
    models: Annotated[dict[Annotated[str, FolderName()], ModelSettings], NotEmpty()] = field(
        default_factory=lambda: {"ae": ModelSettings()}
    )
    """The models by name; each gets a run folder of that name."""
    measure: MeasureSettings = field(default_factory=MeasureSettings)
    generate: GenerateSettings = field(default_factory=GenerateSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_run_names(self.models, self.runs)


def _check_run_names(models: Iterable[str], runs: int) -> None:
    """Refuse names of models that would share a run folder, here or on a file system that tells fewer names apart."""
    seen: dict[str, str] = {}
    for name in models:
        if _REPETITION.search(name):
            rule = "no name of a model may end as those of repetitions do, in -from-EPOCH-again or -from-EPOCH-fresh"
            raise SettingOutOfRange("models", rule, repr(name), "Rename it.")
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if folded in seen:
            rule = "names of models must differ by more than capitals and the spelling of accents"
            raise SettingOutOfRange("models", rule, f"{seen[folded]!a} and {name!a}", "Rename one of them.")
        seen[folded] = name
    for folded, name in seen.items():
        other, dash, number = folded.rpartition("-")
        if runs > 1 and dash and number.isdecimal() and other in seen:
            rule = f"no name of a model may be another's with -{number}, as the runs of that one are called"
            raise SettingOutOfRange("models", rule, f"{name!r} beside {seen[other]!r}", "Rename one of them.")


@dataclass(frozen=True)
class Origin:
    """Where a resolved value comes from."""

    kind: Literal["default", "preset", "file", "flag", "derived"]
    reason: str = ""
    """For a derived value, how it follows from what was asked."""


@dataclass(frozen=True)
class Plan:
    """A study with every value resolved, and where each comes from."""

    settings: StudySettings
    origins: dict[str, Origin]
    """By dotted key, such as ``"models.ae.training.precision"``."""


@dataclass(frozen=True)
class AskedRun:
    """What a run was asked to be: kept beside its weights, so that they can be read whatever the plan says by then."""

    study: str
    """Name of the study."""
    model: ModelSettings
    """What was left to "auto" is "auto": checkpoints belong to what was asked, not to what it came to on a machine."""
    image_size: int
    """Side of the square images, in pixels."""
    seed: int
    """Of this model."""
    store_digest: str
    """Of the images."""


def asked_models(plan: Plan) -> dict[str, ModelSettings]:
    """Return the models of a resolved plan as they were asked for: what was derived from "auto" is "auto" again."""
    models = {}
    for name, model in plan.settings.models.items():
        derived = {
            key: "auto"
            for key in ("device", "precision", "compile")
            if plan.origins.get(f"models.{name}.training.{key}", Origin("default")).kind == "derived"
        }
        models[name] = replace(model, training=replace(model.training, **derived))  # type: ignore[arg-type]
    return models


def preset_names() -> list[str]:
    """Return the names of the presets that ship with the package."""
    folder = resources.files("zspace").joinpath("presets")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def preset_titles() -> dict[str, str]:
    """Return what every preset is, in a sentence: the comment that its file begins with."""
    folder = resources.files("zspace").joinpath("presets")
    texts = {name: folder.joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in preset_names()}
    return {name: text.partition("\n")[0].removeprefix("# ") for name, text in texts.items()}


def _preset_table(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise UnknownPreset(
            "study",
            "must be a preset or the path of a .toml file",
            repr(name),
            nearest(str(name), preset_names()),
        )
    with resources.as_file(resources.files("zspace").joinpath("presets", f"{name}.toml")) as path:
        return read_toml(path)


def set_dotted(table: dict[str, Any], key: str, value: object) -> None:
    """Put a value into nested tables, by its dotted key; tables that are not there are made.

    Raises
    ------
    SettingOutOfRange
        Where a table should be and something else is.
    """
    *parents, last = key.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise SettingOutOfRange(key, f"{parent!r} must be a table to have keys", repr(table), "Drop one of them.")
    table[last] = value


def resolve_plan(study: str, flags: Mapping[str, Any]) -> Plan:
    """Lay defaults, preset, file and flags over each other, later ones winning.

    Parameters
    ----------
    study
        The name of a preset, or the path of a TOML file; a file may start from a preset with ``preset = "NAME"``.
    flags
        Values by dotted key; ``models.*.KEY`` sets it in every model. None means not given.

    Raises
    ------
    UnknownPreset, UnknownSetting, SettingMissing, SettingOutOfRange, FileDamaged
        When something asked for cannot be had; the message names the place.
    """
    layers: list[tuple[Literal["preset", "file", "flag"], dict[str, Any]]] = []
    where = study
    if study.endswith(".toml"):
        table = _file_table(Path(study))
        if preset := table.pop("preset", None):
            layers.append(("preset", dict(dotted(_preset_table(str(preset))))))
        layers.append(("file", dict(dotted(table))))
    else:
        layers.append(("preset", dict(dotted(_preset_table(study)))))
    layers.append(("flag", {key: value for key, value in flags.items() if value is not None}))

    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for kind, layer in layers:
        for key, value in layer.items():
            for target in _targets(key, merged):
                set_dotted(merged, target, value)
                origins[target] = Origin(kind)
    settings = from_mapping(StudySettings, merged, where)
    settings = _with_runs(settings, origins)
    for name, model in settings.models.items():
        origins.setdefault(f"models.{name}.network.batch_norm", model.batch_norm_origin)
    defaults = {key: Origin("default") for key, _ in dotted(to_mapping(settings))}
    return Plan(settings, {**defaults, **origins})


def model_seed(settings: StudySettings, model: ModelSettings) -> int:
    """Return the seed of a model: its own, or the study's."""
    return settings.seed if model.seed is None else model.seed


def _with_runs(settings: StudySettings, origins: dict[str, Origin]) -> StudySettings:
    """Return the study with every model as often as it is to be trained, and note where the seeds come from."""
    if settings.runs == 1:
        return settings
    models = {}
    for name, model in settings.models.items():
        for number in range(settings.runs):
            copy = f"{name}-{number + 1}"
            models[copy] = replace(model, seed=model_seed(settings, model) + number)
            origins[f"models.{copy}.seed"] = Origin("derived", f"run {number + 1} of {settings.runs}")
        for key in [key for key in origins if key.startswith(f"models.{name}.")]:
            origin = origins.pop(key)
            suffix = key.removeprefix(f"models.{name}.")
            for number in range(settings.runs):
                origins.setdefault(f"models.{name}-{number + 1}.{suffix}", origin)
    return replace(settings, models=models)


def _file_table(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise UnknownPreset("study", "must be a preset or the path of a .toml file", str(path), "No such file.")
    table = {"name": path.stem, **read_toml(path)}
    _refuse_dots(table)
    return table


def _refuse_dots(table: Mapping[str, Any], place: str = "study") -> None:
    """Refuse keys that could not be told from several: a dot parts keys from one another."""
    for key, value in table.items():
        if "." in key:
            rule = "a key or the name of a model may not hold a dot, which parts keys from one another"
            raise SettingOutOfRange(place, rule, reprlib.repr(key), "Write it without quotes, or rename it.")
        if isinstance(value, Mapping):
            _refuse_dots(value, key if place == "study" else f"{place}.{key}")


def _targets(key: str, merged: Mapping[str, Any]) -> list[str]:
    head, star, tail = key.partition("models.*.")
    models = merged.get("models", {"ae": {}})
    if not star or head or not isinstance(models, Mapping):
        return [key]
    return [f"models.{name}.{tail}" for name in models]


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as the table that ``plan.toml`` holds: the settings, then the origin of every value."""
    settings = _without_none(to_mapping(plan.settings))
    origins = {
        key: origin.kind + (f": {origin.reason}" if origin.reason else "")
        for key, origin in sorted(plan.origins.items())
    }
    return {"settings": settings, "origins": origins}


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null: a key that is None is left out, and read back as its default, None."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }


def plan_from_document(document: Mapping[str, Any], where: str) -> Plan:
    """Read back what `plan_document` gave."""
    origins, written = {}, document.get("origins", {})
    if not isinstance(written, Mapping):
        raise SettingOutOfRange(f"{where}.origins", "must be a table", f"{written!r:.40}", "Run the study again.")
    for key, text in written.items():
        kind, _, reason = str(text).partition(": ")
        origins[key] = from_mapping(Origin, {"kind": kind, "reason": reason}, f"{where}.origins.{key}")
    return Plan(from_mapping(StudySettings, document.get("settings", {}), f"{where}.settings"), origins)
