import numpy as np
import pytest

from zspace.errors import SettingOutOfRange
from zspace.images.splits import SPLITS, check_fractions, split_images

CELEBA = [1, 162770, 162771, 182637, 182638, 202599]


def checksums(n_images: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2**32, n_images, dtype=np.uint32)


@pytest.mark.parametrize("form", ["{:06d}.jpg", "img_align_celeba/{:06d}.PNG"])
def test_celebas_official_ranges(settings_for, form):
    codes, rule = split_images([form.format(number) for number in CELEBA], checksums(6), settings_for("x"))
    assert [SPLITS[code] for code in codes] == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert rule == "CelebA's official ranges of file numbers"


@pytest.mark.parametrize("numbers", [range(1, 50), range(170000, 170050)])
def test_ranges_that_leave_a_split_empty_give_way_and_say_so(settings_for, numbers):
    names = [f"{number:06d}.jpg" for number in numbers]
    codes, rule = split_images(names, checksums(len(names)), settings_for("x"))
    assert set(codes) == {0, 1, 2}
    assert "checksum" in rule
    assert "would leave no images to train on or to watch" in rule


@pytest.mark.parametrize("name", ["000000.jpg", "202600.jpg", "00001.jpg", "000001.gif", "a000001.jpg"])
def test_one_other_name_is_enough_to_be_no_celeba(settings_for, name):
    names = [f"{number:06d}.jpg" for number in CELEBA] + [name]
    assert split_images(names, checksums(7), settings_for("x"))[1] == (
        "checksum of the stored pixels: 0.1 for validation, 0.1 for testing, the rest for training"
    )


def test_shares_are_those_asked_for(settings_for):
    settings = settings_for("x", validation_fraction=0.3, test_fraction=0.2)
    codes, _ = split_images(["a.png"] * 20_000, checksums(20_000), settings)
    np.testing.assert_allclose(np.bincount(codes) / 20_000, [0.5, 0.3, 0.2], atol=0.015)


def test_fractions_of_nothing_leave_all_to_training(settings_for):
    settings = settings_for("x", validation_fraction=0, test_fraction=0)
    edge = np.array([0, 1, 2**32 - 1], np.uint32)
    assert split_images(["a.png"] * 3, edge, settings)[0].tolist() == [0, 0, 0]


def test_more_images_move_no_other_image_and_copies_stay_together(settings_for):
    few = checksums(500)
    more = np.concatenate([checksums(900)[500:], few, few])
    before, _ = split_images(["a.png"] * 500, few, settings_for("x"))
    after, _ = split_images(["a.png"] * 1400, more, settings_for("x"))
    np.testing.assert_array_equal(after[400:900], before)
    np.testing.assert_array_equal(after[900:], before)


def test_fractions_that_leave_no_training_are_refused(settings_for):
    check_fractions(settings_for("x", validation_fraction=0.5, test_fraction=0.4))
    with pytest.raises(SettingOutOfRange, match="must be below 1, to leave images to train on, got 1"):
        check_fractions(settings_for("x", validation_fraction=0.5, test_fraction=0.5))
