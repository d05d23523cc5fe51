import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import StoreIncomplete, StoreNotFound, StoreVersionUnknown
from zspace.images.packing import pack_images
from zspace.images.pixels import StoredPixels
from zspace.images.store import STORE_FILES, STORE_VERSION, open_store
from zspace.settings import ImageSettings


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores") / "whole"
    pack_images(ImageSettings(source="faces", n_faces=60, size=16), 1, folder)
    return folder


@pytest.fixture
def store(whole, tmp_path):
    """A copy that a test may break."""
    return shutil.copytree(whole, tmp_path / "store")


def test_a_store_opens_with_everything_in_one_order(store):
    opened = open_store(store)
    assert isinstance(opened.images, StoredPixels)
    assert opened.images.shape == (60, 16, 16, 3)
    with pytest.raises(ValueError, match="read-only"):
        opened.images[:2][0, 0, 0, 0] = 1
    assert len(opened) == len(opened.names) == len(opened.splits) == 60
    assert opened.attributes is not None
    assert opened.attributes.shape == (60, len(opened.attribute_names))
    assert opened.result.n_images == 60


def test_rows_of_the_splits_are_ascending_and_make_up_all(store):
    opened = open_store(store)
    parts = [opened.rows(split) for split in ("train", "validation", "test")]
    counts = opened.result.splits
    assert [len(part) for part in parts] == [counts.train, counts.validation, counts.test]
    assert sorted(np.concatenate(parts)) == opened.rows("all").tolist() == list(range(60))
    assert all((np.diff(part) > 0).all() for part in parts)


def test_other_programs_can_read_it(store):
    assert {path.name for path in store.iterdir()} == STORE_FILES
    assert np.load(store / "images.npy", allow_pickle=False).dtype == np.uint8
    index = pq.read_table(store / "index.parquet")
    assert index.column_names == ["row", "name", "split", "width", "height", "crc32", "duplicate_of"]
    assert json.loads((store / "store.json").read_text())["version"] == STORE_VERSION


@pytest.mark.parametrize("name", sorted(STORE_FILES - {"skipped.csv"}))
def test_a_missing_file_is_named(store, name):
    (store / name).unlink()
    with pytest.raises(
        StoreIncomplete,
        match=f"must be a whole image store, got no {name}. Delete the folder .*store and run zspace study",
    ):
        open_store(store)


@pytest.mark.parametrize("name", sorted(STORE_FILES - {"skipped.csv"}))
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_cut_short_is_named(store, name, share):
    data = (store / name).read_bytes()
    (store / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(StoreIncomplete, match=rf"got an? .*{name}.*Delete the folder"):
        open_store(store)


def test_parts_of_different_stores_do_not_fit(store, whole, tmp_path):
    pack_images(ImageSettings(source="faces", n_faces=50, size=16), 1, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "index.parquet", store)
    with pytest.raises(StoreIncomplete, match=r"index\.parquet with 50 rows for 60 images"):
        open_store(store)
    shutil.copy(whole / "index.parquet", store)
    shutil.copy(tmp_path / "other" / "images.npy", store)
    with pytest.raises(StoreIncomplete, match=r"uint8 \(50, 16, 16, 3\) instead of uint8 \(60, 16, 16, 3\)"):
        open_store(store)


@pytest.mark.parametrize("version", [0, 2, None])
def test_another_version_names_both(store, version):
    document = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps({**document, "version": version}))
    with pytest.raises(StoreVersionUnknown, match=f"must be an image store of format version 1, got version {version}"):
        open_store(store)


def test_a_document_without_a_result_is_incomplete(store):
    for text, got in (('{"version": 1}', "without a result"), ('{"version": 1, "result": 3}', "without a result")):
        (store / "store.json").write_text(text)
        with pytest.raises(StoreIncomplete, match=rf"a store\.json {got}"):
            open_store(store)
    (store / "store.json").write_text('{"version": 1, "result": {}}')
    with pytest.raises(StoreIncomplete, match=r"store\.json\.source: must be given"):
        open_store(store)


def test_no_store_is_not_found(tmp_path):
    with pytest.raises(StoreNotFound, match=r"must hold an image store, got no such folder\. Make it with zspace pack"):
        open_store(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(StoreNotFound, match="got a folder of something else"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda index: index.drop_columns(["name"]), r"index\.parquet without one column 'name'"),
        (lambda index: index.drop_columns(["crc32"]), r"index\.parquet without one column 'crc32'"),
        (lambda index: index.append_column("name", index["name"]), r"a damaged index\.parquet"),
        (lambda index: index.set_column(5, "crc32", [["x"] * 60]), r"a damaged index\.parquet"),
        (lambda index: index.set_column(5, "crc32", [[-1] * 60]), r"a damaged index\.parquet"),
        (lambda index: index.set_column(1, "name", [[None] * 60]), r"an index\.parquet with empty cells"),
        (lambda index: index.set_column(2, "split", [["x"] * 60]), r"an index\.parquet with an unknown split"),
        (lambda index: index.set_column(2, "split", [[[1]] * 60]), r"a damaged index\.parquet"),
        (lambda index: index.set_column(2, "split", [["train"] * 60]), r"names, splits, checksums or attributes other"),
        (lambda index: index.take(list(range(59, -1, -1))), r"names, splits, checksums or attributes other"),
    ],
)
def test_an_index_of_another_shape_or_content_is_told(store, change, got):
    pq.write_table(change(pq.read_table(store / "index.parquet")), store / "index.parquet")
    with pytest.raises(StoreIncomplete, match=rf"got {got}"):
        open_store(store)


def test_attributes_of_another_shape_or_content_are_told(store):
    path = store / "attributes.parquet"
    table = pq.read_table(path)
    first = table.column_names[0]
    pq.write_table(table.drop_columns([first]), path)
    with pytest.raises(StoreIncomplete, match=rf"attributes\.parquet without one column {first!r}"):
        open_store(store)
    pq.write_table(table.set_column(0, first, [["x"] * 60]), path)
    with pytest.raises(StoreIncomplete, match=r"a damaged attributes\.parquet"):
        open_store(store)
    pq.write_table(table.set_column(0, first, pa.array([0.25] * 60, pa.float32())), path)
    with pytest.raises(StoreIncomplete, match=r"names, splits, checksums or attributes other than store\.json tells"):
        open_store(store)


@pytest.mark.parametrize("shape", ["(-60, 16, 16, 3)", "(6" + "0" * 17 + ",)", "(" * 3000])
def test_a_crafted_header_of_the_images_is_told(store, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".encode()
    length = len(header).to_bytes(2, "little")
    (store / "images.npy").write_bytes(b"\x93NUMPY\1\0" + length + header + bytes(60 * 768))
    with pytest.raises(StoreIncomplete, match=r"an images\.npy that is cut short or damaged"):
        open_store(store)


def test_an_unknown_attribute_survives_the_digest(tmp_path, photographs, settings_for):
    (tmp_path / "a.csv").write_text("file,x\nimg1.png,1\nimg2.png,2\n")
    pack_images(settings_for(photographs, attributes=str(tmp_path / "a.csv")), 1, tmp_path / "known")
    attributes = open_store(tmp_path / "known").attributes
    assert attributes is not None
    assert np.isnan(attributes[2:]).all()
