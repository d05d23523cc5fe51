import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from zspace.figures import FIGURES, draw_losses, draw_rates, figure_set, inline_svg, to_svg
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths import standard_normal_points
from zspace.measuring import MEASURES
from zspace.results import Curve, EpochRecord, Law, LossParts, Measurement
from zspace.settings import MeasureSettings

SVG = "{http://www.w3.org/2000/svg}"


def elements(document):
    return ET.fromstring(document).iter()  # noqa: S314 - our own figure


def texts(document):
    return [element.text for element in elements(document) if element.tag == f"{SVG}text"]


def drawn(measurement):
    rows = figure_set(measurement).rows(measurement)
    return {row.key: to_svg(row.draw(measurement), row.key) for row in rows}


def test_every_measure_is_drawn_with_title_caption_and_axes():
    asked = MeasureSettings(n_null_clouds=2, planes=("pc1-pc2",), plane_sides=(2.0,))
    assert list(FIGURES.keys() ^ MEASURES.keys()) == []
    for measure in (row for row in MEASURES.values() if row.needs == "nothing"):
        measurement = measure.take(Cloud(standard_normal_points(400, 4, 1)), asked, 1)
        for row in figure_set(measurement).rows(measurement):
            labels = texts(to_svg(row.draw(measurement), row.key))
            assert row.title
            assert len(row.caption) > 60
            assert set(row.curves) <= set(measurement.curves)
            units = ("units of z", "component", "kurtosis", "clusters")
            assert any(unit in label for label in labels for unit in units), row.key


def test_figure_keys_are_unique_and_follow_the_bins(model):
    keys = [row.key for found in model.measurements.values() for row in figure_set(found).rows(found)]
    assert len(keys) == len(set(keys))
    assert keys[:2] == ["radius-bin-0.5", "radius-bin-0.05"]


def test_captions_say_what_band_and_law_are(model, synthetic):
    radius = model.measurements["radius"]
    for row in figure_set(radius).rows(radius):
        assert synthetic.NULL_NAME in row.caption
        assert "N(0, I)" in row.caption


def test_same_records_same_svg_and_no_date(model):
    first, second = (drawn(model.measurements["radius"]) for _ in range(2))
    assert first == second
    for document in first.values():
        assert "<dc:date>" not in document
        assert "metadata" not in document


def test_documents_of_one_page_share_no_names(model):
    seen = set()
    for measurement in model.measurements.values():
        for document in drawn(measurement).values():
            names = {element.get("id") for element in elements(document)} - {None}
            assert not names & seen
            seen |= names


def test_no_figure_brings_a_style_sheet_that_would_hold_for_the_whole_page(model):
    for measurement in model.measurements.values():
        for document in drawn(measurement).values():
            assert "<style" not in document


def test_inline_svg_is_the_element_alone(model):
    document = to_svg(draw_losses(model.training), "losses")
    assert document.startswith("<?xml")
    assert inline_svg(document).startswith("<svg ")


def test_drawing_leaves_the_settings_of_matplotlib_alone(model):
    before = dict(mpl.rcParams)
    drawn(model.measurements["axes"])
    assert dict(mpl.rcParams) == before


def test_drawing_needs_no_pyplot():
    code = "import sys, zspace.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_peak_is_named(model):
    peak = model.measurements["radius"].estimates["peak_radius"].value
    for document in drawn(model.measurements["radius"]).values():
        assert f"peak {peak:.3f}" in texts(document)


def test_a_law_far_above_the_data_is_told_not_drawn_over_them(model):
    radius = model.measurements["radius"]
    name, curve = next(iter(radius.curves.items()))
    tall = replace(radius, curves={name: replace(curve, laws=(Law("tall", curve.laws[0].values * 100),))})
    (document,) = drawn(tall).values()
    assert any("peaks off scale" in label for label in texts(document))


def test_special_axes_get_a_figure_with_their_names(model):
    documents = drawn(model.measurements["axes"])
    assert {"axis 3", "axis 9", "axis 14", "axis 20"} <= set(texts(documents["axes-special"]))
    assert {"20 ordinary axes", "4 special axes"} <= set(texts(documents["axes-density"]))
    assert {"3", "9", "14", "20"} <= set(texts(documents["axes-summary"]))


def normality_of(found, kurtosis):
    """Return the measurement with the shapes of its axes beside it."""
    n_axes = len(kurtosis)
    rows = np.stack([np.linspace(-0.5, 0.5, n_axes), kurtosis, np.full(n_axes, 0.5)])
    reach = np.full_like(rows, 0.1)
    labels = ("skewness", "excess kurtosis", "p-value")
    curve = Curve("line", np.arange(float(n_axes)), rows, "axis", "no unit", labels, "null", -reach, reach)
    return replace(found, curves={**found.curves, "normality": curve})


def test_axes_that_are_not_normal_are_named_and_normal_ones_are_not(model):
    found = model.measurements["axes"]
    kurtosis = np.zeros(24)
    kurtosis[7], kurtosis[11] = 3.0, 0.05
    labels = texts(drawn(normality_of(found, kurtosis))["axes-normality"])
    assert {"7", "reach of normal axes", "skewness (no unit)", "excess kurtosis (no unit)"} <= set(labels)
    assert "11" not in labels


def test_one_strange_axis_does_not_push_the_others_onto_one_spot(model):
    kurtosis = np.zeros(24)
    kurtosis[7] = 400.0
    labels = texts(drawn(normality_of(model.measurements["axes"], kurtosis))["axes-normality"])
    assert {"1", "10", "100"} <= set(labels)


def test_two_laws_are_told_apart_by_stroke_and_name(model):
    radius = model.measurements["radius"]
    name, curve = next(iter(radius.curves.items()))
    (first,) = curve.laws
    both = replace(radius, curves={name: replace(curve, laws=(first, Law("matched", first.values * 0.5)))})
    (row,) = figure_set(both).rows(both)
    assert f"Dashed: {first.name}. Dotted: matched." in row.caption
    assert {"matched", first.name} <= set(texts(to_svg(row.draw(both), row.key)))


def test_without_special_axes_there_is_no_empty_figure(model):
    found = model.measurements["axes"]
    summary = found.curves["summary"]
    plain = summary.y.copy()
    plain[summary.labels.index("special")] = 0
    documents = drawn(replace(found, curves={**found.curves, "summary": replace(summary, y=plain)}))
    assert list(documents) == ["axes-density", "axes-summary"]


def test_axes_without_summary_are_drawn_all_alike(model):
    found = model.measurements["axes"]
    assert list(drawn(replace(found, curves={"density": found.curves["density"]}))) == ["axes-density"]


def test_needed_components_are_written_on_the_cumulative_share(model):
    found = model.measurements["principal"]
    labels = texts(drawn(found)["principal-cumulative"])
    assert f"90 %: {found.estimates['n_for_90_percent'].value:.0f}" in labels


@pytest.mark.parametrize("n_curves", [1, 3, 40])
@pytest.mark.parametrize("kind", ["histogram", "line"])
def test_a_measure_without_a_row_shows_up_by_itself(kind, n_curves):
    x = np.arange(21.0 if kind == "histogram" else 20.0)
    y = np.random.default_rng(0).random((n_curves, 20))
    curve = Curve(kind, x, y, "scale", "neighbours", tuple(f"<curve> ${i}" for i in range(n_curves)))
    measurement = Measurement("local_dimension", {}, {"by scale": curve})
    assert figure_set(measurement).title == "Local dimension"
    ((key, document),) = drawn(measurement).items()
    assert key == "local-dimension-by-scale"
    assert {"scale", "neighbours"} <= set(texts(document))
    assert ("<curve> $1" in texts(document)) == (n_curves == 3)


def test_an_empty_histogram_and_an_unknown_kind_of_band_are_drawn():
    curve = Curve("histogram", np.arange(5.0), np.zeros((1, 4)), "x", "y", ("nothing",))
    assert drawn(Measurement("void", {}, {"empty": curve}))


def test_a_spectrum_of_nothing_but_zeros_is_drawn_on_a_linear_scale(model):
    found = model.measurements["principal"]
    spectrum = found.curves["spectrum"]
    flat = replace(spectrum, y=0 * spectrum.y, null_low=0 * spectrum.y, null_high=0 * spectrum.y)
    assert "component number" in texts(drawn(replace(found, curves={"spectrum": flat}))["principal-spectrum"])


def test_a_peak_outside_the_frame_is_left_out(model):
    radius = model.measurements["radius"]
    far = replace(radius.estimates["peak_radius"], value=1e6)
    documents = drawn(replace(radius, estimates={"peak_radius": far}))
    assert not any(label.startswith("peak") for document in documents.values() for label in texts(document))


def test_many_axes_stay_small_and_readable(synthetic):
    found = synthetic.axes(synthetic.cloud(300, 512), 512)
    documents = drawn(found)
    assert sum(map(len, documents.values())) < 1_000_000
    assert "data:image/png;base64," in documents["axes-density"]


def test_losses_show_both_histories_and_both_scales(model):
    labels = texts(to_svg(draw_losses(model.training), "losses"))
    assert {"training", "validation", "epoch", "nats per pixel", "images seen (thousands)"} <= set(labels)
    assert "binary cross-entropy (nats per image)" in labels


def test_losses_without_validation_and_with_one_epoch(model):
    history = (EpochRecord(1, 100, LossParts(700.0, 700.0, None, 3.0), None, None, 2.0, 1.0),)
    labels = texts(to_svg(draw_losses(replace(model.training, history=history)), "losses"))
    assert "validation" not in labels


def test_rates_are_written_beside_their_dots_and_unknown_ones_say_why(model):
    labels = texts(to_svg(draw_rates(model.generation), "rates"))
    assert {"97.3 %", "3.1 %", "95.0 %"} <= set(labels)
    assert "not known: the decoder gave pictures without any contrast" in " ".join(labels)


def test_a_measure_that_was_not_taken_has_no_figures():
    for name in FIGURES:
        nothing = Measurement.not_taken(name, "it does not suit", 9)
        assert figure_set(nothing).rows(nothing) == ()
        assert figure_set(nothing).title == MEASURES[name].title
