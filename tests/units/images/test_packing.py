import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zspace.errors import (
    NoImagesFound,
    SettingOutOfRange,
    SourceUnreadable,
    StoreNotFound,
    TooFewImages,
    TooManySkipped,
    ZspaceError,
)
from zspace.images import packing
from zspace.images.packing import pack_images
from zspace.images.store import open_store

ATTEMPTS = 6


def test_a_folder_becomes_a_store(photographs, tmp_path, settings_for, picture):
    (photographs / "img3.png").rename(photographs / "img300.png")
    result = pack_images(settings_for(photographs, crop="none", size=40), 1, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert store.result == result
    assert store.names[:3] == ("img1.png", "img2.png", "img4.png")
    assert store.names[-1] == "img300.png"
    for row, name in enumerate(store.names):
        number = 3 if name == "img300.png" else int(name[3:-4])
        np.testing.assert_array_equal(store.images[row], picture(number))
    assert (result.n_files, result.n_images, result.n_skipped, result.n_upscaled) == (30, 30, 0, 0)
    assert (result.size, result.crop, result.source) == (40, "none", str(photographs))
    assert store.attributes is None


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "parquet", "npy", "npz"])
def test_every_source_gives_the_same_pixels(photographs, tmp_path, settings_for, picture, kind):
    path = tmp_path / f"images.{kind}"
    numbers = range(1, 31)
    files = [photographs / f"img{number}.png" for number in numbers]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.name)
    elif kind == "tar.gz":
        with tarfile.open(path, "w:gz") as archive:
            for file in files:
                archive.add(file, file.name)
    elif kind == "parquet":
        pq.write_table(pa.table({"image": [{"bytes": file.read_bytes(), "path": file.name} for file in files]}), path)
    else:
        pixels = np.stack([picture(number) for number in numbers])
        np.save(path, pixels) if kind == "npy" else np.savez(path, images=pixels)
    pack_images(settings_for(photographs), 1, tmp_path / "expected")
    pack_images(settings_for(path), 1, tmp_path / "store")
    np.testing.assert_array_equal(open_store(tmp_path / "store").images, open_store(tmp_path / "expected").images)


def test_the_store_does_not_depend_on_the_number_of_threads(photographs, tmp_path, settings_for, monkeypatch):
    (photographs / "img7.png").write_bytes(b"")
    digests = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(packing, "usable_cores", lambda n_threads=n_threads: n_threads)
        folder = tmp_path / str(n_threads)
        digests.append(pack_images(settings_for(photographs, max_skipped_fraction=0.1), 1, folder).store_digest)
    assert len(set(digests)) == 1
    assert (tmp_path / "1" / "images.npy").read_bytes() == (tmp_path / "5" / "images.npy").read_bytes()


def test_faces_come_with_their_factors_and_their_seed(tmp_path, settings_for):
    result = pack_images(settings_for("faces", n_faces=40), 1, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert store.attribute_names == result.attributes
    assert "yaw" in store.attribute_names
    other = pack_images(settings_for("faces", n_faces=40), 2, tmp_path / "other")
    assert other.store_digest != result.store_digest


def test_skipped_files_are_counted_and_listed(photographs, tmp_path, settings_for):
    whole = (photographs / "img1.png").read_bytes()
    for name, data in {"empty.jpg": b"", "cut.png": whole[: len(whole) // 2], "page.jpg": b"<html>"}.items():
        (photographs / name).write_bytes(data)
    result = pack_images(settings_for(photographs, max_skipped_fraction=0.1), 1, tmp_path / "store")
    assert (result.n_files, result.n_images, result.n_skipped) == (33, 30, 3)
    assert result.skipped_reasons == {
        "truncated": 1,
        "empty file": 1,
        "not a JPEG, PNG, WebP, BMP or TIFF file": 1,
    }
    assert (tmp_path / "store" / "skipped.csv").read_text() == (
        'name,reason\ncut.png,truncated\nempty.jpg,empty file\npage.jpg,"not a JPEG, PNG, WebP, BMP or TIFF file"\n'
    )


def test_too_many_skipped_is_an_error_with_a_list_and_a_way_on(photographs, tmp_path, settings_for):
    for number in (1, 2, 3):
        (photographs / f"img{number}.png").write_bytes(b"")
    (photographs / "img4.png").write_bytes(b"<html>")
    with pytest.raises(
        TooManySkipped,
        match=r"must give images for all but 0\.01 of its files, got 4 skipped of 30 \(3 empty file, 1 not a "
        r"JPEG.*\)\. They are listed in .*store\.skipped\.csv; --max-skipped-fraction 0\.134 would go on",
    ):
        pack_images(settings_for(photographs), 1, tmp_path / "store")
    assert (tmp_path / "store.skipped.csv").read_text().count("\n") == 5
    assert not (tmp_path / "store").exists()
    pack_images(settings_for(photographs, max_skipped_fraction=0.134), 1, tmp_path / "store")
    assert not (tmp_path / "store.skipped.csv").exists()


def test_duplicates_are_counted_and_listed(photographs, tmp_path, settings_for):
    (photographs / "copy.png").write_bytes((photographs / "img2.png").read_bytes())
    result = pack_images(settings_for(photographs), 1, tmp_path / "store")
    assert result.n_duplicates == 1
    assert result.duplicate_examples == (("img2.png", "copy.png"),)
    index = pq.read_table(tmp_path / "store" / "index.parquet").to_pydict()
    copy, original = index["name"].index("img2.png"), index["name"].index("copy.png")
    assert index["duplicate_of"][copy] == original
    assert index["duplicate_of"].count(None) == 30
    assert index["split"][copy] == index["split"][original]


def test_originals_are_remembered_and_enlarged_ones_counted(tmp_path, settings_for, encoded, picture):
    for row in range(20):
        (tmp_path / f"{row}.png").write_bytes(encoded(picture(row, 12 if row < 5 else 40, 30)))
    result = pack_images(settings_for(tmp_path), 1, tmp_path / "store")
    index = pq.read_table(tmp_path / "store" / "index.parquet").to_pydict()
    assert (index["width"][0], index["height"][0], index["height"][19]) == (30, 12, 40)
    assert result.n_upscaled == 5


def test_celebas_table_beside_the_images_becomes_attributes(photographs, tmp_path, settings_for):
    rows = [f"img{number}.png  1 -1" for number in range(1, 30)]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["29", "Smiling Young", *rows]) + "\n")
    result = pack_images(settings_for(photographs), 1, tmp_path / "store")
    store = open_store(tmp_path / "store")
    assert store.attribute_names == ("Smiling", "Young")
    assert store.attributes is not None
    np.testing.assert_array_equal(store.attributes[:29], [[1, 0]] * 29)
    assert np.isnan(store.attributes[29]).all()
    assert "whose attributes are unknown: 1." in result.notes[0]
    assert pq.read_table(tmp_path / "store" / "attributes.parquet").column("Young").null_count == 1


def test_too_few_usable_images(tmp_path, settings_for, encoded, picture):
    (tmp_path / "a.png").write_bytes(encoded(picture(1)))
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(TooFewImages, match=r"must hold at least 2 usable images, got 1\. Give more images"):
        pack_images(settings_for(tmp_path, max_skipped_fraction=1), 1, tmp_path / "store")


def test_images_that_all_fall_to_validation_are_an_error(photographs, tmp_path, settings_for):
    for number in range(2, 31):
        (photographs / f"img{number}.png").write_bytes((photographs / "img1.png").read_bytes())
    settings = settings_for(photographs, validation_fraction=0.999, test_fraction=0)
    with pytest.raises(TooFewImages, match="must leave an image to train on, got 30 that all fell to validation"):
        pack_images(settings, 1, tmp_path / "store")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"crop": "circle"}, SettingOutOfRange, "must be 'square', 'none' or"),
        ({"validation_fraction": 0.6, "test_fraction": 0.6}, SettingOutOfRange, "must be below 1"),
    ],
)
def test_settings_are_refused_before_anything_is_written(photographs, tmp_path, settings_for, changes, error, message):
    with pytest.raises(error, match=message):
        pack_images(settings_for(photographs, **changes), 1, tmp_path / "new" / "store")
    assert not (tmp_path / "new").exists()


def test_an_archive_without_images_leaves_nothing(tmp_path, settings_for):
    with tarfile.open(tmp_path / "a.tar", "w"):
        pass
    with pytest.raises(NoImagesFound, match="got an archive without any"):
        pack_images(settings_for(tmp_path / "a.tar"), 1, tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


def test_progress_is_told_and_ends_with_all(photographs, tmp_path, settings_for, monkeypatch):
    monkeypatch.setattr(packing, "_SECONDS_BETWEEN_RECORDS", 0)
    told = []
    pack_images(settings_for(photographs, size=400), 1, tmp_path / "store", told.append)
    assert len(told) > 3
    assert [record.done for record in told] == sorted(record.done for record in told)
    last = told[-1]
    assert (last.step, last.done, last.total, last.unit, last.values) == ("pack", 30, 30, "images", {"skipped": 0})


def test_an_interrupt_leaves_nothing(photographs, tmp_path, settings_for, monkeypatch):
    monkeypatch.setattr(packing, "_SECONDS_BETWEEN_RECORDS", 0)

    def interrupt(_progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_images(settings_for(photographs), 1, tmp_path / "store", interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


@pytest.mark.parametrize("attempt", range(ATTEMPTS))
def test_a_killed_pack_leaves_nothing_that_opens(tmp_path, settings_for, attempt):
    program = (
        "import sys; from pathlib import Path\n"
        "from zspace.images.packing import pack_images\n"
        "from zspace.settings import ImageSettings\n"
        "print('ready', flush=True)\n"
        "pack_images(ImageSettings(source='faces', n_faces=400, size=32), 1, Path(sys.argv[1]))\n"
    )
    folder = tmp_path / "store"
    with subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.08 * attempt)
        os.kill(process.pid, signal.SIGKILL)
    if process.returncode == 0 or folder.exists():
        assert len(open_store(folder)) == 400  # it was faster than the kill: then it must be whole
    else:
        with pytest.raises(StoreNotFound, match="must hold an image store"):
            open_store(folder)
    result = pack_images(settings_for("faces", n_faces=50), 1, folder)
    assert result.n_images == 50
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_every_error_of_packing_is_one_of_zspace(tmp_path, settings_for):
    with pytest.raises(ZspaceError, match="must be a folder"):
        pack_images(settings_for(tmp_path / "nowhere"), 1, tmp_path / "store")


def test_images_for_no_training_may_be_one_and_are_not_split(tmp_path, settings_for, encoded, picture):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "000001.jpg").write_bytes(encoded(picture(1), "JPEG"))
    settings = settings_for(tmp_path / "one", validation_fraction=0.5, test_fraction=0.5)
    with pytest.raises(SettingOutOfRange, match="must be below 1"):
        pack_images(settings, 1, tmp_path / "store")
    result = pack_images(settings, 1, tmp_path / "store", for_training=False)
    assert (result.splits.train, result.splits.validation, result.splits.test) == (0, 0, 1)
    assert result.split_rule == "not split: no model is trained on these images"
    assert open_store(tmp_path / "store").rows("all").tolist() == [0]
    (tmp_path / "none").mkdir()
    with pytest.raises(NoImagesFound, match="got no files at all"):
        pack_images(settings_for(tmp_path / "none"), 1, tmp_path / "other", for_training=False)


@pytest.mark.parametrize("white", [1, 2, 40])
def test_masks_of_0_and_1_are_refused_and_dark_images_told(tmp_path, settings_for, encoded, picture, white):
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(4):
        mask = (picture(number)[..., 0] > np.median(picture(number))).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(encoded(mask * np.uint8(white)))
    settings = settings_for(folder, validation_fraction=0, test_fraction=0, size=40)
    if white == 1:
        with pytest.raises(
            SourceUnreadable, match=r"got none above 1, as in masks of 0 and 1\. Multiply the values by 255"
        ):
            pack_images(settings, 1, tmp_path / "store")
    else:
        note = (
            f"The images are dark: their brightest value is {white} of 255. If white is less in them, scale it to 255."
        )
        assert pack_images(settings, 1, tmp_path / "store").notes == (note,)


def test_masks_of_0_and_1_among_pictures_are_told(tmp_path, settings_for, encoded, picture):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for number in range(4):
        mask = (picture(number)[..., 0] > np.median(picture(number))).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(encoded(picture(number) if number == 3 else mask))
    result = pack_images(settings_for(folder, validation_fraction=0, test_fraction=0, size=40), 1, tmp_path / "store")
    told = "3 of the images hold nothing above 1, such as '0.png': they are black. If they are masks of 0 and 1, save"
    assert result.notes[0].startswith(told)


def test_a_folder_whose_name_is_no_utf8_is_refused_with_what_to_do(tmp_path, settings_for):
    strange = tmp_path / os.fsdecode(b"caf\xe9")
    with pytest.raises(SettingOutOfRange, match=r"source: must be text that UTF-8 can hold, got .*caf.*\. Rename the"):
        settings_for(strange)


def test_what_a_source_tells_late_reaches_the_result(tmp_path, settings_for, photographs):
    (photographs / "IMG_1.XYZ").write_text("")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(photographs, "photographs")
    notes = pack_images(settings_for(tmp_path / "a.tar"), 1, tmp_path / "store").notes
    assert notes == pack_images(settings_for(photographs), 1, tmp_path / "other").notes
    assert notes[0].endswith("TIFF: 1 .xyz.")


def test_where_all_files_are_skipped_the_commonest_reason_is_told_and_no_way_that_leads_nowhere(tmp_path, settings_for):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as archive:
        for number in range(30):
            archive.writestr(f"{number}.png", b"x" * 100)
    with pytest.raises(TooManySkipped, match=r"none is left to go on with: .*pack again with deflate") as refused:
        pack_images(settings_for(tmp_path / "a.zip"), 1, tmp_path / "store")
    assert "would go on" not in str(refused.value)
