"""A cloud hidden among draws: every panel is made by one rule, and the place follows from the seed alone."""

from dataclasses import dataclass

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.lineup import N_PANELS, N_SHOWN, line_up
from zspace.geometry.nulls.ladder import Null

GAUSSIAN = Null("gaussian", "a Gaussian", "mean and covariance", "the rest", lambda *_: None)


@dataclass(frozen=True)
class Flat:
    """Points that differ from the draws: they lie on a ring, the draws about the centre."""

    compared: Cloud

    def draw(self, random):
        return random.standard_normal(self.compared.points.shape).astype(np.float32)


def ring(n_points=500, z_dim=3):
    random = np.random.default_rng(1)
    points = 0.01 * random.standard_normal((n_points, z_dim))
    angles = random.uniform(0, 2 * np.pi, n_points)
    points[:, 0] += 7 * np.cos(angles)
    if z_dim > 1:
        points[:, 1] += 7 * np.sin(angles)
    return Flat(Cloud(points.astype(np.float32)))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_cloud_is_in_the_panel_that_is_named_and_in_no_other(seed):
    found = line_up(GAUSSIAN, ring(), seed)
    nearest = np.linalg.norm(found.panels, axis=2).min(axis=1)
    assert found.panels.shape == (N_PANELS, N_SHOWN, 2)
    assert np.flatnonzero(nearest > 5).tolist() == [found.place - 1]
    assert (found.null, found.title) == ("gaussian", "a Gaussian")


def test_equal_seeds_hide_it_alike_and_seeds_spread_it_over_the_panels():
    first, again = line_up(GAUSSIAN, ring(), 1), line_up(GAUSSIAN, ring(), 1)
    assert (first.panels == again.panels).all()
    places = [line_up(GAUSSIAN, ring(30), seed).place for seed in range(24)]
    assert set(places) <= set(range(1, N_PANELS + 1))
    assert len(set(places)) > 8


def test_few_points_are_all_shown_and_one_dimension_lies_on_a_line():
    found = line_up(GAUSSIAN, ring(40, 1), 1)
    assert found.panels.shape == (N_PANELS, 40, 2)
    assert (found.panels[:, :, 1] == 0).all()
