"""Principal components: how many directions carry the spread of the cloud."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import beside, curve_beside
from zspace.geometry.nulls import laws as nulls
from zspace.results import Curve, Estimate, Measurement


def principal_spectrum(cloud: Cloud, n_null_clouds: int, seed: int) -> Measurement:
    """Measure the variances along the principal components.

    Parameters
    ----------
    cloud
        The z-points.
    n_null_clouds
        Isotropic Gaussian clouds drawn for the band of the spectrum.
    seed
        Only the bands depend on it.

    Units
    -----
    Variances scale with c ** 2 when z is scaled by c; shares and counts do not change. Nothing changes under rotation.

    Cost
    ----
    n_points * z_dim ** 2 operations, and z_dim ** 3 for each null cloud.
    """
    variances, _ = cloud.principal
    null_spectra = nulls.isotropic_spectra(cloud, n_null_clouds, seed)
    curves = {"spectrum": _spectrum_curve(variances, null_spectra)}
    if variances.sum() > 0:
        curves["cumulative"] = _cumulative_curve(variances, null_spectra)
    estimates = {name: _estimate(cloud, variances, null_spectra, name, seed) for name in _SUMMARIES}
    return Measurement("principal", estimates, curves)


def participation_ratio(variances: Float64[np.ndarray, " z_dim"]) -> float:
    """Return the effective number of directions: (sum of variances) ** 2 / sum of squared variances.

    It is z_dim when all variances are equal and 1 when one is everything.

    Examples
    --------
    >>> participation_ratio(np.array([1.0, 1.0, 0.0]))
    2.0
    """
    return float(variances.sum() ** 2 / (variances**2).sum())


def components_for_share(variances: Float64[np.ndarray, " z_dim"], share: float) -> float:
    """Return how many leading components hold at least this share of the variance.

    Examples
    --------
    >>> components_for_share(np.array([6.0, 3.0, 1.0]), 0.9)
    2.0
    """
    cumulative = variances.cumsum() / variances.sum()
    # The tolerance keeps a share that is reached exactly from costing one component more by rounding.
    return float(np.searchsorted(cumulative, share - 1e-12) + 1)


_Summary = tuple[str, str, Callable[[Float64[np.ndarray, " z_dim"]], float]]
"""Unit, definition and function of one number that sums up a spectrum."""

_SUMMARIES: dict[str, _Summary] = {
    "first_component_share": (
        "share of variance",
        "largest variance / total variance",
        lambda v: float(v[0] / v.sum()),
    ),
    "n_for_half": ("components", "fewest with 50 % of the variance", lambda v: components_for_share(v, 0.5)),
    "n_for_90_percent": ("components", "fewest with 90 % of the variance", lambda v: components_for_share(v, 0.9)),
    "n_for_99_percent": ("components", "fewest with 99 % of the variance", lambda v: components_for_share(v, 0.99)),
    "participation_ratio": ("components", "(sum of variances)^2 / sum of squared variances", participation_ratio),
}


def _estimate(
    cloud: Cloud,
    variances: Float64[np.ndarray, " z_dim"],
    null_spectra: Float64[np.ndarray, "n_clouds z_dim"],
    name: str,
    seed: int,
) -> Estimate:
    unit, source, summarise = _SUMMARIES[name]
    if variances.sum() == 0:
        reason = "all points are equal, so there is no spread to share out"
        return Estimate.unknown(reason, unit, source, cloud.n_points)
    few = cloud.n_points <= cloud.z_dim
    warnings = (f"only {cloud.n_points} points span at most {cloud.n_points - 1} components",) if few else ()
    found = Estimate.of(summarise(variances), unit, source, cloud.n_points, warnings=warnings)
    null_values = [summarise(spectrum) for spectrum in null_spectra]
    return beside(found, f"principal.{name}", nulls.ISOTROPIC_GAUSSIAN, null_values, seed)


def _spectrum_curve(
    variances: Float64[np.ndarray, " z_dim"], null_spectra: Float64[np.ndarray, "n_clouds z_dim"]
) -> Curve:
    x, y = np.arange(1.0, len(variances) + 1), variances[np.newaxis]
    curve = Curve("line", x, y, "principal component", "variance (squared units of z)", ("z-points",))
    return curve_beside(curve, nulls.ISOTROPIC_GAUSSIAN, null_spectra[:, np.newaxis])


def _cumulative_curve(
    variances: Float64[np.ndarray, " z_dim"], null_spectra: Float64[np.ndarray, "n_clouds z_dim"]
) -> Curve:
    null_shares = null_spectra.cumsum(axis=1) / null_spectra.sum(axis=1, keepdims=True)
    x, y = np.arange(1.0, len(variances) + 1), (variances.cumsum() / variances.sum())[np.newaxis]
    curve = Curve("line", x, y, "principal components taken together", "share of the total variance", ("z-points",))
    return curve_beside(curve, nulls.ISOTROPIC_GAUSSIAN, null_shares[:, np.newaxis])
