"""How z-points lie along each axis of latent space."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

from zspace.geometry.axes import normality
from zspace.geometry.axes.normality import Shape
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import beside, curve_beside
from zspace.geometry.histograms import BinWidth, bin_edges, bin_range, count_columns, derived_width, expected_counts
from zspace.geometry.nulls import laws as nulls
from zspace.machine import over_blocks
from zspace.results import Curve, Estimate, Law, Measurement, Tail

OFF_CENTRE = 1.0
"""An axis is off-centre when its mean lies further from 0 than this many typical deviations."""
BROAD = 1.5
"""An axis is broad when its deviation is more than this many typical deviations."""
SPECIAL_RULE = (
    f"|mean| > {OFF_CENTRE:g} or standard deviation > {BROAD:g} times the typical deviation, "
    "the median over axes of the standard deviation"
)


_PANEL = 32
"""Columns that are taken out of the rows together, for their medians: two cache lines of every row."""


def axis_densities(cloud: Cloud, bin_width: float | None, n_null_clouds: int, seed: int) -> Measurement:
    """Measure the density of z-points along every axis: its centre, its width, and how normal it is.

    Parameters
    ----------
    cloud
        The z-points.
    bin_width
        Width of the bins that all axes share, in units of z; None derives it from the points.
    n_null_clouds
        Gaussians with the axes' correlations whose skewness and kurtosis are drawn, for the bands.
    seed
        Only the bands depend on it.

    Units
    -----
    Scaling z by c scales centres and widths by c; the special axes, skewness and kurtosis stay the same.

    Cost
    ----
    The cloud's covariance, n_points * z_dim ** 2 operations unless it is known, and a few passes over the points;
    memory for a few columns on each core and for z_dim times as many bins as all axes together span.

    Raises
    ------
    TooManyBins
        When these bins would not fit in memory.
    """
    deviations = np.sqrt(cloud.covariance.diagonal())
    quartiles = axis_quartiles(cloud)
    bins = _bins(cloud, bin_width, quartiles, deviations)
    first, last = bin_range(*cloud.extremes, bins.width, cloud.z_dim, "measure.axis_bin")
    counts = count_columns(cloud.points, first, last, bins.width)
    edges = bin_edges(first, last, bins.width)
    special_axes = find_special_axes(cloud.mean, deviations)
    summary = {
        "mean": cloud.mean,
        "median": quartiles[1],
        "peak": (edges[:-1] + bins.width / 2)[counts.argmax(axis=1)],
        "standard deviation": deviations,
        "half-width": np.array([full_width_at_half_maximum(row, bins.width) / 2 for row in counts]),
        "special": special_axes.astype(np.float64),
    }
    curves = {
        "density": _density_curve(cloud, counts.astype(np.float64), edges, deviations),
        "summary": Curve(
            "line",
            np.arange(float(cloud.z_dim)),
            np.stack(list(summary.values())),
            "axis",
            "units of z",
            tuple(summary),
        ),
    }
    estimates = _estimates(cloud, deviations, special_axes, bins)
    shape_estimates, shape_curves = _normality(cloud, deviations, n_null_clouds, seed)
    return Measurement("axes", estimates | shape_estimates, curves | shape_curves)


def axis_quartiles(cloud: Cloud) -> Float64[np.ndarray, "3 z_dim"]:
    """Return lower quartile, median and upper quartile of every axis, in units of z.

    The median of an even number of points lies halfway between the two in the middle; quartiles are points.
    """
    n_points = cloud.n_points
    lower, middle, upper = n_points // 4, n_points // 2, (3 * n_points) // 4

    def quartiles(first: int) -> Float64[np.ndarray, "3 n_columns"]:
        columns = np.ascontiguousarray(cloud.points[:, first : first + _PANEL].T)
        columns.partition(sorted({lower, middle, upper}), axis=1)
        found = columns[:, [lower, middle, upper]].T.astype(np.float64)
        if n_points % 2 == 0:
            found[1] = (columns[:, :middle].max(axis=1) + found[1]) / 2
        return found

    return np.concatenate(over_blocks(quartiles, range(0, cloud.z_dim, _PANEL)), axis=1)


def _bins(
    cloud: Cloud,
    asked: float | None,
    quartiles: Float64[np.ndarray, "3 z_dim"],
    deviations: Float64[np.ndarray, " z_dim"],
) -> BinWidth:
    """Return the width asked for, or one that suits the typical axis of those that vary."""
    if asked is not None:
        return BinWidth(asked, "as asked")
    varying = deviations > 0 if (deviations > 0).any() else deviations >= 0
    spread = float(np.median((quartiles[2] - quartiles[0])[varying]))
    typical = float(np.median(deviations[varying]))
    return derived_width(spread, cloud.n_points, *cloud.extremes, typical, cloud.z_dim)


def find_special_axes(
    mean: Float64[np.ndarray, " z_dim"], deviations: Float64[np.ndarray, " z_dim"]
) -> Bool[np.ndarray, " z_dim"]:
    """Return which axes are off-centre or broad by `SPECIAL_RULE`; none where the typical deviation is 0.

    Examples
    --------
    >>> find_special_axes(np.array([0.0, 5.0, 0.0]), np.array([1.0, 1.0, 4.0])).tolist()
    [False, True, True]
    """
    typical = np.median(deviations)
    return np.asarray((typical > 0) & ((np.abs(mean) > OFF_CENTRE * typical) | (deviations > BROAD * typical)))


def full_width_at_half_maximum(counts: Int64[np.ndarray, " n_bins"], bin_width: float) -> float:
    """Return the width between the outermost places where a histogram crosses half its peak.

    The counts are averaged over three bins first, so that one lucky bin does not make the peak; crossings are
    interpolated between bin centres. A spike in one bin comes out three bins wide: nothing narrower can be seen.

    Units
    -----
    Those of ``bin_width``.
    """
    # Two empty bins at each end: a histogram that fills its range still comes down to zero.
    smooth = np.convolve(np.pad(counts, 2).astype(np.float64), np.ones(3) / 3, mode="same")
    half = smooth.max() / 2
    above = np.flatnonzero(smooth >= half)
    left, right = int(above[0]), int(above[-1])
    start = left - (smooth[left] - half) / (smooth[left] - smooth[left - 1])
    end = right + (smooth[right] - half) / (smooth[right] - smooth[right + 1])
    return float((end - start) * bin_width)


def _density_curve(
    cloud: Cloud,
    counts: Float64[np.ndarray, "z_dim n_bins"],
    edges: Float64[np.ndarray, " n_edges"],
    deviations: Float64[np.ndarray, " z_dim"],
) -> Curve:
    spread = deviations > 0
    law = counts.copy()  # a constant axis has no Gaussian: its law is the one bin where the counts are
    standardised = (edges - cloud.mean[spread, np.newaxis]) / deviations[spread, np.newaxis]
    law[spread] = expected_counts(cloud.n_points, special.ndtr(standardised))
    return Curve(
        "histogram",
        edges,
        counts,
        "coordinate (units of z)",
        f"z-points per bin of {edges[1] - edges[0]:g}",
        tuple(f"axis {axis}" for axis in range(cloud.z_dim)),
        laws=(Law(nulls.MATCHED_GAUSSIAN, law),),
    )


def _estimates(
    cloud: Cloud,
    deviations: Float64[np.ndarray, " z_dim"],
    special_axes: Bool[np.ndarray, " z_dim"],
    bins: BinWidth,
) -> dict[str, Estimate]:
    def number(value: float, unit: str, source: str) -> Estimate:
        return Estimate.of(value, unit, source, cloud.n_points)

    offset_axis, broad_axis = int(np.abs(cloud.mean).argmax()), int(deviations.argmax())
    n_special_axes = number(float(special_axes.sum()), "axes", SPECIAL_RULE)
    if np.median(deviations) == 0:
        reason = "at least half of the axes are constant, so there is no typical deviation to compare with"
        n_special_axes = replace(n_special_axes, value=None, reason=reason)
    return {
        "n_special_axes": n_special_axes,
        "median_standard_deviation": number(
            float(np.median(deviations)), "units of z", "median over axes of the standard deviation"
        ),
        "largest_offset": number(float(cloud.mean[offset_axis]), "units of z", f"mean of axis {offset_axis}"),
        "largest_standard_deviation": number(
            float(deviations[broad_axis]), "units of z", f"standard deviation of axis {broad_axis}"
        ),
        "bin_width": replace(
            number(bins.width, "units of z", bins.reason), warnings=_coarseness(deviations, bins.width)
        ),
    }


def _coarseness(deviations: Float64[np.ndarray, " z_dim"], bin_width: float) -> tuple[str, ...]:
    if bin_width <= np.median(deviations):
        return ()
    return ("wider than the typical deviation: peaks and half-widths say more of the bins than of the cloud",)


def _largest(values: Float64[np.ndarray, " n_axes"]) -> tuple[float, int]:
    """Return the value that is furthest from 0, with its sign, and where it is."""
    place = int(np.abs(values).argmax())
    return float(values[place]), place


_K_SQUARED = "axes that are not normal by their skewness and kurtosis (K^2 of D'Agostino and Pearson)"

_SHAPE_SUMMARIES: dict[str, tuple[str, str, Callable[[Shape], tuple[float, int | None]]]] = {
    "n_not_normal_axes": (
        "axes",
        f"{_K_SQUARED}, at most {100 * normality.FALSE_DISCOVERIES:g} % of them by chance (Benjamini and Hochberg)",
        lambda shape: (normality.n_discoveries(shape.p_values()), None),
    ),
    "largest_skewness": ("no unit", "skewness", lambda shape: _largest(shape.skewness)),
    "largest_excess_kurtosis": ("no unit", "excess kurtosis", lambda shape: _largest(shape.excess_kurtosis)),
    "median_excess_kurtosis": (
        "no unit",
        "median over axes of the excess kurtosis",
        lambda shape: (float(np.median(shape.excess_kurtosis)), None),
    ),
}
"""Unit, definition and function of the numbers that sum up how normal the axes are; some name an axis."""


def _normality(
    cloud: Cloud, deviations: Float64[np.ndarray, " z_dim"], n_null_clouds: int, seed: int
) -> tuple[dict[str, Estimate], dict[str, Curve]]:
    varying = np.flatnonzero(deviations > 0)
    if cloud.n_points < normality.FEWEST_POINTS or not len(varying):
        few = f"fewer than {normality.FEWEST_POINTS} z-points"
        return _unknown_shapes(cloud, few if len(varying) else "no axis varies"), {}
    shape = normality.axis_shapes(cloud, varying)
    correlation = cloud.covariance[np.ix_(varying, varying)] / np.outer(deviations[varying], deviations[varying])
    null_shapes = normality.normal_shapes(correlation, cloud.n_points, n_null_clouds, seed)
    estimates = {}
    for name, (unit, source, summarise) in _SHAPE_SUMMARIES.items():
        value, place = summarise(shape)
        named = source if place is None else f"{source} of axis {varying[place]}"
        assumptions = ("z-points are independent draws",)
        found = Estimate.of(value, unit, named, cloud.n_points, assumptions=assumptions)
        null_values = [summarise(null)[0] for null in null_shapes]
        tail: Tail = "high" if name == "n_not_normal_axes" else "both"
        estimates[name] = beside(found, f"axes.{name}", nulls.MATCHED_GAUSSIAN, null_values, seed, tail)
    return estimates, {"normality": _normality_curve(varying, shape, null_shapes)}


def _unknown_shapes(cloud: Cloud, reason: str) -> dict[str, Estimate]:
    return {
        name: Estimate.unknown(reason, unit, source, cloud.n_points)
        for name, (unit, source, _) in _SHAPE_SUMMARIES.items()
    }


def _normality_curve(varying: Int64[np.ndarray, " n_axes"], shape: Shape, null_shapes: list[Shape]) -> Curve:
    def rows(one: Shape) -> Float64[np.ndarray, "3 n_axes"]:
        return np.stack([one.skewness, one.excess_kurtosis, one.p_values()])

    drawn = np.stack([rows(null) for null in null_shapes])
    labels = ("skewness", "excess kurtosis", "p-value")
    curve = Curve("line", varying.astype(np.float64), rows(shape), "axis", "no unit", labels)
    return curve_beside(curve, nulls.MATCHED_GAUSSIAN, drawn)
