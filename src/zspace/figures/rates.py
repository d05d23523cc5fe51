"""Figure that compares how often the images of each sampler show a face."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zspace.figures.numbers import format_percent
from zspace.figures.style import DATA, HALO, REFERENCE, drawing, new_figure, plain_ticks
from zspace.results import GenerateResult, SampleScore

REFERENCES = ("originals", "reconstructions")
"""What samplers are judged against; the rest of the scores are samplers."""

RATE_CAPTION = (
    "Share of images in which OpenCV's frontal-face cascade finds a face: dot and confidence interval. Grey diamonds "
    "are the references, the originals and their reconstructions; the dotted line carries on the originals' rate, "
    "the most a sampler can be expected to reach. The cascade overlooks turned and covered faces, and takes blurred "
    "and distorted ones for faces: it tells that there is a face, not that it is a good one."
)


def draw_rates(generation: GenerateResult) -> Figure:
    """Draw one row per sampler with its face rate, below the references; an unknown rate says why."""
    scores = sorted(generation.scores, key=lambda score: score.sampler not in REFERENCES)
    with drawing():
        figure = new_figure(height_inches=0.8 + 0.45 * len(scores))
        axes = figure.subplots()
        _draw_ceiling(axes, scores)
        for place, score in enumerate(scores):
            _draw_score(axes, score, place)
        axes.set_ylim(len(scores) - 0.6, -0.75)
        axes.set_xlim(0, 118)
        axes.set_xticks(range(0, 101, 20))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("images with a face (%)")
        axes.grid(axis="x", color="#e4e4e4", lw=0.6)
        plain_ticks(axes.xaxis)
    return figure


def _draw_ceiling(axes: Axes, scores: list[SampleScore]) -> None:
    for score in scores:
        if score.sampler == "originals" and score.face_rate.value is not None:
            axes.axvline(100 * score.face_rate.value, color=REFERENCE, linestyle=":", lw=1.0)


def _draw_score(axes: Axes, score: SampleScore, place: int) -> None:
    rate = score.face_rate
    # Names stand above their rows: beside them they would take half the width on a phone.
    axes.text(0.5, place - 0.3, score.title, va="center", fontsize=8.5, bbox=HALO, zorder=4)
    if rate.value is None:
        reason = textwrap.fill(f"not known: {rate.reason or 'no reason was recorded'}", 64)
        axes.text(0.5, place + 0.14, reason, va="center", color=REFERENCE, fontsize=7.5, style="italic", bbox=HALO)
        return
    is_reference = score.sampler in REFERENCES
    color = REFERENCE if is_reference else DATA
    if rate.interval is not None:
        axes.plot([100 * end for end in rate.interval], [place, place], color=color, lw=3, alpha=0.45)
    axes.plot(100 * rate.value, place, color=color, marker="D" if is_reference else "o", markersize=6)
    axes.text(103, place, format_percent(rate.value, rate.interval), va="center", color=color, fontsize=8.5)
