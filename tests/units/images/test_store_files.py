import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from zspace.errors import DiskFull, FolderInUse, FolderNotEmpty, OutputNotWritable
from zspace.images.store_files import ImageWriter, building, write_skipped


def build(folder, source="x", text="new"):
    with building(folder, source) as partial:
        (partial / "store.json").write_text(json.dumps({"result": {"source": source}, "text": text}))


def test_the_folder_appears_only_at_the_end(tmp_path):
    with building(tmp_path / "deep" / "store", "x") as partial:
        (partial / "images.npy").write_text("data")
        assert not (tmp_path / "deep" / "store").exists()
        assert partial.name.startswith(".")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["store"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing_new_and_the_old_store_as_it_was(tmp_path, error):
    build(tmp_path / "store", text="old")

    def fail():
        with building(tmp_path / "store", "x") as partial:
            (partial / "store.json").write_text("new")
            raise error("stop")

    with pytest.raises(error, match="stop"):
        fail()
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert "old" in (tmp_path / "store" / "store.json").read_text()


def test_an_earlier_store_of_the_same_source_is_replaced(tmp_path):
    build(tmp_path / "store", text="old")
    (tmp_path / "store" / "attributes.parquet").write_text("old")
    build(tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["store.json"]


def test_half_a_store_and_an_empty_folder_are_replaced(tmp_path):
    (tmp_path / "store").mkdir()
    build(tmp_path / "store")
    (tmp_path / "store" / "store.json").write_text("{")
    build(tmp_path / "store")
    assert "new" in (tmp_path / "store" / "store.json").read_text()


def test_a_store_of_another_source_is_kept(tmp_path):
    build(tmp_path / "store", source="cats")
    with pytest.raises(
        FolderNotEmpty, match=r"or a store of the same images, got a store of 'cats'\. Choose another place with --out"
    ):
        build(tmp_path / "store", source="dogs")


def test_a_folder_of_other_files_is_kept(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FolderNotEmpty, match=r"must be a new folder, .*got a folder with 'thesis\.tex'"):
        build(tmp_path)


def test_a_file_in_the_way_is_kept(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(OutputNotWritable, match="must be a folder, got a file"):
        build(tmp_path / "store")


def test_what_a_killed_process_left_is_removed_and_other_folders_are_not(tmp_path):
    for name in (".store.123.packing", ".store.123.packing-old", ".other.123.packing", ".store.notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "images.npy").write_text("")
    build(tmp_path / "store")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.123.packing", ".store.notes", "store"]


def test_two_processes_may_not_pack_into_one_folder(tmp_path):
    message = r"by one process at a time, got another that is at it\. Wait for it"
    with building(tmp_path / "store", "x") as partial:
        with pytest.raises(FolderInUse, match=message):
            build(tmp_path / "store")
        assert partial.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_may_not_be_written_to_is_an_error(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputNotWritable, match="must be a place this user may write to"):
        build(tmp_path / "closed" / "store")


def test_a_place_below_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable, match="must be a place this user may write to"):
        build(tmp_path / "file" / "store")


def test_the_header_gets_the_final_count(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (5, 9, 9, 3), dtype=np.uint8)
    writer = ImageWriter(tmp_path, size=9)
    writer.write(images[:2])
    writer.write(images[2:])
    writer.finish()
    writer.close()
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy", allow_pickle=False), images)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_is_told(tmp_path):
    (tmp_path / "images.npy").symlink_to("/dev/full")
    writer = ImageWriter(tmp_path, size=9)
    with pytest.raises(DiskFull, match=f"{tmp_path.parent}: needs free space on its disk, got a full disk"):
        writer.write(np.zeros((500, 9, 9, 3), np.uint8))
    writer.close()


def test_names_with_commas_and_line_ends_survive_the_list_of_skipped(tmp_path):
    write_skipped(tmp_path / "skipped.csv", [('a,"b\n.png', "empty file")])
    assert (tmp_path / "skipped.csv").read_text() == 'name,reason\n"a,""b\n.png",empty file\n'


def test_no_name_in_the_list_of_skipped_is_a_live_formula(tmp_path):
    names = ["=1+1.png", "+1.png", "-1.png", "@SUM(1).png", "\ttab.png", "\rline.png", "'quoted.png", "plain=.png"]
    write_skipped(tmp_path / "skipped.csv", [(name, "empty file") for name in names])
    with (tmp_path / "skipped.csv").open(newline="") as file:
        written = [name for name, _ in csv.reader(file)][1:]
    assert written == [*("'" + name for name in names[:-1]), "plain=.png"]
    assert [name.removeprefix("'") for name in written] == names
