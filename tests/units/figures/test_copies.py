import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from zspace.figures.copies import copies_rows
from zspace.figures.style import to_svg
from zspace.images.faces import draw_faces, sample_factors
from zspace.images.near_copies import StoredImages, find_copies


@pytest.fixture(scope="module")
def measurement():
    faces = draw_faces(sample_factors(60, seed=1), size=48)
    faces[50:] = faces[:10]
    neighbors = (np.arange(60)[:, np.newaxis] + np.array([1, 10, 20])) % 60
    return find_copies(StoredImages(faces, ("",) * 60, np.arange(60)), neighbors, seed=1)


def texts(figure):
    document = ET.fromstring(to_svg(figure, "copies"))  # noqa: S314 - our own figure
    return [element.text for element in document.iter() if element.tag.endswith("text")]


def test_the_figure_shows_neighbours_random_pairs_and_where_copies_begin(measurement):
    (row,) = copies_rows(measurement)
    labels = texts(row.draw(measurement))
    assert {"neighbours in z", "pairs drawn at random", "copies from 0.965 on"} <= set(labels)
    assert {measurement.curves["likeness"].x_label, measurement.curves["likeness"].y_label} <= set(labels)


def test_the_caption_names_the_limit_of_the_record(measurement):
    limit = measurement.estimates["copy_likeness"]
    moved = replace(measurement, estimates={**measurement.estimates, "copy_likeness": replace(limit, value=0.9)})
    (row,) = copies_rows(moved)
    assert "From 0.9 on (vermilion)" in row.caption
    assert "copies from 0.9 on" in texts(row.draw(moved))


def test_every_estimate_stands_beside_the_figure(measurement):
    (row,) = copies_rows(measurement)
    assert set(row.estimates) == set(measurement.estimates)
    assert set(row.curves) == set(measurement.curves)


def test_all_pairs_lie_inside_the_frame(measurement):
    curve = measurement.curves["likeness"]
    (axes,) = copies_rows(measurement)[0].draw(measurement).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < curve.x[:-1][curve.y.any(axis=0)].min()
    assert right > 1
    assert bottom < curve.y[curve.y > 0].min()
    assert top > curve.y.max()


def test_a_record_without_a_limit_is_drawn_without_it(measurement):
    bare = replace(measurement, estimates={})
    (row,) = copies_rows(bare)
    assert "vermilion" not in row.caption
    assert row.estimates == ()
    assert not any("copies from" in label for label in texts(row.draw(bare)))
