"""Panels of a line-up: twenty clouds drawn alike, so that nothing but their points tells which one is real."""

from __future__ import annotations

import numpy as np

from zspace.figures.style import DATA
from zspace.results import LineUp

_SIDE = 1000
"""Of a panel, in units of its drawing: places are whole numbers of them."""
_DOT = 18
"""Width of a dot."""
_REACH = 1.25
"""How far the frame goes beyond what holds 99 % of all points: one far point must not shrink twenty panels."""


def line_up_panels(found: LineUp) -> tuple[str, ...]:
    """Return every panel as an SVG element, all with one frame.

    The dots of a panel are the round ends of one path's lines of next to no length: a seventh of what single circles
    take. Of lines of no length at all some browsers draw nothing.
    """
    centre = np.median(found.panels, axis=(0, 1))
    distances = np.abs(found.panels - centre).max(axis=-1)
    reach = min(float(distances.max()), _REACH * float(np.quantile(distances, 0.99))) or 1.0
    places = _SIDE / 2 * (1 + 0.97 * (found.panels - centre) / reach * [1, -1])
    return tuple(_panel(panel) for panel in np.rint(places).astype(np.int64).tolist())


def _panel(places: list[list[int]]) -> str:
    dots = "".join(f"M{x} {y}h.1" for x, y in places)
    stroke = f'stroke="{DATA}" stroke-width="{_DOT}" stroke-linecap="round"'
    return f'<svg viewBox="0 0 {_SIDE} {_SIDE}" aria-hidden="true"><path d="{dots}" {stroke}/></svg>'
