"""The table of measures: each a pure function of a cloud and a seed, whoever made the cloud."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Literal

from zspace.errors import GeometryError, UnknownSetting
from zspace.geometry.axes.densities import axis_densities
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.attributes import Attributes, cluster_attributes
from zspace.geometry.clustering.curves import cluster_curves
from zspace.geometry.maps.drawing import distinct_maps, parse_maps
from zspace.geometry.maps.methods import check_methods
from zspace.geometry.planes.scatter import plane_windows
from zspace.geometry.planes.views import parse_planes
from zspace.geometry.posterior import Posterior, posterior_report
from zspace.geometry.principal import principal_spectrum
from zspace.geometry.radius.density import radius_density
from zspace.geometry.verdict.judge import judge
from zspace.images.near_copies import StoredImages, find_copies
from zspace.machine import one_matrix_thread
from zspace.records import nearest
from zspace.results import Measurement, Verdict, Watcher, watch_nothing
from zspace.settings import MapSettings, MeasureSettings

N_COPY_NEIGHBORS = 5
"""Neighbours of each point among which copies of its image are looked for."""


@dataclass(frozen=True)
class Beside:
    """What is known of points besides where they lie; None where it is not."""

    posterior: Posterior | None = None
    """In a VAE."""
    attributes: Attributes | None = None
    images: StoredImages | None = None


Needs = Literal["nothing", "posterior", "attributes", "images"]
"""What a measure needs besides points: a field of `Beside`."""
_NEEDED: dict[Needs, str] = {
    "posterior": "mu and logvar of a VAE",
    "attributes": "attributes of the images",
    "images": "the images",
}
"""In words."""


@dataclass(frozen=True)
class Measure:
    """One row of the table: what is measured, how, and what the contract tests may rely on."""

    name: str
    title: str
    question: str
    """What the measure answers, in one sentence."""
    function: Callable[[Cloud, Any, MeasureSettings, int, Watcher], Measurement]
    """Measures a cloud, given what it needs besides (None where that is nothing), by some settings; what null clouds
    draw comes from the seed, and the watcher is told how far they have come."""
    needs: Needs = "nothing"
    """No null cloud has a posterior, attributes or images: a measure that needs them brings a comparison of its own."""
    rotation: Literal["unchanged", "changed"] = "unchanged"
    """Whether the estimates stay the same when the cloud is rotated about the origin."""
    scaling: Mapping[str, int] = field(default_factory=dict)
    """Power of c by which an estimate grows when z is scaled by c; those not named do not change."""

    def take(
        self,
        cloud: Cloud,
        asked: MeasureSettings,
        seed: int,
        beside: Beside | None = None,
        watch: Watcher = watch_nothing,
    ) -> Measurement:
        """Return what it finds; what it needs must be there."""
        known = None if self.needs == "nothing" else getattr(beside, self.needs)
        return self.function(cloud, known, asked, seed, watch)


def _copies_among_neighbors(
    cloud: Cloud, images: StoredImages, _asked: MeasureSettings, seed: int, watch: Watcher
) -> Measurement:
    """Look for copies among the images of neighbouring points, `N_COPY_NEIGHBORS` of each."""
    near = cloud.neighbors(min(N_COPY_NEIGHBORS, cloud.n_points - 1), watch)
    return find_copies(images, near.indices, seed, watch)


_LENGTH = 1

MEASURES: dict[str, Measure] = {
    row.name: row
    for row in (
        Measure(
            "radius",
            "Density over the radius",
            "How far from the origin do the z-points lie, and is that what a cloud without structure would do?",
            lambda cloud, _, asked, seed, _watch: radius_density(cloud, asked.radius_bins, asked.n_null_clouds, seed),
            scaling=dict.fromkeys(
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
                    "bin_width",
                ),
                _LENGTH,
            ),
        ),
        Measure(
            "axes",
            "Density along every axis",
            "Which axes of z-space carry something special, and which are all alike?",
            lambda cloud, _, asked, seed, _watch: axis_densities(cloud, asked.axis_bin, asked.n_null_clouds, seed),
            rotation="changed",
            scaling=dict.fromkeys(
                ("median_standard_deviation", "largest_offset", "largest_standard_deviation", "bin_width"), _LENGTH
            ),
        ),
        Measure(
            "principal",
            "Principal components",
            "In how many directions does the cloud really extend?",
            lambda cloud, _, asked, seed, _watch: principal_spectrum(cloud, asked.n_null_clouds, seed),
        ),
        Measure(
            "clusters",
            "Clusters",
            "Does the cloud fall into clusters, more than a cloud without structure would?",
            lambda cloud, _, asked, seed, watch: cluster_curves(
                cloud, asked.max_clusters, asked.cluster_step, asked.n_null_clouds, seed, watch
            ),
        ),
        Measure(
            "planes",
            "Planes at ever smaller scales",
            "Do the z-points lie on strings round voids, or as scattered as random points do?",
            lambda cloud, _, asked, seed, watch: plane_windows(
                cloud, asked.planes, asked.plane_sides, asked.n_null_clouds, seed, watch
            ),
            rotation="changed",
        ),
        Measure(
            "attributes",
            "Clusters and attributes",
            "Do the clusters follow what the images show?",
            lambda cloud, known, asked, seed, _: cluster_attributes(cloud, known, asked.attribute_clusters, seed),
            needs="attributes",
        ),
        Measure(
            "posterior",
            "The posterior",
            "Is z more than mu with a little noise, and which axes tell of the image?",
            lambda _cloud, known, _asked, _seed, _watch: posterior_report(known),
            needs="posterior",
            rotation="changed",
        ),
        Measure(
            "copies",
            "Copies among neighbours",
            "How much of what looks like structure are images that come twice?",
            _copies_among_neighbors,
            needs="images",
        ),
    )
}
"""All that can be measured, in the order in which it is taken and told."""

MAPS = "maps"
"""The name under which maps are asked for; each of them is drawn and kept by itself."""

VERDICT = "verdict"
"""The name under which the verdict is asked for."""


def check_measures(settings: MeasureSettings) -> None:
    """Refuse, before any work, measures that are not in the table, names that are no planes, and maps not to be drawn.

    Raises
    ------
    UnknownSetting, SettingOutOfRange
        Naming the measure, the plane, or the map.
    """
    known = [*MEASURES, MAPS, VERDICT]
    for name in settings.only:
        if name not in known:
            raise UnknownSetting("measure.only", "must name measures", repr(name), nearest(name, known))
    parse_planes(settings.planes)
    check_methods(parse_maps(settings.maps))


def chosen_measures(only: tuple[str, ...], beside: Beside) -> list[str]:
    """Return the names of the measures to take: those asked for, or all that these points allow.

    Raises
    ------
    UnknownSetting
        For one that was asked for by name and needs what is not there.
    """
    possible = []
    for name, row in MEASURES.items():
        if row.needs == "nothing" or getattr(beside, row.needs) is not None:
            possible.append(name)
        elif name in only:
            rule, next_step = "must name measures that these points allow", f"It needs {_NEEDED[row.needs]}."
            raise UnknownSetting("measure.only", rule, repr(name), next_step)
    return [name for name in possible if not only or name in only]


def chosen_maps(settings: MeasureSettings, n_points: int) -> dict[str, MapSettings]:
    """Return the maps to draw of a cloud of that many points, by their specification."""
    asked = parse_maps(settings.maps) if MAPS in (settings.only or (MAPS,)) else {}
    return distinct_maps(asked, n_points)


def wants_verdict(settings: MeasureSettings) -> bool:
    """Return whether a verdict is asked for: by name, or because nothing is."""
    return VERDICT in (settings.only or (VERDICT,))


def judge_cloud(
    cloud: Cloud, settings: MeasureSettings, seed: int, watch: Watcher = watch_nothing
) -> tuple[Verdict | None, str]:
    """Return the verdict on a cloud; where these points do not allow one, why.

    Randomness, cost
    ----------------
    As `zspace.geometry.verdict.judge.judge`; matrix products take one thread, as in `measure_cloud`.
    """
    try:
        with one_matrix_thread():
            return judge(cloud, settings.verdict, seed, _named(VERDICT, watch)), ""
    except GeometryError as error:
        return None, str(error)


def measure_cloud(
    cloud: Cloud, settings: MeasureSettings, seed: int, beside: Beside | None = None, watch: Watcher = watch_nothing
) -> Iterator[Measurement]:
    """Take the chosen measures of a cloud, one after the other, timing each.

    A measure that these points or settings do not suit says why in place of its estimates; the others are taken.

    Parameters
    ----------
    cloud
        The z-points.
    settings
        Which measures, and their bins.
    seed
        Of the null clouds.
    beside
        What is known of the same points besides where they lie.
    watch
        Told how far long measures have come; the steps bear the measure's name.

    Randomness
    ----------
    Each measure draws from its own named stream, so leaving one out changes no other. Matrix products and
    decompositions take one thread, and work in blocks is added up in the order of the blocks: the numbers of cores and
    threads change nothing.
    """
    beside = beside or Beside()
    for name in chosen_measures(settings.only, beside):
        start = perf_counter()
        try:
            with one_matrix_thread():
                found = MEASURES[name].take(cloud, settings, seed, beside, _named(name, watch))
        except GeometryError as error:
            found = Measurement.not_taken(name, str(error), cloud.n_points)
        yield replace(found, elapsed_seconds=perf_counter() - start)


def _named(name: str, watch: Watcher) -> Watcher:
    return lambda progress: watch(replace(progress, step=f"{name}: {progress.step}"))
