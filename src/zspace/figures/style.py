"""One look for all figures: what a colour means, sizes that stay readable on a phone, and SVG that never varies.

A meaning has one colour everywhere, from the Okabe-Ito palette, which people with colour-blindness can tell apart; it
also has a shape (line, band, dashes), so that a grey print can be read too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from zspace.figures.numbers import format_grid

DATA = "#0b3c6f"
"""What was found: dark blue, solid."""
NULL = "#ecd9c0"
"""The band of the null model: light grey-orange, filled."""
NULL_EDGE = "#b9a181"
LAW = "#3c3c3c"
"""A law in closed form: dark grey, dashed."""
SECOND_LAW = "#8a4b00"
"""A second law beside the first: brown, dotted; the colour of the null band, but darker."""
MARK = "#d55e00"
"""What stands out and is named: vermilion."""
SECOND = "#009e73"
"""A second set of data beside the first, such as the validation images: bluish green, with open squares."""
REFERENCE = "#767676"
"""What the data are judged against, such as the original images: mid grey."""


@dataclass(frozen=True)
class Stroke:
    """How a law is drawn, and the word for it in captions."""

    word: str
    color: str
    pattern: tuple[int, tuple[float, ...]]
    width: float


LAW_STROKES = (Stroke("dashed", LAW, (0, (4.0, 2.0)), 1.1), Stroke("dotted", SECOND_LAW, (0, (1.0, 1.2)), 1.5))
"""Of the laws beside a curve, in their order."""

SERIES = (DATA, "#d55e00", "#009e73", "#56b4e9", "#cc79a7", "#e69f00", "#767676", "#000000")
"""Colours of curves that have names but no fixed meaning, in order."""

HALO = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}
"""Keeps words readable where lines run behind them."""

WIDTH_INCHES = 5.0
"""At this width 9-point text is still 9 pixels high on a phone 390 pixels wide."""

_FONT = "DejaVu Sans"
_PAGE_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
"""Text is laid out with the wide DejaVu, which comes with matplotlib, and shown in the reader's narrower fonts: it
always fits, and stays text that can be searched and copied."""

_LOOK: dict[str, Any] = {
    "font.family": [_FONT],
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.labelcolor": "#222222",
    "text.color": "#222222",
    "xtick.color": "#8a8a8a",
    "ytick.color": "#8a8a8a",
    "xtick.labelcolor": "#222222",
    "ytick.labelcolor": "#222222",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "lines.linewidth": 1.5,
    "svg.fonttype": "none",
    # Names come from files: a dollar sign in one is no formula.
    "text.parse_math": False,
}

_FEW_DECADES = 2000.0

_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r"#([\w.-]+)")
_PROLOG = re.compile(r"^<\?xml.*?(?=<svg )", re.DOTALL)
_LINE_ENDS = re.compile(
    r"<defs>\s*<style type=\"text/css\">\*\{stroke-linejoin: round; stroke-linecap: butt\}</style>\s*</defs>"
)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_FONT_FAMILY = re.compile(rf"font-family: '{_FONT}'(?:, [^;\"]*)?(?:; )?")
_PLACE = re.compile(r' (?:d|x|y|transform)="[^"]*"')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_INDENT = re.compile(r"^ +", re.MULTILINE)


@contextmanager
def drawing(**changes: object) -> Iterator[None]:
    """Draw in zspace's look, whatever the user's matplotlib settings are; they are put back afterwards."""
    with style.context(["default", {**_LOOK, **changes}]):
        yield


def new_figure(height_inches: float = 3.0, width_inches: float = WIDTH_INCHES) -> Figure:
    """Return an empty figure; call it inside `drawing`."""
    return Figure(figsize=(width_inches, height_inches), layout=ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06))


def plain_ticks(axis: Axis) -> None:
    """Write ticks as plain numbers with thousands separators, without powers of ten as formulas."""
    low, high = axis.get_view_interval()
    if axis.get_scale() == "log" and low > 0 and high < _FEW_DECADES * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: format_grid(float(value))))
    axis.set_minor_formatter(NullFormatter())


def add_legend(figure: Figure, axes: Axes, n_columns: int = 3) -> None:
    """Put the names of what is drawn above the plot, where they cover no data."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) > 1:
        # What lies on top, the data, comes first, then what it is compared with.
        order = sorted(range(len(labels)), key=lambda i: -handles[i].get_zorder())
        handles, labels = [handles[i] for i in order], [labels[i] for i in order]
        # Wide labels of long null names take a line each, so that nothing is cut off.
        n_columns = 1 if sum(map(len, labels)) > 64 and len(labels) > 1 else n_columns
        figure.legend(handles, labels, loc="outside upper left", ncols=n_columns, borderaxespad=0.2)


def to_svg(figure: Figure, key: str) -> str:
    """Return the figure as one self-contained SVG document.

    Equal figures give equal bytes: the document holds no date, and its internal names derive from ``key`` and from
    what is drawn. Figures with different keys can stand in one HTML page without their names getting mixed up.

    Parameters
    ----------
    figure
        What a drawing function gave.
    key
        Unique among the figures of one page.
    """
    buffer = io.StringIO()
    with drawing(**{"svg.hashsalt": key}):
        figure.savefig(
            buffer,
            format="svg",
            dpi=200,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _tidy(buffer.getvalue())


def _tidy(document: str) -> str:
    """Take away what a reader of the page does not see, a fourth of the document, and let the page choose the font.

    Group names that nothing refers to repeat in every figure; places are kept to a hundredth of a point. How lines end
    is said by the figure's own element: a style sheet within it would hold for every drawing of the page.
    """
    used = set(_REFERENCE.findall(document))
    document = _ID.sub(lambda match: match.group() if match.group(1) in used else "", document)
    document = _LINE_ENDS.sub("", _FONT_FAMILY.sub("", _METADATA.sub("", document)))
    ours = f'font-family="{_PAGE_FONTS}" stroke-linejoin="round" stroke-linecap="butt"'
    document = document.replace("<svg ", f"<svg {ours} ", 1)
    return _INDENT.sub("", _PLACE.sub(lambda place: _LONG_NUMBER.sub(_rounded, place.group()), document))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number.group()):.2f}"


def inline_svg(document: str) -> str:
    """Return the SVG element of a document, without XML declaration and document type, to stand inside HTML."""
    return _PROLOG.sub("", document)
