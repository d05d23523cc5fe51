"""Figures of attributes: what clusters have more or less of, and shares beside chance."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from zspace.figures.attributes import MAX_SHOWN, attribute_rows
from zspace.figures.numbers import format_percent
from zspace.figures.style import to_svg
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.attributes import BETWEEN, Attributes, cluster_attributes
from zspace.geometry.truths import constant_points
from zspace.seeds import random_stream

SVG = "{http://www.w3.org/2000/svg}"
N_ATTRIBUTES = 24


@pytest.fixture(scope="module")
def found():
    random = random_stream(1, "test")
    labels = random.choice(3, 900, p=[0.5, 0.3, 0.2])
    points = (10 * np.eye(3)[labels] + random.standard_normal((900, 3))).astype(np.float32)
    strengths = np.linspace(0.45, 0.0, N_ATTRIBUTES)
    values = random.random((900, N_ATTRIBUTES)) < 0.5 + strengths * np.where(labels == 1, 1, -1)[:, np.newaxis]
    values = values.astype(np.float32)
    values[:, 5] = 1
    names = ("5_o_Clock_Shadow", "Bags_Under_Eyes", *(f"attribute_{j}" for j in range(2, N_ATTRIBUTES)))
    return cluster_attributes(Cloud(points), Attributes(names, values), 3, 1)


def texts(figure, key):
    document = ET.fromstring(to_svg(figure, key))  # noqa: S314 - our own figure
    return [element.text for element in document.iter() if element.tag == f"{SVG}text"]


def test_there_is_a_figure_of_deviations_and_one_of_shares(found):
    rows = attribute_rows(found)
    assert [row.key for row in rows] == ["attributes-deviations", "attributes-shares"]
    for row in rows:
        assert set(row.curves) <= set(found.curves)
        assert set(row.estimates) <= set(found.estimates)
        assert "20 of 24 attributes, the largest share first; 1 cannot be shown" in row.caption
    assert "the size of the share is what counts" in rows[1].caption


def test_deviations_name_attributes_with_their_means_and_clusters_with_their_sizes(found):
    row = attribute_rows(found)[0]
    labels = texts(row.draw(found), row.key)
    mean = found.curves["means"].laws[0].values[0, 0]
    assert f"5 o Clock Shadow  {mean:.2f}" in labels
    assert {"1", "2", "3", f"{found.curves['sizes'].y.max():.0f}"} <= set(labels)
    assert sum(label.startswith("attribute ") for label in labels) == MAX_SHOWN - 2


def test_signs_stand_where_the_band_is_left(found):
    row = attribute_rows(found)[0]
    curve = found.curves["deviations"]
    _, cells, _ = row.draw(found).axes
    more, less = cells.collections
    shown = slice(MAX_SHOWN)
    assert len(more.get_offsets()) == (curve.y[shown] > curve.null_high[shown]).sum()
    assert len(less.get_offsets()) == (curve.y[shown] < curve.null_low[shown]).sum()
    assert cells.images[0].get_clim()[0] == -cells.images[0].get_clim()[1]


def test_shares_are_written_out_beside_chance(found):
    row = attribute_rows(found)[1]
    labels = texts(row.draw(found), row.key)
    first = found.estimates[f"{BETWEEN}5_o_Clock_Shadow"]
    assert format_percent(first.value, first.interval) in labels
    assert {"5 o Clock Shadow", "share found", "random clusters"} <= set(labels)
    assert "attribute 5" not in labels


def test_what_is_no_more_than_chance_is_hollow(found):
    estimates = {
        name: replace(one, comparison=replace(one.comparison, p=0.5)) if one.comparison else one
        for name, one in found.estimates.items()
    }
    row = attribute_rows(found)[1]
    labels = texts(row.draw(replace(found, estimates=estimates)), row.key)
    assert "no more than chance" in labels


def test_long_names_are_cut_and_formulas_stay_text(found):
    name = "$a_name^that goes on and on and on$"
    curves = {key: replace(curve, labels=(name, *curve.labels[1:])) for key, curve in found.curves.items()}
    row = attribute_rows(found)[0]
    labels = texts(row.draw(replace(found, curves=curves)), row.key)
    assert any(label.startswith("$a name^that goes on an…") for label in labels)


def test_where_nothing_can_be_told_there_is_no_figure():
    values = np.zeros((9, 1), dtype=np.float32)
    found = cluster_attributes(Cloud(constant_points(9, np.zeros(2))), Attributes(("a",), values), 3, 1)
    assert attribute_rows(found) == ()


def test_the_same_record_gives_the_same_picture(found):
    for row in attribute_rows(found):
        assert to_svg(row.draw(found), row.key) == to_svg(row.draw(found), row.key)
