"""The table of measures: each a pure function of a cloud and a seed, whoever made the cloud."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

from zspace.errors import UnknownSetting
from zspace.geometry.axes import axis_densities
from zspace.geometry.clouds import Cloud
from zspace.geometry.clusters import cluster_curves
from zspace.geometry.planes import plane_windows
from zspace.geometry.posterior import Posterior, posterior_report
from zspace.geometry.principal import principal_spectrum
from zspace.geometry.radius import radius_density
from zspace.records import nearest
from zspace.results import Measurement
from zspace.settings import MeasureSettings


@dataclass(frozen=True)
class Measure:
    """One row of the table: a function and what the contract tests may rely on."""

    name: str
    title: str
    function: Callable[[Cloud, MeasureSettings, int], Measurement]
    rotation: Literal["unchanged", "changed"]
    """Whether the estimates stay the same when the cloud is rotated about the origin."""
    scaling: dict[str, int]
    """Power of c by which an estimate grows when z is scaled by c; those not named do not change."""


_LENGTH = 1

MEASURES: dict[str, Measure] = {
    row.name: row
    for row in (
        Measure(
            "radius",
            "Density over the radius",
            lambda cloud, asked, seed: radius_density(cloud, asked.radius_bins, asked.n_null_clouds, seed),
            "unchanged",
            dict.fromkeys(
                (
                    "mean_radius",
                    "standard_deviation",
                    "smallest",
                    "largest",
                    "half_shell_low",
                    "half_shell_high",
                    "shell95_low",
                    "shell95_high",
                    "peak_radius",
                    "matched_mean_radius",
                    "matched_peak_radius",
                ),
                _LENGTH,
            ),
        ),
        Measure(
            "axes",
            "Density along every axis",
            lambda cloud, asked, seed: axis_densities(cloud, asked.axis_bin, asked.n_null_clouds, seed),
            "changed",
            dict.fromkeys(
                ("median_standard_deviation", "largest_offset", "largest_standard_deviation", "bin_width"), _LENGTH
            ),
        ),
        Measure(
            "principal",
            "Principal components",
            lambda cloud, asked, seed: principal_spectrum(cloud, asked.n_null_clouds, seed),
            "unchanged",
            {},
        ),
        Measure(
            "clusters",
            "Clusters",
            lambda cloud, asked, seed: cluster_curves(
                cloud, asked.max_clusters, asked.cluster_step, asked.n_null_clouds, seed
            ),
            "unchanged",
            {},
        ),
        Measure(
            "planes",
            "Planes of axes and components",
            lambda cloud, asked, seed: plane_windows(cloud, asked.planes, asked.plane_sides, asked.n_null_clouds, seed),
            "changed",
            {},
        ),
    )
}


POSTERIOR = "posterior"
"""The one measure that needs more than points: mu and logvar of a VAE. No null cloud has those."""


def chosen_measures(only: tuple[str, ...], *, has_posterior: bool) -> list[str]:
    """Return the names of the measures to take: those asked for, or all; the posterior only where there is one.

    Raises
    ------
    UnknownSetting
        For a name that is not in the table.
    """
    known = [*MEASURES, POSTERIOR]
    for name in only:
        if name not in known:
            raise UnknownSetting("measure.only", "must name measures", repr(name), nearest(name, known))
    return [name for name in known if (not only or name in only) and (has_posterior or name != POSTERIOR)]


def measure_cloud(
    cloud: Cloud, settings: MeasureSettings, seed: int, posterior: Posterior | None = None
) -> Iterator[Measurement]:
    """Take the chosen measures of a cloud, one after the other, timing each.

    Parameters
    ----------
    cloud
        The z-points.
    settings
        Which measures, and their bins.
    seed
        Of the null clouds.
    posterior
        Of the same points, for a VAE; None for points without one.

    Randomness
    ----------
    Each measure draws from its own named stream, so leaving one out changes no other.
    """
    for name in chosen_measures(settings.only, has_posterior=posterior is not None):
        start = perf_counter()
        if name == POSTERIOR and posterior is not None:
            found = posterior_report(posterior)
        else:
            found = MEASURES[name].function(cloud, settings, seed)
        yield replace(found, elapsed_seconds=perf_counter() - start)
