from collections import Counter

import numpy as np
import pytest

from zspace.images.candidates import (
    clean_name,
    count_endings,
    is_image_name,
    left_out_note,
    natural_key,
    pixels_to_rgb,
)


def test_numbers_sort_by_value_and_folder_by_folder():
    names = ["b/1.png", "a10.png", "a/10.png", "a9.png", "a/9.png"]
    assert sorted(names, key=natural_key) == ["a/9.png", "a/10.png", "a9.png", "a10.png", "b/1.png"]


def test_names_that_differ_only_in_zeros_have_one_order():
    assert sorted(["01.png", "1.png"], key=natural_key) == sorted(["1.png", "01.png"], key=natural_key)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b.png", "a/b.png"),
        ("../../etc/a.png", "etc/a.png"),
        ("/root/a.png", "root/a.png"),
        ("C:\\faces\\..\\a.png", "C:/faces/a.png"),
        ("a//./b.png", "a/b.png"),
        ("grün.png", "grün.png"),
        ("bad\udcff.png", "bad\\udcff.png"),
    ],
)
def test_clean_names_stay_inside_the_source(name, clean):
    assert clean_name(name) == clean


@pytest.mark.parametrize("name", ["a.jpg", "b/c.JPEG", "x.y.png", "d.webp", "e.bmp", "f.tif", "g.TIFF"])
def test_endings_of_images_are_candidates(name):
    assert is_image_name(name)


@pytest.mark.parametrize(
    "name",
    ["a.txt", "png", ".png", ".hidden/a.png", "a/._b.png", "__MACOSX/a.png", ".DS_Store", "Thumbs.db", "a.jpg.zip"],
)
def test_other_endings_and_hidden_files_are_not(name):
    assert not is_image_name(name)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_grey_becomes_three_equal_channels(shape):
    grey = np.arange(20, dtype=np.uint8).reshape(shape)
    assert (pixels_to_rgb(grey) == grey.reshape(4, 5, 1)).all()
    assert pixels_to_rgb(grey).shape == (4, 5, 3)


def test_endings_are_counted_in_words_and_nothing_that_a_terminal_obeys_is_shown():
    assert (
        count_endings({".txt": 1200, "": 3, ".\x1b[2j": 2, ".ä": 1})
        == "1,200 .txt, 3 without an ending, 3 of other endings"
    )
    many = {f".{letter}": count for count, letter in enumerate("abcdefg", 1)}
    assert count_endings(many) == "7 .g, 6 .f, 5 .e, 4 .d, 3 .c, 3 of other endings"


def test_pictures_of_an_iphone_that_are_left_out_name_the_extra():
    assert left_out_note(Counter()) == ()
    (note,) = left_out_note(Counter({".heic": 20}))
    assert note.endswith("TIFF: 20 .heic. HEIC is read once the extra is installed: pip install 'zspace[heic]'.")
