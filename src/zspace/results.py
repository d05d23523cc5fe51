"""What was found: frozen records that acts return, run folders keep as JSON, and figures and reports read.

Unknown is always None with a reason, never zero or NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Literal

from jaxtyping import Float32, Float64, Int64
from numpy import ndarray


@dataclass(frozen=True)
class Progress:
    """How far an act has come: what a progress bar needs, and nothing of how it is drawn."""

    step: str
    """What is being done, such as ``"train ae"``."""
    done: int
    total: int
    unit: str
    """What ``done`` counts, in the plural."""
    values: dict[str, float] = field(default_factory=dict)
    """Numbers worth watching, such as the loss."""
    note: str = ""
    """One sentence worth keeping on the screen; most records have none."""
    doing: str = ""
    """What is at work until the next record, where the steps of an act have names."""


Tail = Literal["low", "high", "both"]
"""On which side of a null model's draws structure shows."""
Answer = Literal["yes", "no", "cannot tell"]

Watcher = Callable[[Progress], None]
"""Called with every progress record; a workflow calls it, the command line draws it."""


def watch_nothing(_progress: Progress) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class Estimate:
    """One number, with everything needed to judge it."""

    value: float | None
    """None when it could not be found; `reason` then says why."""
    unit: str
    n_given: int
    """Points, images or draws that were there."""
    n_used: int
    """Those that the number rests on."""
    source: str
    """Definition or paper."""
    interval: tuple[float, float] | None = None
    level: float | None = None
    """Confidence level of the interval, 0 to 1."""
    interval_method: str | None = None
    comparison: Comparison | None = None
    """The same number beside a model of no structure; None where it is beside none."""
    seed: int | None = None
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def band(self) -> tuple[float, float] | None:
        """Range of the number under the null model; None where it is beside none."""
        return self.comparison.band if self.comparison else None

    @property
    def p(self) -> float | None:
        """Chance that the null model goes as far; None where that is not known."""
        return self.comparison.p if self.comparison else None

    @classmethod
    def of(
        cls,
        value: float,
        unit: str,
        source: str,
        n_used: int,
        n_given: int | None = None,
        assumptions: tuple[str, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> Estimate:
        """Return a number as it is, without interval; it rests on all that was given where nothing else is said."""
        given = n_used if n_given is None else n_given
        return cls(value, unit, given, n_used, source, assumptions=assumptions, warnings=warnings)

    @classmethod
    def unknown(cls, reason: str, unit: str, source: str, n_used: int, n_given: int | None = None) -> Estimate:
        """Return what is known of a number that could not be found: why."""
        return cls(None, unit, n_used if n_given is None else n_given, n_used, source, reason=reason)


@dataclass(frozen=True)
class Law:
    """What a computed law expects, for each curve."""

    name: str
    values: Float64[ndarray, "n_curves n_y"]


@dataclass(frozen=True)
class Curve:
    """One or many curves over a shared x: histograms, spectra, densities."""

    kind: str
    """``"histogram"`` (x holds bin edges, one more than y has values) or ``"line"`` (x and y pair up)."""
    x: Float64[ndarray, " n_x"]
    y: Float64[ndarray, "n_curves n_y"]
    x_label: str
    y_label: str
    labels: tuple[str, ...]
    """Name of each curve, in the order of y's rows."""
    null_name: str | None = None
    null_low: Float64[ndarray, "n_curves n_y"] | None = None
    """Lower end of the band of the null model: with `null_p` a global envelope, else pointwise and in closed form."""
    null_high: Float64[ndarray, "n_curves n_y"] | None = None
    laws: tuple[Law, ...] = ()
    """Drawn beside the curves, each with a stroke of its own."""
    null_level: float | None = None
    """Share of the drawn curves, these counted among them, that stay within everywhere; of a pointwise band the chance
    at any one place."""
    null_p: float | None = None
    """Of all curves together, by their largest deviation; None where the band is pointwise."""
    null_left_at: tuple[float, ...] = ()
    """Where on x a curve leaves the global envelope; for a histogram the middles of the bins."""


@dataclass(frozen=True)
class Grid:
    """A window of a plane seen from above, and the same window of its null twin."""

    x_edges: Float64[ndarray, " n_x_edges"]
    """Edges of the cells, one more than there are columns of counts."""
    y_edges: Float64[ndarray, " n_y_edges"]
    counts: Float64[ndarray, "n_y n_x"]
    """Points in each cell; the first row holds the lowest y."""
    x_label: str
    y_label: str
    points: Float64[ndarray, "n_shown 2"] | None = None
    """The points themselves where they are few enough to be drawn one by one; None where not, or where there is none.
    """
    null_name: str | None = None
    """Model of no structure that the twin was drawn from."""
    null_counts: Float64[ndarray, "n_y n_x"] | None = None
    null_points: Float64[ndarray, "n_null_shown 2"] | None = None


@dataclass(frozen=True)
class Comparison:
    """One quantity of a cloud beside the same of clouds drawn from a null model, as many points on both sides."""

    quantity: str
    """Its row, such as ``"dimension.two_nn"``."""
    null: str
    """Name of the null model, such as ``"gaussian"``; beside an `Estimate` what it is, in words."""
    value: float | None
    """Of the points that are compared; None where it could not be found."""
    draws: tuple[float, ...]
    """Of the drawn clouds, in the order in which they were drawn; those on which it could not be found are left out.
    Empty where the law of the number is known, or too many were drawn to be kept."""
    n_unknown: int
    """Drawn clouds on which it could not be found; each counts as going as far as the cloud."""
    tail: Tail
    """The side on which structure shows."""
    p: float | None
    """Chance that a draw goes as far, (1 + k) / (1 + n): never zero. None where the value is not known."""
    level: float
    """Chance that the band holds one more draw, 0 to 1."""
    band: tuple[float, float] | None
    """Range of the draws, or of the law; None without either."""
    effect: float | None
    """Distance of the value from the mean of the draws, in their standard deviations; None where they do not vary."""
    n_compared: int | None = None
    """Points on either side; None where it is all that the value rests on."""
    title: str = ""
    """What the quantity is called where people read it."""
    unit: str = ""

    @property
    def family(self) -> str:
        """Of tests, to which the quantity belongs."""
        return self.quantity.partition(".")[0]

    @property
    def band_effect(self) -> tuple[float, float] | None:
        """The band as `effect` has the value: from the mean of the draws, in their standard deviations."""
        if self.band is None or len(self.draws) < 2 or not (deviation := stdev(self.draws)):
            return None
        low, high = ((end - fmean(self.draws)) / deviation for end in self.band)
        return low, high


@dataclass(frozen=True)
class Envelope:
    """A curve of a cloud beside those of drawn clouds, all of whose points are judged together."""

    curve: str
    null: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    """Ends of the global envelope: a curve of the null stays within at every x with chance `level`."""
    central: tuple[float, ...]
    """Median of the draws."""
    level: float
    p: float
    """Of the whole curve, by extreme rank length."""
    left_at: tuple[float, ...]
    """Where on x the curve is outside."""
    x_label: str
    y_label: str
    title: str = ""
    """What the curve is called where people read it."""

    @property
    def family(self) -> str:
        """Of tests, to which the curve belongs."""
        return self.curve.partition(".")[0]


@dataclass(frozen=True)
class LineUp:
    """The cloud hidden among clouds of a null model, each seen in the plane of its own two leading components."""

    null: str
    title: str
    """Of the null model."""
    place: int
    """Of the cloud among the panels, counted from 1."""
    panels: Float64[ndarray, "n_panels n_shown 2"]
    """In units of z; as many points in each."""


@dataclass(frozen=True)
class FamilyTest:
    """All quantities of one subject against one null model, as one test."""

    family: str
    p: float | None
    """Of the subject's quantities together, by the one that goes furthest; None where none of them could be found."""
    p_corrected: float | None
    """After Holm's correction over the families."""
    n_draws: int
    strongest: str
    """The quantity that goes furthest."""
    title: str = ""
    """What the family is called where people read it."""


@dataclass(frozen=True)
class RungTest:
    """Whether a cloud can be told from a null model."""

    null: str
    title: str
    keeps: str
    destroys: str
    answer: Answer
    """Whether cloud and null model are told apart: ``"yes"``, ``"no"``, or ``"cannot tell"`` with few points."""
    p: float | None
    """Smallest corrected p-value of the families."""
    n_compared: int
    n_draws: int
    families: tuple[FamilyTest, ...]
    reason: str | None = None
    """Why it was not tried."""


@dataclass(frozen=True)
class Claim:
    """One question about the cloud, its answer, and what the answer rests on."""

    name: str
    """``"gaussian"``, ``"clusters"``, ``"strings"``, ``"sheets"``, ``"hollow"`` or ``"lower_dimensional"``."""
    question: str
    answer: Answer
    p: float | None
    p_corrected: float | None
    """After Holm's correction over the claims."""
    effect: float | None
    """In standard deviations of the null model."""
    null: str
    """Of the null models without the structure, the one that comes nearest to the cloud."""
    scale: str | None
    """At which distances, neighbours or components it shows."""
    detection_limit: Estimate | None
    """Share of the points that, arranged so, would have been seen in 95 of 100 clouds."""
    sentence: str
    means_for_sampling: str
    evidence: tuple[str, ...]
    """The quantities that it rests on."""


NO_NULL = "none"
"""In place of a null model: every one of them can be told from the cloud."""


@dataclass(frozen=True)
class Verdict:
    """What a cloud of z-points is, beside the simplest models of a cloud."""

    closest_null: str
    """The first rung of the ladder that cannot be told from the cloud, or ``"none"``."""
    sentence: str
    claims: dict[str, Claim]
    rungs: tuple[RungTest, ...]
    comparisons: tuple[Comparison, ...]
    envelopes: tuple[Envelope, ...]
    n_compared: int
    """Points that were compared."""
    n_points: int
    seed: int
    elapsed_seconds: float
    notes: tuple[str, ...] = ()
    level: float = 0.05
    """Corrected p-value up to which a null model counts as told apart, and a claim as made."""
    line_ups: tuple[LineUp, ...] = ()


@dataclass(frozen=True)
class CopyPair:
    """Two images whose z-points are neighbours, and how alike they are."""

    row: int
    """In the image store."""
    other_row: int
    name: str
    other_name: str
    likeness: float
    """Correlation, at most 1."""
    exact: bool
    """Whether all pixels are equal."""


@dataclass(frozen=True)
class Measurement:
    """What one measure found on one cloud."""

    name: str
    """Its row in ``measuring.MEASURES``."""
    estimates: dict[str, Estimate]
    curves: dict[str, Curve]
    elapsed_seconds: float | None = None
    grids: dict[str, Grid] = field(default_factory=dict)
    """Windows of planes; only measures that look at planes have any."""
    pairs: tuple[CopyPair, ...] = ()
    """The most alike images among neighbours, copies or not; only the measure of copies has any."""

    @classmethod
    def not_taken(cls, name: str, reason: str, n_points: int) -> Measurement:
        """Return the record of a measure that these points or settings do not suit: one estimate, that says why."""
        return cls(name, {name: Estimate.unknown(reason, "no unit", "not measured", n_points)}, {})

    @property
    def why_not_taken(self) -> str | None:
        """Why nothing was measured; None where something was."""
        return self.estimates[self.name].reason if list(self.estimates) == [self.name] and not self.curves else None


@dataclass(frozen=True)
class Map:
    """What was found of a map of a cloud; where the points lie on it is told by its `MapSheet`."""

    name: str
    """Its specification, such as ``"tsne:perplexity=10"``."""
    title: str
    n_points: int
    n_neighbors: int
    """Neighbours of each point that the map was judged by."""
    estimates: dict[str, Estimate]
    null_estimates: dict[str, Estimate] = field(default_factory=dict)
    """The same of the map of a cloud from the null model; empty where none was asked."""
    shared: dict[str, Estimate] = field(default_factory=dict)
    """By attribute of the images: how far neighbours on the map share it."""
    elapsed_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class MapSheet:
    """Where the points of a map lie. It goes to a file of its own."""

    rows: Int64[ndarray, " n_points"]
    """Which rows of the cloud are on the map, ascending."""
    coordinates: Float32[ndarray, "n_points 2"]
    """Their places; lengths on a map mean nothing in units of z, except for "pca"."""
    scored: Int64[ndarray, " n_scored"]
    """Which rows of the map it was judged at, ascending."""
    scores: dict[str, Float64[ndarray, " n_scored"]]
    """What was found at each of these: how well the map keeps its neighbours, and how far they are in z."""
    colors: dict[str, Float64[ndarray, " n_points"]]
    """What is known of the points themselves, by its name: radius and attributes."""
    null_coordinates: Float32[ndarray, "n_points 2"] | None = None
    """The same map of a cloud from the null model; None where none was asked."""


@dataclass(frozen=True)
class CloudFacts:
    """What was measured: where the z-points come from, and what was noticed and done about them."""

    source: str
    n_given: int
    n_used: int
    """Fewer than given where rows are not finite, or where only some were asked for."""
    z_dim: int
    n_not_finite: int
    """Rows with NaN or infinity; they were left out."""
    n_duplicates: int
    """Points that equal an earlier one; they stay."""
    n_constant_axes: int
    """Axes on which all points have one value; they stay."""
    has_posterior: bool
    """Whether mu and logvar of a VAE lie beside the points."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasureResult:
    """All measurements of one cloud."""

    measurements: dict[str, Measurement]
    cloud: CloudFacts
    """Where the points come from, and what was done to them."""
    elapsed_seconds: float
    verdict: Verdict | None = None
    """None where it was not asked for, or the points are too few."""
    no_verdict: str = ""
    """Why there is none although it was asked for."""


@dataclass(frozen=True)
class SplitCounts:
    """Images in each split."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class PackResult:
    """What packing gave."""

    source: str
    n_files: int
    """Files or rows that were looked at."""
    n_images: int
    """Images in the store."""
    n_skipped: int
    skipped_reasons: dict[str, int]
    """Count of skipped files by reason."""
    n_duplicates: int
    """Images whose pixels equal those of an earlier image."""
    duplicate_examples: tuple[tuple[str, str], ...]
    """The first pairs (copy, original) by name."""
    splits: SplitCounts
    split_rule: str
    size: int
    crop: str
    attributes: tuple[str, ...]
    """Names of the attribute columns."""
    n_upscaled: int
    """Images that had fewer pixels than the store's size, and were enlarged."""
    store_digest: str
    """Digest of all pixels, names, splits and attributes."""
    elapsed_seconds: float
    notes: tuple[str, ...] = ()
    """Sentences about choices made on the way that a reader of the report should know."""


@dataclass(frozen=True)
class LossParts:
    """The parts of a loss, as means over images."""

    total: float
    """In the objective's own unit (nats per image for binary cross-entropy)."""
    reconstruction: float
    divergence: float | None
    """Plain KL divergence in nats per image, not weighed; None for an AE."""
    mean_radius: float
    """Mean distance of mu from the origin, in units of z."""

    @property
    def kl_term(self) -> float:
        """What the KL divergence adds to the total, weighed; 0 for an AE."""
        return self.total - self.reconstruction

    @property
    def kl_share(self) -> float | None:
        """Share of the KL term in the total, 0 to 1; None for an AE, or a total that is not positive."""
        return self.kl_term / self.total if self.divergence is not None and self.total > 0 else None


@dataclass(frozen=True)
class LossAccount:
    """One loss in every unit in which people compare losses; None where the unit does not apply."""

    total: float
    unit: str
    """Of total, reconstruction and KL term."""
    nats_per_image: float | None
    """The total, where the loss is a negative log-likelihood."""
    per_pixel: float
    per_latent_dimension: float
    reconstruction: float
    divergence: float | None
    """Plain KL divergence, in nats per image."""
    divergence_per_latent_dimension: float | None
    kl_weight: float | None
    """Factor of the KL divergence in the total, the posts' "fact"."""
    kl_term: float | None
    kl_share: float | None
    """Share of the KL term in the total, 0 to 1."""
    equivalent_beta: float | None
    """Factor of the KL divergence against the same loss summed over channels, as in a beta-VAE."""
    negative_elbo: float | None
    """Full-sum reconstruction plus plain divergence, in nats per image: comparable whatever the weight."""


@dataclass(frozen=True)
class EpochRecord:
    """One row of the training history."""

    epoch: int
    """Counted from 1."""
    n_images_seen: int
    training: LossParts
    """Mean over the epoch's steps, while the weights still changed."""
    validation: LossParts | None
    """On the validation split at the epoch's end; None without one."""
    kl_weight: float | None
    """Factor of the KL term at the epoch's end; None for an AE."""
    largest_gradient: float
    """Largest norm of the gradient in the epoch."""
    elapsed_seconds: float
    """Time spent in this epoch's steps, without validation and saving."""

    @property
    def training_loss(self) -> float:
        """Total loss of training."""
        return self.training.total

    @property
    def validation_loss(self) -> float | None:
        """Total loss of validation; None without one."""
        return self.validation.total if self.validation else None


@dataclass(frozen=True)
class Rollback:
    """One time that the guard went back to an earlier checkpoint."""

    epoch: int
    """In which the trouble was seen, counted from 1."""
    step: int
    """Of that epoch."""
    quantity: str
    """What jumped or was not finite, such as ``"mean radius"``."""
    value: float | None
    """None when it was not finite."""
    usual: float | None
    """Largest value of the checks before; None when there were too few."""
    n_images_lost: int
    """Images between the checkpoint and the trouble, that are now seen again with other noise."""


@dataclass(frozen=True)
class TrainResult:
    """What training gave."""

    n_images: int
    epochs: int
    steps_per_epoch: int
    history: tuple[EpochRecord, ...]
    loss_name: str
    loss_unit: str
    n_pixels: int
    """Pixels of an image, without channels: the loss divided by this is the loss per pixel."""
    kind: str
    """``"ae"`` or ``"vae"``."""
    z_dim: int
    training_account: LossAccount
    """The last epoch's training loss in every unit."""
    validation_account: LossAccount | None
    rollbacks: tuple[Rollback, ...]
    encoder_parameters: int
    decoder_parameters: int
    device: str
    precision: str
    images_per_second: float
    """Images through the training step a second, without validation and saving."""
    weights_digest: str
    elapsed_seconds: float
    images_held: str = ""
    """Where the pixels were during training, and why."""
    n_processes: int = 1
    """Processes that trained together, each with its share of every batch."""


@dataclass(frozen=True)
class EncodeResult:
    """What encoding gave."""

    n_points: int
    z_dim: int
    latents_digest: str
    """Of z, mu, logvar and ids."""
    store_digest: str
    """Of the images that were encoded: ids are rows of their store, and of no other."""
    elapsed_seconds: float
    notes: tuple[str, ...] = ()
    """Sentences on what a reader of the z-points has to know of the weights."""


@dataclass(frozen=True)
class SampleScore:
    """How the images of one sampler came out."""

    sampler: str
    """Its specification, such as ``"uniform:2"``; ``"originals"`` and ``"reconstructions"`` for the references."""
    title: str
    face_rate: Estimate
    """Share of images in which the frontal-face cascade finds a face."""
    spread: Estimate | None = None
    """How varied the images are: variance over images, mean over pixels, as a share of the originals'."""


LearningVerdict = Literal["learned", "not learned", "cannot tell"]


@dataclass(frozen=True)
class Learning:
    """Whether a model draws the images it is given, or much the same picture whatever it is given."""

    verdict: LearningVerdict
    """By the rule of `zspace.generating.learning`."""
    loss: Estimate
    """Mean reconstruction loss of the judged images."""
    constant_loss: Estimate
    """That of always drawing one image, the best one for these images."""
    perfect_loss: Estimate
    """That of drawing every image exactly."""
    explained: Estimate
    """How far the loss has come from the constant image's to the perfect one: 0 to 1, negative where it is worse."""
    spread: Estimate
    """How varied the reconstructions are, as a share of the originals'."""


@dataclass(frozen=True)
class GenerateResult:
    """What generating gave; the pictures themselves lie in the run folder, under each sampler's name."""

    scores: tuple[SampleScore, ...]
    n_shown: int
    """Pictures kept of each sampler: the first ones drawn, not chosen ones."""
    component_steps: tuple[float, ...]
    """Places at which each principal component was decoded, in standard deviations from the cloud's centre."""
    originals_split: str
    """Where the originals come from: ``"validation"``, held out in training, wherever there is such a split."""
    elapsed_seconds: float
    learning: Learning | None = None
    """Whether the model draws what it is given; None in results of versions that did not look."""


@dataclass(frozen=True)
class ReportResult:
    """What reporting gave."""

    n_bytes: int
    """Size of the HTML file."""


@dataclass(frozen=True)
class ModelResults:
    """All that was found for one model; None for what is not finished."""

    training: TrainResult
    encoding: EncodeResult | None = None
    measurements: dict[str, Measurement] | None = None
    generation: GenerateResult | None = None
    maps: dict[str, Map] = field(default_factory=dict)
    cloud: CloudFacts | None = None
    """What was noticed of the z-points."""
    verdict: Verdict | None = None
    no_verdict: str = ""
    """Why there is none although it was asked for."""
    unfinished: dict[str, str] = field(default_factory=dict)
    """By step, such as ``"encode"`` or ``"map pca"``: why what it gives is not here."""


@dataclass(frozen=True)
class StudyResults:
    """All that was found in a study."""

    images: PackResult
    models: dict[str, ModelResults]
    unfinished: dict[str, str] = field(default_factory=dict)
    """By model of which nothing is here: why."""

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """What is not finished as the plan has it, a model or a part of one, and why."""
        parts = [
            (f"{step} of {name}", why) for name, one in self.models.items() for step, why in one.unfinished.items()
        ]
        return (*self.unfinished.items(), *parts)
