import cv2
import numpy as np
import pytest

from zspace.errors import ImagesTooSmall, SettingOutOfRange
from zspace.images.face_parts import Faces
from zspace.images.faces import FACTORS, YES_SHARE, draw_faces, sample_factors

CONTINUOUS = [factor for factor in FACTORS if not factor.binary]
LOW = np.array([factor.low for factor in FACTORS], np.float32)
HIGH = np.array([factor.high for factor in FACTORS], np.float32)


def usual_face(**changed):
    """A face in the middle of every continuous factor, without glasses and beard, but for what is changed."""
    middle = {factor.name: 0.0 if factor.binary else (factor.low + factor.high) / 2 for factor in FACTORS}
    return np.array([list((middle | changed).values())], np.float32)


def pixel_difference(some, others):
    return np.abs(some.astype(float) - others.astype(float))


def detected_share(images):
    """Share of the images in which OpenCV's frontal-face cascade finds a face."""
    side = 192
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    n_detected = 0
    for image in images:
        grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (side, side), interpolation=cv2.INTER_CUBIC)
        faces = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=3, minSize=(int(0.3 * side),) * 2)
        n_detected += len(faces) > 0
    return n_detected / len(images)


@pytest.mark.parametrize("size", [64, 96])
def test_a_face_detector_finds_the_faces(size):
    assert detected_share(draw_faces(sample_factors(300, seed=2026), size)) >= 0.9


def test_columns_are_named_alike_in_both_tables():
    assert tuple(factor.name for factor in FACTORS) == Faces._fields


def test_there_are_enough_factors_of_both_kinds():
    assert len(CONTINUOUS) >= 10
    assert len(FACTORS) - len(CONTINUOUS) >= 2
    assert all(factor.low < factor.high and factor.unit and factor.meaning for factor in FACTORS)


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.name)
def test_every_factor_alone_changes_the_picture(factor):
    low, high = (draw_faces(usual_face(**{factor.name: end}), 64) for end in (factor.low, factor.high))
    difference = pixel_difference(low, high)
    assert difference.mean() > 0.1  # gaze moves few pixels,
    assert difference.max() > 25  # but those it moves are seen to


@pytest.mark.parametrize("factor", CONTINUOUS, ids=lambda factor: factor.name)
def test_a_small_step_of_a_factor_is_a_small_step_of_the_picture(factor):
    step = (factor.high - factor.low) / 1000
    for start in np.linspace(factor.low, factor.high - step, 7):
        before, after = (draw_faces(usual_face(**{factor.name: at}), 64) for at in (start, start + step))
        assert pixel_difference(before, after).max() <= 8


def test_edges_are_smooth():
    image = draw_faces(usual_face(hair_tone=0.0), 64)[0].astype(int)
    crown = image[:16, 32].sum(axis=1)  # from the wall into black hair
    assert ((crown > crown.min() + 30) & (crown < crown.max() - 60)).any()


def test_larger_pictures_show_the_same_faces():
    factors = sample_factors(8, seed=3)
    large = draw_faces(factors, 128).reshape(8, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert pixel_difference(large, draw_faces(factors, 64)).mean() < 3


def test_rows_do_not_depend_on_the_chunks_they_are_drawn_in():
    at_once = sample_factors(20, seed=4)
    in_chunks = [sample_factors(n, seed=4, first=first) for first, n in ((0, 7), (7, 1), (8, 12))]
    np.testing.assert_array_equal(at_once, np.concatenate(in_chunks))


@pytest.mark.parametrize("size", [16, 33, 64])
def test_pictures_do_not_depend_on_the_batch_they_are_drawn_in(size):
    factors = sample_factors(40, seed=5)
    one_by_one = np.concatenate([draw_faces(row[None], size) for row in factors])
    np.testing.assert_array_equal(draw_faces(factors, size), one_by_one)
    np.testing.assert_array_equal(draw_faces(factors[::-1], size), one_by_one[::-1])


def test_same_seed_same_faces_and_other_seed_other_faces():
    np.testing.assert_array_equal(sample_factors(5, seed=6), sample_factors(5, seed=6))
    assert not np.isin(sample_factors(5, seed=6)[:, 0], sample_factors(5, seed=7)[:, 0]).any()


def test_factors_fill_their_ranges_evenly():
    factors = sample_factors(4000, seed=8)
    assert ((factors >= LOW) & (factors <= HIGH)).all()
    for factor, values in zip(FACTORS, factors.T, strict=True):
        shares = (values - factor.low) / (factor.high - factor.low)
        if factor.binary:
            assert set(np.unique(values)) == {0.0, 1.0}
            assert shares.mean() == pytest.approx(YES_SHARE, abs=0.03)
        else:
            tenths, _ = np.histogram(shares, bins=10, range=(0, 1))
            assert tenths.min() > 320  # 4.2 standard deviations below 400
            assert tenths.max() < 480


def test_factors_are_independent_of_each_other():
    correlations = np.corrcoef(sample_factors(4000, seed=9).T)
    assert np.abs(correlations - np.eye(len(FACTORS))).max() < 0.08  # 5 standard deviations


def test_images_are_colour_bytes():
    images = draw_faces(sample_factors(3, seed=10), 32)
    assert images.shape == (3, 32, 32, 3)
    assert images.dtype == np.uint8
    assert images.std() > 20


def test_no_rows_give_no_images():
    assert draw_faces(sample_factors(0, seed=11), 64).shape == (0, 64, 64, 3)


def test_sizes_too_small_for_a_face_are_refused():
    with pytest.raises(ImagesTooSmall, match=r"size: must be at least 16 pixels for a drawn face, got 15\. Ask for"):
        draw_faces(sample_factors(1, seed=0), 15)


def test_negative_counts_are_refused():
    with pytest.raises(SettingOutOfRange, match=r"n_images: must not be negative, got -1\. Count rows from 0\."):
        sample_factors(-1, seed=0)
    with pytest.raises(SettingOutOfRange, match=r"first: must not be negative, got -2\. Count rows from 0\."):
        sample_factors(1, seed=0, first=-2)


def test_tables_of_another_width_are_refused():
    message = rf"factors: must have {len(FACTORS)} columns, got 5\. Take rows from sample_factors\."
    with pytest.raises(SettingOutOfRange, match=message):
        draw_faces(np.zeros((2, 5), np.float32), 64)


@pytest.mark.parametrize("value", [31.0, -31.0, np.nan])
def test_values_out_of_range_are_refused(value):
    message = rf"factors, column yaw: must lie between -20 and 20 degrees, got {value}\. Take rows from"
    with pytest.raises(SettingOutOfRange, match=message):
        draw_faces(usual_face(yaw=value), 64)
