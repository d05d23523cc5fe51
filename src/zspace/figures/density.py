"""How crowded places are drawn: one scale of colours for counts, and dots that shrink as they get many."""

from __future__ import annotations

from matplotlib.colors import LinearSegmentedColormap

from zspace.figures.style import DATA

COUNT_COLORS = LinearSegmentedColormap.from_list(
    "zspace counts", ["#ffffff", "#cfe0ee", "#86b3d6", "#3f7fb5", DATA, "#04152b"]
)
"""White for none, through the blue of data to nearly black: lightness falls all the way, so grey prints can be read."""

_INK = 2400.0
"""Area of all dots of one panel together, in square points."""


def dot_area(n_dots: int) -> float:
    """Return the area of one dot in square points, so that a panel of a few and one of thousands are both readable.

    Examples
    --------
    >>> dot_area(10), dot_area(1200)
    (12.0, 2.0)
    """
    return min(12.0, max(0.6, _INK / max(n_dots, 1)))
