import io
import tarfile

import pytest

from zspace.errors import SourceUnreadable
from zspace.images.candidates import Skipped
from zspace.images.tars import open_tar

MEGABYTE = 1 << 20
IMAGES = {f"a/{number}.png": f"image {number}".encode() for number in range(6)}


def tar_of(members=IMAGES, links=()) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, kind, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    return file.getvalue()


def places_in(data: bytes) -> list[int]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [member.offset for member in archive]


def read_tar(path, data: bytes) -> dict[str, bytes | str]:
    """Contents by name; the reason where one is skipped."""
    path.write_bytes(data)
    found = {}
    with open_tar(path, MEGABYTE).open() as candidates:
        for candidate in candidates:
            try:
                found[candidate.name] = candidate.read()
            except Skipped as skipped:
                found[candidate.name] = skipped.reason
    return found


WHOLE = tar_of()
PLACES = places_in(WHOLE)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (WHOLE[: PLACES[4]], "no end mark: it was cut short, or never finished"),
        (WHOLE[: PLACES[4] + 200], r"a header that cannot be read \(truncated header\)"),
        (WHOLE[: PLACES[4] + 512 + 3], "unexpected end of data"),
        (WHOLE[: PLACES[4]] + b"x" + WHOLE[PLACES[4] + 1 :], r"a header that cannot be read \(bad checksum\)"),
        (WHOLE + b"x" * 512, r"a header that cannot be read \(invalid header\)"),
    ],
)
def test_a_tar_is_whole_or_said_not_to_be(tmp_path, data, got):
    with pytest.raises(SourceUnreadable, match=f"must be a whole tar archive, got {got}"):
        read_tar(tmp_path / "a.tar", data)


def test_tars_joined_end_to_end_are_read_to_the_last(tmp_path):
    more = {f"b/{number}.png": b"more" for number in range(3)}
    assert read_tar(tmp_path / "a.tar", WHOLE + tar_of(more)) == {**IMAGES, **more}
    with pytest.raises(SourceUnreadable, match="no end mark"):
        read_tar(tmp_path / "a.tar", WHOLE + tar_of(more)[:1024])


LINKS = [
    ("b/hard.png", tarfile.LNKTYPE, "a/1.png"),
    ("b/soft.png", tarfile.SYMTYPE, "../a/2.png"),
    ("b/chain.png", tarfile.SYMTYPE, "soft.png"),
    ("c", tarfile.SYMTYPE, "a"),
    ("b/through.png", tarfile.SYMTYPE, "../c/3.png"),
    ("b/loop.png", tarfile.SYMTYPE, "loop.png"),
    ("b/nowhere.png", tarfile.SYMTYPE, "gone.png"),
    ("b/out.png", tarfile.SYMTYPE, "../../a/1.png"),
    ("b/root.png", tarfile.SYMTYPE, "/etc/passwd"),
    ("b/pipe.png", tarfile.FIFOTYPE, ""),
    ("b/folder.png", tarfile.DIRTYPE, ""),
]


def test_links_are_resolved_within_the_archive_or_skipped_with_a_reason(tmp_path):
    found = read_tar(tmp_path / "a.tar", tar_of(links=LINKS))
    nothing = "a link to nothing inside the archive"
    assert found == {
        **IMAGES,
        "b/hard.png": b"image 1",
        "b/soft.png": b"image 2",
        "b/chain.png": b"image 2",
        "b/through.png": b"image 3",
        **dict.fromkeys(("b/loop.png", "b/nowhere.png", "b/out.png", "b/root.png"), nothing),
        "b/pipe.png": "not a regular file",
    }


def test_what_is_left_out_for_its_ending_is_known_after_the_pass(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_of({"1.png": b"", "1.xyz": b"", "2.xyz": b"", ".x.xyz": b""}))
    source = open_tar(tmp_path / "a.tar", MEGABYTE)
    with source.open() as candidates:
        assert len(list(candidates)) == 1
    (note,) = source.late_notes()
    assert note.endswith("TIFF: 2 .xyz.")


def test_a_header_of_endless_extra_facts_is_refused_unread(tmp_path):
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 1 << 40
    with pytest.raises(SourceUnreadable, match=r"a size of 1,099,511,627,776 bytes"):
        read_tar(tmp_path / "a.tar", WHOLE[:-10240] + member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
