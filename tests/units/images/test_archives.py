import io
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from zspace.errors import AttributesUnreadable, NoImagesFound, SourceUnreadable
from zspace.images.archives import open_zip
from zspace.images.candidates import Skipped
from zspace.images.tars import open_tar

MEGABYTE = 1 << 20
MEMBERS = {
    "a/img10.png": b"ten",
    "a/img9.png": b"nine",
    "notes.txt": b"",
    "__MACOSX/a/._img9.png": b"",
    "../../out.png": b"x",
}


def write_zip(path, members=MEMBERS, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def write_tar(path, members=MEMBERS, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_a_zip_is_read_in_natural_order_and_climbs_nowhere(tmp_path, read_all):
    source = open_zip(write_zip(tmp_path / "images.zip"), MEGABYTE)
    assert read_all(source) == [("a/img9.png", b"nine"), ("a/img10.png", b"ten"), ("out.png", b"x")]
    assert source.expected(0) == 3
    assert [path.name for path in tmp_path.rglob("*")] == ["images.zip"]


@pytest.mark.parametrize(
    ("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.bz2", "w:bz2"), ("tar.xz", "w:xz")]
)
def test_a_tar_is_read_in_its_own_order_and_climbs_nowhere(tmp_path, read_all, ending, mode):
    source = open_tar(write_tar(tmp_path / f"images.{ending}", mode=mode), MEGABYTE)
    assert read_all(source) == [("a/img10.png", b"ten"), ("a/img9.png", b"nine"), ("out.png", b"x")]
    assert source.expected(3) >= 3
    assert [path.name for path in tmp_path.rglob("*")] == [f"images.{ending}"]


def test_the_number_in_a_tar_is_estimated_from_how_far_it_was_read(tmp_path):
    members = {f"{i}.png": bytes(1 << 18) for i in range(40)}
    source = open_tar(write_tar(tmp_path / "images.tar", members), MEGABYTE)
    with source.open() as candidates:
        for _ in range(20):
            next(candidates)
        assert 30 <= source.expected(20) <= 42


@pytest.mark.parametrize("write_and_open", [(write_zip, open_zip, "a.zip"), (write_tar, open_tar, "a.tar")])
def test_members_that_unpack_to_too_much_are_skipped_unread(tmp_path, write_and_open):
    write, open_archive, name = write_and_open
    path = write(tmp_path / name, {"bomb.png": bytes(MEGABYTE + 1)})
    with open_archive(path, MEGABYTE).open() as candidates:
        bomb = next(candidates)
        with pytest.raises(Skipped, match="more bytes than the largest image allowed could need"):
            bomb.read()


def test_a_zip_member_that_lies_about_its_size_unpacks_no_further_than_it_claims(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"bomb.png": bytes(MEGABYTE)}, compression=zipfile.ZIP_DEFLATED)
    data = path.read_bytes().replace(struct.pack("<I", MEGABYTE), struct.pack("<I", 100))
    path.write_bytes(data)
    with open_zip(path, MEGABYTE).open() as candidates, pytest.raises(Skipped, match="damaged inside the archive"):
        next(candidates).read()


def test_encrypted_members_are_skipped(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.png": b"data"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with open_zip(path, MEGABYTE).open() as candidates, pytest.raises(Skipped, match="encrypted"):
        next(candidates).read()


def test_a_member_packed_by_an_unknown_method_is_skipped(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.png": b"data"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 77
    path.write_bytes(data)
    with open_zip(path, MEGABYTE).open() as candidates, pytest.raises(Skipped, match="method that cannot be read"):
        next(candidates).read()


@pytest.mark.parametrize(("open_archive", "kind"), [(open_zip, "zip"), (open_tar, "tar")])
def test_a_file_that_is_no_archive_is_refused(tmp_path, open_archive, kind):
    path = tmp_path / "a"
    path.write_bytes(b"no archive at all" * 100)
    with pytest.raises(SourceUnreadable, match=f"must be a whole {kind} archive, got .*Download or copy it again"):
        open_archive(path, MEGABYTE)


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
def test_a_tar_that_is_cut_short_is_refused_while_reading(tmp_path, read_all, ending, mode):
    noise = np.random.default_rng(1).bytes(200_000)
    path = write_tar(tmp_path / f"a.{ending}", {"a.png": noise, "b.png": noise[::-1]}, mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(SourceUnreadable, match="must be a whole tar archive"):
        read_all(open_tar(path, MEGABYTE))


def test_archives_without_images_say_so(tmp_path, read_all):
    with pytest.raises(NoImagesFound, match="got an archive without any"):
        open_zip(write_zip(tmp_path / "a.zip", {"a.txt": b""}), MEGABYTE)
    source = open_tar(write_tar(tmp_path / "a.tar", {"a.txt": b""}), MEGABYTE)
    with pytest.raises(NoImagesFound, match="got an archive without any"):
        read_all(source)


def test_celebas_table_is_found_inside_a_zip_and_beside_an_archive(tmp_path):
    table = open_zip(
        write_zip(tmp_path / "a.zip", {"i/1.png": b"", "list_attr_celeba.csv": b"rows"}), MEGABYTE
    ).celeba_table
    assert table is not None
    assert table.read() == b"rows"
    (tmp_path / "list_attr_celeba.txt").write_bytes(b"beside")
    for source in (
        open_zip(write_zip(tmp_path / "b.zip"), MEGABYTE),
        open_tar(write_tar(tmp_path / "b.tar"), MEGABYTE),
    ):
        assert source.celeba_table is not None
        assert source.celeba_table.read() == b"beside"


def test_a_member_that_claims_little_takes_little_memory(tmp_path):
    n_bytes = 64 * MEGABYTE
    path = write_zip(tmp_path / "a.zip", {"bomb.png": bytes(n_bytes)}, compression=zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", n_bytes), struct.pack("<I", 1000)))
    with open_zip(path, MEGABYTE).open() as candidates:
        bomb = next(candidates)
        assert bomb.n_bytes_read == 1000
        tracemalloc.start()
        with pytest.raises(Skipped, match="damaged inside the archive, or larger than it claims there"):
            bomb.read()
        assert tracemalloc.get_traced_memory()[1] < MEGABYTE
        tracemalloc.stop()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_would_unpack_without_bound_are_skipped_unread(tmp_path, method):
    path = write_zip(tmp_path / "a.zip", {"bomb.png": bytes(MEGABYTE)}, compression=method)
    with open_zip(path, MEGABYTE).open() as candidates:
        with pytest.raises(Skipped, match="packed by a method that cannot be read"):
            next(candidates).read()


def test_a_damaged_table_inside_a_zip_is_a_known_error(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"1.png": b"", "list_attr_celeba.csv": b"image_id,Smiling"})
    path.write_bytes(path.read_bytes().replace(b"image_id", b"imageXid", 1))
    table = open_zip(path, MEGABYTE).celeba_table
    assert table is not None
    with pytest.raises(
        AttributesUnreadable, match=r"list_attr_celeba\.csv: must be a readable file, got one that is damaged"
    ):
        table.read()


def test_links_in_a_zip_are_skipped_as_such(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "target.png")
    with open_zip(tmp_path / "a.zip", MEGABYTE).open() as candidates:
        with pytest.raises(Skipped, match="a symbolic link inside the archive"):
            next(candidates).read()


def test_what_a_zip_leaves_out_is_told(tmp_path):
    one = write_zip(tmp_path / "one.zip", {"a.png": b"", "a.xyz": b"", "__MACOSX/a.xyz": b""})
    (note,) = open_zip(one, MEGABYTE).notes
    assert note.endswith("TIFF: 1 .xyz.")
    two = write_zip(tmp_path / "two.zip", {"b.png": b""})
    n_bytes = one.stat().st_size
    two.write_bytes(one.read_bytes() + two.read_bytes())
    assert open_zip(two, MEGABYTE).notes == (f"Not read: the first {n_bytes:,} bytes of two.zip, another archive.",)
