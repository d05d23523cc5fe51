"""Figures of a verdict: what is told apart, where quantities and curves lie beside every null, and panels of a line-up."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from zspace.figures.lineups import line_up_panels
from zspace.figures.style import DATA, MARK, to_svg
from zspace.figures.verdicts import (
    draw_envelopes,
    draw_forest,
    draw_ladder,
    envelope_caption,
    family_p_words,
    quantity_title,
)
from zspace.results import Comparison, LineUp

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def verdict(synthetic):
    return synthetic.verdict()


def texts(document):
    return [one.text for one in ET.fromstring(document).iter() if one.tag == f"{SVG}text"]  # noqa: S314 - our own figure


def test_the_ladder_writes_every_corrected_p_and_fills_what_is_told_apart(verdict):
    document = to_svg(draw_ladder(verdict), "ladder")
    tests = [test for rung in verdict.rungs for test in rung.families]
    written = texts(document)
    for test in tests:
        assert test.title in written
        assert family_p_words(test) in written
    assert {"gaussian", "elliptical"} <= set(written)
    apart = sum(test.p_corrected <= verdict.level for test in tests)
    assert 0 < apart < len(tests)
    assert len(re.findall(rf"fill: {DATA}; stroke: {DATA}", document)) == apart


def test_a_family_that_was_not_tested_is_a_dash(verdict):
    rung = verdict.rungs[0]
    untested = replace(rung.families[0], p=None, p_corrected=None)
    changed = replace(verdict, rungs=(replace(rung, families=(untested, *rung.families[1:])), *verdict.rungs[1:]))
    assert texts(to_svg(draw_ladder(changed), "ladder")).count("–") == 1  # noqa: RUF001 - a dash


def test_a_forest_has_a_panel_for_every_null_and_a_row_for_every_quantity(verdict):
    compared = [one for one in verdict.comparisons if one.family == "neighbours"]
    document = to_svg(draw_forest(compared, verdict.rungs), "forest")
    written = " ".join(texts(document))
    assert "Mean distance to the 1st neighbour" in written
    assert "standard deviations of the null model from its mean" in written
    assert written.count("gaussian") == written.count("elliptical") == 1
    outside = sum(not one.band[0] <= one.value <= one.band[1] for one in compared)
    assert outside > 0
    assert document.count(f"fill: {MARK}") >= 1


def test_the_band_is_in_the_standard_deviations_of_the_draws():
    draws = (1.0, 2.0, 3.0)
    one = Comparison("radius.mean", "gaussian", 4.0, draws, 0, "both", 0.25, 0.5, (1.0, 3.0), 2.0, title="Mean")
    assert one.band_effect == pytest.approx((-1.0, 1.0))
    assert (one.family, quantity_title(one)) == ("radius", "Mean")
    assert replace(one, draws=(2.0, 2.0)).band_effect is None
    assert replace(one, band=None).band_effect is None


def test_what_is_not_known_is_said_in_its_row(verdict):
    compared = [one for one in verdict.comparisons if one.family == "hollow"]
    blind = [replace(compared[0], value=None, p=None, effect=None), *compared[1:]]
    assert texts(to_svg(draw_forest(blind, verdict.rungs), "forest")).count("not known") == 1


def test_envelopes_tell_where_the_curve_is_outside(verdict):
    gaussian, elliptical = verdict.envelopes
    calm = replace(elliptical, y=elliptical.central, left_at=(), p=0.7)
    written = texts(to_svg(draw_envelopes([gaussian, calm]), "curve"))
    assert f"outside at {len(gaussian.left_at)} of {len(gaussian.x)}" in written
    assert "inside everywhere" in written
    assert "anywhere at all with a chance of 10 %" in envelope_caption([replace(gaussian, level=0.9), elliptical])
    assert "elliptical: p = 0.7" in written
    assert {"number of the neighbour", "mean distance (units of z)", "z-points", "global envelope"} <= set(written)


def test_panels_of_a_line_up_differ_in_their_points_alone():
    random = np.random.default_rng(1)
    panels = line_up_panels(LineUp("gaussian", "a Gaussian", 4, random.normal(size=(20, 50, 2))))
    assert len(panels) == 20
    frames = {re.sub(r' d="[^"]*"', "", panel) for panel in panels}
    assert len(frames) == 1
    assert {panel.count("M") for panel in panels} == {50}
    places = np.array([[float(x) for x in place] for place in re.findall(r"M(-?\d+) (-?\d+)", panels[0])])
    assert 0 <= places.min() < places.max() <= 1000


def test_equal_points_in_a_line_up_are_drawn_all_the_same():
    panels = line_up_panels(LineUp("gaussian", "a Gaussian", 1, np.ones((20, 3, 2))))
    assert panels[0].count("M500 500h.1") == 3
