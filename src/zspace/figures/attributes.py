"""Figures of attributes: what each cluster has more or less of, and how much of an attribute the clusters tell."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from zspace.figures.numbers import format_number, format_percent
from zspace.figures.rows import FigureRow
from zspace.figures.style import DATA, MARK, NULL, NULL_EDGE, REFERENCE, add_legend, drawing, new_figure, plain_ticks
from zspace.results import Estimate, Measurement

MAX_SHOWN = 20
"""Attributes in a figure; those that the clusters tell most of come first."""
_ALARM = 0.05
_PREFIX = "between_clusters: "
_LESS_MORE = LinearSegmentedColormap.from_list(
    "zspace less and more", [DATA, "#3f7fb5", "#b4cfe3", "#ffffff", "#f4c6a3", MARK, "#7d3300"]
)
"""Blue for less than over all points, white for as much, vermilion for more; signs tell them apart in grey print."""
_STRONGEST, _WEAKEST = 2.0, 0.2
"""Standard deviations at which colours end, at most and at least."""
_LONGEST_NAME = 24
_ROW_INCHES = 0.2
_TICKS = (0, 0.01, 0.05, 0.2, 1, 5, 10, 20, 40, 60, 80, 100)

Cells = Float64[np.ndarray, "n_attributes n_clusters"]


def attribute_rows(measurement: Measurement) -> tuple[FigureRow, ...]:
    """Return what each cluster has more or less of, and the share of every attribute that lies between clusters."""
    shares = _known_shares(measurement)
    if not shares:
        return ()
    keys = tuple(f"{_PREFIX}{name}" for name in shares)
    rows = (
        FigureRow(
            "attributes-deviations",
            "What each cluster has more or less of",
            "Mean of each attribute (row) in each cluster (column) less its mean over all points, in standard "
            "deviations of the attribute: orange and + where the cluster has more of it, blue and \N{MINUS SIGN} where "
            "it has less. A sign stands only where 95 % of clusters drawn at random would differ less; with many "
            "points that is nearly everywhere, so go by the colour. Beside each name stands its mean over all points, "
            "which for yes or no is the share of yes. Bars above: points in each cluster. "
            + _shown_words(measurement, len(_heat_names(measurement))),
            _draw_deviations,
            ("deviations", "means", "sizes"),
        ),
        FigureRow(
            "attributes-shares",
            "How much of each attribute the clusters tell",
            "Share of the attribute's variance that lies between clusters, less what chance gives, with its 95 % "
            "interval: 100 % if knowing the cluster is knowing the attribute, 0 if it says nothing. Light bars: 95 % "
            "of shares that random clusters would give; the axis is stretched near 0. Hollow: a p-value of "
            f"{_ALARM} or more, corrected for the number of attributes. With many points even a share far below 1 %, "
            "which tells next to nothing of an image, leaves the bar: the size of the share is what counts, not that "
            "it differs from 0. " + _shown_words(measurement, len(shares)),
            _draw_shares,
            (),
            ("n_attributes_in_clusters", *keys[:MAX_SHOWN]),
        ),
    )
    return tuple(row for row in rows if all(name in measurement.curves for name in row.curves))


def _known_shares(measurement: Measurement) -> dict[str, Estimate]:
    """Return the shares that are known, by the attribute's name, the largest first."""
    known = {
        key.removeprefix(_PREFIX): estimate
        for key, estimate in measurement.estimates.items()
        if key.startswith(_PREFIX) and estimate.value is not None
    }
    return dict(sorted(known.items(), key=lambda item: -(item[1].value or 0.0)))


def _heat_names(measurement: Measurement) -> tuple[str, ...]:
    """Return the attributes that have means in every cluster."""
    deviations = measurement.curves.get("deviations")
    return deviations.labels if deviations is not None else ()


def _shown_words(measurement: Measurement, n_known: int) -> str:
    """Return which of the attributes are in a figure."""
    n_all = sum(key.startswith(_PREFIX) for key in measurement.estimates)
    if n_known == n_all <= MAX_SHOWN:
        return f"All {n_all} attributes, the largest share first."
    words = f"{min(n_known, MAX_SHOWN)} of {n_all} attributes, the largest share first"
    n_unknown = n_all - n_known
    return f"{words}; {n_unknown} cannot be shown, for the reasons given below." if n_unknown else f"{words}."


def _name_words(name: str) -> str:
    words = name.replace("_", " ").strip() or name
    return words if len(words) <= _LONGEST_NAME else f"{words[: _LONGEST_NAME - 1]}…"


def _draw_deviations(measurement: Measurement) -> Figure:
    curve, overall = measurement.curves["deviations"], measurement.curves["means"].laws[0].values
    cells = curve.y[:MAX_SHOWN]
    labels = [
        f"{_name_words(name)}  {format_number(float(mean), digits=2)}"
        for name, mean in zip(curve.labels, overall[: len(cells), 0], strict=False)
    ]
    with drawing():
        figure = new_figure(height_inches=1.9 + _ROW_INCHES * len(cells))
        heights = [0.5, _ROW_INCHES * len(cells)]
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=heights)
        _draw_sizes(above, measurement)
        image = _draw_cells(below, cells)
        if curve.null_low is not None and curve.null_high is not None:
            _draw_signs(below, cells > curve.null_high[: len(cells)], cells, "+")
            _draw_signs(below, cells < curve.null_low[: len(cells)], cells, "_")
        below.set_yticks(range(len(cells)), labels, fontsize=8)
        below.set_xlabel(curve.x_label)
        bar = figure.colorbar(image, ax=below, location="bottom", shrink=0.8, aspect=34, pad=0.02, extend=_ends(cells))
        bar.set_label(
            "less \N{LEFTWARDS ARROW} standard deviations from the mean \N{RIGHTWARDS ARROW} more", fontsize=8
        )
        bar.outline.set_visible(False)
    return figure


def _draw_sizes(axes: Axes, measurement: Measurement) -> None:
    sizes = measurement.curves["sizes"].y[0]
    axes.bar(range(len(sizes)), sizes, width=0.86, color=REFERENCE)
    axes.set_ylabel("points", fontsize=8)
    axes.set_yticks([0, float(sizes.max())])
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)
    plain_ticks(axes.yaxis)


def _strongest(cells: Cells) -> float:
    """Return the deviation at which colours end: one extreme cell must not bleach the rest."""
    return float(np.clip(np.abs(cells).max(), _WEAKEST, _STRONGEST))


def _ends(cells: Cells) -> str:
    """Return at which ends of the scale there are deviations beyond it, in matplotlib's words."""
    less, more = bool(cells.min() < -_STRONGEST), bool(cells.max() > _STRONGEST)
    return "both" if less and more else "min" if less else "max" if more else "neither"


def _draw_cells(axes: Axes, cells: Cells) -> AxesImage:
    strongest, n_clusters = _strongest(cells), cells.shape[1]
    image = axes.imshow(cells, _LESS_MORE, vmin=-strongest, vmax=strongest, aspect="auto", interpolation="nearest")
    step = -(-n_clusters // 20)  # more numbers would run into each other
    axes.set_xticks(range(0, n_clusters, step), [str(k + 1) for k in range(0, n_clusters, step)])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # White lines between cells, as minor grid.
    axes.set_xticks(np.arange(0.5, n_clusters - 1), minor=True)
    axes.set_yticks(np.arange(0.5, len(cells) - 1), minor=True)
    axes.grid(which="minor", color="white", lw=0.8)
    axes.tick_params(which="minor", length=0)
    return image


def _draw_signs(axes: Axes, chosen: np.ndarray, cells: Cells, marker: str) -> None:
    rows, columns = np.nonzero(chosen)
    # Light on the dark ends of the scale, dark on its pale middle.
    strong = np.abs(cells[rows, columns]) > 0.6 * _strongest(cells)
    colors = np.where(strong, "#ffffff", "#3c3c3c")
    axes.scatter(columns, rows, s=14, c=colors.tolist(), marker=marker, linewidths=0.8)


def _draw_shares(measurement: Measurement) -> Figure:
    shares = dict(list(_known_shares(measurement).items())[:MAX_SHOWN])
    with drawing():
        figure = new_figure(height_inches=1.1 + 1.2 * _ROW_INCHES * len(shares))
        axes = figure.subplots()
        for place, estimate in enumerate(shares.values()):
            _draw_share(axes, estimate, place)
        axes.set_yticks(range(len(shares)), [_name_words(name) for name in shares], fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_ylim(len(shares) - 0.4, -0.6)
        _stretch(axes, _right_end(list(shares.values())))
        axes.set_xlabel("share of variance between clusters, beyond chance (%)")
        axes.grid(axis="x", color="#e4e4e4", lw=0.6)
        plain_ticks(axes.xaxis)
        _add_names(figure, axes, list(shares.values()))
    return figure


def _right_end(shares: list[Estimate]) -> float:
    ends = [100 * end for one in shares for pair in (one.interval, one.band) if pair for end in pair]
    ends += [100 * one.value for one in shares if one.value is not None]
    return 1.4 * max(*ends, 0.01)  # what lies beyond is for the numbers


def _stretch(axes: Axes, end: float) -> None:
    """Draw small shares further apart than large ones, so that those near chance can be read beside those that tell."""
    axes.set_xscale("function", functions=(lambda x: np.sign(x) * np.sqrt(np.abs(x)), lambda x: np.sign(x) * x**2))
    axes.set_xlim(0, end)
    axes.set_xticks([tick for tick in _TICKS if tick <= min(end, 100) and (tick == 0 or tick >= end / 200)])


def _is_found(estimate: Estimate) -> bool:
    return estimate.p is None or estimate.p < _ALARM


def _draw_share(axes: Axes, estimate: Estimate, place: int) -> None:
    share = estimate.value or 0.0
    if estimate.band is not None:
        low, high = (100 * end for end in estimate.band)
        axes.barh(place, high - low, 0.8, low, color=NULL, edgecolor=NULL_EDGE, lw=0.6)
    end = 100 * share
    if estimate.interval is not None:
        ends = [100 * value for value in estimate.interval]
        axes.plot(ends, [place, place], color=DATA, lw=3, alpha=0.45, solid_capstyle="butt")
        end = max(*ends, 100 * (estimate.band or (0.0, 0.0))[1])
    face = DATA if _is_found(estimate) else "white"
    # Half of a dot at 0 lies left of the axis.
    axes.plot(100 * share, place, color=DATA, marker="o", markersize=5, markerfacecolor=face, clip_on=False, zorder=3)
    axes.annotate(
        format_percent(share, estimate.interval),
        (end, place),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=DATA,
        fontsize=7.5,
    )


def _add_names(figure: Figure, axes: Axes, shares: list[Estimate]) -> None:
    """Name what is drawn, each kind once, without drawing anything more."""
    for found, face, name in ((True, DATA, "share found"), (False, "white", "no more than chance")):
        if any(_is_found(one) == found for one in shares):
            axes.plot([], [], color=DATA, lw=0, marker="o", markersize=5, markerfacecolor=face, zorder=3, label=name)
    if any(one.band is not None for one in shares):
        axes.fill_between([], [], facecolor=NULL, edgecolor=NULL_EDGE, lw=0.6, label="random clusters")
    add_legend(figure, axes)
