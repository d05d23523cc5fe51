import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from zspace.errors import StoreIncomplete, StoreNotFound, StoreVersionUnknown
from zspace.images.packing import pack_images
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
    assert isinstance(opened.images, np.memmap)
    assert opened.images.shape == (60, 16, 16, 3)
    assert not opened.images.flags.writeable
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
    with pytest.raises(StoreIncomplete, match=f"must be a whole image store, got no {name}. Run zspace pack again"):
        open_store(store)


@pytest.mark.parametrize("name", sorted(STORE_FILES - {"skipped.csv"}))
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_cut_short_is_named(store, name, share):
    data = (store / name).read_bytes()
    (store / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(StoreIncomplete, match=rf"got an? .*{name}.*Run zspace pack again"):
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
    (store / "store.json").write_text('{"version": 1}')
    with pytest.raises(StoreIncomplete, match=r"store\.json\.source: must be given"):
        open_store(store)


def test_no_store_is_not_found(tmp_path):
    with pytest.raises(StoreNotFound, match=r"must hold an image store, got no such folder\. Make it with zspace pack"):
        open_store(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(StoreNotFound, match="got a folder of something else"):
        open_store(tmp_path)
