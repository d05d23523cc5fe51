"""From the file's own numbers to float32: nothing is lost unsaid."""

import numpy as np
import pytest

from zspace.errors import LatentsUnreadable, TooFewPoints
from zspace.latents import Latents, cloud_sentence, usable_latents
from zspace.latents import arrays as arrays_module

POINTS = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)
MANY = np.random.default_rng(11).standard_normal((1000, 8))


def test_what_is_odd_about_points_is_counted_and_only_what_is_not_finite_left_out():
    points = np.vstack([POINTS, POINTS[:2], [[np.nan, 0, 0]], [[0, np.inf, 0]]]).astype(np.float32)
    points[:, 2] = 7
    latents, facts = usable_latents(Latents(points), "a test", None, seed=1)
    assert (facts.n_given, facts.n_used, facts.n_not_finite) == (10, 8, 2)
    assert (facts.n_duplicates, facts.n_constant_axes, facts.has_posterior) == (2, 1, False)
    np.testing.assert_array_equal(latents.z, points[:8])


def test_zeros_of_either_sign_are_the_same_point():
    points = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 1.0]], np.float32)
    assert usable_latents(Latents(points), "a test", None, seed=1)[1].n_duplicates == 1


def test_some_points_are_chosen_at_random_in_their_order_and_with_their_posterior():
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    latents, facts = usable_latents(Latents(points, points + 1, points * 0), "a test", 5, seed=1)
    again, _ = usable_latents(Latents(points, points + 1, points * 0), "a test", 5, seed=1)
    assert (facts.n_given, facts.n_used, facts.has_posterior) == (20, 5, True)
    assert (np.diff(latents.z[:, 0]) > 0).all()
    np.testing.assert_array_equal(latents.mu, latents.z + 1)
    np.testing.assert_array_equal(latents.z, again.z)


def test_too_few_points_are_refused():
    points = np.full((4, 2), np.nan, np.float32)
    points[0] = 0
    with pytest.raises(TooFewPoints, match=r"a test: must hold at least 2 finite z-points, got 1 of 4\."):
        usable_latents(Latents(points), "a test", None, seed=1)
    with pytest.raises(TooFewPoints, match=r"must have at least 1 dimension, got 0"):
        usable_latents(Latents(np.zeros((4, 0), np.float32)), "a test", None, seed=1)


def about_mean(points):
    return points - points.mean(axis=0)


def usable(z, **beside):
    return usable_latents(Latents(z, **beside), "a test", None, seed=1)


def test_ordinary_numbers_are_neither_shifted_nor_scaled():
    for z in (MANY, MANY + 100, 1e-10 * MANY, (1000 * MANY).astype(np.int64), MANY.astype(np.float16)):
        latents, facts = usable(z)
        np.testing.assert_array_equal(latents.z, z.astype(np.float32))
        assert facts.notes == ()


@pytest.mark.parametrize("offset", [1e8, -1e10, np.array([0.0, 1e8] * 4)])
def test_points_far_from_0_keep_their_digits(offset):
    latents, facts = usable(MANY + offset)
    np.testing.assert_allclose(about_mean(latents.z), about_mean(MANY), atol=1e-5)
    n_far = 4 if np.ndim(offset) else 8
    assert "shifted by the median of every axis" in facts.notes[0]
    assert f"on {n_far} axes they lie too far from 0 for their spread; radius and centres are about" in facts.notes[0]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32])
def test_whole_numbers_keep_their_last_digits(dtype):
    low = {np.int64: 2**62, np.uint64: 2**64 - 10_000, np.int32: 2**31 - 10_000}[dtype]
    steps = np.random.default_rng(2).integers(0, 9_000, (500, 4))
    z = (steps.astype(np.uint64) + np.uint64(low)).astype(dtype)
    latents, facts = usable(z)
    np.testing.assert_allclose(about_mean(latents.z), about_mean(steps.astype(float)), atol=1e-2)
    assert "shifted" in facts.notes[0]


def test_negative_whole_numbers_of_any_size_are_exact():
    steps = np.random.default_rng(2).integers(0, 9_000, (500, 4))
    latents, _ = usable(steps + np.iinfo(np.int64).min)
    np.testing.assert_allclose(about_mean(latents.z), about_mean(steps.astype(float)), atol=1e-2)


@pytest.mark.parametrize("size", [1e-50, 1e-300, 1e50, 1e300])
def test_numbers_beyond_float32_are_scaled_by_a_power_of_two(size):
    latents, facts = usable(MANY * size)
    (note,) = facts.notes
    power = int(note.partition("2^")[2].split()[0])
    np.testing.assert_allclose(latents.z, np.ldexp(MANY * size, -power), rtol=1e-6)
    assert 0.1 < latents.z.std() < 2
    assert (facts.n_constant_axes, facts.n_not_finite) == (0, 0)


def test_one_number_too_large_is_left_out_and_changes_nothing_else():
    points = MANY.copy()
    points[3, 2] = 1e50
    latents, facts = usable(points)
    assert (facts.n_not_finite, facts.notes) == (1, ())
    np.testing.assert_array_equal(latents.z, np.delete(MANY, 3, axis=0).astype(np.float32))


def test_a_lone_far_point_does_not_hide_that_the_others_lose_digits():
    points = MANY + 1e8
    points[3] = 1e12
    latents, facts = usable(points)
    assert "shifted" in facts.notes[0]
    others = np.delete(np.arange(1000), 3)
    np.testing.assert_allclose(about_mean(latents.z[others]), about_mean(MANY[others]), atol=1e-4)


def test_axes_that_differ_by_rounding_alone_shift_nothing():
    points = MANY.copy()
    points[:, 0] = 0.1
    points[::2, 0] = np.nextafter(0.1, 1)
    assert usable(points)[1].notes == ()


def test_constant_axes_and_repeated_points_are_counted_on_the_file_s_own_digits():
    points = np.array([[1.0, 5.0], [1.0 + 1e-12, 5.0], [1.0 + 1e-12, 5.0], [2.0, 5.0]])
    _, facts = usable(points)
    assert (facts.n_duplicates, facts.n_constant_axes) == (1, 1)
    _, facts = usable(np.array([[2**53, 1], [2**53 + 1, 1], [2**53 + 2, 1]]))
    assert (facts.n_duplicates, facts.n_constant_axes) == (0, 1)


def test_beside_mu_and_logvar_nothing_is_shifted_but_the_loss_is_told():
    latents, facts = usable(MANY + 1e8, mu=MANY + 1e8, logvar=MANY)
    np.testing.assert_array_equal(latents.z, (MANY + 1e8).astype(np.float32))
    assert latents.mu.dtype == latents.logvar.dtype == np.float32
    assert "loses those in which the points differ on 8 axes; they were not shifted" in facts.notes[0]


def test_any_order_of_bytes_and_of_axes_is_converted():
    for z in (MANY.astype(">f4"), np.asfortranarray(MANY.astype(np.float32)), MANY.astype(">f8")):
        latents, _ = usable(z)
        np.testing.assert_array_equal(latents.z, MANY.astype(np.float32))
        assert latents.z.flags.c_contiguous


def test_points_that_do_not_fit_into_memory_as_float32_are_refused(monkeypatch):
    monkeypatch.setattr(arrays_module, "free_memory", lambda: 1000)
    with pytest.raises(LatentsUnreadable, match="a test: must fit into memory"):
        usable(MANY)


def test_what_was_read_is_one_sentence():
    points = np.vstack([MANY, np.full((1, 8), np.nan)])
    _, facts = usable_latents(Latents(points, notes=("left out: id",)), "a test", None, seed=1)
    assert cloud_sentence(facts) == (
        "1,000 of 1,001 points of 8 dimensions; left out: id; rows left out that are not finite: 1"
    )
