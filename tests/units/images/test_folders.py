import os

import pytest

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.candidates import Skipped
from zspace.images.folders import find_celeba_table, open_folder

MEGABYTE = 1 << 20


def names_of(source) -> list[str]:
    with source.open() as candidates:
        return [candidate.name for candidate in candidates]


def test_images_come_in_natural_order_with_those_of_folders_below(photographs):
    below = photographs / "img2"
    below.mkdir()
    (below / "x.JPG").write_bytes(b"")
    source = open_folder(photographs, MEGABYTE)
    assert names_of(source)[:4] == ["img1.png", "img2/x.JPG", "img2.png", "img3.png"]
    assert source.expected(0) == 31


def test_hidden_and_other_files_are_left_out(photographs):
    for name in (".DS_Store", "Thumbs.db", "list_attr_celeba.txt", ".img31.png", "._img1.png"):
        (photographs / name).write_text("")
    (photographs / ".trash").mkdir()
    (photographs / ".trash" / "img.png").write_text("")
    assert len(names_of(open_folder(photographs, MEGABYTE))) == 30


def test_links_in_a_ring_end_and_dangling_links_are_skipped_with_their_reason(photographs):
    (photographs / "again").symlink_to(photographs)
    (photographs / "img31.png").symlink_to(photographs / "nowhere.png")
    with open_folder(photographs, MEGABYTE).open() as candidates:
        *_, dangling = candidates
    with pytest.raises(Skipped, match="cannot be read: No such file or directory"):
        dangling.read()


def test_a_file_too_large_for_any_allowed_image_is_not_read(photographs):
    with open_folder(photographs, max_bytes=10).open() as candidates:
        first = next(candidates)
    with pytest.raises(Skipped, match="more bytes than the largest image allowed could need"):
        first.read()


def test_names_that_are_no_text_are_shown_as_escapes(photographs):
    try:
        (photographs / os.fsdecode(b"zz\xff.png")).write_bytes(b"data")
    except OSError:
        pytest.skip("this file system refuses such names")
    source = open_folder(photographs, MEGABYTE)
    with source.open() as candidates:
        *_, last = candidates
    assert (last.name, last.read()) == ("zz\\udcff.png", b"data")
    source.fingerprint()


def test_no_images_counts_what_is_there_instead(tmp_path):
    for name in ("a.txt", "b.txt", "c.gif", "README"):
        (tmp_path / name).write_text("")
    with pytest.raises(
        NoImagesFound, match=r"WebP, BMP or TIFF.*got 4 other files \(2 \.txt, 1 without an ending, 1 \.gif\)"
    ):
        open_folder(tmp_path, MEGABYTE)


def test_an_empty_folder_says_so(tmp_path):
    with pytest.raises(NoImagesFound, match="got no files at all"):
        open_folder(tmp_path, MEGABYTE)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_an_error(photographs):
    closed = photographs / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(SourceUnreadable, match="must be a folder that can be listed, got Permission denied"):
        open_folder(photographs, MEGABYTE)


def test_the_fingerprint_changes_with_a_file(photographs):
    source = open_folder(photographs, MEGABYTE)
    before = source.fingerprint()
    (photographs / "img7.png").write_bytes(b"other")
    assert source.fingerprint() != before
    (photographs / "img7.png").unlink()
    source.fingerprint()  # a file that vanished meanwhile is no reason to stop


@pytest.mark.parametrize("place", [".", "..", "below"])
def test_celebas_table_is_found_beside_the_images_and_in_the_parent(tmp_path, encoded, picture, place):
    folder = tmp_path / "celeba"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "000001.png").write_bytes(encoded(picture(1)))
    (folder / place / "list_attr_celeba.csv").write_text("image_id,Smiling\n")
    table = open_folder(folder, MEGABYTE).celeba_table
    assert table is not None
    assert table.path is not None
    assert table.path.samefile(folder / place / "list_attr_celeba.csv")


def test_no_table_is_none(tmp_path):
    assert find_celeba_table([tmp_path]) is None


def test_what_is_left_out_for_its_ending_is_counted_and_told(photographs):
    assert open_folder(photographs, MEGABYTE).notes == ()
    (photographs / "below").mkdir()
    for name in ("a.XYZ", "below/b.xyz", "list_attr_celeba.txt", "README", ".hidden.xyz"):
        (photographs / name).write_text("")
    note = (
        "Left out unread, for their endings are not those of JPEG, PNG, WebP, BMP or TIFF: 2 .xyz, 1 without an ending."
    )
    assert open_folder(photographs, MEGABYTE).notes == (note,)


def test_pipes_devices_and_links_to_them_are_skipped_without_waiting(photographs):
    os.mkfifo(photographs / "img31.png")
    (photographs / "img32.png").symlink_to(photographs / "img31.png")
    (photographs / "img33.png").symlink_to("/dev/zero")
    with open_folder(photographs, MEGABYTE).open() as candidates:
        *_, pipe, link, device = candidates
    for candidate in (pipe, link, device):
        with pytest.raises(Skipped, match="not a regular file"):
            candidate.read()


def test_a_link_onto_itself_is_one_unreadable_file(photographs):
    (photographs / "img31.png").symlink_to("img31.png")
    (photographs / "ring").symlink_to("ring")
    source = open_folder(photographs, MEGABYTE)
    source.fingerprint()
    with source.open() as candidates:
        *_, last = candidates
    with pytest.raises(Skipped, match="cannot be read: Too many levels of symbolic links"):
        last.read()
