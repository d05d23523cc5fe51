"""Curved lines and surfaces in any number of dimensions, and points on them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

N_MODES = 3
"""Waves that bend a line: few, so that it is smooth."""
_N_KNOTS = 257

Knots = Float64[np.ndarray, "_ n_dims"]
"""A curved line as a chain of short straight pieces."""


def bending(
    random: np.random.Generator, places: Float64[np.ndarray, " n_places"], deviations: Float64[np.ndarray, " n_dims"]
) -> Float64[np.ndarray, "n_places n_dims"]:
    """Return a random smooth function of a place between 0 and 1, in as many dimensions as there are deviations.

    It is a sum of `N_MODES` half-waves whose amplitudes fall as the inverse of their number and are scaled by the
    deviations, so that it bends most in the leading dimensions.
    """
    orders = np.arange(1, N_MODES + 1)
    phases = np.pi * np.outer(places, orders)
    cosines, sines = random.standard_normal((2, N_MODES, len(deviations))) / orders[:, np.newaxis]
    return np.asarray((np.cos(phases) @ cosines + np.sin(phases) @ sines) * deviations)


def curved_line(random: np.random.Generator, deviations: Float64[np.ndarray, " n_dims"], length: float) -> Knots:
    """Return a random curved line of this length that begins at the origin."""
    knots = bending(random, np.linspace(0, 1, _N_KNOTS), deviations)
    return np.asarray((knots - knots[0]) * (length / piece_lengths(knots).sum()))


def piece_lengths(knots: Knots) -> Float64[np.ndarray, " n_pieces"]:
    """Return the lengths of the straight pieces of a line."""
    return np.asarray(np.linalg.norm(np.diff(knots, axis=0), axis=1))


def points_on_lines(
    lines: Sequence[Knots], n_points: int, random: np.random.Generator
) -> tuple[Float64[np.ndarray, "n_points n_dims"], np.ndarray]:
    """Return points that lie uniformly on lines, and which line each of them is on."""
    starts = np.concatenate([knots[:-1] for knots in lines])
    steps = np.concatenate([np.diff(knots, axis=0) for knots in lines])
    lines_of_pieces = np.repeat(np.arange(len(lines)), [len(knots) - 1 for knots in lines])
    ends = np.linalg.norm(steps, axis=1).cumsum()
    pieces = np.searchsorted(ends, random.uniform(0, ends[-1], n_points)).clip(max=len(steps) - 1)
    points = starts[pieces] + random.random((n_points, 1)) * steps[pieces]
    return points, lines_of_pieces[pieces]


def network(
    random: np.random.Generator, deviations: Float64[np.ndarray, " n_dims"], n_lines: int, length: float
) -> list[Knots]:
    """Return curved lines that hang together: each begins somewhere on one before it."""
    lines = [curved_line(random, deviations, length)]
    while len(lines) < n_lines:
        parent = lines[random.integers(len(lines))]
        lines.append(parent[random.integers(_N_KNOTS // 4, len(parent))] + curved_line(random, deviations, length))
    return lines


def tree(
    random: np.random.Generator, deviations: Float64[np.ndarray, " n_dims"], n_forks: int, length: float, taper: float
) -> tuple[list[Knots], list[float]]:
    """Return curved lines that fork in two at their ends, and how wide each is beside the first.

    With every fork, length and width shrink by the factor ``taper``.
    """
    lines, widths, newest = [curved_line(random, deviations, length)], [1.0], [0]
    for generation in range(1, n_forks + 1):
        grown = [
            lines[parent][-1] + curved_line(random, deviations, length * taper**generation)
            for parent in newest
            for _ in range(2)
        ]
        newest = list(range(len(lines), len(lines) + len(grown)))
        lines += grown
        widths += [taper**generation] * len(grown)
    return lines, widths
