"""Minimum spanning trees, groups and branches."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.connectivity.trees import (
    Tree,
    branches,
    excess_of_mass,
    merging,
    minimum_spanning_tree,
    pruned_shares,
)
from zspace.geometry.truths import standard_normal_points


def tree_of(points):
    return minimum_spanning_tree(Cloud(np.asarray(points, np.float32)).pairs.squares)


def a_fork():
    """Two arms of three edges and a stem of four that meet in one point."""
    ends = [[0, 1], [1, 2], [2, 3], [0, 4], [4, 5], [5, 6], [0, 7], [7, 8], [8, 9], [9, 10]]
    return Tree(np.array(ends), np.ones(10))


def test_points_on_a_line_are_a_chain():
    tree = tree_of([[0.0], [1.0], [3.0], [7.0]])
    unit = np.sqrt(np.var([0, 1, 3, 7]))
    assert tree.lengths * unit == pytest.approx([1, 2, 4])
    assert sorted(map(sorted, tree.ends.tolist())) == [[0, 1], [1, 2], [2, 3]]
    assert tree.degrees.tolist() == [1, 2, 2, 1]


def test_a_tree_has_an_edge_less_than_points_and_reaches_all():
    tree = tree_of(standard_normal_points(100, 4, 1))
    assert tree.ends.shape == (99, 2)
    assert (np.diff(tree.lengths) >= 0).all()
    assert merging(tree, 1).largest[-1] == 100
    assert tree.degrees.min() == 1


def test_groups_merge_in_the_order_of_the_edges():
    merged = merging(tree_of([[0.0], [1.0], [2.1], [10.0], [11.2], [30.0]]), 2)
    assert merged.smaller.tolist() == [1, 1, 1, 2, 1]
    assert merged.largest.tolist() == [2, 3, 3, 5, 6]
    assert merged.n_groups.tolist() == [1, 1, 2, 1, 1]


def mass_of(points, fewest):
    tree = tree_of(points)
    return excess_of_mass(np.log(tree.lengths), tree, fewest)


def test_mass_of_the_smaller_group_counts_from_where_each_point_joined_to_where_it_ends():
    """Three points join at 1, 1 and 2, five at 1; both meet at 16: the smaller group counts ln 16, ln 16 and ln 8."""
    smaller, larger = [0.0, 1.0, 3.0], [19.0, 20.0, 21.0, 22.0, 23.0]
    assert mass_of([[x] for x in smaller + larger], 2) == pytest.approx((2 * np.log(16) + np.log(8)) / 8)


def test_mass_begins_when_a_group_has_enough_points():
    """As above, but two points are no group yet: all three begin at 2, where the third joins."""
    smaller, larger = [0.0, 1.0, 3.0], [19.0, 20.0, 21.0, 22.0, 23.0]
    assert mass_of([[x] for x in smaller + larger], 3) == pytest.approx(3 * np.log(8) / 8)


def test_one_heap_that_takes_in_point_by_point_has_no_excess_of_mass():
    assert mass_of([[2.0**power] for power in range(12)], 2) == 0


def test_groups_too_small_to_count_leave_no_mass():
    assert mass_of([[0.0], [1.0], [30.0], [31.0], [90.0]], 3) == 0


def test_scaling_leaves_the_excess_of_mass():
    points = np.concatenate([standard_normal_points(60, 3, 1), standard_normal_points(40, 3, 2) + np.float32(8)])
    assert mass_of(points, 10) > 0.4 * np.log(4)
    assert mass_of(7 * points, 10) == pytest.approx(mass_of(points, 10), rel=1e-4)


def test_branches_run_between_ends_and_forks():
    found = branches(a_fork())
    assert sorted(found.n_edges.tolist()) == [3, 3, 4]
    assert found.lengths == pytest.approx(found.n_edges)
    assert sorted(map(sorted, found.ends.tolist())) == [[0, 3], [0, 6], [0, 10]]


def test_a_chain_is_one_branch():
    found = branches(tree_of([[0.0], [1.0], [3.0], [7.0]]))
    assert found.n_edges.tolist() == [3]
    assert sorted(found.ends[0].tolist()) == [0, 3]


def test_a_star_has_as_many_branches_as_edges():
    assert branches(Tree(np.array([[0, 1], [0, 2], [0, 3]]), np.ones(3))).n_edges.tolist() == [1, 1, 1]


def test_cutting_ends_takes_a_point_of_every_arm():
    assert pruned_shares(a_fork(), 3) * 11 == pytest.approx([8, 5, 2])
    assert pruned_shares(a_fork(), 6)[-1] == 0


def test_copies_are_joined_first():
    tree = tree_of(np.repeat(standard_normal_points(10, 3, 1), 2, axis=0))
    assert (tree.lengths[:10] == 0).all()
    assert (tree.lengths[10:] > 0).all()
