"""Planes of two axes or two principal components, seen whole and at ever smaller scales around the centre.

In each window: how many points lie there and how many the matched Gaussian would put there, and whether the points
are more stringy or clumpy than points scattered at random.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float64
from scipy import stats
from scipy.spatial import cKDTree

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import LEVEL, comparison_of, law_comparison
from zspace.geometry.nulls import laws as nulls
from zspace.geometry.planes.pictures import MAX_POINTS, counting_curve, window_grid
from zspace.geometry.planes.views import PlaneCloud, chosen_planes, planes_of
from zspace.geometry.planes.windows import CountLaw, PlanePoints, Window, gaussian_points_in_window, square
from zspace.results import Estimate, Measurement, Progress, Watcher, watch_nothing
from zspace.seeds import random_stream

FEWEST_POINTS = 8
"""Different points that a local dimension needs."""
MOST_NEIGHBORS = 8
"""Neighbours that a local dimension looks at; a fourth of the points where these are few."""

_NO_GAUSSIAN = "the cloud has no spread along some direction of this plane, so no Gaussian has a density there"


def plane_windows(
    cloud: Cloud,
    planes: tuple[str, ...],
    sides: tuple[float, ...],
    n_null_clouds: int,
    seed: int,
    watch: Watcher = watch_nothing,
) -> Measurement:
    """Count the points in windows of planes, and judge how they are scattered there.

    Parameters
    ----------
    planes
        Names such as ``"pc1-pc2"`` (components, from 1) or ``"axis52-axis221"`` (raw axes, from 0). Numbers beyond
        z_dim are taken down to the last there is, which a warning of ``n_planes`` tells.
    sides
        Sides of the squares around the cloud's centre that each plane is seen in besides the whole, in units of z.
    n_null_clouds
        Sets of points drawn from the matched Gaussian for the band of each local dimension.
    seed
        Of the bands, of the null twins in the pictures, and of which points are taken where a window holds more than
        `MAX_POINTS`.
    watch
        Called after every window.

    Returns
    -------
    For every window: the count with its band and p-value, both in closed form; the expected count; the local
    dimension with the band of null twins; a grid to draw. For every plane: the count in
    squares of up to 41 sides, relative to the expected one.

    Units
    -----
    Scaling z and the sides by c changes no estimate. Rotating the cloud changes those of raw axes only.

    Assumes
    -------
    Points are independent draws. The count's band allows for mean and covariance being the cloud's own.

    Cost
    ----
    n_points * z_dim operations a plane besides the cloud's principal components, and some 3 ms for each null twin of
    a window with `MAX_POINTS` points.

    Raises
    ------
    SettingOutOfRange
        For a name that is no plane.
    """
    chosen, notes = chosen_planes(planes, cloud.z_dim)
    estimates = {
        "n_planes": Estimate.of(float(len(chosen)), "planes", "planes looked at", cloud.n_points, warnings=notes)
    }
    curves, grids, p_values = {}, {}, []
    for seen in planes_of(cloud, chosen):
        curves[seen.plane.name] = counting_curve(seen)
        for name, window in _windows(seen, sides):
            key = name.replace("-", "_").replace(" ", "_")
            found = _window_estimates(seen, window, name, n_null_clouds, seed)
            estimates |= {f"{key}_{quantity}": estimate for quantity, estimate in found.items()}
            p_values.append(_stringy_p_value(found["local_dimension"]))
            grids[name] = window_grid(seen, window, name, seed)
            watch(Progress("windows", len(grids), len(chosen) * (1 + len(set(sides))), "windows"))
    estimates["n_stringy_windows"] = _n_stringy(cloud, [p for p in p_values if p is not None], len(p_values))
    return Measurement("planes", estimates, curves, grids=grids)


def _windows(seen: PlaneCloud, sides: tuple[float, ...]) -> Iterator[tuple[str, Window]]:
    yield f"{seen.plane.name} whole", square(seen.mean, seen.whole_side)
    for side in dict.fromkeys(sides):
        yield f"{seen.plane.name} side {side:g}", square(seen.mean, side)


def _window_estimates(
    seen: PlaneCloud, window: Window, name: str, n_null_clouds: int, seed: int
) -> dict[str, Estimate]:
    inside = seen.points[window.holds(seen.points)]
    law = seen.law(window)
    estimates = {"points": _count(seen, window, name, law), "expected": _expected(seen, law)}
    estimates["local_dimension"] = _local_dimension(seen, window, law, inside, n_null_clouds, (seed, name))
    return estimates


def _window_words(window: Window) -> str:
    return f"x from {window.x_low:.4g} to {window.x_high:.4g}, y from {window.y_low:.4g} to {window.y_high:.4g}"


def _count(seen: PlaneCloud, window: Window, name: str, law: CountLaw | None) -> Estimate:
    n_points, count = len(seen.points), int(window.holds(seen.points).sum())
    source = f"z-points with {_window_words(window)}"
    if law is None:
        return Estimate.of(float(count), "z-points", source, n_points, warnings=(_NO_GAUSSIAN,))
    low, high = law.band(LEVEL)
    assumptions = ("z-points are independent draws", f"the band holds {LEVEL:.0%} of the counts, in closed form")
    found = Estimate.of(float(count), "z-points", source, n_points, assumptions=assumptions)
    effect = (count - law.expected) / float(np.sqrt(law.variance)) if law.variance > 0 else None
    band, p = (float(low), float(high)), law.p_value(count)
    quantity = f"planes.{name}_points"
    return replace(
        found, comparison=law_comparison(quantity, nulls.MATCHED_GAUSSIAN, float(count), band, p, "both", effect)
    )


def _expected(seen: PlaneCloud, law: CountLaw | None) -> Estimate:
    n_points = len(seen.points)
    source = "n_points * the bivariate normal probability of the window"
    if law is None:
        return Estimate.unknown(_NO_GAUSSIAN, "z-points", source, n_points)
    return Estimate.of(law.expected, "z-points", source, n_points)


# --- Are the points stringy? ------------------------------------------------------------------------------------------


def local_dimension(points: PlanePoints, n_neighbors: int) -> float:
    """Return the dimension that neighbouring points of a plane seem to lie in.

    It is 2 for points scattered with any smooth density and 1 on lines. Close pairs and tight clumps lower it too;
    points that keep their distance from each other, as on a lattice, raise it.

    Parameters
    ----------
    points
        All different, at least one more than there are neighbours.

    Source
    ------
    Levina and Bickel 2004, averaged over points as an inverse (MacKay and Ghahramani 2005): 1 / mean of ln(d_k / d_j)
    over all points and j = 1 .. k-1, where d_j is the distance to the j-th neighbour.
    """
    distances = np.asarray(cKDTree(points).query(points, n_neighbors + 1)[0])[:, 1:]
    inverse = float(np.log(distances[:, -1:] / distances[:, :-1]).mean())
    return 1 / inverse if inverse > 0 else float("inf")


def _local_dimension(
    seen: PlaneCloud,
    window: Window,
    law: CountLaw | None,
    inside: PlanePoints,
    n_null_clouds: int,
    stream: tuple[int, str],
) -> Estimate:
    n_points, (seed, name) = len(seen.points), stream
    unit, source = "dimensions", "neighbours within the plane, Levina and Bickel 2004; 2 is scattered, 1 is on lines"
    taken, warnings = _different_points(inside, seed, name)
    if len(taken) < FEWEST_POINTS:
        reason = f"only {len(taken)} different points lie in the window, {FEWEST_POINTS} are needed"
        return Estimate.unknown(reason, unit, source, n_points)
    n_neighbors = min(MOST_NEIGHBORS, len(taken) // 4)
    value = local_dimension(taken, n_neighbors)
    if not np.isfinite(value):
        reason = "all neighbours are equally far away, as on a lattice"
        return Estimate.unknown(reason, unit, source, n_points)
    source = f"{n_neighbors} {source}"
    twins = _twin_dimensions(seen, window, law, len(taken), n_neighbors, n_null_clouds, stream)
    if twins is None:
        return Estimate.of(value, unit, source, len(taken), n_points, warnings=(*warnings, _NO_GAUSSIAN))
    assumptions = ("z-points are independent draws", "p-value: Student t for one more draw of the null twins")
    found = Estimate.of(value, unit, source, len(taken), n_points, assumptions, warnings)
    null_name = f"{nulls.MATCHED_GAUSSIAN}, as many points in the same window"
    compared = comparison_of(f"planes.{name}_local_dimension", null_name, value, twins, "both")
    return replace(found, comparison=replace(compared, p=_one_more_p_value(value, twins)), seed=seed)


def _different_points(
    inside: PlanePoints, seed: int, name: str
) -> tuple[Float64[np.ndarray, "n_taken 2"], tuple[str, ...]]:
    """Return the points that differ, in an order that is not that of the rows, at most `MAX_POINTS` of them."""
    ordered = inside[np.lexsort(inside.T)]
    different = ordered[np.append(True, (np.diff(ordered, axis=0) != 0).any(axis=1))] if len(ordered) else ordered
    n_repeated = len(inside) - len(different)
    warnings = (f"{n_repeated} repetitions of equal points left out",) if n_repeated else ()
    if len(different) > MAX_POINTS:
        rows = random_stream(seed, "planes", name, "taken").choice(len(different), MAX_POINTS, replace=False)
        different = different[np.sort(rows)]
    return different, warnings


def _twin_dimensions(
    seen: PlaneCloud,
    window: Window,
    law: CountLaw | None,
    n_taken: int,
    n_neighbors: int,
    n_null_clouds: int,
    stream: tuple[int, str],
) -> Float64[np.ndarray, " n_null_clouds"] | None:
    """Return the local dimension of null twins with as many points in the window; None where there are no twins."""
    if seen.gaussian is None or law is None:
        return None
    values = []
    for number in range(n_null_clouds):
        random = random_stream(stream[0], "planes", stream[1], "twin", number)
        twin = gaussian_points_in_window(seen.gaussian, window, n_taken, law.probability, random)
        if twin is None:
            return None
        values.append(local_dimension(twin, n_neighbors))
    return np.array(values)


def _one_more_p_value(value: float, twins: Float64[np.ndarray, " n_twins"]) -> float:
    """Return how surprising a value is as one more draw beside normal ones, two-sided."""
    error = float(twins.std(ddof=1)) * np.sqrt(1 + 1 / len(twins))
    return float(2 * stats.t.sf(abs(value - twins.mean()) / error, len(twins) - 1))


def _stringy_p_value(estimate: Estimate) -> float | None:
    """Return the p-value where the local dimension is low, 1 where it is high, None where there is none."""
    compared = estimate.comparison
    if estimate.value is None or compared is None or compared.band is None:
        return None
    return compared.p if estimate.value < sum(compared.band) / 2 else 1.0


def _n_stringy(cloud: Cloud, p_values: list[float], n_windows: int) -> Estimate:
    limit = (1 - LEVEL) / max(len(p_values), 1)
    source = f"windows with a local dimension below that of the null twins at p < {limit:.2g}"
    if not p_values:
        reason = f"none of the {n_windows} windows has points enough and a Gaussian to compare them with"
        return Estimate.unknown(reason, "windows", source, cloud.n_points)
    value = float(sum(p < limit for p in p_values))
    assumptions = (f"{len(p_values)} of {n_windows} windows tested, Bonferroni's limit on all of them together",)
    return Estimate.of(value, "windows", source, cloud.n_points, assumptions=assumptions)
