"""The table of measures: each a pure function of a cloud and a seed, whoever made the cloud."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

from zspace.errors import UnknownSetting
from zspace.geometry.axes import axis_densities
from zspace.geometry.clouds import Cloud
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
                ),
                _LENGTH,
            ),
        ),
        Measure(
            "axes",
            "Density along every axis",
            lambda cloud, asked, _seed: axis_densities(cloud, asked.axis_bin),
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
    )
}


def chosen_measures(only: tuple[str, ...]) -> list[Measure]:
    """Return the rows of these names, or all rows for none.

    Raises
    ------
    UnknownSetting
        For a name that is not in the table.
    """
    for name in only:
        if name not in MEASURES:
            raise UnknownSetting("measure.only", "must name measures", repr(name), nearest(name, list(MEASURES)))
    return [MEASURES[name] for name in only] if only else list(MEASURES.values())


def measure_cloud(cloud: Cloud, settings: MeasureSettings, seed: int) -> Iterator[Measurement]:
    """Take the chosen measures of a cloud, one after the other, timing each.

    Randomness
    ----------
    Each measure draws from its own named stream, so leaving one out changes no other.
    """
    for measure in chosen_measures(settings.only):
        start = perf_counter()
        found = measure.function(cloud, settings, seed)
        yield replace(found, elapsed_seconds=perf_counter() - start)
