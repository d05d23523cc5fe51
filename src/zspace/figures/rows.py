"""The rows of the table of figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

from matplotlib.figure import Figure

from zspace.figures.numbers import format_number
from zspace.figures.style import LAW_STROKES
from zspace.files import slug as slug
from zspace.results import Curve, Measurement


@dataclass(frozen=True)
class FigureRow:
    """One figure of a measurement: how it is drawn and how it is read."""

    key: str
    """Unique among the figures of a measurement; fit for file names and anchors."""
    title: str
    caption: str
    """How to read it, in plain words, with what the null band and the law are."""
    draw: Callable[[Measurement], Figure]
    curves: tuple[str, ...]
    """Names of the curves it shows, for the tables of numbers beside it."""
    estimates: tuple[str, ...] = ()
    """Keys of the estimates that it makes visible."""
    is_wide: bool = False
    """Whether it takes the whole width of a page."""


@dataclass(frozen=True)
class FigureSet:
    """All that is drawn of one measure."""

    title: str
    question: str
    """What the measure answers, in one sentence."""
    rows: Callable[[Measurement], tuple[FigureRow, ...]]


def comparison_words(curve: Curve) -> str:
    """Return the sentences of a caption that say what the null band and the laws beside a curve are."""
    sentences = []
    if curve.null_low is not None:
        sentences.append(_band_sentence(curve))
    sentences += [
        f"{stroke.word.capitalize()}: {law.name}." for law, stroke in zip(curve.laws, cycle(LAW_STROKES), strict=False)
    ]
    return " ".join(sentences)


def _band_sentence(curve: Curve) -> str:
    model, level = curve.null_name or "the null model", f"{100 * (curve.null_level or 0.0):.3g} %"
    if curve.null_p is None:
        return (
            f"Light band: where {level} of clouds without further structure lie ({model}), at each place by itself; "
            "one place in many lies outside by chance."
        )
    told = f"p = {format_number(curve.null_p, digits=2)} for the whole curve"
    return (
        f"Light band: {level} of the clouds drawn from a model without further structure ({model}), this one counted "
        f"among them, stay within it from end to end; {told}."
    )
