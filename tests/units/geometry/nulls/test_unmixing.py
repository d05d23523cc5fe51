"""Axes of independent coordinates are found, better than by their variances alone, and said to be as good as they are."""

import numpy as np
import pytest

from zspace.geometry.nulls.unmixing import IndependentAxes
from zspace.seeds import random_stream

DEVIATIONS = np.array([1.3, 1.2, 1.1, 1.0])


def odd(random, n_points=1000):
    """Skewed axes in turns with ones of heavy tails; deviations that differ little."""
    normal = random.standard_normal((n_points, 4))
    skewed, heavy = (np.exp(0.6 * normal) - np.exp(0.18)) / 0.79, np.sign(normal) * np.abs(normal) ** 1.5 / 1.26
    return np.where(np.arange(4) % 2 == 0, skewed, heavy) * DEVIATIONS


def components_of(points):
    """Values along the principal components, and these as columns."""
    centred = points - points.mean(axis=0)
    components = np.linalg.eigh(centred.T @ centred)[1][:, ::-1]
    return centred @ components, components


def angles_off(axes):
    """Angles between axes and the nearest true ones, each of which is the nearest once."""
    nearest = np.abs(axes).argmax(axis=0)
    assert sorted(nearest) == list(range(len(axes)))
    return np.arccos(np.abs(axes).max(axis=0).clip(max=1.0))


def test_odd_laws_tell_axes_that_variances_do_not():
    by_variance, by_law = [], []
    for trial in range(5):
        values, components = components_of(odd(random_stream(trial, "test odd")))
        found = IndependentAxes.of(values)
        assert found.axes.T @ found.axes == pytest.approx(np.eye(4), abs=1e-9)
        by_law.append(angles_off(components @ found.axes).max())
        by_variance.append(np.arccos(np.abs(components).max(axis=0)).max())
    assert max(by_law) < 0.15
    assert np.mean(by_law) < 0.4 * np.mean(by_variance)


def test_normal_laws_leave_the_principal_components_but_for_their_errors():
    normal = random_stream(1, "test normal").standard_normal((1000, 3)) * [4.0, 2.0, 1.0]
    values, _ = components_of(normal)
    found = IndependentAxes.of(values)
    assert np.abs(found.axes) == pytest.approx(np.eye(3), abs=0.03)
    # Anderson 1963, Ann. Math. Stat. 34, 122: the law of the principal components of a Gaussian.
    assert found.errors[0, 1] == pytest.approx(4 * 2 / (16 - 4) / np.sqrt(1000), rel=0.15)


def test_drawn_axes_are_off_by_as_much_as_found_ones():
    found_off, drawn_off = [], []
    for trial in range(40):
        random = random_stream(trial, "test odd")
        values, components = components_of(odd(random))
        found = IndependentAxes.of(values)
        found_off.append(angles_off(components @ found.axes))
        drawn_off.append(angles_off(found.axes.T @ found.draw(random)))
    assert np.sqrt(np.mean(np.square(drawn_off))) == pytest.approx(np.sqrt(np.mean(np.square(found_off))), rel=0.4)


@pytest.mark.parametrize("n_axes", [0, 1])
def test_there_is_nothing_to_turn_with_fewer_than_two_axes(n_axes):
    values = random_stream(1, "test").standard_normal((20, n_axes))
    found = IndependentAxes.of(values)
    assert np.array_equal(found.axes, np.eye(n_axes))
    assert np.array_equal(found.draw(random_stream(1, "test")), np.eye(n_axes))
