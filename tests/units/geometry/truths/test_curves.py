"""Lines and surfaces that known clouds are built on."""

import numpy as np
import pytest

from zspace.geometry.truths.curves import curved_line, network, piece_lengths, points_on_lines, tree
from zspace.seeds import random_stream

DEVIATIONS = np.sqrt(1 / np.arange(1.0, 9))


@pytest.fixture
def random():
    return random_stream(1, "test", "curves")


def test_a_line_has_its_length_begins_at_the_origin_and_is_smooth(random):
    knots = curved_line(random, DEVIATIONS, 3.0)
    assert (knots[0] == 0).all()
    assert piece_lengths(knots).sum() == pytest.approx(3)
    steps = np.diff(knots, axis=0) / piece_lengths(knots)[:, np.newaxis]
    assert (np.einsum("ij,ij->i", steps[1:], steps[:-1]) > np.cos(0.2)).all()


def test_a_line_is_curved(random):
    knots = curved_line(random, DEVIATIONS, 3.0)
    assert np.linalg.norm(knots[-1]) < 0.95 * 3


def test_points_lie_uniformly_on_lines_of_different_lengths(random):
    lines = [np.array([[0.0, 0], [1, 0]]), np.array([[0.0, 5], [0, 6], [0, 8]])]
    points, chosen = points_on_lines(lines, 20_000, random)
    # The second line is three times as long. Four standard errors of a share of 3 / 4 are 0.012.
    assert (chosen == 1).mean() == pytest.approx(0.75, abs=0.013)
    assert (points[chosen == 0, 1] == 0).all()
    assert (points[chosen == 1, 0] == 0).all()
    along = points[chosen == 1, 1]
    assert ((along >= 5) & (along <= 8)).all()
    # Four standard errors of the mean of a uniform law of width 3 are 0.03.
    assert along.mean() == pytest.approx(6.5, abs=0.03)


def test_lines_of_a_network_hang_together(random):
    lines = network(random, DEVIATIONS, 6, 3.0)
    assert len(lines) == 6
    for number, line in enumerate(lines[1:], 1):
        before = np.concatenate(lines[:number])
        assert np.linalg.norm(before - line[0], axis=1).min() == pytest.approx(0, abs=1e-12)


def test_branches_of_a_tree_begin_in_pairs_where_one_ends_and_shrink(random):
    lines, widths = tree(random, DEVIATIONS, 2, 4.0, 0.5)
    assert widths == [1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]
    assert [piece_lengths(line).sum() for line in lines] == pytest.approx([4 * width for width in widths])
    for parent, children in ((0, (1, 2)), (1, (3, 4)), (2, (5, 6))):
        for child in children:
            np.testing.assert_allclose(lines[child][0], lines[parent][-1])
