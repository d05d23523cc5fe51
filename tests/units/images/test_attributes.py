import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import AttributesUnreadable
from zspace.images import attributes as attributes_module
from zspace.images.attributes import JoinedAttributes, beside, join_attributes, read_attribute_table
from zspace.images.candidates import ImageSource, Table

NAMES = ["img_align/000001.jpg", "img_align/000002.jpg", "img_align/000003.jpg"]
CELEBA = "Smiling Young\n000002.jpg -1  1\n000001.jpg  1 -1\n000003.jpg  1  1\n"


def source(table: Table | None = None) -> ImageSource:
    return ImageSource("folder", lambda: None, lambda n: n, list, celeba_table=table)


def joined(settings_for, path: Path, names=NAMES) -> JoinedAttributes:
    table = read_attribute_table(settings_for("x", attributes=str(path)), source())
    assert table is not None
    return join_attributes(table, names)


def found(text: str, name="list_attr_celeba.txt") -> Table:
    return Table(name, text.encode)


@pytest.mark.parametrize("before", ["", "3\n", "202599 \r\n"])
@pytest.mark.parametrize("line_end", ["\n", " \n", "\r\n"])
def test_celebas_text_file_is_read_with_or_without_its_count(settings_for, before, line_end):
    table = read_attribute_table(settings_for("x"), source(found(before + CELEBA.replace("\n", line_end))))
    attributes = join_attributes(table, NAMES)
    assert attributes.names == ("Smiling", "Young")
    assert attributes.values.tolist() == [[1, 0], [0, 1], [1, 1]]
    assert attributes.notes == (
        (
            "Attributes come from list_attr_celeba.txt, whose column 'image_id' names the images. "
            "Its values -1 and 1 became 0 and 1."
        ),
    )


def test_celebas_csv_is_read(settings_for):
    text = "image_id,Smiling,Young\n000001.jpg,1,-1\n000002.jpg,-1,-1\n000003.jpg,1,1\n"
    table = read_attribute_table(settings_for("x"), source(found(text, "list_attr_celeba.csv")))
    assert join_attributes(table, NAMES).values.tolist() == [[1, 0], [0, 0], [1, 1]]


def test_without_a_table_there_is_none(settings_for):
    assert read_attribute_table(settings_for("x"), source()) is None


@pytest.mark.parametrize(
    "forms",
    [
        NAMES,
        ["/img_align/000001.jpg", "./img_align/000002.jpg", "x"],
        [n[-10:] for n in NAMES],
        ["000001", "000002", "000003"],
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_name_column_is_found_whatever_form_it_has(tmp_path, settings_for, forms, delimiter):
    rows = [["title", "picture", "age"], *(["text", form, str(i)] for i, form in enumerate(forms))]
    (tmp_path / "a.csv").write_text("\ufeff" + "\n".join(map(delimiter.join, rows)), encoding="utf-8")
    attributes = joined(settings_for, tmp_path / "a.csv")
    assert attributes.names == ("age",)
    np.testing.assert_array_equal(attributes.values[:2, 0], [0, 1])


def test_rows_and_values_that_are_missing_are_nan_and_told(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text(
        "file,age,glasses,hair\n000001.jpg,31,true,red\n000003.jpg,,False,\nother.jpg,5,true,\n"
    )
    attributes = joined(settings_for, tmp_path / "a.csv")
    assert attributes.names == ("age", "glasses")
    np.testing.assert_array_equal(attributes.values, [[31, 1], [np.nan, np.nan], [np.nan, 0]])
    assert "Images without a row there, whose attributes are unknown: 1." in attributes.notes[0]
    assert "Its columns without numbers were left out: 'hair'." in attributes.notes[0]


def test_minus_ones_among_other_numbers_stay(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file,x,y\n000001.jpg,-1,0.5\n000002.jpg,1,2\n")
    assert joined(settings_for, tmp_path / "a.csv").values[:2].tolist() == [[-1, 0.5], [1, 2]]


def test_a_parquet_table_keeps_its_types_and_infinity_is_unknown(tmp_path, settings_for):
    columns = {"name": NAMES, "n": [1, 2, 3], "flag": [True, False, None], "x": [0.5, np.inf, np.nan]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    attributes = joined(settings_for, tmp_path / "a.parquet")
    np.testing.assert_array_equal(attributes.values, [[1, 1, 0.5], [2, 0, np.nan], [3, np.nan, np.nan]])


def test_a_table_that_names_no_image_says_what_was_seen(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file,age\nother.jpg,3\n")
    with pytest.raises(
        AttributesUnreadable,
        match=r"names the images, such as 'img_align/000001.jpg', got 'other\.jpg' in column "
        r"'file', which fits no image\. Mend the table",
    ):
        joined(settings_for, tmp_path / "a.csv")


def test_a_found_table_that_names_no_image_is_left_out_and_told(settings_for):
    table = read_attribute_table(settings_for("x"), source(found(CELEBA)))
    attributes = join_attributes(table, ["a.png", "b.png"])
    assert attributes.names == ()
    assert attributes.values.shape == (2, 0)
    assert attributes.notes == (
        (
            "list_attr_celeba.txt lies with the images but names none of them: '000002.jpg' in column 'image_id', which "
            "fits no image; it was left out."
        ),
    )


def test_a_name_twice_is_refused(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file,age\n000001.jpg,3\n000001.jpg,4\n")
    with pytest.raises(AttributesUnreadable, match=r"every image once, got '000001\.jpg' twice in column 'file'"):
        joined(settings_for, tmp_path / "a.csv")


def test_a_table_without_numbers_is_refused(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file,hair\n000001.jpg,red\n")
    with pytest.raises(AttributesUnreadable, match="must have a column of numbers, got only 'file', 'hair'"):
        joined(settings_for, tmp_path / "a.csv")


def test_a_missing_table_is_an_error(tmp_path, settings_for):
    with pytest.raises(AttributesUnreadable, match=r"images\.attributes: must be a file, got no file at .*a\.csv"):
        joined(settings_for, tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", b""), ("a.csv", b"\xff\xfe\xff,b\n"), ("a.csv", b"a,b\n1,2,3\n"), ("a.parquet", b"x"), ("a.txt", b"")],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, settings_for, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AttributesUnreadable, match=r"must be a \.csv with a line of column names.*Mend the file"):
        joined(settings_for, tmp_path / name)


def test_own_and_joined_attributes_stand_side_by_side():
    own = JoinedAttributes(("a",), np.ones((2, 1), np.float32), ("one",))
    other = JoinedAttributes(("b",), np.zeros((2, 1), np.float32), ("two",))
    both = beside(own, other)
    assert (both.names, both.values.tolist(), both.notes) == (("a", "b"), [[1, 0], [1, 0]], ("one", "two"))
    with pytest.raises(AttributesUnreadable, match=r"own attributes do not have, got 'a'\. Rename them"):
        beside(own, own)


@pytest.mark.parametrize(
    "data", ["000001.jpg,1,1\n000002.jpg,1,5\n", "000001,1,2\n000002,1,3\n", "x/000009.jpg,a,b\n1,2,3\n"]
)
def test_a_first_line_that_is_a_row_is_refused_and_not_lost(tmp_path, settings_for, data):
    (tmp_path / "a.csv").write_text(data)
    with pytest.raises(
        AttributesUnreadable, match=r"a line of column names, all different.*got a first line of '.*, which is a row"
    ):
        joined(settings_for, tmp_path / "a.csv")


def test_a_column_name_that_is_an_images_is_refused(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("000001,x\n000002,4\n000003,5\n")
    with pytest.raises(AttributesUnreadable, match=r"got the column name '000001', which is that of an image\. Mend"):
        joined(settings_for, tmp_path / "a.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_two_columns_of_a_name_are_refused(tmp_path, settings_for, kind):
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        path.write_text("file,x,x\n000001.jpg,1,2\n")
    else:
        pq.write_table(pa.table([pa.array(["000001.jpg"]), pa.array([1]), pa.array([2])], ["file", "x", "x"]), path)
    with pytest.raises(AttributesUnreadable, match=r"column names, all different.*got several columns 'x'\. Mend"):
        joined(settings_for, path)


def test_lines_may_end_with_cr_alone_and_numbers_may_name_columns(tmp_path, settings_for):
    (tmp_path / "a.csv").write_bytes(b"file,0,1\r000001.jpg,1,2\r000002.jpg,3,4\r")
    attributes = joined(settings_for, tmp_path / "a.csv")
    assert attributes.names == ("0", "1")
    assert attributes.values[:2].tolist() == [[1, 2], [3, 4]]


def test_a_table_of_endless_cells_is_refused(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file," + "x" * 200_000 + "\n000001.jpg,1\n")
    with pytest.raises(AttributesUnreadable, match="got field larger than field limit"):
        joined(settings_for, tmp_path / "a.csv")


def test_rows_left_out_for_fitting_several_images_are_told(tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("file,x\n1.png,5\n2.png,6\n")
    attributes = joined(settings_for, tmp_path / "a.csv", ["cat/1.png", "dog/1.png", "dog/2.png"])
    np.testing.assert_array_equal(attributes.values[:, 0], [np.nan, np.nan, 6])
    assert "Rows that fit several images, or share one, were left out: 1 ('1.png')." in attributes.notes[0]
    (tmp_path / "a.csv").write_text("file,x\n1.png,5\n")
    with pytest.raises(
        AttributesUnreadable, match=r"1 rows in column 'file' that fit several images or share one \('1\.png'\)"
    ):
        joined(settings_for, tmp_path / "a.csv", ["cat/1.png", "dog/1.png"])


def test_a_parquet_table_of_text_that_is_no_utf8_is_refused(tmp_path, settings_for):
    pq.write_table(pa.table({"file": ["000001.jpg"], "x": [1]}), tmp_path / "a.parquet", compression="none")
    data = (tmp_path / "a.parquet").read_bytes().replace(b"000001.jpg", b"00000\xe9.jpg")
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(AttributesUnreadable, match="Invalid UTF8"):
        joined(settings_for, tmp_path / "a.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_larger_than_any_is_refused_unread(tmp_path, settings_for, monkeypatch, kind):
    monkeypatch.setattr(attributes_module, "_MOST_BYTES", 100_000)
    if kind == "csv":
        (tmp_path / "a.csv").write_text("file,x\n" + "000001.jpg,1\n" * 10_000)
    else:
        pq.write_table(pa.table({"file": ["0" * 60_000, "1" * 60_000], "x": [1, 2]}), tmp_path / "a.parquet")
        assert (tmp_path / "a.parquet").stat().st_size < 20_000
    with pytest.raises(AttributesUnreadable, match=r"more than 100,000 bytes\. Mend the file, or leave it out"):
        joined(settings_for, tmp_path / f"a.{kind}")


SIX = [f"{number}.png" for number in range(1, 7)]


def test_bare_numbers_never_beat_names_of_files(tmp_path, settings_for):
    text = "file,rank,smile\n1.png,6,1\n2.png,5,0\n3.png,4,1\n004.png,3,0\n005.png,2,1\n006.png,1,0\n"
    (tmp_path / "a.csv").write_text(text)
    attributes = joined(settings_for, tmp_path / "a.csv", SIX)
    assert attributes.names == ("rank", "smile")
    np.testing.assert_array_equal(attributes.values[:, 0], [6, 5, 4, np.nan, np.nan, np.nan])
    assert "whose column 'file' names the images" in attributes.notes[0]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("file,age\nIMG_1.jpg,2\nIMG_2.jpg,1\n", "'IMG_1.jpg' in column 'file', which fits no image"),
        ("foto,age\nx/a,2\nx/b,1\n", "'x/a' in column 'foto', which fits no image"),
        (",file,smile\n1,001.png,1\n2,002.png,0\n", "'001.png' in column 'file', which fits no image"),
        ("image_id,age\nIMG_1,2\nIMG_2,1\n", "'IMG_1' in column 'image_id', which fits no image"),
        ("file,x\nzz/9.png,1\n", "'zz/9.png' in column 'file', which fits no image"),
        ("file,x\na/1.png,1\n", "names in column 'file' that differ from the images' in small and large letters"),
    ],
)
def test_no_other_column_is_taken_for_names_that_fit_no_image(tmp_path, settings_for, text, seen):
    (tmp_path / "a.csv").write_text(text)
    names = ["A/1.png", "B/1.png"] if "a/1.png" in text else SIX
    with pytest.raises(AttributesUnreadable, match=re.escape(f"got {seen}")):
        joined(settings_for, tmp_path / "a.csv", names)


@pytest.mark.parametrize(
    "text", ["id,x\n1,5\n2,6\n", "id,shot,x\n1,1/2/2020,5\n2,1/3/2020,6\n", "hair,id,x\nred,1,5\n,2,6\n"]
)
def test_bare_numbers_may_name_images_where_nothing_else_does(tmp_path, settings_for, text):
    (tmp_path / "a.csv").write_text(text)
    attributes = joined(settings_for, tmp_path / "a.csv", SIX[:2])
    assert attributes.values[:, attributes.names.index("x")].tolist() == [5, 6]
    assert "whose column 'id' names" in attributes.notes[0]


@pytest.mark.parametrize("kind", [pa.dictionary(pa.int32(), pa.string()), pa.binary(), pa.large_string()])
def test_a_parquet_table_may_keep_its_names_as_categories_or_bytes(tmp_path, settings_for, kind):
    values = pa.array([3, 3, 4]).dictionary_encode()
    names = pa.array(NAMES).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(NAMES).cast(kind)
    pictures = pa.array([b"\xff\xd8"] * 3)
    pq.write_table(pa.table({"file": names, "age": values, "thumb": pictures}), tmp_path / "a.parquet")
    attributes = joined(settings_for, tmp_path / "a.parquet")
    assert attributes.names == ("age",)
    assert attributes.values[:, 0].tolist() == [3, 3, 4]
