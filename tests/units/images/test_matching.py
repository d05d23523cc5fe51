import unicodedata

import pytest

from zspace.images.matching import best_match


def rows_of(texts: list[str], names: list[str]) -> list[int]:
    match = best_match({"file": texts}, names)
    return [] if match is None else match.rows.tolist()


@pytest.mark.parametrize(
    ("texts", "names", "rows"),
    [
        (["data/dog/1.png", "data/dog/2.png"], ["cat/1.png", "dog/1.png"], [-1, 0]),
        (["data/dog/1.png", "data/cat/2.png"], ["cat/1.png", "cat/2.png"], [-1, 1]),
        (["dog/1.png"], ["1.png"], [0]),
        (["1.png", "2.png"], ["dog/2.png", "cat/1.png"], [1, 0]),
        (["1", "2"], ["dog/2.png", "cat/1.jpg"], [1, 0]),
        (["mine/dog/1.png", "mine/cat/1.png"], ["yours/cat/1.png", "yours/dog/1.png"], [1, 0]),
        (["a/1.png", "1.png"], ["x/a/1.png"], [0]),
        (["", "1.png"], ["1.png", "1.png"], [1, 1]),
        (["11.png"], ["1.png"], [-1]),
    ],
)
def test_a_row_means_the_image_whose_path_ends_as_its_own(texts, names, rows):
    assert rows_of(texts, names) == rows


def test_composed_and_decomposed_letters_are_the_same():
    composed, decomposed = (unicodedata.normalize(form, "café/né.png") for form in ("NFC", "NFD"))
    assert composed != decomposed
    assert rows_of([composed], [decomposed]) == [0]
    assert rows_of([decomposed], ["x/" + composed]) == [0]


@pytest.mark.parametrize(
    ("texts", "names", "rows", "ambiguous"),
    [
        (["1.png", "2.png"], ["a/1.png", "b/1.png", "2.png"], [-1, -1, 1], ["1.png"]),
        (["a/1.png", "b/1.png", "2.png"], ["1.png", "2.png"], [-1, 2], ["b/1.png"]),
        (["1", "2"], ["1.png", "1.jpg", "2.jpg"], [-1, -1, 1], ["1"]),
    ],
)
def test_what_fits_several_counts_for_none_and_is_told(texts, names, rows, ambiguous):
    match = best_match({"file": texts}, names)
    assert match is not None
    assert match.rows.tolist() == rows
    assert match.ambiguous == ambiguous
    assert match.repeated is None


def test_the_column_that_names_the_most_images_wins():
    columns = {"set": ["1.png", "b", "c"], "file": ["1.png", "2.png", "3.png"]}
    match = best_match(columns, ["1.png", "2.png", "4.png"])
    assert match is not None
    assert (match.column, match.n_matched) == ("file", 2)


def test_the_same_text_twice_is_told():
    match = best_match({"file": ["1.png", "2.png", "1.png"]}, ["1.png", "2.png"])
    assert match is not None
    assert match.repeated == "1.png"
