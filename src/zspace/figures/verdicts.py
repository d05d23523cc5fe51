"""Figures of a verdict: which family tells which null model apart, quantities beside every null, and envelopes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zspace.figures.numbers import format_grid
from zspace.figures.style import (
    DATA,
    LAW,
    MARK,
    NULL,
    NULL_EDGE,
    REFERENCE,
    add_legend,
    drawing,
    new_figure,
    plain_ticks,
)
from zspace.results import Comparison, Envelope, FamilyTest, RungTest, Verdict

LADDER_CAPTION = (
    "Columns are the null models, the simplest first; rows are the families of tests. The number is the p-value of all "
    "quantities of a family together, corrected by Holm over the families of its column. Filled: the family tells the "
    "cloud from this null model; open: it does not; a dash: not tested, because the null model keeps just that, or "
    "because a look at radius and components was enough. One filled square in a column tells the null model apart. "
    "Where one family has settled that, the others are drawn no further: ≤ says that no draw went as far as the cloud, "
    "and that more draws would only make the number smaller."
)
FOREST_CAPTION = (
    "One panel for each null model, one row for each quantity. The zero line is the mean over clouds drawn from the "
    "null model, and the unit is their standard deviation, so that all quantities share one scale (even up to 5, "
    "logarithmic beyond). Bar: the band of those clouds. Filled diamond: the cloud, outside the band; open circle: "
    "inside. With many rows some leave the band by chance: what counts is the p-value above a panel, of all rows "
    "together, corrected over the families."
)

_EVEN_UP_TO = 5.0
"""Standard deviations up to which the scale of a forest is even."""
_MOST_IN_A_ROW = 3
_ROW_INCHES = 0.36
_PANEL_INCHES = 1.42
_LABEL_INCHES = 2.1
_LABEL_LETTERS = 34
_LOG_FROM = 20.0
"""Ratio of the ends of x from which on it is logarithmic."""
_ONE_ROW = 1.5
"""Clouds, the one in question among them, that go as far as it does: fewer than this are it alone."""


def null_words(null: str) -> str:
    """Return the short name of a null model as it stands over columns and panels."""
    return null.replace("_", " ")


def family_title(test: FamilyTest) -> str:
    """Return what a family of tests is called where people read it."""
    return test.title or test.family.replace("_", " ").capitalize()


def quantity_title(one: Comparison) -> str:
    """Return what a quantity is called where people read it."""
    return one.title or one.quantity.partition(".")[2].replace("_", " ").capitalize()


def p_words(p: float | None) -> str:
    """Return a p-value with two digits, as it is told: 0.05 and 1, not 0.050 and 1.0."""
    return "–" if p is None else format_grid(float(f"{p:.2g}"))  # noqa: RUF001 - a dash for what there is not


def is_bound(test: FamilyTest | None) -> bool:
    """Return whether more draws could only make a p-value smaller: not one of them went as far as the cloud."""
    return test is not None and test.p is not None and test.p * (1 + test.n_draws) < _ONE_ROW


def family_p_words(test: FamilyTest | None) -> str:
    """Return the corrected p-value of a family, with a sign where it is a bound."""
    told = p_words(test.p_corrected if test else None)
    return f"≤ {told}" if is_bound(test) else told


# --- The ladder -------------------------------------------------------------------------------------------------------


def draw_ladder(verdict: Verdict) -> Figure:
    """Draw which family of tests tells which null model from the cloud."""
    titles = {test.family: family_title(test) for rung in verdict.rungs for test in rung.families}
    with drawing():
        figure = new_figure(height_inches=1.1 + 0.33 * len(titles))
        axes = figure.subplots()
        for x, rung in enumerate(verdict.rungs):
            tests = {test.family: test for test in rung.families}
            for y, family in enumerate(titles):
                _draw_test(axes, x, y, tests.get(family), verdict.level)
        axes.set(xlim=(-0.55, len(verdict.rungs) - 0.45), ylim=(len(titles) - 0.45, -0.55))
        axes.set_yticks(range(len(titles)), list(titles.values()))
        names = [null_words(rung.null) for rung in verdict.rungs]
        axes.set_xticks(range(len(names)), names, rotation=30, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return figure


def _draw_test(axes: Axes, x: int, y: int, test: FamilyTest | None, level: float) -> None:
    if test is None or test.p_corrected is None:
        axes.text(x, y, "–", ha="center", va="center", color=REFERENCE)  # noqa: RUF001 - a dash
        return
    apart = test.p_corrected <= level
    face, ink = (DATA, "white") if apart else ("white", DATA)
    axes.add_patch(Rectangle((x - 0.44, y - 0.4), 0.88, 0.8, facecolor=face, edgecolor=DATA, lw=0.9))
    axes.text(x, y, family_p_words(test), ha="center", va="center", fontsize=8, color=ink)


# --- Quantities beside every null -------------------------------------------------------------------------------------


def draw_forest(comparisons: Sequence[Comparison], rungs: Sequence[RungTest]) -> Figure:
    """Draw the quantities of one family beside every null model that they were compared with.

    Parameters
    ----------
    comparisons
        Of one family.
    rungs
        In the order of the ladder.
    """
    quantities = list({one.quantity: quantity_title(one) for one in comparisons}.items())
    by_null = {rung.null: {one.quantity: one for one in comparisons if one.null == rung.null} for rung in rungs}
    shown = [rung for rung in rungs if by_null[rung.null]]
    reach = _reach(comparisons)
    with drawing():
        width = _LABEL_INCHES + _PANEL_INCHES * max(len(shown), 1)
        figure = new_figure(height_inches=0.95 + _ROW_INCHES * len(quantities), width_inches=width)
        panels = figure.subplots(1, max(len(shown), 1), sharey=True, squeeze=False)[0]
        for axes, rung in zip(panels, shown, strict=False):
            for place, (quantity, _) in enumerate(quantities):
                _draw_row(axes, place, by_null[rung.null].get(quantity), reach)
            _set_scale(axes, reach)
            axes.set_title(_panel_title(rung, comparisons[0].family), fontsize=8.5, loc="left")
        labels = [textwrap.fill(title, _LABEL_LETTERS) for _, title in quantities]
        panels[0].set_yticks(range(len(labels)), labels, fontsize=8)
        panels[0].set_ylim(len(labels) - 0.4, -0.6)
        figure.supxlabel("standard deviations of the null model from its mean", fontsize=8.5)
    return figure


def _panel_title(rung: RungTest, family: str) -> str:
    test = next((test for test in rung.families if test.family == family), None)
    return f"{null_words(rung.null)}\np {family_p_words(test) if is_bound(test) else f'= {family_p_words(test)}'}"


def _reach(comparisons: Sequence[Comparison]) -> float:
    """Return how far the scale has to go, to both sides."""
    bands = [abs(end) for one in comparisons for end in one.band_effect or ()]
    return 1.6 * max([_EVEN_UP_TO, *bands, *(abs(one.effect) for one in comparisons if one.effect is not None)])


def _set_scale(axes: Axes, reach: float) -> None:
    axes.axvline(0, color=LAW, lw=0.7, zorder=1)
    axes.set_xscale("symlog", linthresh=_EVEN_UP_TO, linscale=1.2)
    furthest = 10.0 ** np.floor(np.log10(reach))
    axes.set_xticks([-furthest, 0, furthest] if furthest > _EVEN_UP_TO else [-_EVEN_UP_TO, 0, _EVEN_UP_TO])
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y", color="#ececec", lw=0.6)
    plain_ticks(axes.xaxis)


def _draw_row(axes: Axes, place: int, one: Comparison | None, reach: float) -> None:
    band = one.band_effect if one is not None else None
    if one is None or one.effect is None or band is None or one.band is None or one.value is None:
        words = "kept by this model" if one is None else "not known"
        axes.text(0, place, words, ha="center", va="center", fontsize=7, style="italic", color=REFERENCE)
        return
    low, high = (float(np.clip(end, -reach, reach)) for end in band)
    bar = Rectangle((low, place - 0.22), high - low, 0.44, facecolor=NULL, edgecolor=NULL_EDGE, lw=0.6, zorder=2)
    axes.add_patch(bar)
    if one.band[0] <= one.value <= one.band[1]:
        axes.plot(one.effect, place, marker="o", ms=5.5, mfc="white", mec=DATA, mew=1.3, zorder=3, clip_on=False)
    else:
        axes.plot(one.effect, place, marker="D", ms=5.5, color=MARK, mew=0, zorder=3, clip_on=False)


# --- Curves in envelopes ----------------------------------------------------------------------------------------------


def envelope_caption(envelopes: Sequence[Envelope]) -> str:
    """Return how to read the figure of a curve, and what leaving its envelopes means."""
    chance = format_grid(round(100 * (1 - min(one.level for one in envelopes)), 1))
    return (
        "Solid: the curve of the cloud. Light band: the global envelope of the null model, which one of its own curves "
        f"leaves anywhere at all with a chance of {chance} %; dashed: the middle of its curves. Squares mark where the "
        "cloud's curve is outside, at scales where it is unlike this null model. The p-value is of this curve alone, "
        "not corrected for the number of curves: curves show where a difference lies, the families of the ladder "
        "whether there is one. Every panel has a height scale of its own."
    )


def draw_envelopes(envelopes: Sequence[Envelope]) -> Figure:
    """Draw one curve of the cloud within the global envelope of every null model that it was compared with."""
    n_columns = min(len(envelopes), _MOST_IN_A_ROW)
    n_rows = -(-len(envelopes) // n_columns)
    with drawing():
        figure = new_figure(height_inches=0.55 + 2.3 * n_rows, width_inches=3.3 * n_columns)
        panels = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False).ravel()
        for axes, envelope in zip(panels, envelopes, strict=False):
            _draw_envelope(axes, envelope)
        for axes in panels[len(envelopes) :]:
            axes.set_axis_off()
        figure.supxlabel(envelopes[0].x_label, fontsize=9)
        figure.supylabel(envelopes[0].y_label, fontsize=9)
        add_legend(figure, panels[0], n_columns=4)
    return figure


def _draw_envelope(axes: Axes, envelope: Envelope) -> None:
    x, y = np.array(envelope.x), np.array(envelope.y)
    if x.min() > 0 and x.max() > _LOG_FROM * x.min():
        axes.set_xscale("log")
    axes.fill_between(
        x, envelope.low, envelope.high, facecolor=NULL, edgecolor=NULL_EDGE, lw=0.6, zorder=1, label="global envelope"
    )
    axes.plot(x, envelope.central, color=LAW, lw=1.0, ls=(0, (4.0, 2.0)), zorder=2, label="middle of the null model")
    axes.plot(x, y, color=DATA, zorder=4, label="z-points")
    outside = np.isin(x, envelope.left_at)
    # As vectors the squares would take more than all the rest.
    axes.plot(x[outside], y[outside], color=MARK, marker="s", ms=2.6, lw=0, zorder=5, label="outside", rasterized=True)
    words = f"outside at {outside.sum()} of {len(x)}" if outside.any() else "inside everywhere"
    axes.set_title(f"{null_words(envelope.null)}: p = {p_words(envelope.p)}\n{words}", fontsize=8.5, loc="left")
    plain_ticks(axes.xaxis)
    plain_ticks(axes.yaxis)
    axes.minorticks_off()
