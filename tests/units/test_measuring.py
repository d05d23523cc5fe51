"""The table of measures and how they are chosen."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from zspace.errors import SettingOutOfRange, UnknownSetting
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.attributes import Attributes
from zspace.geometry.posterior import Posterior
from zspace.geometry.truths import standard_normal_points
from zspace.measuring import (
    MEASURES,
    Beside,
    check_measures,
    chosen_maps,
    chosen_measures,
    measure_cloud,
    wants_verdict,
)
from zspace.settings import MeasureSettings

CLOUD = Cloud(standard_normal_points(30, 3, 1))
ASKED = MeasureSettings(n_null_clouds=2)


ATTRIBUTES = Attributes(("first axis",), CLOUD.points[:, :1])
OF_POINTS = [name for name, row in MEASURES.items() if row.needs == "nothing"]
POSTERIOR = Posterior(CLOUD.points, CLOUD.points, np.zeros_like(CLOUD.points))


def test_no_names_choose_whatever_the_points_allow():
    assert chosen_measures((), Beside()) == OF_POINTS
    assert chosen_measures((), Beside(posterior=POSTERIOR)) == [*OF_POINTS, "posterior"]
    assert chosen_measures((), Beside(attributes=ATTRIBUTES)) == [*OF_POINTS, "attributes"]


def test_names_choose_rows_in_the_order_of_the_table():
    assert chosen_measures(("principal", "radius"), Beside(POSTERIOR)) == ["radius", "principal"]
    assert chosen_measures(("maps",), Beside()) == []


@pytest.mark.parametrize(
    ("name", "needed"),
    [("posterior", "mu and logvar of a VAE"), ("attributes", "attributes of the images"), ("copies", "the images")],
)
def test_a_measure_that_needs_more_than_there_is_is_refused(name, needed):
    with pytest.raises(UnknownSetting, match=rf"that these points allow, got '{name}'\. It needs {needed}\."):
        chosen_measures((name, "radius"), Beside())


def test_maps_are_drawn_unless_only_other_things_are_asked_for():
    assert list(chosen_maps(replace(ASKED, maps=("pca",)), 100)) == ["pca"]
    assert list(chosen_maps(replace(ASKED, maps=("pca",), only=("maps",)), 100)) == ["pca"]
    assert chosen_maps(replace(ASKED, maps=("pca",), only=("radius",)), 100) == {}


@pytest.mark.parametrize(
    ("name", "next_step"),
    [("radios", r"Did you mean 'radius'\?"), ("zzz", r"Known are: attributes, axes, .*principal, radius, verdict\.")],
)
def test_unknown_measures_are_refused(name, next_step):
    message = rf"measure\.only: must name measures, got '{name}'\. {next_step}"
    with pytest.raises(UnknownSetting, match=message):
        check_measures(replace(ASKED, only=("axes", name)))


def test_a_map_that_cannot_be_meant_is_refused_before_any_work():
    with pytest.raises(UnknownSetting, match="must name maps, got 'zzz'"):
        check_measures(replace(ASKED, maps=("tsne", "zzz")))


def test_measures_come_one_by_one_with_their_time():
    found = list(measure_cloud(CLOUD, ASKED, 1))
    assert [measurement.name for measurement in found] == OF_POINTS
    assert all(measurement.elapsed_seconds > 0 for measurement in found)


def test_leaving_measures_out_changes_no_other():
    everything = {found.name: found for found in measure_cloud(CLOUD, ASKED, 1)}
    (alone,) = measure_cloud(CLOUD, replace(ASKED, only=("principal",)), 1)
    assert alone.estimates == everything["principal"].estimates


def test_rows_are_filed_under_their_own_names_and_have_titles_and_questions():
    for name, row in MEASURES.items():
        assert name == row.name
        assert row.title
        assert row.question.endswith("?")


def test_measures_are_given_what_they_need():
    beside = Beside(POSTERIOR, ATTRIBUTES)
    found = measure_cloud(CLOUD, replace(ASKED, only=("attributes", "posterior"), attribute_clusters=3), 1, beside)
    assert [measurement.name for measurement in found] == ["attributes", "posterior"]


def test_settings_reach_the_measures():
    asked = replace(ASKED, radius_bins=(0.25,), axis_bin=0.75)
    found = {measurement.name: measurement for measurement in measure_cloud(CLOUD, asked, 1)}
    assert list(found["radius"].curves) == ["bin 0.25"]
    assert found["axes"].estimates["bin_width"].value == 0.75


def test_null_clouds_and_windows_are_told_one_by_one():
    told = []
    asked = replace(ASKED, only=("clusters", "planes"), max_clusters=4, planes=("pc1-pc2",), plane_sides=(1.0, 0.5))
    list(measure_cloud(CLOUD, asked, 1, watch=told.append))
    assert [(one.step, one.done, one.total) for one in told] == [
        ("clusters: null clouds", 1, 2),
        ("clusters: null clouds", 2, 2),
        ("planes: windows", 1, 3),
        ("planes: windows", 2, 3),
        ("planes: windows", 3, 3),
    ]


def test_without_widths_bins_follow_the_points():
    for factor in (1e-3, 1.0, 1e4):
        cloud = Cloud(CLOUD.points * np.float32(factor))
        found = {one.name: one for one in measure_cloud(cloud, replace(ASKED, only=("radius", "axes")), 1)}
        for name in ("radius", "axes"):
            width = found[name].estimates["bin_width"]
            assert 0.2 * factor < width.value < 2 * factor
            assert width.source.startswith("derived from the points: Freedman and Diaconis 1981")
        assert found["radius"].estimates["peak_radius"].value is not None


@pytest.mark.parametrize("spread", [255.0, 1e12, 1e-12])
def test_derived_bins_suit_thousands_of_axes_and_any_scale(spread):
    points = np.random.default_rng(1).integers(0, 256, (60, 1200)).astype(np.float32) / np.float32(255) * spread
    for found in measure_cloud(Cloud(points.astype(np.float32)), replace(ASKED, only=("radius", "axes")), 1):
        assert found.why_not_taken is None


def test_a_measure_that_does_not_suit_says_why_and_the_others_are_taken():
    asked = replace(ASKED, radius_bins=(1e-9,), axis_bin=1e-8, max_clusters=3)
    found = {one.name: one for one in measure_cloud(CLOUD, asked, 1)}
    assert list(found) == OF_POINTS
    assert found["radius"].why_not_taken.startswith("measure.radius_bins: must cover the spread of the points in")
    assert found["axes"].why_not_taken.startswith("measure.axis_bin: must cover the spread of the points in at most")
    for name in ("radius", "axes"):
        assert list(found[name].estimates) == [name]
        assert found[name].estimates[name].value is None
        assert found[name].estimates[name].reason == found[name].why_not_taken
    assert {name for name, one in found.items() if one.why_not_taken is None} == {"principal", "clusters", "planes"}


def test_a_plane_that_cannot_be_meant_is_refused_before_any_work():
    with pytest.raises(SettingOutOfRange, match=r"measure\.planes: must name two different .*, got 'pc1-axis2'"):
        check_measures(replace(ASKED, planes=("pc1-pc2", "pc1-axis2")))


PROGRAM = """
import sys
import numpy as np
from zspace.files import to_json
from zspace.geometry.clouds import Cloud
from zspace.measuring import measure_cloud
from zspace.records import to_mapping
from zspace.settings import MeasureSettings
random = np.random.default_rng(1)
points = (random.standard_normal((600, 30)) @ random.standard_normal((30, 30))).astype(np.float32)
for found in measure_cloud(Cloud(points), MeasureSettings(n_null_clouds=2, max_clusters=4), 1):
    print(to_json({**to_mapping(found), "elapsed_seconds": 0}))
"""


def test_the_number_of_threads_changes_no_bit():
    found = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "OMP_NUM_THREADS": n_threads, "OPENBLAS_NUM_THREADS": n_threads},
            capture_output=True,
            check=True,
        ).stdout
        for n_threads in ("1", "3")
    ]
    assert found[0] == found[1]
    assert len(found[0]) > 1000


@pytest.mark.parametrize(
    ("only", "wanted", "taken"),
    [((), True, True), (("verdict",), True, False), (("radius", "verdict"), True, True), (("radius",), False, True)],
)
def test_the_verdict_is_taken_by_name_or_where_nothing_is_named(only, wanted, taken):
    settings = MeasureSettings(only=only)
    check_measures(settings)
    assert wants_verdict(settings) is wanted
    assert ("radius" in chosen_measures(only, Beside())) is taken
    assert chosen_maps(settings, 500).keys() == (set() if only else chosen_maps(MeasureSettings(), 500).keys())
