"""Figures of the posterior: one for each curve, with the posts' values beside them."""

import numpy as np

from zspace.figures import figure_set
from zspace.figures.style import to_svg
from zspace.geometry.posterior import Posterior, posterior_report
from zspace.geometry.truths import standard_normal_points
from zspace.report.posts import posts_on

MU = standard_normal_points(200, 5, 1)
MEASURED = posterior_report(Posterior(MU, MU, np.full_like(MU, -2)))


def test_each_curve_has_a_figure_with_its_name():
    rows = figure_set(MEASURED).rows(MEASURED)
    assert [row.curves for row in rows] == [("logvar",), ("divergence per axis",)]
    for row in rows:
        assert "<svg " in to_svg(row.draw(MEASURED), row.key)


def test_every_estimate_named_beside_a_figure_is_measured():
    named = [key for row in figure_set(MEASURED).rows(MEASURED) for key in row.estimates]
    assert set(named) <= set(MEASURED.estimates)
    assert len(posts_on("posterior", tuple(named))) == 14
