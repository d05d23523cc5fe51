"""Builds a realistic study from random clouds: what the report and the figures would get from the acts below them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np

from zspace.generating.learning import learning_verdict
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import comparison_of
from zspace.geometry.comparing.ranks import global_envelope, holm
from zspace.geometry.lineup import line_up
from zspace.geometry.maps.drawing import draw_map
from zspace.geometry.nulls.ladder import Null
from zspace.objectives.accounting import Scale, account_loss
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.report import StudyReport
from zspace.results import (
    Claim,
    CloudFacts,
    Comparison,
    Curve,
    EncodeResult,
    Envelope,
    EpochRecord,
    Estimate,
    FamilyTest,
    GenerateResult,
    Law,
    Learning,
    LossParts,
    Map,
    MapSheet,
    Measurement,
    ModelResults,
    PackResult,
    RungTest,
    SampleScore,
    SplitCounts,
    StudyResults,
    TrainResult,
    Verdict,
)
from zspace.settings import GenerateSettings, MapSettings, ModelSettings, Origin, Plan, StudySettings

NULL_NAME = "Gaussian with the cloud's own mean and covariance"
SAMPLERS = {
    "normal": "N(0, 1) on every axis",
    "uniform:2": "uniform in [-2, 2] on every axis",
    "uniform:10": "uniform in [-10, 10] on every axis",
    "fitted-gaussian": "Gaussian with the cloud's mean and covariance",
}


def cloud(n_points: int, z_dim: int, seed: int = 7) -> np.ndarray:
    """Return a cloud with a few broad and off-centre axes, as an autoencoder's."""
    stream = np.random.default_rng(seed)
    points = stream.normal(size=(n_points, z_dim)) * stream.uniform(0.5, 0.95, z_dim)
    for axis, centre, width in ((3, 5.0, 3.0), (9, -2.0, 3.6), (14, 0.5, 4.4), (20, -1.0, 3.2)):
        points[:, axis] = centre + width * points[:, axis]
    return points


def nulls(points: np.ndarray, n_clouds: int = 5) -> list[np.ndarray]:
    stream = np.random.default_rng(1)
    mean, covariance = points.mean(0), np.cov(points.T)
    return [stream.multivariate_normal(mean, covariance, len(points)) for _ in range(n_clouds)]


def estimate(value: float | None, n: int, unit: str = "units of z", **more: object) -> Estimate:
    return Estimate(value, unit, n, n, "L2 norm of every z-point", **more)


def beside_null(quantity: str, null: str, value: float, band: tuple[float, float]) -> Comparison:
    """Return a number outside its band beside 39 draws: the p-value is the smallest there is."""
    draws = tuple(np.linspace(*band, 39).tolist())
    return Comparison(quantity, null, value, draws, 0, "both", 0.05, 0.95, band, 3.0)


def radius(points: np.ndarray, z_dim: int) -> Measurement:
    radii, n = np.linalg.norm(points, axis=1), len(points)
    null_radii = [np.linalg.norm(null, axis=1) for null in nulls(points)]
    curves = {}
    for width in (0.5, 0.05):
        edges = np.arange(0, np.ceil(max(radii.max(), *(r.max() for r in null_radii))) + width, width)
        bands = np.stack([np.histogram(r, edges)[0] for r in null_radii]).astype(float)
        middle = (edges[1:] + edges[:-1]) / 2
        density = np.exp(-((middle - np.sqrt(z_dim - 0.5)) ** 2)) / np.sqrt(np.pi)
        curves[f"bin {width:g}"] = Curve(
            "histogram",
            edges,
            np.histogram(radii, edges)[0].astype(float)[None],
            "radius R (units of z)",
            "z-points per bin",
            ("z-points",),
            NULL_NAME,
            bands.min(0)[None],
            bands.max(0)[None],
            (Law(f"independent unit normals, N(0, I) in {z_dim} dimensions", (n * width * density)[None]),),
        )
    mean, error = float(radii.mean()), float(radii.std() / np.sqrt(n))
    null_means = [float(r.mean()) for r in null_radii]
    quantiles = np.quantile(radii, [0.25, 0.75, 0.025, 0.975])
    band = {"comparison": beside_null("radius.mean_radius", NULL_NAME, mean, (min(null_means), max(null_means)))}
    interval = {"interval": (mean - 2 * error, mean + 2 * error), "level": 0.95, "interval_method": "normal"}
    estimates = {
        "mean_radius": estimate(mean, n, seed=1, assumptions=("points are independent",), **interval, **band),
        "peak_radius": estimate(
            float(np.median(radii)) - 0.1, n, warnings=("The peak is flat: three bins lie within its error.",)
        ),
        "standard_deviation": estimate(float(radii.std()), n),
        "smallest": estimate(float(radii.min()), n),
        "largest": estimate(float(radii.max()), n),
    }
    names = ("half_shell_low", "half_shell_high", "shell95_low", "shell95_high")
    estimates |= {name: estimate(float(value), n) for name, value in zip(names, quantiles, strict=True)}
    return Measurement("radius", estimates, curves, 1.3)


def axes(points: np.ndarray, z_dim: int) -> Measurement:
    n = len(points)
    low, high = np.floor(points.min()), np.ceil(points.max())
    edges = np.arange(low, high + 0.25, 0.25)
    counts = np.stack([np.histogram(points[:, i], edges)[0] for i in range(z_dim)]).astype(float)
    centre, spread = np.median(points, axis=0), points.std(axis=0)
    peak = (edges[counts.argmax(1)] + edges[counts.argmax(1) + 1]) / 2
    middle = (edges[1:] + edges[:-1]) / 2
    bells = np.exp(-(((middle - points.mean(0)[:, None]) / spread[:, None]) ** 2) / 2)
    law = n * 0.25 * bells / (spread[:, None] * np.sqrt(2 * np.pi))
    special = ((abs(centre) > 0.5) | (spread > 2)).astype(float)
    rows = np.stack([points.mean(0), centre, peak, spread, 1.1774 * spread, special])
    labels = ("mean", "median", "peak", "standard deviation", "half-width", "special")
    names = tuple(f"axis {i}" for i in range(z_dim))
    curves = {
        "density": Curve(
            "histogram",
            edges,
            counts,
            "coordinate (units of z)",
            "z-points per bin of 0.25",
            names,
            laws=(Law(NULL_NAME, law),),
        ),
        "summary": Curve("line", np.arange(z_dim, dtype=float), rows, "axis", "units of z", labels),
    }
    estimates = {
        "n_special_axes": estimate(float(special.sum()), n, "axes"),
        "median_standard_deviation": estimate(float(np.median(spread)), n),
        "largest_offset": estimate(float(abs(centre).max()), n),
    }
    return Measurement("axes", estimates, curves, 0.8)


def principal(points: np.ndarray, z_dim: int) -> Measurement:
    n, stream = len(points), np.random.default_rng(2)
    spectrum = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    scale = np.sqrt(spectrum.mean())
    flat = [np.sort(np.linalg.eigvalsh(np.cov(stream.normal(size=(z_dim, n)) * scale)))[::-1] for _ in range(3)]
    number, share = np.arange(1.0, z_dim + 1), np.cumsum(spectrum) / spectrum.sum()
    label, null = "component number", "isotropic Gaussian of the same total variance"
    low, high = np.min(flat, axis=0)[None], np.max(flat, axis=0)[None]
    curves = {
        "spectrum": Curve(
            "line", number, spectrum[None], label, "variance (squared units of z)", ("z-points",), null, low, high
        ),
        "cumulative": Curve("line", number, share[None], label, "share of the variance", ("z-points",)),
    }
    needed = {
        key: estimate(float(np.searchsorted(share, at) + 1), n, "components")
        for key, at in (("n_for_half", 0.5), ("n_for_90_percent", 0.9), ("n_for_99_percent", 0.99))
    }
    compared = beside_null("principal.first_component_share", null, float(share[0]), (0.006, 0.009))
    first = estimate(float(share[0]), n, "share of variance", comparison=compared)
    return Measurement("principal", {"first_component_share": first, **needed}, curves, 0.4)


def losses(total: float) -> LossParts:
    return LossParts(total, total, None, 16.4)


def training(epochs: int = 12) -> TrainResult:
    history = tuple(
        EpochRecord(epoch, 12_577 * epoch, losses(4530 + 700 / epoch), losses(4555 + 640 / epoch), None, 9.5, 8.4)
        for epoch in range(1, epochs + 1)
    )
    scale = Scale(9216, 3, 256)
    account = account_loss(losses(4588.0), RECONSTRUCTIONS["binary-cross-entropy"], scale, None)
    return TrainResult(
        12_577, epochs, 99, history, "binary cross-entropy", "nats per image", 9216, "ae", 256, account, account, (), 2_747_968, 2_756_675,
        "cpu", "bf16", 412.7, "4f2a90c1", 101.5,
    )  # fmt: skip


def rate(share: float | None, reason: str | None = None) -> Estimate:
    if share is None:
        return Estimate(None, "share of images", 1000, 0, "OpenCV frontal-face cascade", reason=reason)
    error = 1.96 * np.sqrt(max(share * (1 - share), 0.001) / 1000)
    interval = (max(0.0, float(share - error)), min(1.0, float(share + error)))
    return Estimate(share, "share of images", 1000, 1000, "OpenCV frontal-face cascade", interval, 0.95, "Wilson")


def share_of(value: float | None, half: float = 0.02, reason: str | None = None) -> Estimate:
    interval = None if value is None else (value - half, value + half)
    level, method = (None, None) if value is None else (0.95, "ratio of means, Student t")
    return Estimate(value, "share of the whole", 1000, 1000, "a ratio", interval, level, method, reason=reason)


def learning(explained: float | None = 0.62, spread: float | None = 0.7, half: float = 0.02) -> Learning:
    """Return a judgement of a model, by these two shares."""
    few = "only 3 images, 10 are needed"
    shares = [share_of(value, half, None if value is not None else few) for value in (explained, spread)]
    loss, constant, perfect = (
        Estimate(value, "nats per image (binary-cross-entropy)", 1000, 1000, "mean")
        for value in (5000.0 - 1000.0 * (explained or 0.0), 5000.0, 4000.0)
    )
    return Learning(learning_verdict(*shares), loss, constant, perfect, *shares)


def generation(judged: Learning | None = None) -> GenerateResult:
    """Return four samplers beside the references; the last one works."""
    shares = {"normal": 0.031, "uniform:2": 0.02, "uniform:10": None, "fitted-gaussian": 0.973}
    references = (
        SampleScore("originals", "originals", rate(0.95), share_of(1.0, 0.0)),
        SampleScore("reconstructions", "reconstructions", rate(0.962), share_of(0.7)),
    )
    reason = "the decoder gave pictures without any contrast"
    samplers = (SampleScore(key, SAMPLERS[key], rate(share, reason), share_of(0.6)) for key, share in shares.items())
    return GenerateResult(
        (*references, *samplers),
        n_shown=8,
        component_steps=(-2.0, 0.0, 2.0),
        originals_split="validation",
        elapsed_seconds=3.2,
        learning=judged or learning(),
    )


def model(n_points: int, z_dim: int, seed: int = 7) -> ModelResults:
    points = cloud(n_points, z_dim, seed)
    found = (radius(points, z_dim), axes(points, z_dim), principal(points, z_dim))
    encoding = EncodeResult(n_points, z_dim, "77aa", "88bb", 2.0)
    facts = CloudFacts("latents.zarr", n_points, n_points, z_dim, 0, 1, 2, has_posterior=False)
    maps = {name: found for name, (found, _) in drawn_maps().items()}
    return ModelResults(training(), encoding, {item.name: item for item in found}, generation(), maps, facts, verdict())


@cache
def drawn_maps() -> dict[str, tuple[Map, MapSheet]]:
    """Return a map with a twin and one without, of a cloud of their own."""
    points = Cloud(cloud(200, 24).astype(np.float32))
    known = {"Smiling": (points.points[:, 3] > 5).astype(np.float64)}
    asked = {"pca": MapSettings(method="pca"), "pca:n_points=0": MapSettings(method="pca", n_points=0, null_twin=False)}
    return {name: draw_map(points, name, one, 1, known) for name, one in asked.items()}


def packing(source: str = "/data/celeba/img_align_celeba") -> PackResult:
    reasons = {"cut short after 1,204 bytes": 2, "no image: text/html": 1}
    duplicates = (("000712.jpg", "000031.jpg"), ("001204.jpg", "000044.jpg"))
    return PackResult(
        source, 15_725, 15_722, 3, reasons, 2, duplicates, SplitCounts(12_577, 1_573, 1_572),
        "by content hash", 96, "square", ("Eyeglasses", "Male", "Smiling"), 0, "c0ffee", 31.0,
    )  # fmt: skip


def portraits(n_images: int, size: int = 32, seed: int = 3, blur: float = 0.0) -> np.ndarray:
    """Return ovals with eyes before coloured backgrounds; blur from 0 to 1 takes their contrast."""
    stream = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    images = np.empty((n_images, size, size, 3))
    for image in images:
        image[:] = stream.uniform(30, 200, 3) + 40 * x[..., None] * stream.normal(size=3)
        image[(x / 0.55) ** 2 + (y / 0.75) ** 2 < 1] = stream.uniform([150, 100, 80], [250, 200, 170])
        for side in (-0.22, 0.22):
            image[(x - side) ** 2 + (y + 0.15) ** 2 < 0.008] = 30
    images = images * (1 - blur) + images.mean(axis=(1, 2), keepdims=True) * blur
    return images.clip(0, 255).astype(np.uint8)


def pictures(n_images: int = 8, size: int = 32) -> dict[str, np.ndarray]:
    known = {"originals": portraits(n_images, size), "reconstructions": portraits(n_images, size, blur=0.3)}
    walks = {"components": portraits(6, size, 5, 0.4)}
    return known | walks | {key: portraits(n_images, size, seed, 0.4) for seed, key in enumerate(SAMPLERS)}


def plan(name: str = "celeba-ae", title: str = "", models: tuple[str, ...] = ("ae",)) -> Plan:
    settings = StudySettings(
        name=name,
        title=title,
        compare_with_posts=True,
        models={key: ModelSettings() for key in models},
        generate=GenerateSettings(samplers=tuple(SAMPLERS)),
    )
    origins = {"name": Origin("preset"), "images.size": Origin("flag"), "seed": Origin("default")}
    for key in models:
        origins[f"models.{key}.training.precision"] = Origin("derived", "this CPU multiplies bf16 fast")
    return Plan(settings, origins)


def study(
    models: tuple[str, ...] = ("ae",),
    *,
    n_points: int = 600,
    z_dim: int = 24,
    name: str = "celeba-ae",
    title: str = "An autoencoder on CelebA",
) -> StudyReport:
    """Return a whole study; equal arguments give equal records."""
    found = {key: model(n_points, z_dim, 7 + place) for place, key in enumerate(models)}
    return StudyReport(
        plan=plan(name, title, models),
        results=StudyResults(packing(), found),
        pictures={key: pictures() for key in models},
        sheets={key: {name: sheet for name, (_, sheet) in drawn_maps().items()} for key in models},
        created=datetime(2026, 7, 27, 14, 3, tzinfo=UTC),
        zspace_version="0.1.0",
    )


# --- Verdicts ---------------------------------------------------------------------------------------------------------

RUNGS = {
    "prior": ("N(0, I)", "nothing of the cloud", "its place, its widths and all that hangs on them"),
    "gaussian": (
        "Gaussian with the cloud's mean and covariance",
        "mean and covariance",
        "all else: tails, curved shapes, groups, gaps",
    ),
    "elliptical": (
        "elliptical cloud with the cloud's own radii",
        "mean, covariance and how far points lie from the centre, measured along the covariance",
        "which directions they lie in",
    ),
    "independent": (
        "independent components with the cloud's own densities",
        "the density along every principal component",
        "how the components go together",
    ),
    "copula": (
        "Gaussian copula with the components' own densities",
        "the densities along the components, and how their ranks are correlated",
        "every other way of going together",
    ),
    "mixture": (
        "mixture of 10 Gaussians",
        "place, widths and weight of ten groups, fitted to one half and compared with the other",
        "any shape within a group that is not Gaussian",
    ),
}
FAMILIES = {
    "radius": ("Radius", ("mean", "standard deviation", "lower quartile", "upper quartile")),
    "axes": ("Single components", ("largest skewness", "mean excess kurtosis", "components that are not normal")),
    "neighbours": (
        "Neighbours",
        ("mean distance to the 1st neighbour", "mean distance to the 10th neighbour", "hubness: skewness of how often a point is a neighbour"),
    ),
    "dimension": ("Dimension over scale", ("TwoNN", "Gride at 8 neighbours", "Gride at 32 neighbours", "local PCA at 64 neighbours")),
    "connectivity": ("Connectivity", ("longest edge of the spanning tree", "straightness of branches", "groups at the mean linking length")),
    "clusters": ("Clusters", ("largest gap", "agreement of starts")),
    "planes": ("Planes", ("pair correlation at short range", "empty space")),
    "hollow": ("Hollow", ("mass within half the typical radius", "the same in the leading 4 components")),
    "two_sample": ("Two-sample tests", ("area under the curve", "neighbours of the same sample")),
}  # fmt: skip
STRENGTHS = {"neighbours": 30.0, "dimension": 12.0, "radius": 8.0, "axes": 5.0, "two_sample": 6.0}
"""How far a family lies from the Gaussian, in standard deviations; the rest is as the null model has it."""
_FADES = {"prior": 8.0, "gaussian": 1.0, "elliptical": 0.5, "independent": 0.9, "copula": 0.8}
N_DRAWS = 199


def comparisons(null: str, families: tuple[str, ...], fade: float) -> list[Comparison]:
    stream = np.random.default_rng(len(null))
    found = []
    for family in families:
        for place, title in enumerate(FAMILIES[family][1]):
            draws = 10 + 0.2 * stream.normal(size=N_DRAWS)
            effect = -fade * STRENGTHS.get(family, 0.0) * 0.8**place + 0.5 * stream.normal()
            quantity = f"{family}.{title.replace(' ', '_')}"
            one = comparison_of(quantity, null, 10 + 0.2 * effect, draws, "low")
            found.append(replace(one, title=title[:1].upper() + title[1:], unit="units of z"))
    return found


def rung(null: str, families: tuple[str, ...], found: list[Comparison]) -> RungTest:
    title, keeps, destroys = RUNGS[null]
    tests = []
    p_values = {family: min(one.p for one in found if one.family == family) for family in families}
    for (family, p), corrected in zip(p_values.items(), holm(list(p_values.values())), strict=True):
        strongest = max((one for one in found if one.family == family), key=lambda one: abs(one.effect))
        tests.append(FamilyTest(family, p, corrected, N_DRAWS, strongest.quantity, FAMILIES[family][0]))
    best = min(test.p_corrected for test in tests)
    return RungTest(null, title, keeps, destroys, "yes" if best <= 0.05 else "no", best, 2048, N_DRAWS, tuple(tests))


def envelope(curve: str, title: str, null: str, shift: float) -> Envelope:
    x = np.arange(1.0, 65.0)
    stream = np.random.default_rng(5)
    middle = 14.15 + 0.72 * np.log(x)
    draws = middle + 0.05 * stream.normal(size=(N_DRAWS, 1)) + 0.02 * stream.normal(size=(N_DRAWS, len(x)))
    y = middle + shift * np.exp(-x / 20)
    found = global_envelope(y, draws, 0.95)
    return Envelope(
        curve, null, tuple(x.tolist()), tuple(y.tolist()), tuple(found.low.tolist()), tuple(found.high.tolist()),
        tuple(found.central.tolist()), found.level, found.p, tuple(x[found.outside].tolist()),
        "number of the neighbour", "mean distance (units of z)", title,
    )  # fmt: skip


def claim(name: str, question: str, answer: str, p: float, null: str, limit: float | None, sentence: str, advice: str, evidence: tuple[str, ...]) -> Claim:  # fmt: skip
    found = None
    if limit is not None:
        found = Estimate(limit, "share of the points", 2048, 2048, "planted and found in 95 of 100 clouds")
    return Claim(name, question, answer, p, min(1.0, 6 * p), -1.2 if answer == "no" else 12.4, null, "64 neighbours", found, sentence, advice, evidence)  # fmt: skip


def claims() -> dict[str, Claim]:
    rows = (
        claim(
            "gaussian", "Is it just a Gaussian?", "no", 0.005, "gaussian", None,
            "It is no Gaussian: the 1st neighbour lies 30 standard deviations nearer than in the matched Gaussian (p 0.03).",
            "Draws from the fitted Gaussian have the right spread, yet fall between the places where z-points are dense.",
            ("neighbours.mean_distance_to_the_1st_neighbour", "two_sample.area_under_the_curve"),
        ),
        claim(
            "clusters", "Does it fall into clusters?", "no", 0.42, "elliptical", 0.06,
            "No clusters beyond what an elliptical cloud shows (p 1.0).",
            "One density serves all of it: no need to draw a cluster first.",
            ("clusters.largest_gap", "connectivity.groups_at_the_mean_linking_length"),
        ),
        claim(
            "strings", "Does it lie on strings?", "no", 0.31, "copula", 0.02,
            "No strings: nowhere between 2 and 64 neighbours is it of fewer than 14 dimensions (p 1.0).",
            "Straight lines between neighbouring z-points stay in the cloud.",
            ("connectivity.straightness_of_branches", "dimension.Gride_at_8_neighbours"),
        ),
        claim(
            "sheets", "Does it lie on sheets?", "cannot tell", 0.04, "mixture", 0.35,
            "Cannot tell: with 2,048 points p is 0.24 after correction; about 9,000 points would do.",
            "Nothing follows until more points are measured.",
            ("dimension.local_PCA_at_64_neighbours",),
        ),
        claim(
            "hollow", "Is it hollow?", "no", 0.6, "elliptical", 0.1,
            "Not hollow: half the typical radius holds as many points as in an elliptical cloud (p 1.0). That 256 "
            "dimensions leave the centre empty is no hole.",
            "Draw from the whole of the density, the middle too.",
            ("hollow.mass_within_half_the_typical_radius",),
        ),
        claim(
            "lower_dimensional", "Is it of lower dimension than it has room for?", "yes", 0.005, "mixture", None,
            "Yes: at 8 neighbours it looks 17.6-dimensional, 12 standard deviations below every null model (p 0.03).",
            "Draw from a model that follows the cloud closely, such as a mixture or a flow.",
            ("dimension.TwoNN", "dimension.Gride_at_8_neighbours"),
        ),
    )  # fmt: skip
    return {row.name: row for row in rows}


@dataclass(frozen=True)
class Drawn:
    """A null model that draws from the Gaussian of the points it was fitted to."""

    compared: Cloud

    def draw(self, random: np.random.Generator) -> np.ndarray:
        size = (self.compared.n_points, self.compared.z_dim)
        return (random.standard_normal(size) * self.compared.points.std(axis=0)).astype(np.float32)


@cache
def verdict(
    rungs: tuple[str, ...] = ("gaussian", "elliptical"),
    families: tuple[str, ...] = ("neighbours", "hollow"),
    curves: tuple[str, ...] = ("neighbours",),
) -> Verdict:
    """Return what an autoencoder's cloud might come to; every rung but "mixture" can be told from it."""
    found = {null: comparisons(null, families, _FADES.get(null, 0.02)) for null in rungs}
    tested = tuple(rung(null, families, found[null]) for null in rungs)
    closest = next((one.null for one in tested if one.answer == "no"), "none")
    gaussian = Null("gaussian", *RUNGS["gaussian"], lambda *_: None)
    hidden = line_up(gaussian, Drawn(Cloud(cloud(600, 24).astype(np.float32))), 1)
    named = RUNGS[closest][0] if closest != "none" else "no model of the ladder"
    envelopes = (
        envelope(f"{curve}.distances", "Distance to the nearest neighbours", null, -2 * _FADES.get(null, 0.02))
        for curve in curves
        for null in rungs
    )
    return Verdict(
        closest,
        f"This cloud is no Gaussian; the simplest model that describes it is: {named}. It has no strings, no clusters "
        "and no hole, but looks 15 to 20-dimensional where the models look 18 to 30-dimensional.",
        claims(),
        tested,
        tuple(one for null in rungs for one in found[null]),
        tuple(envelopes),
        2048,
        12_577,
        1,
        83.0,
        ("Limits were measured for 60 s; that of clusters is a bound.",),
        0.05,
        (hidden,),
    )


WHOLE = {"rungs": tuple(RUNGS), "families": tuple(FAMILIES), "curves": ("neighbours", "dimension")}
"""Arguments of a verdict on everything."""
