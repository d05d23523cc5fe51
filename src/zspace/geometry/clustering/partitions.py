"""Partitions of points into clusters: how alike two of them are, and which attributes of the images they follow."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Float64, Integer
from scipy import stats

from zspace.geometry.comparing.comparisons import LEVEL, band_of, rank_p
from zspace.seeds import random_stream

_MANY = 10.0
"""Points that the smallest cluster needs for each unit of kurtosis; then F's law holds for p-values of 0.001 too."""
_LIGHT_TAILS = 4.0
"""Up to this kurtosis F's law holds for clusters of any size; yes or no has it where a fifth or more differ."""
_FEWEST_DRAWS = 4999
_DRAWS_PER_ATTRIBUTE = 200
"""So that the smallest p-value is still below 0.05 when it is corrected for all attributes."""
_MOST_SHUFFLED = 1 << 28
"""Values that are shuffled for one attribute at most."""
_SHUFFLED_AT_ONCE = 1 << 22
_PURE = 1e-12
"""A smaller share of variance within clusters is rounding."""

Labels = Integer[np.ndarray, " n_points"]
"""Number of the cluster of every point, from 0."""


def adjusted_rand(one: Labels, other: Labels) -> float:
    """Return how far two partitions agree: 1 for the same clusters, 0 on average for partitions drawn at random.

    Source
    ------
    Hubert and Arabie 1985, the Rand index corrected for chance. Two partitions that both have one cluster, or both
    one for every point, agree fully. scikit-learn's function gives the same and takes forty times as long for 4096
    points, in which thousands of pairs of starts are compared.

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
    beyond_chance: Float64[np.ndarray, " n_attributes"]
    """The share less what chance gives: 1 where the clusters tell all, 0 where they tell no more than chance."""
    intervals: Float64[np.ndarray, "n_attributes 2"]
    """Of the share in the population beyond the points, with confidence `LEVEL`."""
    null_bands: Float64[np.ndarray, "n_attributes 2"]
    """Where `LEVEL` of the shares beyond chance lie when clusters and attribute have nothing to do with each other."""
    p_value: Float64[np.ndarray, " n_attributes"]
    """Chance of such a share without a connection, corrected for the number of attributes."""
    n_known: Integer[np.ndarray, " n_attributes"]
    """Points whose attribute is known."""
    overall: Float64[np.ndarray, " n_attributes"]
    """Mean of the attribute over all points."""
    means: Float64[np.ndarray, "n_clusters n_attributes"]
    """Mean of the attribute in each cluster."""
    deviations: Float64[np.ndarray, "n_clusters n_attributes"]
    """Mean in the cluster less the mean over all points, in standard deviations of the attribute."""
    standard_errors: Float64[np.ndarray, "n_clusters n_attributes"]
    """Standard deviation of that for a cluster whose points are drawn at random from all."""
    reasons: tuple[str | None, ...]
    """Why an attribute cannot be told; None where it can."""


def attribute_shares(
    labels: Labels, attributes: Float32[np.ndarray, "n_points n_attributes"], seed: int = 0
) -> AttributeShares:
    """Find which clusters carry which attributes.

    Parameters
    ----------
    labels
        Number of the cluster of every point, from 0.
    attributes
        One column per attribute, NaN where it is unknown; each column uses the points where it is known.
    seed
        Only p-values and null bands depend on it, and only those of rare attributes and heavy tails.

    Assumes
    -------
    Points are independent draws, and the clusters were found without the attributes.

    Notes
    -----
    The law of F holds for any attribute where every cluster has many points. Where a cluster is small, and the
    attribute rare or with heavy tails, it calls chance a finding up to ninety times as often as it says; there the
    values are dealt out to the clusters at random, again and again. In simulations from 100 points and with up to 30
    clusters intervals of 95 % cover 91 % and more; 86 % where all points but one in two thousand are told.

    Randomness
    ----------
    The stream "attribute nulls" of the seed and of the column's number: at least 4999 draws, or 200 for each
    attribute. Values that are neither yes nor no are shuffled in at most 2^28 places, so that with very many of them
    there are fewer draws, and p-values err on the safe side.

    Cost
    ----
    O(n_points * n_attributes), and up to 2^28 shuffled values for an attribute that calls for it: some 5 seconds.

    Source
    ------
    One-way analysis of variance; share less chance by Kelley 1935, "An unbiased correlation ratio measure"; interval
    of Wilson's form (1927), with the variance from the jackknife and, near 0, from the permutation law; correction
    for the number of attributes by Holm 1979.
    """
    n_clusters, n_attributes = int(labels.max()) + 1, attributes.shape[1]
    found, reasons, n_known = _untold(n_clusters, n_attributes), [], []
    n_draws = max(_FEWEST_DRAWS, _DRAWS_PER_ATTRIBUTE * n_attributes - 1)
    for j, column in enumerate(attributes.T):
        known = ~np.isnan(column)
        n_known.append(int(known.sum()))
        if n_known[-1]:
            groups = _Groups.of(labels[known], column[known].astype(np.float64), n_clusters)
            found["overall"][j], found["means"][:, j] = groups.overall, groups.overall + groups.differences
        reasons.append(_why_not_told(column[known], labels[known], n_clusters))
        if reasons[-1] is None:
            found["share"][j], found["expected_share"][j] = groups.share, groups.expected
            found["beyond_chance"][j], found["intervals"][j] = groups.beyond_chance(groups.share), groups.interval
            found["p_value"][j], *found["null_bands"][j] = _null_law(groups, n_draws, seed, j)
            found["deviations"][:, j] = groups.differences / groups.deviation
            found["standard_errors"][:, j] = groups.standard_errors
    found["p_value"] = _corrected(found["p_value"])
    return AttributeShares(**found, n_known=np.array(n_known, dtype=np.int64), reasons=tuple(reasons))


def _untold(n_clusters: int, n_attributes: int) -> dict[str, Float64[np.ndarray, "..."]]:
    shapes = {
        **dict.fromkeys(("share", "expected_share", "beyond_chance", "p_value", "overall"), (n_attributes,)),
        **dict.fromkeys(("intervals", "null_bands"), (n_attributes, 2)),
        **dict.fromkeys(("means", "deviations", "standard_errors"), (n_clusters, n_attributes)),
    }
    return {name: np.full(shape, np.nan) for name, shape in shapes.items()}


def _why_not_told(values: Float32[np.ndarray, " n_known"], labels: Labels, n_clusters: int) -> str | None:
    if len(values) < 2 * n_clusters:
        return f"it is known for {len(values)} points, fewer than two for each of {n_clusters} clusters"
    ends = np.sort(values)[[0, 1, -2, -1]]
    if ends[0] == ends[3]:
        return "all its known values are equal"
    if ends[0] == ends[2] or ends[1] == ends[3]:
        return "all its known values but one are equal"
    return "all points where it is known lie in one cluster" if labels.min() == labels.max() else None


@dataclass(frozen=True)
class _Groups:
    """The known values of one attribute, by cluster."""

    labels: Labels
    centred: Float64[np.ndarray, " n_points"]
    """Values less their mean."""
    overall: float
    sizes: Float64[np.ndarray, " n_clusters"]

    @classmethod
    def of(cls, labels: Labels, values: Float64[np.ndarray, " n_points"], n_clusters: int) -> "_Groups":
        # From the first value on: where all are equal, the mean is exact.
        overall = float(values[0] + (values - values[0]).mean())
        return cls(labels, values - overall, overall, np.bincount(labels, minlength=n_clusters).astype(np.float64))

    @cached_property
    def differences(self) -> Float64[np.ndarray, " n_clusters"]:
        """Mean of each cluster less the mean over all, NaN where a cluster has no known value."""
        sums = np.bincount(self.labels, self.centred, len(self.sizes))
        means: Float64[np.ndarray, " n_clusters"] = np.full_like(sums, np.nan)
        np.divide(sums, self.sizes, out=means, where=self.sizes > 0)
        return means

    @property
    def filled(self) -> Float64[np.ndarray, " n_filled"]:
        """Sizes of the clusters with known values."""
        return np.asarray(self.sizes[self.sizes > 0])

    @cached_property
    def squares(self) -> Float64[np.ndarray, " n_points"]:
        """Squared distances from the mean over all."""
        return self.centred**2

    @cached_property
    def residual_squares(self) -> Float64[np.ndarray, " n_points"]:
        """Squared distances from the mean of the point's cluster."""
        return np.asarray((self.centred - self.differences[self.labels]) ** 2)

    @cached_property
    def total(self) -> float:
        return float(self.squares.sum())

    @property
    def deviation(self) -> float:
        """Standard deviation of the values, as those of a whole population."""
        return float(np.sqrt(self.total / len(self.labels)))

    @property
    def standard_errors(self) -> Float64[np.ndarray, " n_clusters"]:
        """Standard deviations, in units of `deviation`, of means of as many points drawn without replacement."""
        n, sizes = len(self.labels), np.where(self.sizes > 0, self.sizes, np.nan)
        return np.asarray(np.sqrt((n - sizes) / (n - 1) / sizes))

    @cached_property
    def share(self) -> float:
        return float(np.nansum(self.sizes * self.differences**2) / self.total)

    @property
    def expected(self) -> float:
        return (len(self.filled) - 1) / (len(self.labels) - 1)

    def beyond_chance(self, share: float) -> float:
        """Return the share less what chance gives: 0 for the expected share or less, 1 for 1."""
        return float(np.clip((share - self.expected) / (1 - self.expected), 0, 1))

    @property
    def kurtosis(self) -> float:
        """Fourth moment by the squared variance: 1 for even odds, 3 for a Gaussian, 1 / rate for a rare attribute."""
        return float((self.squares**2).mean() / (self.total / len(self.labels)) ** 2)

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of Wilson's form: the shares t whose distance from the one found is at most 1.96 deviations.

        The variance of the share found is taken to be V + B t (1 - t). V is that of a share without a connection, B
        is such that at the share found the jackknife's variance comes out. Where the clusters tell all there is
        nothing to put through the jackknife, and B is that of a yes or no of this kurtosis.
        """
        n, found = len(self.labels), self.beyond_chance(self.share)
        alone = _permutation_variance(self.filled, self.kurtosis) * ((1 - found) / (1 - self.expected)) ** 2
        spread = self.share * (1 - self.share)
        slope = self._jackknife_variance() / spread if spread > _PURE else (self.kurtosis + 3) / n
        quantile = float(stats.norm.ppf((1 + LEVEL) / 2)) ** 2
        whole = 1 + quantile * slope
        middle = (found + quantile * slope / 2) / whole
        reach = np.sqrt(max(0.0, middle**2 - (found**2 - quantile * alone) / whole))
        return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))

    def _jackknife_variance(self) -> float:
        """Variance of the share beyond chance from the shares without each of the points, in closed form."""
        n, sizes = len(self.labels), self.sizes[self.labels]
        totals = self.total - self.squares * n / (n - 1)
        # A point that is alone in its cluster takes the cluster along, and leaves all others as they are.
        withins = self.residual_squares.sum() - self.residual_squares * sizes / (sizes - 1).clip(min=1)
        rests = withins / totals * (n - 2) / (n - 1 - len(self.filled))
        return float((n - 1) * rests.var())


def _permutation_variance(sizes: Float64[np.ndarray, " n_clusters"], kurtosis: float) -> float:
    """Variance of the share between clusters of these sizes when values are dealt out to them at random.

    With values u that have the sum 0 and the sum of squares 1, the share is the sum over clusters of S^2 / size, S
    being the sum of a cluster's values. The variance follows from the mean products of two to four different u.
    """
    n = float(sizes.sum())
    fourth = kurtosis / n
    pairs = n * (n - 1)
    cubed, squared = -fourth / pairs, (1 - fourth) / pairs  # of u^3 v and u^2 v^2
    triple = (2 * fourth - 1) / (pairs * (n - 2))  # of u^2 v w
    quadruple = (3 - 6 * fourth) / (pairs * (n - 2) * (n - 3))  # of u v w x
    others = sizes - 1
    own = fourth / n + others * (4 * cubed + 3 * squared + (sizes - 2) * (6 * triple + (sizes - 3) * quadruple))
    crossed = squared + np.add.outer(others, others) * triple + np.outer(others, others) * quadruple
    mean_square = (own / sizes).sum() + crossed.sum() - crossed.trace()
    return max(0.0, float(mean_square - ((len(sizes) - 1) / (n - 1)) ** 2))


def _null_law(groups: _Groups, n_draws: int, seed: int, column: int) -> tuple[float, float, float]:
    """Return the p-value, and the null band of the share beyond chance."""
    tails = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    if groups.kurtosis <= _LIGHT_TAILS or groups.filled.min() >= _MANY * groups.kurtosis:
        n, n_filled = len(groups.labels), len(groups.filled)
        # The share of F's law is a beta variable, which does not divide by what is left within clusters.
        law = stats.beta((n_filled - 1) / 2, (n - n_filled) / 2)
        p_value, (low, high) = float(law.sf(groups.share)), law.ppf(tails)
    else:
        shares = _drawn_shares(groups, n_draws, random_stream(seed, "attribute nulls", column))
        p_value, ((low, high), _) = rank_p(groups.share, shares, "high"), band_of(shares)
    return p_value, groups.beyond_chance(float(low)), groups.beyond_chance(float(high))


def _drawn_shares(groups: _Groups, n_draws: int, random: np.random.Generator) -> Float64[np.ndarray, " n_draws"]:
    """Deal the values out to clusters of the same sizes at random, and return the share between them every time."""
    sizes, (low, high) = groups.filled, (groups.centred.min(), groups.centred.max())
    is_high = groups.centred == high
    if (is_high | (groups.centred == low)).all():
        # How many of one of two values fall to each cluster can be drawn without dealing out the points.
        counts = random.multivariate_hypergeometric(sizes.astype(np.int64), int(is_high.sum()), n_draws)
        sums = (high - low) * (counts - sizes * is_high.mean())
        return np.asarray((sums**2 / sizes).sum(axis=1) / groups.total)
    n = len(groups.labels)
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    shares = []
    for n_rows in _batches(min(n_draws, max(1, _MOST_SHUFFLED // n)), max(1, _SHUFFLED_AT_ONCE // n)):
        shuffled = random.permuted(np.broadcast_to(groups.centred, (n_rows, n)), axis=1)
        sums = np.add.reduceat(shuffled, firsts, axis=1)
        shares.append((sums**2 / sizes).sum(axis=1) / groups.total)
    return np.concatenate(shares)


def _batches(n: int, n_at_once: int) -> list[int]:
    return [min(n_at_once, n - start) for start in range(0, n, n_at_once)]


def _corrected(p_values: Float64[np.ndarray, " n_attributes"]) -> Float64[np.ndarray, " n_attributes"]:
    """Multiply p-values so that the chance of any false alarm among them stays the level (Holm); NaN stays NaN."""
    corrected, told = np.full(len(p_values), np.nan), ~np.isnan(p_values)
    order = np.flatnonzero(told)[np.argsort(p_values[told], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.maximum.accumulate(p_values[order] * factors).clip(max=1)
    return corrected
