import cv2
import numpy as np
import pytest

from zspace.errors import SettingOutOfRange
from zspace.images.candidates import Skipped
from zspace.images.fitting import crop_rule, fit_image


def fit(pixels, crop: str, size: int) -> tuple[np.ndarray, bool]:
    fitted = np.empty((size, size, 3), np.uint8)
    was_upscaled = fit_image(pixels, crop_rule(crop), fitted)
    return fitted, was_upscaled


@pytest.mark.parametrize(("height", "width", "box"), [(218, 178, (0, 20, 178, 178)), (40, 60, (10, 0, 40, 40))])
def test_square_is_the_centre(height, width, box):
    assert crop_rule("square")(height, width) == box


def test_none_is_everything_and_four_numbers_are_a_box():
    assert crop_rule("none")(218, 178) == (0, 0, 178, 218)
    assert crop_rule(" 25, 45,128,128 ")(218, 178) == (25, 45, 128, 128)


@pytest.mark.parametrize("crop", ["Square", "", "1,2,3", "1,2,3,4,5", "0,0,7,20", "-1,0,20,20", "a,b,c,d"])
def test_other_crops_are_refused(crop):
    with pytest.raises(SettingOutOfRange, match=r"images\.crop: must be 'square', 'none' or 'left,top,width,height'"):
        crop_rule(crop)


def test_an_image_that_does_not_hold_the_box_is_skipped(picture):
    with pytest.raises(Skipped, match="smaller than the crop box reaches"):
        fit(picture(1, 109, 89), "25,45,128,128", 16)


def test_a_strip_of_pixels_is_skipped(picture):
    with pytest.raises(Skipped, match="fewer than 8 pixels a side"):
        fit(picture(1, 7, 500), "none", 16)


def test_shrinking_averages_areas(picture):
    pixels = picture(2, 60, 40)
    expected = cv2.resize(pixels[10:50], (16, 16), interpolation=cv2.INTER_AREA)
    fitted, was_upscaled = fit(pixels, "square", 16)
    np.testing.assert_array_equal(fitted, expected)
    assert not was_upscaled
    blocks = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    means = blocks.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(fit(blocks, "square", 16)[0], means, atol=0.5)


def test_growing_is_cubic_and_told(picture):
    pixels = picture(4, 12, 12)
    fitted, was_upscaled = fit(pixels, "square", 16)
    np.testing.assert_array_equal(fitted, cv2.resize(pixels, (16, 16), interpolation=cv2.INTER_CUBIC))
    assert was_upscaled


def test_a_side_may_shrink_while_the_other_grows(picture):
    fitted, was_upscaled = fit(picture(5, 10, 64), "none", 16)
    narrow = cv2.resize(picture(5, 10, 64), (16, 10), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(fitted, cv2.resize(narrow, (16, 16), interpolation=cv2.INTER_CUBIC))
    assert was_upscaled


def test_the_right_size_is_copied(picture):
    fitted, was_upscaled = fit(picture(6, 16, 16), "square", 16)
    np.testing.assert_array_equal(fitted, picture(6, 16, 16))
    assert not was_upscaled
