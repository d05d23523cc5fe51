"""Partitions of points into clusters: how alike two of them are, and which attributes of the images they follow."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Integer
from scipy import sparse, stats

Labels = Integer[np.ndarray, " n_points"]
"""Number of the cluster of every point, from 0."""


def adjusted_rand(one: Labels, other: Labels) -> float:
    """Return how far two partitions agree: 1 for the same clusters, 0 on average for partitions drawn at random.

    Source
    ------
    Hubert and Arabie 1985, the Rand index corrected for chance. Two partitions that both have one cluster, or both
    one for every point, agree fully.

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    n_columns = int(other.max()) + 1
    table = np.bincount(one.astype(np.int64) * n_columns + other, minlength=(int(one.max()) + 1) * n_columns)
    table = table.reshape(-1, n_columns).astype(np.float64)
    together, in_one, in_other = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    all_pairs = _pairs(np.array([float(len(one))]))
    by_chance = in_one * in_other / all_pairs if all_pairs else 0.0
    most = (in_one + in_other) / 2
    return 1.0 if most == by_chance else float((together - by_chance) / (most - by_chance))


def _pairs(counts: Float64[np.ndarray, "*shape"]) -> float:
    return float((counts * (counts - 1) / 2).sum())


@dataclass(frozen=True)
class AttributeShares:
    """Which clusters carry which attributes. NaN stands where an attribute cannot be told, as it does in the input."""

    share: Float64[np.ndarray, " n_attributes"]
    """Share of the attribute's variance that lies between clusters (eta squared), 0 to 1; for an attribute that is
    yes or no this is Cramer's V squared."""
    expected_share: Float64[np.ndarray, " n_attributes"]
    """Its mean when clusters and attribute have nothing to do with each other."""
    p_value: Float64[np.ndarray, " n_attributes"]
    """Of that, corrected for the number of attributes."""
    n_known: Integer[np.ndarray, " n_attributes"]
    """Points whose attribute is known."""
    means: Float64[np.ndarray, "n_clusters n_attributes"]
    """Mean of the attribute in each cluster."""
    deviations: Float64[np.ndarray, "n_clusters n_attributes"]
    """Mean in the cluster less the mean over all points, in standard errors of a cluster whose points are drawn at
    random from all."""


def attribute_shares(labels: Labels, attributes: Float32[np.ndarray, "n_points n_attributes"]) -> AttributeShares:
    """Find which clusters carry which attributes.

    Parameters
    ----------
    labels
        Number of the cluster of every point, from 0.
    attributes
        One column per attribute, NaN where it is unknown; each column uses the points where it is known.

    Assumes
    -------
    Points are independent draws, and the clusters were found without the attributes. The p-values are those of the F
    test, which holds for many points whatever the attribute's distribution.

    Cost
    ----
    O(n_points * n_attributes).

    Source
    ------
    One-way analysis of variance; correction by Holm 1979.
    """
    known = ~np.isnan(attributes)
    values = np.where(known, attributes, 0).astype(np.float64)
    n_clusters = int(labels.max()) + 1
    places = (np.ones(len(labels)), (labels, np.arange(len(labels))))
    members = sparse.csr_array(places, shape=(n_clusters, len(labels)))
    counts, n_known = members @ known.astype(np.float64), known.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # what is divided by zero is NaN, as documented
        overall = values.sum(axis=0) / n_known
        centred = np.where(known, values - overall, 0)
        total = (centred**2).sum(axis=0)
        differences = (members @ centred) / counts
        share = np.where(total > 0, (counts * np.nan_to_num(differences) ** 2).sum(axis=0) / total, np.nan)
        n_filled = (counts > 0).sum(axis=0)
        between, within = n_filled - 1, n_known - n_filled
        ratio = (share / between) / ((1 - share) / within)
        errors = np.sqrt(total / (n_known - 1) * (1 / counts - 1 / n_known))
        told = (between > 0) & (within > 0) & (total > 0)
        return AttributeShares(
            np.where(told, share, np.nan),
            np.where(told, between / (n_known - 1), np.nan),
            _corrected(stats.f.sf(ratio, between, within), told),
            n_known,
            overall + differences,
            np.where(errors > 0, differences / errors, np.nan),
        )


def _corrected(
    p_values: Float64[np.ndarray, " n_attributes"], told: Bool[np.ndarray, " n_attributes"]
) -> Float64[np.ndarray, " n_attributes"]:
    """Multiply p-values so that the chance of any false alarm among them stays the level (Holm); NaN where not told."""
    corrected = np.full(len(p_values), np.nan)
    order = np.flatnonzero(told)[np.argsort(p_values[told], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.maximum.accumulate(p_values[order] * factors).clip(max=1)
    return corrected
