"""Connectivity as a subject: minimum spanning tree, friends of friends, trunks and loops."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from zspace.geometry.clouds import Cloud
from zspace.geometry.connectivity.loops import longest_loop
from zspace.geometry.connectivity.trees import (
    Branches,
    Merging,
    Tree,
    branches,
    excess_of_mass,
    merging,
    minimum_spanning_tree,
    pruned_shares,
)
from zspace.geometry.measures import Profile, Quantity, Subject

N_IN_GRAPH = 192
"""Points of the graph in which loops are looked for, at most."""
_FEWEST_POINTS = 12
_EQUAL = 1e-6
"""Edges between equal points count as this share of the cloud's size, so that logarithms can be taken."""
_FEWEST_PERSISTENT = 8
_GROUP_SHARE, _SEPARATED_SHARE, _PERCOLATION_SHARE = 0.01, 0.02, 0.5
_FEWEST_BRANCH_EDGES = 4
"""Of branches whose straightness counts: shorter ones can hardly bend."""
_TRUNK_CUTS, _MOST_CUTS = 8, 24
_QUANTILES = np.arange(0.05, 1.001, 0.05)


@dataclass(frozen=True)
class ConnectivityView:
    """The minimum spanning tree of the points, and what follows from it; lengths in root mean square distances."""

    tree: Tree
    merging: Merging
    branches: Branches
    straight: Float64[np.ndarray, " n_branches"]
    """Distances between the ends of the branches."""
    left: Float64[np.ndarray, " n_cuts"]
    """Share of points left when the ends were cut off once, twice and so on."""
    loop: float


def connectivity_view(cloud: Cloud) -> ConnectivityView:
    """Return what holds a cloud together.

    Raises
    ------
    TooFewPoints
        For fewer than 12 points, or when all are equal.
    """
    cloud.require_points("connectivity", _FEWEST_POINTS)
    squares, rows = cloud.pairs.squares, cloud.spread_rows(N_IN_GRAPH)
    tree = minimum_spanning_tree(squares)
    pieces = branches(tree)
    return ConnectivityView(
        tree,
        merging(tree, max(2, int(np.ceil(_GROUP_SHARE * cloud.n_points)))),
        pieces,
        np.sqrt(squares[pieces.ends[:, 0], pieces.ends[:, 1]].astype(np.float64)),
        pruned_shares(tree, _MOST_CUTS),
        longest_loop(squares[np.ix_(rows, rows)]),
    )


def edge_spread(view: ConnectivityView) -> float:
    """Return the standard deviation of the logarithms of the edges' lengths."""
    return float(np.log(view.tree.lengths.clip(min=_EQUAL)).std())


def separation(view: ConnectivityView) -> float | None:
    """Return the longest edge between groups of 2 % of the points, in median edges; 0 when no edge joins two such."""
    fewest = max(2, int(np.ceil(_SEPARATED_SHARE * view.tree.n_points)))
    return _in_medians(view, float(view.tree.lengths[view.merging.smaller >= fewest].max(initial=0.0)))


def persistence(view: ConnectivityView) -> float:
    """Return how long groups stay by themselves as the linking length grows, as `excess_of_mass` has it."""
    return excess_of_mass(np.log(view.tree.lengths.clip(min=_EQUAL)), view.tree, _FEWEST_PERSISTENT)


def percolation(view: ConnectivityView) -> float | None:
    """Return the linking length at which the largest group holds half of the points, in median edges."""
    place = int(np.argmax(view.merging.largest >= _PERCOLATION_SHARE * view.tree.n_points))
    return _in_medians(view, float(view.tree.lengths[place]))


def straightness(view: ConnectivityView) -> float | None:
    """Return end-to-end distance / length along the edges, of all longer branches together; None without any."""
    long = (view.branches.n_edges >= _FEWEST_BRANCH_EDGES) & (view.branches.lengths > 0)
    return float(view.straight[long].sum() / view.branches.lengths[long].sum()) if long.any() else None


def _in_medians(view: ConnectivityView, length: float) -> float | None:
    median = float(np.median(view.tree.lengths))
    return length / median if median > 0 else None


def _largest_group(view: ConnectivityView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    places = np.ceil(_QUANTILES * len(view.tree.lengths)).astype(np.int64) - 1
    return _QUANTILES, view.merging.largest[places] / view.tree.n_points


def _left(view: ConnectivityView) -> tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]:
    return np.arange(1.0, _MOST_CUTS + 1), view.left


SUBJECT = Subject(
    "connectivity",
    "Connectivity",
    "Does the cloud fall into fragments, hang together along trunks, or close into loops?",
    connectivity_view,
    (
        Quantity(
            "edge_spread",
            "Spread of edge lengths",
            "natural logarithm",
            "standard deviation of ln(length) over the edges of the minimum spanning tree",
            "both",
            edge_spread,
        ),
        Quantity(
            "separation",
            "Longest gap between groups",
            "median edges",
            "longest edge of the minimum spanning tree between groups that both hold at least 2 % of the points",
            "high",
            separation,
        ),
        Quantity(
            "n_groups",
            "Most groups at one linking length",
            "groups",
            "friends-of-friends groups of at least 1 % of the points, at the linking length with the most of them",
            "high",
            lambda view: float(view.merging.n_groups.max()),
        ),
        Quantity(
            "persistence",
            "Persistence of groups",
            "ln(linking length), mean over points",
            f"friends-of-friends groups of at least {_FEWEST_PERSISTENT} points: ln(linking length at which one meets "
            "a larger / at which its points joined), stability of Campello et al. 2013",
            "high",
            persistence,
        ),
        Quantity(
            "percolation",
            "Linking length of percolation",
            "median edges",
            "linking length at which the largest friends-of-friends group holds half of the points",
            "high",
            percolation,
        ),
        Quantity(
            "branch_edges",
            "Edges of a branch",
            "edges",
            "mean number of edges between ends and forks of the minimum spanning tree",
            "both",
            lambda view: float(view.branches.n_edges.mean()),
        ),
        Quantity(
            "straightness",
            "Straightness of branches",
            "of their length",
            f"end-to-end distance / length along the edges of branches of at least {_FEWEST_BRANCH_EDGES} edges",
            "high",
            straightness,
        ),
        Quantity(
            "trunks",
            "Points on trunks",
            "share of points",
            f"left of the minimum spanning tree when its ends are cut off {_TRUNK_CUTS} times",
            "high",
            lambda view: float(view.left[_TRUNK_CUTS - 1]),
        ),
        Quantity(
            "longest_loop",
            "Longest loop",
            "median edges",
            f"longest loop without a short cut in a graph of nearest neighbours of {N_IN_GRAPH} points",
            "high",
            lambda view: view.loop,
        ),
    ),
    (
        Profile(
            "largest_group",
            "Largest group over linking length",
            "quantile of the edges of the minimum spanning tree",
            "share of points in the largest group",
            _largest_group,
        ),
        Profile("trunks", "Trunks of the tree", "times the ends are cut off", "share of points left", _left),
    ),
)
