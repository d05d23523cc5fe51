"""The chance of a window against SciPy, the law of counts against the binomial, local dimension against a loop and scikit-dimension."""

import numpy as np
import pytest
import skdim
from scipy import stats

from zspace.geometry.planes.scatter import local_dimension
from zspace.geometry.planes.windows import CountLaw, Window, count_law, plane_gaussian
from zspace.seeds import random_stream

WINDOWS = (Window(-0.5, 0.5, -0.5, 0.5), Window(-9.0, 0.3, 0.1, 9.0), Window(1.0, 3.0, -2.0, -1.5))


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.6, 0.95, -0.999])
@pytest.mark.parametrize("window", WINDOWS)
def test_chance_of_a_window_agrees_with_scipy(correlation, window):
    mean, deviations = np.array([0.4, -0.3]), np.array([0.7, 1.9])
    covariance = np.outer(deviations, deviations) * np.array([[1.0, correlation], [correlation, 1.0]])
    ours = count_law(plane_gaussian(mean, covariance), window, 1).probability
    law = stats.multivariate_normal(mean, covariance)
    theirs = law.cdf([window.x_high, window.y_high], lower_limit=[window.x_low, window.y_low])
    assert ours == pytest.approx(float(theirs), abs=1e-9)


@pytest.mark.parametrize("chance", [0.001, 0.2, 0.5, 0.8, 0.999])
def test_without_a_fit_the_law_of_counts_is_the_binomial(chance):
    counts = np.arange(-1, 301)
    law = CountLaw(300, chance, 0.0)
    theirs = stats.binom(300, chance)
    np.testing.assert_allclose(law.below(counts), theirs.cdf(counts), atol=1e-12)
    assert law.band(0.95) == tuple(int(end) for end in theirs.ppf([0.025, 0.975]))


@pytest.mark.parametrize("n_neighbors", [2, 5, 8])
def test_local_dimension_agrees_with_a_plain_loop(n_neighbors):
    points = random_stream(1, "test").standard_normal((60, 2))
    logs = []
    for point in points:
        distances = sorted(float(np.hypot(*(point - other))) for other in points)[1 : n_neighbors + 1]
        logs += [np.log(distances[-1] / distance) for distance in distances[:-1]]
    assert local_dimension(points, n_neighbors) == pytest.approx(1 / np.mean(logs), rel=1e-12)


@pytest.mark.parametrize("n_neighbors", [5, 8, 20])
def test_local_dimension_agrees_with_scikit_dimension(n_neighbors):
    points = random_stream(2, "test").standard_normal((300, 2))
    theirs = skdim.id.MLE().fit(points, n_neighbors=n_neighbors, comb="mle").dimension_
    assert local_dimension(points, n_neighbors) == pytest.approx(theirs, rel=1e-9)
