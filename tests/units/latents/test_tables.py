"""Tables of other programs: what is read of them, and what is said about it."""

import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import LatentsUnreadable
from zspace.latents import Selection, cloud_sentence, read_latents_file, usable_latents
from zspace.latents import arrays as arrays_module
from zspace.latents.text_tables import find_layout
from zspace.latents.vectors import parse_vector

POINTS = np.random.default_rng(1).standard_normal((40, 3)).round(4)
NAMES = ("d0", "d1", "d2")


def lines(names=NAMES, delimiter=",", points=POINTS):
    rows = [delimiter.join(map(str, row)) for row in points]
    return [delimiter.join(names), *rows] if names else rows


def write(folder, text, name="points.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def read(path, **asked):
    found = read_latents_file(path, Selection(**asked))
    usable, facts = usable_latents(found, "a test", None, seed=1)
    return usable.z, facts


LAYOUTS = {
    "commas": "\n".join(lines()),
    "carriage returns": "\r".join(lines()),
    "windows": "\r\n".join(lines()) + "\r\n",
    "byte order mark": "\ufeff" + "\n".join(lines()),
    "quoted names": "\n".join(lines([f'"{name}"' for name in NAMES])),
    "tabs": "\n".join(lines(delimiter="\t")),
    "semicolons": "\n".join(lines(delimiter=";")),
    "bars": "\n".join(lines(delimiter="|")),
    "names twice": "\n".join(lines(["a", "a", "b"])),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_text_is_read_whatever_parts_its_fields_and_lines(tmp_path, layout):
    z, facts = read(write(tmp_path, LAYOUTS[layout]))
    np.testing.assert_array_equal(z, POINTS.astype(np.float32))
    assert facts.notes == ()


def test_a_decimal_comma_is_read_and_told(tmp_path):
    z, facts = read(write(tmp_path, "\n".join(lines(delimiter=";")).replace(".", ",")))
    np.testing.assert_array_equal(z, POINTS.astype(np.float32))
    assert facts.notes == ("numbers were read with a decimal comma",)
    both = "\n".join(f'"{row[0]}","{row[1]}"'.replace(".", ",") for row in POINTS)
    with pytest.raises(LatentsUnreadable, match=r"must have columns of numbers.* got left out: a \(text, such as '"):
        read(write(tmp_path, f"a,b\n{both}"))


@pytest.mark.parametrize("sign", "\u2212\ufe63\uff0d")
def test_a_minus_of_typographers_is_a_minus(tmp_path, sign):
    z, _ = read(write(tmp_path, "\n".join(lines(delimiter=",")).replace("-", sign)))
    np.testing.assert_array_equal(z, POINTS.astype(np.float32))
    negative = "\n".join(f"{sign}1.5,{sign}{number}.25" for number in range(9))
    assert len(read(write(tmp_path, negative))[0]) == 9  # the first line is a point


NO_NAMES = "the first line was read as a point: it holds numbers, not names"


@pytest.mark.parametrize("delimiter", [",", "\t", " ", "   "])
def test_without_names_the_first_line_is_a_point_and_that_is_told(tmp_path, delimiter):
    z, facts = read(write(tmp_path, "\n".join(lines(None, delimiter))))
    np.testing.assert_array_equal(z, POINTS.astype(np.float32))
    assert facts.notes == (NO_NAMES,)


def test_what_numpy_writes_is_read(tmp_path):
    np.savetxt(tmp_path / "points.csv", POINTS)
    np.testing.assert_array_equal(read(tmp_path / "points.csv")[0], POINTS.astype(np.float32))


def test_a_label_in_the_first_line_does_not_make_it_names(tmp_path):
    _, facts = read(write(tmp_path, "\n".join(f"{row},cat" for row in lines(None))))
    assert (facts.n_used, facts.z_dim) == (40, 3)
    assert facts.notes == ("left out: column 4 (text, such as 'cat')", NO_NAMES)


def test_numbers_that_count_on_are_the_names_that_pandas_gives(tmp_path):
    for names in (["0", "1", "2"], ["1", "2", "3"]):
        _, facts = read(write(tmp_path, "\n".join(lines(names))))
        assert facts.n_used == 40
        assert facts.notes == (f"the first line, {','.join(names)} ..., was read as the names of the columns",)
    assert find_layout(write(tmp_path, "0,1\n0.5,2\n")).has_names
    assert not find_layout(write(tmp_path, "0,1\n4,2\n")).has_names
    assert not find_layout(write(tmp_path, "3,1,2\n4,2,7\n")).has_names


def test_an_index_an_id_and_a_label_are_left_out_and_told(tmp_path):
    rows = [f"{place},{900 - place},{row},{place % 5},n{place}" for place, row in enumerate(lines(None))]
    _, facts = read(write(tmp_path, "\n".join([",id,d0,d1,d2,label,name", *rows])))
    assert cloud_sentence(facts) == (
        "40 points of 3 dimensions; left out: the column without a name (an index of pandas), "
        "id (whole numbers, all different), label (5 whole values), name (text, such as 'n0')"
    )


@pytest.mark.parametrize("cell", ["?", "NA", "", "nan", "-", "#N/A", "None"])
def test_a_cell_without_value_costs_a_row_and_no_axis(tmp_path, cell):
    rows = lines()
    rows[18] = f"0.5,{cell},0.25"
    z, facts = read(write(tmp_path, "\n".join(rows)))
    assert (facts.n_used, facts.z_dim, facts.n_not_finite) == (39, 3, 1)
    assert facts.notes == ("cells without a finite number, whose rows are left out: d1 (1)",)
    np.testing.assert_array_equal(z, np.delete(POINTS, 17, axis=0).astype(np.float32))


def test_a_word_among_numbers_costs_a_row_and_is_shown(tmp_path):
    rows = lines()
    rows[18] = "0.5,broken,0.25"
    _, facts = read(write(tmp_path, "\n".join(rows)))
    assert (facts.n_used, facts.z_dim) == (39, 3)
    assert facts.notes == ("cells without a finite number, such as 'broken', whose rows are left out: d1 (1)",)


TEXTS = {
    "python": lambda row: str(row.tolist()),
    "numpy": str,
    "numpy numbers": lambda row: str([*row]),
    "array": lambda row: f"array({row.tolist()}, dtype=float32)",
    "tensor": lambda row: f"tensor({row.tolist()})",
    "spaces": lambda row: " ".join(map(str, row)),
    "commas": lambda row: ",".join(map(str, row)),
    "semicolons": lambda row: "; ".join(map(str, row)).replace(".", ","),
}


@pytest.mark.parametrize("text", TEXTS)
def test_texts_that_hold_vectors_are_the_points(tmp_path, text):
    rows = [f'{place},"{TEXTS[text](row)}"' for place, row in enumerate(POINTS)]
    z, facts = read(write(tmp_path, "\n".join(["id,embedding", *rows])))
    np.testing.assert_array_equal(z, POINTS.astype(np.float32))
    assert facts.notes == ("left out beside the vectors: 'id'",)
    pq.write_table(pa.table({"v": [TEXTS[text](row) for row in POINTS]}), tmp_path / "points.parquet")
    np.testing.assert_array_equal(read(tmp_path / "points.parquet")[0], POINTS.astype(np.float32))


@pytest.mark.parametrize("text", ["1,234", "0,5", "1,234,567", "1.5", "cat", "2020-01-01 12:00", "[a, b]", "[]", ""])
def test_numbers_and_words_are_no_vectors(text):
    assert parse_vector(text) is None


def test_vectors_in_text_that_are_not_whole_are_refused(tmp_path):
    short = write(tmp_path, 'v\n"[0.1 0.2 ... 0.8 0.9]"\n"[0.1 0.2 ... 0.8 0.9]"\n')
    with pytest.raises(LatentsUnreadable, match=r"v, row 0: must hold whole vectors.* pandas shortens long arrays"):
        read(short)
    for cell, got in (("oops", "got 'oops'"), ("[1.5]", "got one of 1"), ("", "got no value")):
        with pytest.raises(LatentsUnreadable, match=rf"v, row 2: must hold vectors of one length, {got}"):
            read(write(tmp_path, f'i,v\n1,"[1, 2]"\n2,"[1, 2]"\n3,"{cell}"\n'))


BAD_TEXT = {
    "must be text in UTF-8, got UTF-16": "\n".join(lines()).encode("utf-16"),
    "must be text in UTF-8, got bytes that are no text": "\n".join(lines()).encode() + b"\n\0\0",
    "must be text in UTF-8, got the byte 0xe9 at 3": b"caf\xe9\n1\n",
    "must hold rows of numbers, got an empty file": b"\n\n",
    "Expected 3 columns, got 2": "\n".join([*lines(), "1,2"]).encode(),
    r"got left out: a \(no values\), b \(no values\)": b"a,b\n",
}


@pytest.mark.parametrize("message", BAD_TEXT)
def test_text_that_is_no_table_is_one_line(tmp_path, message):
    (tmp_path / "points.csv").write_bytes(BAD_TEXT[message])
    with pytest.raises(LatentsUnreadable, match=message) as caught:
        read(tmp_path / "points.csv")
    assert "\n" not in str(caught.value)


def parquet(folder, **columns):
    pq.write_table(pa.table(columns), folder / "points.parquet")
    return folder / "points.parquet"


def test_pandas_own_word_for_the_index_is_taken(tmp_path):
    table = pa.table({"a": POINTS[:, 0], "b": POINTS[:, 1], "when": np.random.default_rng(3).standard_normal(40)})
    metadata = b'{"index_columns": ["when"], "columns": []}'
    pq.write_table(table.replace_schema_metadata({"pandas": metadata}), tmp_path / "points.parquet")
    _, facts = read(tmp_path / "points.parquet")
    assert (facts.z_dim, facts.notes) == (2, ("left out: when (an index of pandas)",))


def test_kinds_of_columns_in_parquet(tmp_path):
    path = parquet(
        tmp_path,
        half=POINTS[:, 0].astype(np.float16),
        decimal=[decimal.Decimal(str(value)) for value in POINTS[:, 1]],
        text=[str(value) for value in POINTS[:, 2]],
        few=pa.array(["x", "y"] * 20).dictionary_encode(),
        on=[True] * 40,
        tags=[["a"]] * 40,
    )
    z, facts = read(path)
    np.testing.assert_allclose(z, POINTS, rtol=1e-3)
    assert facts.notes == ("left out: few (text, such as 'x'), on (true or false), tags (structures)",)


def test_lists_within_lists_and_tensors_are_flattened(tmp_path):
    cubes = np.arange(24.0).reshape(3, 4, 2) + 0.5
    z, facts = read(parquet(tmp_path, v=cubes.tolist()))
    np.testing.assert_array_equal(z, cubes.reshape(3, 8).astype(np.float32))
    assert facts.notes == ("v of shape (3, 4, 2) was flattened to 8 dimensions",)
    np.testing.assert_array_equal(read(parquet(tmp_path, v=pa.FixedShapeTensorArray.from_numpy_ndarray(cubes)))[0], z)


def test_a_missing_number_in_a_list_costs_its_row(tmp_path):
    _, facts = read(parquet(tmp_path, v=[[0.5, None], [0.5, 1.0], [1.0, 2.0]]))
    assert (facts.n_used, facts.n_not_finite) == (2, 1)


def test_columns_can_be_chosen_and_dropped(tmp_path):
    path = write(tmp_path, "\n".join(lines(["id", "d1", "label"])))
    assert read(path)[1].notes[0].startswith("kept, though perhaps no dimension: id (fractions), label (fractions)")
    z, facts = read(path, drop=("label",))
    np.testing.assert_array_equal(z, POINTS[:, :2].astype(np.float32))
    assert facts.notes[0] == "left out, as asked for: 'label'"
    z, facts = read(path, columns=("d1:label",))
    np.testing.assert_array_equal(z, POINTS[:, 1:].astype(np.float32))
    assert facts.notes == ("2 of 3 columns, as asked for",)
    for asked, message in (
        ({"columns": ("d2",)}, r"must have a column 'd2', got 'id', 'd1', 'label'\. Did you mean 'id'|'d1'"),
        ({"drop": ("1:3",)}, "must have columns of numbers, or one of vectors, got left out, as asked for"),
    ):
        with pytest.raises(LatentsUnreadable, match=message):
            read(path, **asked)


def test_vectors_can_be_chosen_too_and_what_is_not_there_is_refused(tmp_path):
    path = parquet(tmp_path, a=POINTS.tolist(), b=(POINTS * 2).tolist(), n=POINTS[:, 0])
    np.testing.assert_array_equal(read(path, columns=("b",))[0], (POINTS * 2).astype(np.float32))
    np.testing.assert_array_equal(read(path, drop=("b",))[0], POINTS.astype(np.float32))
    assert read(path, columns=("n",))[1].z_dim == 1
    with pytest.raises(LatentsUnreadable, match="--columns must name columns of vectors, got 'n'"):
        read(path, columns=("a", "n"))
    with pytest.raises(LatentsUnreadable, match="--drop must name columns, got 'c'"):
        read(path, drop=("c",))


def test_texts_that_hold_vectors_can_be_dropped_for_the_numbers_beside_them(tmp_path):
    rows = [f'"[1, 2]",{row}' for row in lines(None)]
    path = write(tmp_path, "\n".join(["box,d0,d1,d2", *rows]))
    assert read(path)[1].notes == ("left out beside the vectors: 'd0', 'd1', 'd2'",)
    for asked in ({"drop": ("box",)}, {"columns": ("d0:d2",)}):
        np.testing.assert_array_equal(read(path, **asked)[0], POINTS.astype(np.float32))


def test_vectors_of_many_thousand_numbers_fit_into_a_cell(tmp_path):
    long = np.random.default_rng(4).standard_normal((3, 20_000))
    path = write(tmp_path, "\n".join(["v", *(f'"{row.tolist()}"' for row in long)]))
    np.testing.assert_array_equal(read(path)[0], long.astype(np.float32))


def test_tables_that_claim_more_than_the_memory_are_refused(tmp_path, monkeypatch):
    many = parquet(tmp_path, v=pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(100_000)), 1000))
    monkeypatch.setattr(arrays_module, "free_memory", lambda: 1_000_000)
    with pytest.raises(LatentsUnreadable, match=r"must fit into memory, got 0\.0 GB where 0\.0 GB are free"):
        read(many)
    texts = parquet(tmp_path, t=pa.array(["x" * 1_000] * 2_000), a=np.zeros(2_000) + 0.5)
    with pytest.raises(LatentsUnreadable, match=r"points\.parquet, t: must fit into memory"):
        read(texts)


def test_a_cut_or_damaged_parquet_file_is_one_line(tmp_path):
    path = parquet(tmp_path, v=POINTS.tolist())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LatentsUnreadable, match=r"must be a whole file of the kind \.parquet, got Parquet magic bytes"):
        read(path)
    path.write_bytes(whole[:20] + bytes(40) + whole[60:])
    with pytest.raises(LatentsUnreadable, match=r"must be a whole file of the kind \.parquet"):
        read(path)
