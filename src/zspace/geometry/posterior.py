"""What a VAE's encoder says of its z-points: how wide its posteriors are, and how far z lies from mu."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.histograms import bin_edges, bin_range, count_values
from zspace.results import Curve, Estimate, Measurement
from zspace.shapes import Points

_BLOCK_VALUES = 1 << 20
_FAR = 0.05
"""The posts count the components of z that lie further than this from mu."""
_ACTIVE_VARIANCE = 0.01
"""Of mu over images, above which an axis is active: Burda et al. 2016, section 5.2."""
_COLLAPSED_NATS = 0.01
"""Mean divergence of an axis below which its posterior is the prior, for all that it tells of an image."""
_LOGVAR_BIN = 0.25


@dataclass(frozen=True)
class Posterior:
    """Points with the normal distributions they were drawn from, row by row."""

    z: Points
    mu: Points
    logvar: Points

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield consecutive rows of z, mu and logvar in float64."""
        step = max(1, _BLOCK_VALUES // self.z.shape[1])
        for first in range(0, len(self.z), step):
            rows = slice(first, first + step)
            yield tuple(array[rows].astype(np.float64) for array in (self.z, self.mu, self.logvar))  # type: ignore[misc]


def posterior_report(posterior: Posterior) -> Measurement:
    """Measure logvar, the distance of z from mu by component and by radius, and the divergence of every axis.

    Parameters
    ----------
    posterior
        z, mu and logvar of every image.

    Units
    -----
    Not for scaled clouds: the prior N(0, 1) sets the scale of logvar and divergence.

    Source
    ------
    The posts' logvar report and their comparison of z with mu. Active axes: Burda et al. 2016, "Importance weighted
    autoencoders", section 5.2. Divergence: -0.5 * (1 + logvar - mu^2 - exp(logvar)), per axis, mean over images.

    Cost
    ----
    One pass over the three arrays, a block at a time.
    """
    sums = _Sums.of(posterior)
    n_points, z_dim = posterior.z.shape
    n_values = n_points * z_dim

    def estimate(value: float, unit: str, source: str, n: int = n_values) -> Estimate:
        return Estimate.of(value, unit, source, n)

    radii_z, radii_mu = (np.concatenate(parts) for parts in (sums.radii_z, sums.radii_mu))
    gaps = np.abs(radii_z - radii_mu)
    # A point at the origin has no relative difference; it would have to be exactly there.
    relative = gaps[radii_mu > 0] / radii_mu[radii_mu > 0]
    variances = (sums.mu_squares - sums.mu_sums**2 / n_points) / (n_points - 1)
    divergences = (sums.divergences / n_points).clip(min=0.0)  # as none is but for rounding
    n_active, n_collapsed = int((variances > _ACTIVE_VARIANCE).sum()), int((divergences < _COLLAPSED_NATS).sum())
    estimates = {
        "largest_logvar": estimate(sums.largest_logvar, "log of squared units of z", "over all components"),
        "smallest_logvar": estimate(sums.smallest_logvar, "log of squared units of z", "over all components"),
        "mean_logvar": estimate(sums.logvar_sum / n_values, "log of squared units of z", "over all components"),
        "largest_component_gap": estimate(sums.largest_gap, "units of z", "largest |z - mu| of a component"),
        "mean_component_gap": estimate(sums.gap_sum / n_values, "units of z", "mean |z - mu| of a component"),
        "n_far_components": estimate(float(sums.n_far), "components", f"components with |z - mu| above {_FAR}"),
        **_radius_estimates(radii_z, radii_mu, estimate, n_points),
        "largest_radius_gap": estimate(float(gaps.max()), "units of z", "largest |R(z) - R(mu)|", n_points),
        "mean_radius_gap": estimate(float(gaps.mean()), "units of z", "mean |R(z) - R(mu)|", n_points),
        "largest_relative_radius_gap": _relative(relative, n_points, float(relative.max()) if len(relative) else None),
        "mean_relative_radius_gap": _relative(relative, n_points, float(relative.mean()) if len(relative) else None),
        "divergence": estimate(float(divergences.sum()), "nats per image", "KL divergence from N(0, I)", n_points),
        "n_active_axes": estimate(
            float(n_active), "axes", f"axes whose mu has a variance above {_ACTIVE_VARIANCE}", z_dim
        ),
        "collapsed_share": estimate(
            n_collapsed / z_dim, "share of the axes", f"axes with less than {_COLLAPSED_NATS} nats", z_dim
        ),
    }
    return Measurement("posterior", estimates, _curves(posterior, sums, divergences))


def _radius_estimates(
    radii_z: Float64[np.ndarray, " n_points"],
    radii_mu: Float64[np.ndarray, " n_points"],
    estimate: Callable[[float, str, str, int], Estimate],
    n_points: int,
) -> dict[str, Estimate]:
    return {
        f"{name}_radius_{of}": estimate(float(find(radii)), "units of z", f"{name} R({of})", n_points)
        for of, radii in (("z", radii_z), ("mu", radii_mu))
        for name, find in (("largest", np.max), ("smallest", np.min), ("mean", np.mean))
    }


def _relative(relative: Float64[np.ndarray, " n"], n_points: int, value: float | None) -> Estimate:
    source = "|R(z) - R(mu)| / R(mu)"
    unit = "share of the radius"
    if value is None:
        return Estimate.unknown("every mu lies at the origin", unit, source, len(relative), n_points)
    return Estimate.of(value, unit, source, len(relative), n_points)


def _curves(posterior: Posterior, sums: _Sums, divergences: Float64[np.ndarray, " z_dim"]) -> dict[str, Curve]:
    first, last = bin_range(sums.smallest_logvar, sums.largest_logvar, _LOGVAR_BIN, setting="bins of logvar")
    counts = np.zeros(last - first + 1)
    for _, _, logvar in posterior.blocks():
        counts += count_values(logvar.ravel(), first, last, _LOGVAR_BIN)
    ranked = np.sort(divergences)[::-1]
    return {
        "logvar": Curve(
            "histogram",
            bin_edges(first, last, _LOGVAR_BIN),
            counts[np.newaxis],
            "logvar",
            "components",
            ("all components",),
        ),
        "divergence per axis": Curve(
            "line",
            np.arange(1.0, len(ranked) + 1),
            ranked[np.newaxis],
            "axis, by rank",
            "KL divergence (nats)",
            ("axes, by rank",),
        ),
    }


@dataclass
class _Sums:
    """What one pass over the arrays adds up."""

    radii_z: list[np.ndarray]
    radii_mu: list[np.ndarray]
    mu_sums: Float64[np.ndarray, " z_dim"]
    mu_squares: Float64[np.ndarray, " z_dim"]
    divergences: Float64[np.ndarray, " z_dim"]
    smallest_logvar: float = np.inf
    largest_logvar: float = -np.inf
    logvar_sum: float = 0.0
    largest_gap: float = 0.0
    gap_sum: float = 0.0
    n_far: int = 0

    @classmethod
    def of(cls, posterior: Posterior) -> _Sums:
        z_dim = posterior.z.shape[1]
        sums = cls([], [], np.zeros(z_dim), np.zeros(z_dim), np.zeros(z_dim))
        # Squares about the first row, not about 0: far from the origin the difference would lose its digits.
        origin = posterior.mu[0].astype(np.float64)
        for z, mu, logvar in posterior.blocks():
            sums._add(z, mu, logvar, origin)
        return sums

    def _add(self, z: np.ndarray, mu: np.ndarray, logvar: np.ndarray, origin: np.ndarray) -> None:
        gaps, centred = np.abs(z - mu), mu - origin
        self.radii_z.append(np.linalg.norm(z, axis=1))
        self.radii_mu.append(np.linalg.norm(mu, axis=1))
        self.mu_sums += centred.sum(axis=0)
        self.mu_squares += (centred**2).sum(axis=0)
        self.divergences += (-0.5 * (1 + logvar - mu**2 - np.exp(logvar))).sum(axis=0)
        self.smallest_logvar = min(self.smallest_logvar, float(logvar.min()))
        self.largest_logvar = max(self.largest_logvar, float(logvar.max()))
        self.logvar_sum += float(logvar.sum())
        self.largest_gap = max(self.largest_gap, float(gaps.max()))
        self.gap_sum += float(gaps.sum())
        self.n_far += int((gaps > _FAR).sum())
