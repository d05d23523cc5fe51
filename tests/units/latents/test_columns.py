"""The rule by which columns of a table are dimensions or not, line by line."""

import numpy as np
import pytest

from zspace.latents.columns import Column, gap_notes, pick_columns, split_columns

N = 30
FRACTIONS = np.random.default_rng(1).standard_normal(N)
SHUFFLED = np.random.default_rng(2).permutation(N) * 3
FEW = np.arange(N) % 5


def split(**columns):
    kept, notes = split_columns([Column(name.replace("_", " "), values) for name, values in columns.items()])
    return [column.name for column in kept], notes


def test_columns_of_fractions_are_dimensions_and_nothing_is_said():
    assert split(a=FRACTIONS, b=2 * FRACTIONS, id0=FRACTIONS) == (["a", "b", "id0"], ())


@pytest.mark.parametrize("name", ["id", "imageId", "image-id", "ID", "row number", "sample idx", "key"])
def test_whole_numbers_under_the_name_of_a_row_are_left_out(name):
    kept, notes = split_columns([Column(name, SHUFFLED), Column("a", FRACTIONS)])
    assert [column.name for column in kept] == ["a"]
    assert notes == (f"left out: {name} (whole numbers, all different)",)


@pytest.mark.parametrize("values", [FEW, FEW.astype(float)])
def test_labels_are_left_out_whatever_the_type_of_their_numbers(values):
    assert split(label=values, a=FRACTIONS) == (["a"], ("left out: label (5 whole values)",))


@pytest.mark.parametrize("first", [0, 1, 1000])
def test_row_numbers_are_left_out_under_any_name(first):
    assert split(foo=np.arange(first, first + N), a=FRACTIONS) == (["a"], ("left out: foo (row numbers)",))


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__", "level_0"])
def test_an_index_of_pandas_is_left_out_by_its_name(name):
    kept, notes = split_columns([Column(name, SHUFFLED), Column("a", FRACTIONS)])
    assert [column.name for column in kept] == ["a"]
    assert notes == (f"left out: {name or 'the column without a name'} (an index of pandas)",)


def test_an_index_by_the_table_s_own_word_is_left_out_whatever_it_holds():
    kept, notes = split_columns([Column("time", FRACTIONS, is_index=True), Column("a", FRACTIONS)])
    assert [column.name for column in kept] == ["a"]
    assert notes == ("left out: time (an index of pandas)",)


def test_what_holds_no_numbers_is_left_out():
    empty = Column("e", np.full(N, np.nan))
    kept, notes = split_columns([Column("name", None, "text, such as 'x'"), empty, Column("a", FRACTIONS)])
    assert [column.name for column in kept] == ["a"]
    assert notes == ("left out: name (text, such as 'x'), e (no values)",)


def doubt(described):
    return (f"kept, though perhaps no dimension: {described}; --drop leaves columns out",)


def test_where_it_cannot_be_told_the_column_is_kept_and_that_is_said():
    assert split(foo=SHUFFLED, a=FRACTIONS) == (["foo", "a"], doubt("foo (whole numbers, all different)"))
    assert split(y=FEW, a=FRACTIONS) == (["y", "a"], doubt("y (5 whole values)"))
    assert split(label=FRACTIONS, a=FRACTIONS) == (["label", "a"], doubt("label (fractions)"))
    assert split(foo=SHUFFLED, a=FEW, b=FEW) == (["foo", "a", "b"], doubt("foo (whole numbers, all different)"))


def test_whole_numbers_among_their_like_and_dead_axes_are_dimensions_without_doubt():
    assert split(a=FEW, b=FEW * 2) == (["a", "b"], ())
    assert split(a=np.zeros(N), b=FRACTIONS) == (["a", "b"], ())


def test_names_of_columns_cannot_break_the_line():
    _, notes = split_columns([Column("a\nb\x1b[31m" + "x" * 99, None, "text"), Column("a", FRACTIONS)])
    assert notes[0].startswith("left out: a b [31mxxx")
    assert len(notes[0]) < 70


def test_gaps_are_counted_by_column():
    gappy = np.where(np.arange(N) < 2, np.nan, FRACTIONS)
    columns = [Column("a", gappy, odd_text="'abc'"), Column("b", FRACTIONS)]
    assert gap_notes(columns) == ("cells without a finite number, such as 'abc', whose rows are left out: a (2)",)
    assert gap_notes(columns[1:]) == ()


def test_columns_are_picked_by_name_number_and_range():
    columns = [Column(name, FRACTIONS) for name in ("id", "d0", "d1", "d2", "7", "x:y")]
    assert pick_columns(columns, ["d2", "d0"]) == [3, 1]
    assert pick_columns(columns, ["d0:d2"]) == pick_columns(columns, ["d2:d0"]) == [1, 2, 3]
    assert pick_columns(columns, ["2:3", "d1"]) == [1, 2]
    assert pick_columns(columns, ["7", "x:y"]) == [4, 5]
    for unknown in ("nothing", "0", "9", "d0:nothing"):
        with pytest.raises(KeyError, match=unknown.rpartition(":")[2]):
            pick_columns(columns, [unknown])
