"""How far z-points lie from the origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from zspace.errors import SettingMissing
from zspace.estimates import mean_estimate
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import beside, curve_beside
from zspace.geometry.histograms import (
    BinWidth,
    bin_edges,
    bin_range,
    count_sorted,
    derived_width,
    expected_counts,
    fullest_bin_centre,
)
from zspace.geometry.nulls import laws as nulls
from zspace.geometry.radius.laws import RadiusLaw
from zspace.results import Curve, Estimate, Law, Measurement
from zspace.seeds import random_stream

_SOURCE = "R = L2 norm of z"
N_COMPARED = 2048
"""Points whose radii are compared with those of drawn clouds, at most."""
_WIDEST_VIEW = 10.0
"""The bulk of N(0, I) belongs into the histogram unless it would then be this many times as wide as the cloud."""


def radius_density(cloud: Cloud, bin_widths: tuple[float, ...] | None, n_null_clouds: int, seed: int) -> Measurement:
    """Measure the distribution of the distance from the origin.

    Parameters
    ----------
    cloud
        The z-points.
    bin_widths
        One histogram is made for each width, in units of z, at least one; the peak is read off the first. None derives
        one width from the points.
    n_null_clouds
        Clouds drawn from the matched Gaussian for the bands.
    seed
        Only the bands depend on it, and how far histograms reach beyond the cloud's own radii.

    Notes
    -----
    Numbers are compared with those of clouds that have the sample mean and covariance of the compared points, at most
    `N_COMPARED` of them, to the digit: so it is allowed for that the Gaussian was fitted to them. The histogram is
    compared with radii from the law of the matched Gaussian, as many as there are points; what the fit takes from
    single bins is little, and errs on the safe side.

    Units
    -----
    Scaling z by c scales every estimate by c.

    Assumes
    -------
    The interval of the mean takes the z-points as independent draws and their mean radius as normal, which is safe
    from some thirty points on.

    Cost
    ----
    The cloud's covariance, n_points * z_dim ** 2 operations unless it is known; some 300 * z_dim values of the law of
    the matched Gaussian; n_null_clouds * n_points random numbers, and memory for as many;
    2 * n_null_clouds * `N_COMPARED` * z_dim ** 2 operations.

    Raises
    ------
    SettingMissing
        Without a bin width.
    TooManyBins
        When the bins would not fit in memory.
    """
    if bin_widths == ():
        rule, next_step = "must hold at least one bin width", "Add one, such as 0.5."
        raise SettingMissing("measure.radius_bins", rule, "none", next_step)
    radii = np.sort(cloud.radii)
    law = nulls.matched_gaussian_radius_law(cloud)
    null_radii = list(nulls.matched_gaussian_radii(law, cloud.n_points, n_null_clouds, seed))
    bins = [BinWidth(width, "as asked") for width in bin_widths or ()] or [_derived_bins(radii, null_radii)]
    curves = {f"bin {one.width:g}": _histogram(cloud, radii, one.width, law, null_radii) for one in bins}
    peak_of = next(iter(curves.values()))
    held = _Held.against_fitted_gaussians(cloud, n_null_clouds, seed)
    mean = replace(mean_estimate(cloud.radii, "units of z", _SOURCE), assumptions=("z-points are independent draws",))
    estimates = {
        "mean_radius": held.beside(mean, "mean_radius", lambda radii: float(radii.mean())),
        "peak_radius": _peak_radius(cloud, radii, peak_of, bins[0].width, held),
    }
    for name, (source, summarise) in _SUMMARIES.items():
        found = Estimate.of(summarise(radii), "units of z", source, cloud.n_points)
        estimates[name] = held.beside(found, name, summarise)
    estimates["bin_width"] = Estimate.of(bins[0].width, "units of z", bins[0].reason, cloud.n_points)
    return Measurement("radius", estimates | _of_the_law(cloud, law), curves)


_Radii = Float64[np.ndarray, " n_points"]


def sorted_quantile(values: _Radii, share: float) -> float:
    """Return the quantile of sorted values, between neighbours by a straight line.

    Examples
    --------
    >>> sorted_quantile(np.array([1.0, 2.0, 4.0]), 0.75)
    3.0
    """
    place = share * (len(values) - 1)
    below = min(int(place), len(values) - 2)
    low, high = float(values[below]), float(values[below + 1])
    return low + (place - below) * (high - low)


def _range(radii: _Radii, null_radii: list[_Radii]) -> tuple[float, float]:
    """Return the smallest and the largest radius of the cloud and of its null clouds."""
    return min(float(drawn[0]) for drawn in (radii, *null_radii)), max(
        float(drawn[-1]) for drawn in (radii, *null_radii)
    )


def _derived_bins(radii: _Radii, null_radii: list[_Radii]) -> BinWidth:
    spread = sorted_quantile(radii, 0.75) - sorted_quantile(radii, 0.25)
    return derived_width(spread, len(radii), *_range(radii, null_radii), float(radii.std(ddof=1)))


_SUMMARIES: dict[str, tuple[str, Callable[[_Radii], float]]] = {
    "standard_deviation": ("standard deviation of R", lambda radii: float(radii.std(ddof=1))),
    "smallest": ("smallest R", lambda radii: float(radii[0])),
    "largest": ("largest R", lambda radii: float(radii[-1])),
    "half_shell_low": ("25.0% quantile of R", lambda radii: sorted_quantile(radii, 0.25)),
    "half_shell_high": ("75.0% quantile of R", lambda radii: sorted_quantile(radii, 0.75)),
    "shell95_low": ("2.5% quantile of R", lambda radii: sorted_quantile(radii, 0.025)),
    "shell95_high": ("97.5% quantile of R", lambda radii: sorted_quantile(radii, 0.975)),
}
"""Definition and function of the numbers that sum up sorted radii."""


@dataclass(frozen=True)
class _Held:
    """Radii that are compared: of the cloud, or of points chosen from it, and of Gaussian clouds fitted to these."""

    n_points: int
    """Of the cloud."""
    radii: _Radii
    drawn: list[_Radii]
    seed: int

    @classmethod
    def against_fitted_gaussians(cls, cloud: Cloud, n_null_clouds: int, seed: int) -> _Held:
        compared = cloud
        if cloud.n_points > N_COMPARED:
            random = random_stream(seed, "radius", "compared points")
            compared = Cloud(cloud.points[np.sort(random.choice(cloud.n_points, N_COMPARED, replace=False))])
        drawn = nulls.fitted_gaussian_radii(compared, n_null_clouds, seed)
        return cls(cloud.n_points, np.sort(compared.radii), drawn, seed)

    def beside(self, found: Estimate, name: str, summarise: Callable[[_Radii], float]) -> Estimate:
        """Return a number of all radii, compared by what it is for those that are compared."""
        n_compared = len(self.radii)
        compared = (summarise(self.radii), n_compared) if n_compared < self.n_points else None
        null_values = [summarise(one) for one in self.drawn]
        return beside(found, f"radius.{name}", nulls.MATCHED_GAUSSIAN, null_values, self.seed, compared=compared)


_FEWEST_BINS = 3
"""Bins that the middle 95 % of the points must span for the fullest of them to be called a peak."""


def _peak_radius(cloud: Cloud, radii: _Radii, histogram: Curve, width: float, held: _Held) -> Estimate:
    source = f"middle of the fullest bin of width {width:g}"
    low, high = sorted_quantile(radii, 0.025), sorted_quantile(radii, 0.975)
    if high - low < (_FEWEST_BINS - 1) * width:
        reason = f"bins of {width:g} are too coarse: 95 % of the points lie between {low:.4g} and {high:.4g}"
        return Estimate.unknown(reason, "units of z", source, cloud.n_points)
    found = Estimate.of(fullest_bin_centre(histogram.y[0], histogram.x), "units of z", source, cloud.n_points)
    edges = histogram.x
    return held.beside(found, "peak_radius", lambda drawn: fullest_bin_centre(_counts(drawn, edges), edges))


def _of_the_law(cloud: Cloud, law: RadiusLaw) -> dict[str, Estimate]:
    """Return where the matched Gaussian has its mean and its peak."""
    how = "" if law.basis == "computed" else f", {law.basis}"
    found = {
        "matched_mean_radius": (law.mean, "mean of R"),
        "matched_peak_radius": (law.peak, "highest density of R"),
    }
    return {
        name: Estimate.of(value, "units of z", f"{what} under the {nulls.MATCHED_GAUSSIAN}{how}", cloud.n_points)
        for name, (value, what) in found.items()
    }


def _counts(radii: _Radii, edges: Float64[np.ndarray, " n_edges"]) -> Float64[np.ndarray, " n_bins"]:
    return count_sorted(radii, edges).astype(np.float64)


def _histogram(cloud: Cloud, radii: _Radii, width: float, law: RadiusLaw, null_radii: list[_Radii]) -> Curve:
    low, high = _range(radii, null_radii)
    law_low, law_high = nulls.standard_normal_radius_range(cloud.z_dim)
    if max(high, law_high) - min(low, law_low) < _WIDEST_VIEW * (high - low):
        low, high = min(low, law_low), max(high, law_high)
    edges = bin_edges(*bin_range(low, high, width, setting="measure.radius_bins"), width)
    standard = nulls.standard_normal_radius_counts(edges, cloud.n_points, cloud.z_dim)
    matched = expected_counts(cloud.n_points, law.cumulative(edges))
    curve = Curve(
        "histogram",
        edges,
        _counts(radii, edges)[np.newaxis],
        "radius R (units of z)",
        f"z-points per bin of {width:g}",
        ("z-points",),
        laws=(
            Law(nulls.STANDARD_NORMAL, standard[np.newaxis]),
            Law(f"{nulls.MATCHED_GAUSSIAN}, {law.basis}", matched[np.newaxis]),
        ),
    )
    return curve_beside(
        curve, nulls.MATCHED_GAUSSIAN, np.array([_counts(drawn, edges) for drawn in null_radii])[:, np.newaxis]
    )
