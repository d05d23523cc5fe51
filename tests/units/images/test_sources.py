import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import NoImagesFound, SourceNotFound, SourceUnreadable, TooFewImages
from zspace.images.faces import FACTORS, draw_faces, sample_factors
from zspace.images.sources import open_source, source_signature


@pytest.mark.parametrize("name", ["a.zip", "a.TAR", "a.tar.gz", "a.tgz", "a.parquet", "a.npy", "a.npz"])
def test_the_ending_of_a_file_tells_its_kind(tmp_path, settings_for, name):
    (tmp_path / name).write_bytes(b"nothing of that kind")
    with pytest.raises(SourceUnreadable, match="must be a whole"):
        open_source(settings_for(tmp_path / name), seed=1)


def test_a_wrong_path_names_the_nearest(photographs, settings_for):
    wrong = photographs.with_name("photograph")
    with pytest.raises(SourceNotFound, match=r"'faces', got '.*photograph', which does not exist.*'photographs'"):
        open_source(settings_for(wrong), seed=1)
    with pytest.raises(SourceNotFound, match=r"which does not exist\. Check the path"):
        open_source(settings_for(photographs / "no" / "where"), seed=1)


def test_one_image_file_asks_for_its_folder(photographs, settings_for):
    with pytest.raises(SourceUnreadable, match=r"got the file .*img1\.png. Give the folder it lies in"):
        open_source(settings_for(photographs / "img1.png"), seed=1)


def test_other_files_are_refused(tmp_path, settings_for):
    (tmp_path / "faces.rar").write_bytes(b"")
    with pytest.raises(SourceUnreadable, match=r"got the file .*faces\.rar. Unpack or convert it first"):
        open_source(settings_for(tmp_path / "faces.rar"), seed=1)


def test_one_image_is_too_few(tmp_path, settings_for):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(TooFewImages, match="must hold at least 2 usable images, got 1"):
        open_source(settings_for(tmp_path), seed=1)
    with pytest.raises(TooFewImages, match="got 1"):
        open_source(settings_for("faces", n_faces=1), seed=1)


def test_a_folder_of_parquet_files_is_a_table_unless_it_holds_images(tmp_path, settings_for):
    pq.write_table(pa.table({"image": [b"a", b"b"]}), tmp_path / "a.parquet")
    assert open_source(settings_for(tmp_path), seed=1).kind == "parquet"
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"")
    assert open_source(settings_for(tmp_path), seed=1).kind == "folder"


def test_a_folder_without_images_or_tables_is_an_error(tmp_path, settings_for):
    with pytest.raises(NoImagesFound, match="got no files at all"):
        open_source(settings_for(tmp_path), seed=1)


def test_faces_are_those_of_the_seed_with_their_factors(settings_for):
    source = open_source(settings_for("faces", n_faces=300, size=32), seed=5)
    factors = sample_factors(300, seed=5)
    with source.open() as candidates:
        listed = list(candidates)
    assert source.expected(0) == len(listed) == 300
    assert source.attribute_names == tuple(factor.name for factor in FACTORS)
    np.testing.assert_array_equal(np.array([face.attributes for face in listed], np.float32), factors)
    assert listed[299].name == "face-0000299"
    np.testing.assert_array_equal(listed[299].read(), draw_faces(factors[299:], 32)[0])


def test_a_folder_named_faces_is_pointed_at(tmp_path, monkeypatch, settings_for):
    monkeypatch.chdir(tmp_path)
    assert open_source(settings_for("faces"), seed=1).notes == ()
    (tmp_path / "faces").mkdir()
    assert "write ./faces" in open_source(settings_for("faces"), seed=1).notes[0]


def test_the_signature_changes_when_the_source_does_and_not_with_how_it_is_packed(photographs, settings_for):
    before = source_signature(settings_for(photographs))
    assert source_signature(settings_for(photographs, size=32, crop="none")) == before
    (photographs / "notes.txt").write_text("no image")
    assert source_signature(settings_for(photographs)) == before
    os.utime(photographs / "img1.png", (1, 1))
    touched = source_signature(settings_for(photographs))
    (photographs / "img31.png").write_bytes(b"")
    added = source_signature(settings_for(photographs))
    (photographs / "list_attr_celeba.csv").write_text("image_id,Smiling\n")
    assert len({before, touched, added, source_signature(settings_for(photographs))}) == 4


def test_the_signature_covers_the_table_of_attributes(photographs, tmp_path, settings_for):
    (tmp_path / "a.csv").write_text("name,x\nimg1,1\n")
    with_table = source_signature(settings_for(photographs, attributes=str(tmp_path / "a.csv")))
    assert with_table != source_signature(settings_for(photographs))


def test_the_signature_of_faces_is_their_number(settings_for):
    assert source_signature(settings_for("faces")) == source_signature(settings_for("faces", size=32))
    assert source_signature(settings_for("faces")) != source_signature(settings_for("faces", n_faces=9))


def test_a_pipe_and_a_ring_of_links_are_no_source(tmp_path, settings_for):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(SourceUnreadable, match=r"must be a folder, .*, got the file .*a\.zip"):
        open_source(settings_for(tmp_path / "a.zip"), 1)
    (tmp_path / "b.zip").symlink_to("b.zip")
    with pytest.raises(SourceNotFound, match=r"b\.zip', which does not exist"):
        open_source(settings_for(tmp_path / "b.zip"), 1)
    with pytest.raises(SourceUnreadable, match="File name too long"):
        open_source(settings_for(tmp_path / ("x" * 300)), 1)
