"""The table of measures and how they are chosen."""

from dataclasses import replace

import pytest

from zspace.errors import UnknownSetting
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import standard_normal_points
from zspace.measuring import MEASURES, chosen_measures, measure_cloud
from zspace.settings import MeasureSettings

CLOUD = Cloud(standard_normal_points(30, 3, 1))
ASKED = MeasureSettings(n_null_clouds=2)


def test_no_names_choose_the_whole_table_and_the_posterior_where_there_is_one():
    assert chosen_measures((), has_posterior=False) == list(MEASURES)
    assert chosen_measures((), has_posterior=True) == [*MEASURES, "posterior"]


def test_names_choose_rows_in_the_order_of_the_table():
    assert chosen_measures(("principal", "radius"), has_posterior=True) == ["radius", "principal"]
    assert chosen_measures(("posterior", "radius"), has_posterior=False) == ["radius"]


@pytest.mark.parametrize(
    ("name", "next_step"),
    [("radios", r"Did you mean 'radius'\?"), ("zzz", r"Known are: axes, .*principal, radius\.")],
)
def test_unknown_measures_are_refused(name, next_step):
    message = rf"measure\.only: must name measures, got '{name}'\. {next_step}"
    with pytest.raises(UnknownSetting, match=message):
        chosen_measures(("axes", name), has_posterior=False)


def test_an_unknown_measure_is_refused_before_any_is_taken():
    with pytest.raises(UnknownSetting, match="must name measures, got 'zzz'"):
        next(measure_cloud(CLOUD, replace(ASKED, only=("radius", "zzz")), 1))


def test_measures_come_one_by_one_with_their_time():
    found = list(measure_cloud(CLOUD, ASKED, 1))
    assert [measurement.name for measurement in found] == list(MEASURES)
    assert all(measurement.elapsed_seconds > 0 for measurement in found)


def test_leaving_measures_out_changes_no_other():
    everything = {found.name: found for found in measure_cloud(CLOUD, ASKED, 1)}
    (alone,) = measure_cloud(CLOUD, replace(ASKED, only=("principal",)), 1)
    assert alone.estimates == everything["principal"].estimates


def test_rows_are_filed_under_their_own_names_and_have_titles():
    assert all(name == row.name and row.title for name, row in MEASURES.items())


def test_settings_reach_the_measures():
    asked = replace(ASKED, radius_bins=(0.25,), axis_bin=0.75)
    found = {measurement.name: measurement for measurement in measure_cloud(CLOUD, asked, 1)}
    assert list(found["radius"].curves) == ["bin 0.25"]
    assert found["axes"].estimates["bin_width"].value == 0.75
