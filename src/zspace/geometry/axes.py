"""How z-points lie along each axis of latent space."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import special

from zspace.geometry import nulls
from zspace.geometry.clouds import Cloud
from zspace.geometry.histograms import bin_edges, bin_numbers, bin_range
from zspace.results import Curve, Estimate, Measurement

OFF_CENTRE = 1.0
"""An axis is off-centre when its mean lies further from 0 than this many typical deviations."""
BROAD = 1.5
"""An axis is broad when its deviation is more than this many typical deviations."""
SPECIAL_RULE = (
    f"|mean| > {OFF_CENTRE:g} or standard deviation > {BROAD:g} times the typical deviation, "
    "the median over axes of the standard deviation"
)


def axis_densities(cloud: Cloud, bin_width: float) -> Measurement:
    """Measure the density of z-points along every axis, its centre and its width.

    Parameters
    ----------
    cloud
        The z-points.
    bin_width
        Width of the bins that all axes share, in units of z.

    Units
    -----
    Scaling z by c scales centres and widths by c; the special axes stay the same.

    Cost
    ----
    The cloud's covariance, n_points * z_dim ** 2 operations unless it is known, and a few passes over the points;
    memory for one copy of the points and for z_dim times as many bins as all axes together span.

    Raises
    ------
    TooManyBins
        When these bins would not fit in memory.
    """
    first, last = bin_range(float(cloud.points.min()), float(cloud.points.max()), bin_width, cloud.z_dim)
    counts = _counts_per_axis(cloud, first, last, bin_width)
    edges = bin_edges(first, last, bin_width)
    deviations = np.sqrt(cloud.covariance.diagonal())
    special_axes = find_special_axes(cloud.mean, deviations)
    summary = {
        "mean": cloud.mean,
        "median": np.median(cloud.points, axis=0).astype(np.float64),
        "peak": (edges[:-1] + bin_width / 2)[counts.argmax(axis=1)],
        "standard deviation": deviations,
        "half-width": np.array([full_width_at_half_maximum(row, bin_width) / 2 for row in counts]),
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
    return Measurement("axes", _estimates(cloud, deviations, special_axes, bin_width), curves)


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


def _counts_per_axis(cloud: Cloud, first: int, last: int, bin_width: float) -> Int64[np.ndarray, "z_dim n_bins"]:
    n_bins = last - first + 1
    offsets = np.arange(cloud.z_dim) * n_bins - first
    counts = np.zeros(cloud.z_dim * n_bins, dtype=np.int64)
    for block in cloud.blocks():
        index = bin_numbers(block.astype(np.float64), bin_width) + offsets
        counts += np.bincount(index.ravel(), minlength=len(counts))
    return counts.reshape(cloud.z_dim, n_bins)


def _density_curve(
    cloud: Cloud,
    counts: Float64[np.ndarray, "z_dim n_bins"],
    edges: Float64[np.ndarray, " n_edges"],
    deviations: Float64[np.ndarray, " z_dim"],
) -> Curve:
    spread = deviations > 0
    law = counts.copy()  # a constant axis has no Gaussian: its law is the one bin where the counts are
    standardised = (edges - cloud.mean[spread, np.newaxis]) / deviations[spread, np.newaxis]
    law[spread] = cloud.n_points * np.diff(special.ndtr(standardised), axis=1)
    return Curve(
        "histogram",
        edges,
        counts,
        "coordinate (units of z)",
        f"z-points per bin of {edges[1] - edges[0]:g}",
        tuple(f"axis {axis}" for axis in range(cloud.z_dim)),
        law_name=nulls.MATCHED_GAUSSIAN,
        law=law,
    )


def _estimates(
    cloud: Cloud,
    deviations: Float64[np.ndarray, " z_dim"],
    special_axes: Bool[np.ndarray, " z_dim"],
    bin_width: float,
) -> dict[str, Estimate]:
    def number(value: float, unit: str, source: str) -> Estimate:
        return Estimate(value, unit, cloud.n_points, cloud.n_points, source)

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
        "bin_width": replace(number(bin_width, "units of z", "as asked"), warnings=_coarseness(deviations, bin_width)),
    }


def _coarseness(deviations: Float64[np.ndarray, " z_dim"], bin_width: float) -> tuple[str, ...]:
    if bin_width <= np.median(deviations):
        return ()
    return ("wider than the typical deviation: peaks and half-widths say more of the bins than of the cloud",)
