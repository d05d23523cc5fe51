"""Atomic writes, digests and formats."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from zspace.errors import DiskFull, FileDamaged, OutputNotWritable, SettingOutOfRange
from zspace.files import (
    atomic_folder,
    atomic_path,
    document_digest,
    file_digest,
    make_folder,
    name_trouble,
    output_error,
    place_name,
    read_json,
    read_json_lines,
    read_toml,
    to_json,
    write_json,
    write_json_lines,
    write_text,
    write_toml,
)


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half():
        with atomic_path(path) as partial:
            partial.write_text("ne")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "folder"
    with atomic_folder(path) as partial:
        (partial / "a").write_text("old")

    def write_half():
        with atomic_folder(path) as partial:
            (partial / "a").write_text("new")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert (path / "a").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_a_folder_that_ends_well_replaces_the_old_one_and_leftovers(tmp_path):
    path = tmp_path / "folder"
    for text in ("old", "new"):
        (tmp_path / ".folder.partial").mkdir()
        (tmp_path / ".folder.partial" / "leftover").touch()
        with atomic_folder(path) as partial:
            (partial / "a").write_text(text)
    assert [entry.name for entry in path.iterdir()] == ["a"]
    assert (path / "a").read_text() == "new"


def test_a_full_disk_and_a_forbidden_place_are_told_apart(tmp_path):
    full = output_error(tmp_path, OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(full, DiskFull)
    assert "Free some space" in str(full)
    forbidden = output_error(tmp_path, PermissionError(errno.EACCES, "Permission denied"))
    assert isinstance(forbidden, OutputNotWritable)
    assert "got Permission denied. Choose another place with --out" in str(forbidden)


def test_writing_below_a_file_names_the_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputNotWritable, match=r"file/a\.txt: must be a place this user may write to, got "):
        write_text(tmp_path / "file" / "a.txt", "text")
    with pytest.raises(OutputNotWritable, match=r"file/folder: must be a place this user may write to"):
        make_folder(tmp_path / "file" / "folder")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_device_without_space_raises_disk_full(tmp_path):
    (tmp_path / "full").symlink_to("/dev/full")

    def write():
        with atomic_path(tmp_path / "a") as partial, Path("/dev/full").open("w") as file:
            file.write("x" * 100_000)
            partial.touch()

    with pytest.raises(DiskFull, match=r"needs free space on its disk, got a full disk\. Free some space"):
        write()


def test_json_is_strict_and_round_trips(tmp_path):
    write_json(tmp_path / "a.json", {"ä": [1, None]})
    assert read_json(tmp_path / "a.json") == {"ä": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(float("nan"))


def test_damaged_files_are_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(FileDamaged, match=r"a\.json: must hold one JSON document, got .* Mend it, or delete it"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.toml").write_text("= 3")
    with pytest.raises(FileDamaged, match=r"a\.toml: must hold a TOML table, got "):
        read_toml(tmp_path / "a.toml")


def test_toml_round_trips(tmp_path):
    write_toml(tmp_path / "a.toml", {"a": {"b": [1, 2]}})
    assert read_toml(tmp_path / "a.toml") == {"a": {"b": [1, 2]}}


def test_a_history_cut_short_by_a_kill_loses_only_its_last_line(tmp_path):
    path = tmp_path / "a.jsonl"
    write_json_lines(path, [{"a": 1}, {"a": 2}])
    path.write_text(path.read_text() + '{"a": ')
    assert read_json_lines(path) == [{"a": 1}, {"a": 2}]
    assert read_json_lines(tmp_path / "none.jsonl") == []


def test_digests_follow_content(tmp_path):
    write_text(tmp_path / "a", "same")
    write_text(tmp_path / "b", "same")
    write_text(tmp_path / "c", "other")
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b") != file_digest(tmp_path / "c")
    assert document_digest([1, 2]) != document_digest([2, 1])


def test_a_name_that_is_no_utf8_survives_json_and_is_refused_in_toml(tmp_path):
    name = os.fsdecode(b"/data/caf\xe9")
    write_json(tmp_path / "a.json", {"source": name})
    assert read_json(tmp_path / "a.json") == {"source": name}
    with pytest.raises(
        SettingOutOfRange, match=r"must hold names that are UTF-8, got 'source = \"/data/caf.udce9'\. Rename"
    ):
        write_toml(tmp_path / "a.toml", {"size": 3, "source": name})
    assert not (tmp_path / "a.toml").exists()


@pytest.mark.parametrize("name", ["vae-1", "a b", "é", "ein.name", "猫", "x" * 200])
def test_a_name_of_one_folder_has_no_trouble(name):
    assert name_trouble(name) is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "may not be empty"),
        (".", "may not begin with a dot"),
        ("..", "may not begin with a dot"),
        (".hidden", "may not begin with a dot"),
        ("../up", "may not begin with a dot"),
        ("/absolute", "may not hold any of"),
        ("a/b", "may not hold any of"),
        ("a\\b", "may not hold any of"),
        ("C:a", "may not hold any of"),
        (" a", "may not begin or end with a space"),
        ("a ", "may not begin or end with a space"),
        ("a.", "nor end with a dot"),
        ("a\0b", "may hold nothing that cannot be printed"),
        ("a\nb", "may hold nothing that cannot be printed"),
        ("a\x1b[2Jb", "may hold nothing that cannot be printed"),
        ("a\u202eb", "may hold nothing that cannot be printed"),
        ("a\udcffb", "may hold nothing that cannot be printed"),
        ("x" * 201, "may be at most 200 bytes long"),
        ("é" * 101, "may be at most 200 bytes long"),
        ("NUL", "may not be a device's on Windows"),
        ("com1.txt", "may not be a device's on Windows"),
    ],
)
def test_what_is_no_name_of_one_folder_is_told_why(name, rule):
    assert rule in name_trouble(name)


def test_a_place_is_named_after_where_a_path_leads(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert [place_name(path) for path in ("a.npy", "..", ".", "b/", "/")] == [
        "a.npy",
        tmp_path.name,
        "deep",
        "b",
        "root",
    ]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_at_the_place_of_a_file_stays_and_its_target_is_written(tmp_path, is_there):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    if is_there:
        write_text(target, "old")
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert [entry.name for entry in target.parent.iterdir()] == ["target"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_at_the_place_of_a_folder_stays_and_its_target_is_filled(tmp_path, is_there):
    target, link = tmp_path / "far" / "target", tmp_path / "link"
    if is_there:
        target.mkdir(parents=True)
    link.symlink_to(target)
    with atomic_folder(link) as partial:
        (partial / "a").write_text("new")
    assert link.is_symlink()
    assert (target / "a").read_text() == "new"
    assert [entry.name for entry in target.parent.iterdir()] == ["target"]


def test_a_folder_is_made_where_a_dangling_link_leads(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "far" / "target")
    make_folder(tmp_path / "link")
    assert (tmp_path / "far" / "target").is_dir()


@pytest.mark.parametrize("write", [lambda path: write_text(path, "new"), make_folder])
def test_links_in_a_circle_are_told_and_left_alone(tmp_path, write):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OutputNotWritable, match=r"a: must lead somewhere, got links that lead round in a circle\."):
        write(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()


@pytest.mark.parametrize(
    ("disk", "got"),
    [
        ({"f_files": 1000, "f_favail": 0, "f_bavail": 5}, "a disk with space but no free inodes. Delete files, many"),
        ({"f_files": 1000, "f_favail": 0, "f_bavail": 0}, "a full disk. Free some space"),
        ({"f_files": 1000, "f_favail": 7, "f_bavail": 0}, "a full disk. Free some space"),
        ({"f_files": 0, "f_favail": 0, "f_bavail": 5}, "a full disk. Free some space"),
    ],
)
def test_a_disk_without_inodes_is_told_from_one_without_space(tmp_path, monkeypatch, disk, got):
    monkeypatch.setattr("os.statvfs", lambda _place: SimpleNamespace(**disk))
    error = output_error(tmp_path / "not" / "there", OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(error, DiskFull)
    assert f"got {got}" in str(error)
