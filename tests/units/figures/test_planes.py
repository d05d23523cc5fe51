"""Figures of planes: windows beside their twins, counts over the side."""

import xml.etree.ElementTree as ET

import pytest

from zspace.figures.planes import planes_rows
from zspace.figures.style import to_svg
from zspace.geometry.clouds import Cloud
from zspace.geometry.planes.scatter import plane_windows
from zspace.geometry.truths import constant_points, standard_normal_points

SVG = "{http://www.w3.org/2000/svg}"


def measured(points, planes=("pc1-pc2", "axis0-axis2"), sides=(2.0, 0.5)):
    return plane_windows(Cloud(points), planes, sides, 3, 1)


@pytest.fixture(scope="module")
def found():
    return measured(standard_normal_points(3000, 4, 1))


def texts(figure, key):
    document = ET.fromstring(to_svg(figure, key))  # noqa: S314 - our own figure
    return [element.text for element in document.iter() if element.tag == f"{SVG}text"]


def test_each_plane_has_a_figure_with_its_name_in_words(found):
    rows = planes_rows(found)
    assert [row.key for row in rows] == ["planes-pc1-pc2", "planes-axis0-axis2"]
    assert [row.title for row in rows] == ["Components 1 and 2, whole and closer", "Axes 0 and 2, whole and closer"]
    assert all(row.is_wide for row in rows)
    for row in rows:
        assert set(row.curves) <= set(found.curves)
        assert set(row.estimates) <= set(found.estimates)
        row.draw(found)


def test_a_window_says_what_was_found_and_what_was_expected(found):
    row = planes_rows(found)[0]
    labels = texts(row.draw(found), row.key)
    count = found.estimates["pc1_pc2_side_0.5_points"].value
    expected = found.estimates["pc1_pc2_side_0.5_expected"].value
    assert f"side 0.5: {count:.0f} points" in labels
    assert f"null twin: {expected:.0f} expected" in labels
    dimension = found.estimates["pc1_pc2_side_0.5_local_dimension"]
    assert f"local dimension {dimension.value:.2f}" in labels
    assert f"twins {dimension.band[0]:.2f} to {dimension.band[1]:.2f}" in labels


def windows_of(figure):
    """Return the panels that show points, those of the cloud first, then those of the twin."""
    return [axes for axes in figure.axes if axes.get_title(loc="left") and axes.get_aspect() == 1]


def test_windows_go_from_wide_to_narrow_and_stand_above_their_twins(found):
    panels = windows_of(planes_rows(found)[0].draw(found))
    widths = [axes.get_xlim()[1] - axes.get_xlim()[0] for axes in panels]
    assert len(widths) == 6
    assert widths[:3] == widths[3:] == sorted(widths[:3], reverse=True)


def test_the_counts_stand_beside_the_windows(found):
    figure = planes_rows(found)[0].draw(found)
    (counts,) = [axes for axes in figure.axes if axes.get_xscale() == "log"]
    assert "side of a square" in counts.get_xlabel()


def test_few_points_are_dots_and_many_are_shaded_on_one_scale(found):
    figure = planes_rows(found)[0].draw(found)
    whole, _, few, twin, *_ = windows_of(figure)
    assert whole.images[0].get_clim() == twin.images[0].get_clim()
    assert not few.images
    assert len(few.collections) == 1


def test_a_plane_without_a_gaussian_says_so():
    flat = measured(constant_points(30, 1.0 * standard_normal_points(1, 3, 1)[0].astype(float)), ("pc1-pc2",), ())
    row = planes_rows(flat)[0]
    assert "no null twin:" in texts(row.draw(flat), row.key)


def test_the_same_record_gives_the_same_picture(found):
    for row in planes_rows(found):
        assert to_svg(row.draw(found), row.key) == to_svg(row.draw(found), row.key)
