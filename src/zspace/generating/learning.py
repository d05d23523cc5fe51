"""Whether a model has learned to draw its images: its loss beside that of one constant image, and how varied it draws.

A detector of faces is content with one grey face for every image, and a number of a cloud says nothing of what the
decoder makes of it. So before anything else is said of a model: does its loss come down from that of always drawing
the best single image, and do its reconstructions differ from each other as the originals do?
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
from jaxtyping import Float64, UInt8
from scipy import stats

from zspace.results import Estimate, Learning, LearningVerdict
from zspace.shapes import Images

EXPLAINED_FROM = 0.2
"""Share of the way from the constant image to the perfect drawing that a model must have come to have learned."""
SPREAD_FROM = 0.2
"""Share of the originals' spread that the reconstructions of a model, or the images of a sampler, must have."""
FEWEST_IMAGES = 10
"""With fewer, the best constant image is too like each of them to be a measure."""

_LEVEL = 0.95
_SPREAD = "variance over images, mean over pixels and channels, divided by that of the originals"

PerImage = Float64[np.ndarray, " n_images"]
PerOriginal = Float64[np.ndarray, " n_originals"]
Originals = UInt8[np.ndarray, "n_originals height width channels"]
"""Not necessarily as many as there are images to compare them with."""


def learning_of(
    losses: tuple[PerImage, PerImage, PerImage], unit: str, originals: Images, reconstructions: Images
) -> Learning:
    """Return whether a model has learned to draw.

    Parameters
    ----------
    losses
        Of every image: drawn by the model, by the best constant image, and by the image itself.
    unit
        Of the losses.
    originals, reconstructions
        The same images, in the same order.

    Assumes
    -------
    Images are independent draws. The constant image is the best for these very images, which flatters it by a share
    of one in the number of images.

    Source
    ------
    The rule: learned where both shares are at least `EXPLAINED_FROM` and `SPREAD_FROM` with their whole intervals, not
    learned where one of them is below with its whole interval, else it cannot be told. Examples that the two limits
    come from are in docs/findings/learning.md.
    """
    drawn, constant, perfect = losses
    n_images = len(drawn)

    def loss(values: PerImage, source: str) -> Estimate:
        return Estimate.of(float(values.mean()), unit, source, n_images)

    explained = _explained(drawn - perfect, constant - perfect)
    spread = spread_share(reconstructions, originals, paired=True)
    return Learning(
        learning_verdict(explained, spread),
        loss(drawn, "mean reconstruction loss of the model"),
        loss(constant, "mean loss of drawing the best constant image every time"),
        loss(perfect, "mean loss of drawing every image exactly"),
        explained,
        spread,
    )


def learning_verdict(explained: Estimate, spread: Estimate) -> LearningVerdict:
    """Return what two shares with their intervals say of a model, by the rule of `learning_of`."""
    sides = [_side(explained, EXPLAINED_FROM), _side(spread, SPREAD_FROM)]
    if "below" in sides:
        return "not learned"
    return "learned" if sides == ["above", "above"] else "cannot tell"


def is_varied(spread: Estimate | None) -> bool:
    """Return whether the images of a sampler are certainly more than one picture again and again."""
    return spread is not None and _side(spread, SPREAD_FROM) == "above"


def _side(share: Estimate, limit: float) -> str:
    if share.value is None:
        return "unknown"
    low, high = share.interval or (share.value, share.value)
    if high < limit:
        return "below"
    return "above" if low >= limit else "unknown"


def _explained(left: PerImage, whole: PerImage) -> Estimate:
    """Return the share of the way to a perfect drawing: 1 - what is left of it / the whole way, both per image."""
    unit = "share of the way"
    source = "(loss of the constant image - loss of the model) / (loss of the constant image - loss of exact drawing)"
    if (reason := _too_few(len(left))) or (reason := "" if whole.mean() > 0 else "the images are all alike"):
        return Estimate.unknown(reason, unit, source, len(left))
    ratio, error = _ratio_of_means(left, whole, paired=True)
    return _with_interval(1 - ratio, error, unit, source, len(left))


def spread_share(images: Images, originals: Originals, *, paired: bool) -> Estimate:
    """Return how varied images are, as a share of how varied the originals are.

    Parameters
    ----------
    paired
        Whether the images belong to the originals one by one, as reconstructions do.

    Source
    ------
    Interval: ratio of two means by linearisation, Cochran 1977, "Sampling techniques", chapter 6, with Student's t.
    """
    unit, n_images = "share of the originals' spread", len(images)
    if reason := _too_few(min(n_images, len(originals))):
        return Estimate.unknown(reason, unit, _SPREAD, n_images)
    own, whole = _scatter(images), _scatter(originals)
    if whole.mean() == 0:
        return Estimate.unknown("the originals are all alike", unit, _SPREAD, n_images)
    ratio, error = _ratio_of_means(own, whole, paired=paired)
    found = _with_interval(ratio, error, unit, _SPREAD, n_images)
    low, high = found.interval or (ratio, ratio)
    return replace(found, interval=(max(low, 0.0), high))  # a variance is never negative


def _too_few(n_images: int) -> str:
    return f"only {n_images} images, {FEWEST_IMAGES} are needed" if n_images < FEWEST_IMAGES else ""


def _scatter(images: Images) -> PerImage:
    """Return each image's squared distance from the mean image, per value; their mean is the variance over images."""
    mean = np.mean(images, axis=0, dtype=np.float64)
    squares = np.array([float(np.square(image - mean).mean()) for image in images])
    return squares * (len(images) / (len(images) - 1))


def _ratio_of_means(numerators: PerImage, denominators: PerOriginal, *, paired: bool) -> tuple[float, float]:
    """Return the ratio of two means and its standard error."""
    mean = float(denominators.mean())
    ratio = float(numerators.mean()) / mean
    if paired:
        return ratio, float(stats.sem(numerators - ratio * denominators)) / mean
    return ratio, sqrt(float(stats.sem(numerators)) ** 2 + (ratio * float(stats.sem(denominators))) ** 2) / mean


def _with_interval(value: float, error: float, unit: str, source: str, n_images: int) -> Estimate:
    reach = error * float(stats.t.ppf((1 + _LEVEL) / 2, n_images - 1))
    return Estimate(
        value,
        unit,
        n_images,
        n_images,
        source,
        interval=(value - reach, value + reach),
        level=_LEVEL,
        interval_method="ratio of means, Student t",
        assumptions=("images are independent draws",),
    )
