"""Figures of maps: density beside the twin, colours, captions."""

import numpy as np
import pytest

from zspace.figures.maps import colors_caption, draw_map_colors, draw_map_density, map_caption
from zspace.figures.style import to_svg
from zspace.geometry.clouds import Cloud
from zspace.geometry.maps.drawing import draw_map
from zspace.geometry.truths import standard_normal_points
from zspace.settings import MapSettings

CLOUD = Cloud(standard_normal_points(5000, 4, 1))
FIRST = CLOUD.points[:, 0].astype(np.float64)
KNOWN = {"first axis": np.where(np.arange(5000) % 7, FIRST, np.nan), "is large": (FIRST > 1.8).astype(np.float64)}


@pytest.fixture(scope="module", params=[500, 0], ids=["few points", "many points"])
def drawn(request):
    return draw_map(CLOUD, "z", MapSettings(method="pca", n_points=request.param, n_scored=200), 1, KNOWN)


def test_the_map_stands_beside_its_twin_with_equal_aspect_and_no_ticks(drawn):
    found, sheet = drawn
    figure = draw_map_density(sheet)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"z-points: {found.n_points:,} points", f"null twin: {found.n_points:,} points"]
    for axes in figure.axes:
        assert axes.get_aspect() == 1
        assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0


def test_many_points_are_shaded_and_few_are_dots(drawn):
    found, sheet = drawn
    axes = draw_map_density(sheet).axes[0]
    assert (len(axes.images), len(axes.collections)) == ((1, 0) if found.n_points > 3000 else (0, 1))


def test_every_colour_has_a_panel_with_its_name_and_scale(drawn):
    found, sheet = drawn
    figure = draw_map_colors(found, sheet)
    titles = [title for axes in figure.axes if (title := axes.get_title(loc="left"))]
    assert titles[:3] == ["radius (units of z)", "distance to neighbour 15 in z", "neighbours kept, share"]
    assert {title.split(" (")[0] for title in titles[3:]} == set(KNOWN)
    assert len([axes for axes in figure.axes if axes.get_label() == "<colorbar>"]) == 5
    assert to_svg(figure, "map") == to_svg(draw_map_colors(found, sheet), "map")


def test_the_caption_says_how_many_points_and_what_the_twin_is(drawn):
    found, sheet = drawn
    assert f"{found.n_points:,} z-points" in map_caption(found)
    assert "The null twin is the same map" in map_caption(found)
    assert "at 200 drawn at random" in colors_caption(found, sheet)
    assert "in brackets the correlation" in colors_caption(found, sheet)


def test_without_a_twin_or_attributes_the_captions_say_so():
    found, sheet = draw_map(CLOUD, "z", MapSettings(method="pca", n_points=300, null_twin=False), 1)
    assert "No null twin was drawn" in map_caption(found)
    assert "attributes" not in colors_caption(found, sheet)
    assert len(draw_map_density(sheet).axes) == 1
    assert len([axes for axes in draw_map_colors(found, sheet).axes if axes.get_label() == "<colorbar>"]) == 3


def test_points_that_are_all_alike_are_drawn_in_the_middle():
    asked = MapSettings(method="pca", null_twin=False)
    found, sheet = draw_map(Cloud(np.ones((300, 3), dtype=np.float32)), "z", asked, 1)
    assert "at each of them how far" in colors_caption(found, sheet)
    for figure in (draw_map_density(sheet), draw_map_colors(found, sheet)):
        axes = figure.axes[0]
        (dots,) = axes.collections
        assert len(dots.get_offsets()) == 300
        assert np.allclose(dots.get_offsets(), [np.mean(axes.get_xlim()), np.mean(axes.get_ylim())])
        assert np.diff(axes.get_xlim()) > 0
