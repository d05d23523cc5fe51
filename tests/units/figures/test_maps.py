"""Figures of maps: density beside the twin, colours, captions."""

import numpy as np
import pytest

from zspace.figures.maps import MapColors, draw_map_colors, draw_map_density, map_caption, preserved_colors
from zspace.figures.style import to_svg
from zspace.geometry.clouds import Cloud
from zspace.geometry.maps import draw_map
from zspace.geometry.truths import standard_normal_points
from zspace.settings import MapSettings

CLOUD = Cloud(standard_normal_points(5000, 4, 1))


@pytest.fixture(scope="module", params=[500, 0], ids=["few points", "many points"])
def found(request):
    return draw_map(CLOUD, "z", MapSettings(method="pca", n_points=request.param, n_scored=200), 1)


def test_the_map_stands_beside_its_twin_with_equal_aspect_and_no_ticks(found):
    figure = draw_map_density(found)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"z-points: {len(found.rows):,} points", f"null twin: {len(found.rows):,} points"]
    for axes in figure.axes:
        assert axes.get_aspect() == 1
        assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0


def test_many_points_are_shaded_and_few_are_dots(found):
    axes = draw_map_density(found).axes[0]
    many = len(found.rows) > 3000
    assert (len(axes.images), len(axes.collections)) == ((1, 0) if many else (0, 1))


@pytest.mark.parametrize("values", ["radius", "rare attribute", "all the same"])
def test_colours_have_a_scale_with_their_name(found, values):
    numbers = {
        "radius": CLOUD.radii[found.rows],
        "rare attribute": np.eye(1, len(found.rows), 7)[0],
        "all the same": np.zeros(len(found.rows)),
    }[values]
    figure = draw_map_colors(found.coordinates, MapColors(values, numbers))
    assert figure.axes[1].get_ylabel() == values
    assert to_svg(figure, "map") == to_svg(draw_map_colors(found.coordinates, MapColors(values, numbers)), "map")


def test_kept_neighbours_are_coloured_where_they_were_judged(found):
    sheet, colors = preserved_colors(found)
    assert len(sheet) == len(colors.values) == 200
    draw_map_colors(sheet, colors)


def test_the_caption_holds_the_scores_of_map_and_twin(found):
    caption = map_caption(found)
    assert f"{len(found.rows):,} z-points" in caption
    for word in ("Trustworthiness", "Continuity", "Neighbors preserved", "null twin"):
        assert word in caption


def test_without_a_twin_the_caption_says_so():
    alone = draw_map(CLOUD, "z", MapSettings(method="pca", n_points=300, null_twin=False), 1)
    assert "No null twin was drawn" in map_caption(alone)
    assert len(draw_map_density(alone).axes) == 1
