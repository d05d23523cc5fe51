"""Estimates that take statistics: a mean with its interval."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy import special

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
