"""Arrays in files of other programs: rare kinds of numbers are read, damage is one line."""

import json
import struct
import zipfile

import numpy as np
import pytest
import torch
import zarr
from safetensors.torch import save_file

from zspace.errors import LatentsUnreadable
from zspace.latents import Selection, read_latents_file
from zspace.latents import arrays as arrays_module

POINTS = np.random.default_rng(1).standard_normal((20, 3)).astype(np.float32)


def refusal(path, **asked):
    with pytest.raises(LatentsUnreadable) as caught:
        read_latents_file(path, Selection(**asked))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_short_numbers_are_read_exactly(tmp_path, kind):
    given = torch.tensor(np.ldexp(POINTS, np.arange(20)[:, None] - 10)).to(kind)
    save_file({"emb": given}, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(read_latents_file(tmp_path / "a.safetensors").z, given.float().numpy())


def test_every_byte_of_float8_means_what_torch_says(tmp_path):
    every = torch.arange(256, dtype=torch.uint8).reshape(2, 128)
    for kind in (torch.float8_e4m3fn, torch.float8_e5m2):
        save_file({"emb": every.view(kind)}, tmp_path / "a.safetensors")
        np.testing.assert_array_equal(read_latents_file(tmp_path / "a.safetensors").z, every.view(kind).float().numpy())


def write_safetensors(path, header, values=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return path


def tensor(kind, shape, first, last):
    return {"dtype": kind, "shape": shape, "data_offsets": [first, last]}


def test_a_tensor_that_cannot_be_read_hinders_no_other(tmp_path):
    header = {"w": tensor("F8_E8M0", [4], 0, 4), "z": tensor("F32", [20, 3], 4, 244)}
    path = write_safetensors(tmp_path / "a.safetensors", header, bytes(4) + POINTS.tobytes())
    np.testing.assert_array_equal(read_latents_file(path).z, POINTS)
    assert "w: must be a whole array of known numbers, got numbers of the kind F8_E8M0" in refusal(path, array="w")


LYING = {
    "offset": {"z": tensor("F32", [20, 3], 0, 10**12)},
    "overflow": {"z": tensor("F32", [2**40, 2**40], 0, 240)},
    "-20": {"z": tensor("F32", [-20, -3], 0, 240)},
    "a name twice": b'{"z": %b, "z": %b}' % ((json.dumps(tensor("F32", [20, 3], 0, 240)).encode(),) * 2),
    "UTF-8": b'{"\xff": %b}' % json.dumps(tensor("F32", [20, 3], 0, 240)).encode(),
    "header": b"{" * 300,
}


@pytest.mark.parametrize("reason", LYING)
def test_a_lying_header_is_one_line(tmp_path, reason):
    message = refusal(write_safetensors(tmp_path / "a.safetensors", LYING[reason], POINTS.tobytes()))
    assert "must be a whole file of the kind .safetensors" in message
    assert reason in message


def test_members_of_an_archive_that_are_no_arrays_hinder_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", z=POINTS, objects=np.array([{}], dtype=object))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("readme.txt", "hello")
        archive.writestr("other.npy", "no array")
    np.testing.assert_array_equal(read_latents_file(tmp_path / "a.npz").z, POINTS)
    assert "objects: must hold real numbers, got object" in refusal(tmp_path / "a.npz", array="objects")
    assert "the magic string is not correct" in refusal(tmp_path / "a.npz", array="other")


def test_an_archive_with_another_checksum_is_one_line(tmp_path):
    np.savez(tmp_path / "a.npz", z=np.tile(POINTS, (1000, 1)))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[100_000] ^= 255
    (tmp_path / "a.npz").write_bytes(content)
    assert "a.npz, z: must be a whole file of the kind .npz, got Bad CRC-32" in refusal(tmp_path / "a.npz")


def test_an_array_larger_than_the_memory_is_refused_unread(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "a.npz", z=np.zeros((10_000, 64), np.float32))
    monkeypatch.setattr(arrays_module, "free_memory", lambda: 2_000_000)
    assert "a.npz, z: must fit into memory, got 0.0 GB where 0.0 GB are free" in refusal(tmp_path / "a.npz")


def npy(folder, values):
    np.save(folder / "a.npy", values)
    return folder / "a.npy"


def test_arrays_that_are_no_points_are_named(tmp_path):
    for values, got in (
        (np.float64(1), r"got shape ()"),
        (np.zeros((4, 2), bool), "must hold real numbers, got bool"),
        (np.zeros((4, 2), "M8[s]"), "must hold real numbers, got datetime64[s]"),
        (np.zeros((4, 2), [("a", "f4")]), "must hold real numbers, got [('a', '<f4')]"),
        (np.array([["a", "b"]]), "must hold real numbers, got <U1"),
    ):
        assert got in refusal(npy(tmp_path, values))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_and_orders_of_npy_are_read(tmp_path, version):
    for values in (POINTS, np.asfortranarray(POINTS), POINTS.astype(">f4")):
        with (tmp_path / "a.npy").open("wb") as file:
            np.lib.format.write_array(file, values, version)
        np.testing.assert_array_equal(read_latents_file(tmp_path / "a.npy").z, POINTS)


@pytest.fixture(params=[2, 3])
def chunked(tmp_path, request):
    array = zarr.create_array(tmp_path / "a.zarr", shape=(20, 3), chunks=(5, 3), dtype="f4", zarr_format=request.param)
    array[:] = POINTS
    return tmp_path / "a.zarr"


def chunk(path):
    return path / "c" / "1" / "0" if (path / "c").is_dir() else path / "1.0"


def test_zarr_of_both_versions_is_read_and_chunks_that_are_not_there_are_told(chunked):
    np.testing.assert_array_equal(read_latents_file(chunked).z, POINTS)
    chunk(chunked).unlink()
    found = read_latents_file(chunked)
    assert not found.z[5:10].any()
    assert found.notes == ("1 of 4 chunks of a are not there: their values are the fill value 0.0",)


def test_a_cut_chunk_is_one_line(chunked):
    chunk(chunked).write_bytes(chunk(chunked).read_bytes()[:10])
    assert "a.zarr, a: must be a whole file of the kind Zarr" in refusal(chunked)


def metadata(path):
    return path / "zarr.json" if (path / "zarr.json").is_file() else path / ".zarray"


@pytest.mark.parametrize("side", [-5, 10**12])
def test_shapes_that_cannot_be_are_one_line(chunked, side):
    known = json.loads(metadata(chunked).read_text())
    metadata(chunked).write_text(json.dumps({**known, "shape": [side, 3]}))
    assert ("must fit into memory" if side > 0 else "must be a whole file of the kind Zarr") in refusal(chunked)


def test_metadata_that_is_damaged_or_of_another_shape_is_one_line(chunked):
    whole = metadata(chunked).read_text()
    for text in (whole[:40], "[]", "7", whole.replace('"zstd"', '"unknown"')):
        metadata(chunked).write_text(text)
        assert "must be a whole file of the kind Zarr" in refusal(chunked)


def test_an_array_of_a_group_that_cannot_be_read_hinders_no_other(tmp_path):
    group = zarr.create_group(tmp_path / "g.zarr")
    for name in ("z", "w"):
        group.create_array(name, data=POINTS)
    known = json.loads((tmp_path / "g.zarr" / "w" / "zarr.json").read_text())
    (tmp_path / "g.zarr" / "w" / "zarr.json").write_text(json.dumps({**known, "data_type": "bfloat16"}))
    np.testing.assert_array_equal(read_latents_file(tmp_path / "g.zarr").z, POINTS)
    assert "w: must be a whole array of known numbers" in refusal(tmp_path / "g.zarr", array="w")


def test_a_group_without_arrays_is_refused(tmp_path):
    zarr.create_group(tmp_path / "g.zarr")
    assert "must hold one array, or one of a usual name, got none" in refusal(tmp_path / "g.zarr")
