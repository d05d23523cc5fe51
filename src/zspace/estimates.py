"""Estimates that take statistics: a mean and a share, each with its interval."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy import special, stats

from zspace.results import Estimate

LEVEL = 0.95
"""Confidence level of intervals."""


def mean_estimate(
    values: Float64[np.ndarray, " n_values"], unit: str, source: str, n_population: int | None = None
) -> Estimate:
    """Return the mean of values with Student's interval.

    Parameters
    ----------
    values
        At least two, independent draws.
    unit, source
        Of the mean.
    n_population
        How many values there are in all, where these were drawn from them without replacement: the part that was
        looked at does not scatter. None takes a population without end.

    Assumes
    -------
    The mean is normal: safe from some thirty values on, or where the values are.

    Source
    ------
    Student 1908; for a finite population Cochran 1977, Sampling Techniques, theorem 2.2.

    Examples
    --------
    >>> low, high = mean_estimate(np.array([1.0, 2.0, 3.0]), "units of z", "R").interval
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    n, mean = len(values), float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(n) * np.sqrt(1 - n / n_population if n_population else 1.0))
    reach = error * float(special.stdtrit(n - 1, (1 + LEVEL) / 2))
    return Estimate(
        mean,
        unit,
        n_population or n,
        n,
        source,
        interval=(mean - reach, mean + reach),
        level=LEVEL,
        interval_method="Student t, over values drawn without replacement" if n_population else "Student t",
    )


def share_estimate(
    n_hits: int, n_tries: int, unit: str, source: str, method: Literal["Wilson", "Clopper-Pearson"]
) -> Estimate:
    """Return the share of hits among independent tries, with an interval.

    Parameters
    ----------
    n_tries
        At least one.
    method
        "Wilson" covers its level on average over rates, "Clopper-Pearson" at every rate, and is wider for it.

    Source
    ------
    Wilson 1927; Clopper and Pearson 1934.

    Examples
    --------
    >>> share_estimate(0, 10, "share of images", "R", "Wilson").interval[1] < 0.3
    True
    """
    interval = stats.binomtest(n_hits, n_tries).proportion_ci(LEVEL, "wilson" if method == "Wilson" else "exact")
    return Estimate(
        n_hits / n_tries,
        unit,
        n_tries,
        n_tries,
        source,
        interval=(float(interval.low), float(interval.high)),
        level=LEVEL,
        interval_method=method,
    )
