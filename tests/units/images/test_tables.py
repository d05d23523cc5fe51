import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import Skipped
from zspace.images.tables import open_parquet

MEGABYTE = 1 << 20


def hugging_face_table(n_rows=3, **columns) -> pa.Table:
    images = [{"bytes": f"image {row}".encode(), "path": f"faces/{row}.png"} for row in range(n_rows)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.table({"image": pa.array(images, kind), **columns})


def test_the_hugging_face_layout_gives_bytes_names_and_numbers(tmp_path, read_all):
    columns = {"label": [1, 0, None], "smiles": [True, False, True], "age": [1.5, 2.5, 3.5], "text": ["a", "b", "c"]}
    pq.write_table(hugging_face_table(**columns), tmp_path / "a.parquet")
    source = open_parquet(tmp_path / "a.parquet", MEGABYTE)
    assert read_all(source) == [(f"faces/{row}.png", f"image {row}".encode()) for row in range(3)]
    assert source.attribute_names == ("label", "smiles", "age")
    with source.open() as candidates:
        values = np.array([candidate.attributes for candidate in candidates])
    np.testing.assert_array_equal(values, [[1, 1, 1.5], [0, 0, 2.5], [np.nan, 1, 3.5]])


def test_a_folder_of_files_with_a_binary_column_names_rows_after_file_and_number(tmp_path, read_all):
    for part in ("b", "a"):
        pq.write_table(
            pa.table({"jpeg": pa.array([part.encode()] * 2, pa.large_binary())}), tmp_path / f"{part}.parquet"
        )
    source = open_parquet(tmp_path, MEGABYTE)
    assert source.expected(0) == 4
    assert read_all(source)[1:3] == [("a/000000001", b"a"), ("b/000000000", b"b")]


def test_a_column_named_image_wins_over_other_bytes(tmp_path, read_all):
    table = hugging_face_table(mask=pa.array([{"bytes": b"m"}] * 3, pa.struct([("bytes", pa.binary())])))
    pq.write_table(table, tmp_path / "a.parquet")
    assert read_all(open_parquet(tmp_path / "a.parquet", MEGABYTE))[0] == ("faces/0.png", b"image 0")


def test_rows_without_bytes_or_with_too_many_are_skipped(tmp_path):
    pq.write_table(pa.table({"image": pa.array([None, bytes(11)], pa.binary())}), tmp_path / "a.parquet")
    with open_parquet(tmp_path / "a.parquet", max_bytes=10).open() as candidates:
        missing, large = candidates
    with pytest.raises(Skipped, match="no image bytes in its row"):
        missing.read()
    with pytest.raises(Skipped, match="more bytes than the largest image allowed could need"):
        large.read()


@pytest.mark.parametrize(
    ("table", "got"),
    [
        (pa.table({"a": [1], "b": ["x"]}), r"got 0 in the columns a \(int64\), b \(string\)"),
        (pa.table({"a": [b"x"], "b": [b"x"]}), r"got 2 in the columns a \(binary\), b \(binary\)"),
    ],
)
def test_a_table_without_one_image_column_is_refused(tmp_path, table, got):
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(SourceUnreadable, match=f"must have one column of image bytes.*{got}"):
        open_parquet(tmp_path / "a.parquet", MEGABYTE)


def test_files_of_different_tables_are_refused(tmp_path):
    pq.write_table(hugging_face_table(label=[1, 2, 3]), tmp_path / "a.parquet")
    pq.write_table(hugging_face_table(), tmp_path / "b.parquet")
    with pytest.raises(SourceUnreadable, match=r"b\.parquet: must have the columns of a\.parquet.*without 'label'"):
        open_parquet(tmp_path, MEGABYTE)


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no table")
    with pytest.raises(SourceUnreadable, match="must be a whole Parquet file"):
        open_parquet(tmp_path / "a.parquet", MEGABYTE)


def test_a_table_damaged_inside_is_refused_while_reading(tmp_path, read_all):
    rows = [np.random.default_rng(row).bytes(2000) for row in range(200)]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": rows}), path, compression="snappy", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    source = open_parquet(path, MEGABYTE)
    with pytest.raises(SourceUnreadable, match="must be a whole Parquet file"):
        read_all(source)


def test_no_rows_is_no_images(tmp_path):
    pq.write_table(hugging_face_table(0), tmp_path / "a.parquet")
    with pytest.raises(NoImagesFound, match="must hold rows, got an empty table"):
        open_parquet(tmp_path / "a.parquet", MEGABYTE)


def test_a_row_group_that_unpacks_to_far_more_than_its_size_is_skipped_unread(tmp_path):
    path = tmp_path / "a.parquet"
    schema = pa.schema([("image", pa.binary()), ("label", pa.int64())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in ([b"one"], [bytes(70 * MEGABYTE), b"beside"], [b"two", b"three"]):
            writer.write_table(pa.table({"image": rows, "label": list(range(len(rows)))}, schema))
    pa.default_memory_pool().release_unused()
    before = pa.total_allocated_bytes()
    found = []
    with open_parquet(path, 100 * MEGABYTE).open() as candidates:
        for candidate in candidates:
            try:
                found.append((candidate.name, candidate.read()))
            except Skipped as skipped:
                found.append((candidate.name, skipped.reason))
            assert pa.total_allocated_bytes() - before < 10 * MEGABYTE
    reason = "in a row group that unpacks to more than 50 times its size in the file"
    assert found == [
        ("a/000000000", b"one"),
        ("a/000000001", reason),
        ("a/000000002", reason),
        ("a/000000003", b"two"),
        ("a/000000004", b"three"),
    ]


def test_large_rows_are_read_one_at_a_time(tmp_path):
    noise = np.random.default_rng(1).bytes(40 * MEGABYTE)
    table = pa.table({"image": [noise, noise[::-1], noise[1:]]})
    pq.write_table(table, tmp_path / "a.parquet", use_dictionary=False, write_batch_size=1)
    del table
    with open_parquet(tmp_path / "a.parquet", 100 * MEGABYTE).open() as candidates:
        assert next(candidates).read() == noise
        assert pa.total_allocated_bytes() < 150 * MEGABYTE
        assert next(candidates).read() == noise[::-1]


def test_two_columns_of_a_name_are_refused(tmp_path):
    table = pa.table([pa.array([b"x"]), pa.array([1]), pa.array([2])], ["image", "a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(SourceUnreadable, match="must have columns of different names, got 'a' more than once"):
        open_parquet(tmp_path / "a.parquet", MEGABYTE)
