"""Known clouds that are thinner than their space: strings, tubes, sheets and loops, blurred by noise in all dimensions.

"Width" is the noise about the line or surface: the root of the trace of its covariance, as a share of that of the
whole cloud. Line or surface and noise come from streams of their own: the same points blurred more or less.
"""

import numpy as np
from jaxtyping import Float64

from zspace.geometry.truths.curves import bending, network, points_on_lines, tree
from zspace.geometry.truths.frames import power_law, resized, size_of, turned
from zspace.geometry.truths.planting import STRUCTURES, plant
from zspace.geometry.truths.thick import turned_gaussian_points
from zspace.seeds import random_stream
from zspace.shapes import Points

N_STRINGS = 6
LENGTH = 2.0
"""Of a string, beside the root of the sum of the variances that bend it."""
N_FORKS = 2
TAPER = 0.75


def _blurred(
    skeleton: Float64[np.ndarray, "n_points z_dim"],
    width: float,
    seed: int,
    shape_seed: int,
    tapers: Float64[np.ndarray, " n_points"] | None = None,
) -> Points:
    """Return points about a line or surface, the same size in all dimensions together whatever the width."""
    n_points, z_dim = skeleton.shape
    noise = random_stream(seed, "truth", "blur").standard_normal((n_points, z_dim)) / np.sqrt(z_dim)
    if tapers is not None:
        noise *= (tapers / np.sqrt(np.mean(tapers**2)))[:, np.newaxis]
    # Squares of sizes add up: size of the cloud squared = size of the skeleton squared / (1 - width squared).
    blurred = skeleton + noise * (size_of(skeleton) * width / np.sqrt(1 - width**2))
    return turned(resized(blurred), shape_seed)


def string_points(n_points: int, z_dim: int, seed: int, *, width: float = 0.05, shape_seed: int = 0) -> Points:
    """Draw from a connected network of curved strings."""
    deviations = np.sqrt(power_law(z_dim))
    lines = network(random_stream(shape_seed, "truth", "strings"), deviations, N_STRINGS, LENGTH * np.sqrt(z_dim))
    skeleton, _ = points_on_lines(lines, n_points, random_stream(seed, "truth", "strings", "places"))
    return _blurred(skeleton, width, seed, shape_seed)


def tube_points(n_points: int, z_dim: int, seed: int, *, width: float = 0.08, shape_seed: int = 0) -> Points:
    """Draw from a tree of tubes that fork, shorten and taper."""
    deviations, random = np.sqrt(power_law(z_dim)), random_stream(shape_seed, "truth", "tubes")
    lines, widths = tree(random, deviations, N_FORKS, LENGTH * np.sqrt(z_dim), TAPER)
    skeleton, chosen = points_on_lines(lines, n_points, random_stream(seed, "truth", "tubes", "places"))
    return _blurred(skeleton, width, seed, shape_seed, np.array(widths)[chosen])


def sheet_points(n_points: int, z_dim: int, seed: int, *, width: float = 0.05, shape_seed: int = 0) -> Points:
    """Draw from a sheet that is rolled up in the leading three components, and bent along both its sides beyond."""
    places = random_stream(seed, "truth", "sheet", "places").random((n_points, 2))
    # Uniform on the roll: the length of a spiral grows as the square of its angle.
    low, high = 1.0 * np.pi, 3.5 * np.pi
    angle = np.sqrt(low**2 + places[:, 0] * (high**2 - low**2))
    roll = np.stack([angle * np.cos(angle), angle * np.sin(angle), 1.5 * high * places[:, 1]], axis=1)
    roll /= np.sqrt(roll.var(axis=0).mean())
    deviations, random = np.sqrt(power_law(z_dim)), random_stream(shape_seed, "truth", "sheet")
    rest = bending(random, places[:, 0], deviations[3:]) + bending(random, places[:, 1], deviations[3:])
    skeleton = np.hstack([roll * np.sqrt(np.mean(deviations[:3] ** 2)), rest / np.sqrt(2)])
    return _blurred(skeleton, width, seed, shape_seed)


def loop_points(n_points: int, z_dim: int, seed: int, *, width: float = 0.1, shape_seed: int = 0) -> Points:
    """Draw from a closed line: a ring with three dents in the leading two components that wavers in all others."""
    turn = 2 * np.pi * random_stream(seed, "truth", "loop", "places").random(n_points)
    radius = 1 + 0.2 * np.cos(3 * turn)
    waves = np.stack([wave(order * turn) for order in (2, 3) for wave in (np.cos, np.sin)], axis=1)
    amplitudes = random_stream(shape_seed, "truth", "loop").standard_normal((waves.shape[1], z_dim - 2))
    rest = 0.5 * (waves @ amplitudes) * np.sqrt(power_law(z_dim)[2:] / z_dim)
    skeleton = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), rest])
    return _blurred(skeleton, width, seed, shape_seed)


def hidden_string_points(
    n_points: int, z_dim: int, seed: int, *, share: float = 0.1, width: float = 0.05, shape_seed: int = 0
) -> Points:
    """Draw from a turned Gaussian in which a share of the points lie on strings."""
    gaussian = turned_gaussian_points(n_points, z_dim, seed, shape_seed=shape_seed)
    random, shape = random_stream(seed, "truth", "hidden"), random_stream(shape_seed, "truth", "hidden")
    return plant(STRUCTURES["strings"], gaussian, share, width, random, shape)
