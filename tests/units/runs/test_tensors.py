"""Arrays as safetensors files: whole, those that were written, and the same bytes each time."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from zspace.errors import FileDamaged
from zspace.runs.tensors import load_arrays, save_arrays

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.array(3.5), "c": np.zeros((0, 4), np.int64)}


def test_tensors_and_facts_come_back_as_they_were(tmp_path):
    save_arrays(tmp_path / "a.safetensors", ARRAYS, {"n": 1})
    arrays, found = load_arrays(tmp_path / "a.safetensors")
    assert found == {"n": 1}
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


def test_a_flipped_bit_and_a_short_file_are_noticed(tmp_path):
    path = tmp_path / "a.safetensors"
    save_arrays(path, ARRAYS, {})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FileDamaged, match=r"must be a whole safetensors file, got other bytes than were written\."):
        load_arrays(path)
    path.write_bytes(whole[:-5])
    with pytest.raises(
        FileDamaged, match=r"a\.safetensors: must be a whole safetensors file, got .* Delete it and run"
    ):
        load_arrays(path)


def test_shapes_and_types_come_back_and_equal_arrays_are_equal_bytes(tmp_path):
    written = set()
    for turn in range(8):
        path = tmp_path / f"{turn}.safetensors"
        digest = save_arrays(path, dict(sorted(ARRAYS.items(), reverse=turn % 2 == 0)), {"n": 1, "m": 2})
        written.add(path.read_bytes())
    assert len(written) == 1
    arrays, _ = load_arrays(path, digest)
    assert {name: (array.shape, array.dtype) for name, array in arrays.items()} == {
        name: (array.shape, array.dtype) for name, array in ARRAYS.items()
    }


def test_a_whole_file_of_other_arrays_is_noticed_where_the_digest_is_on_record(tmp_path):
    digest = save_arrays(tmp_path / "a.safetensors", ARRAYS, {})
    save_arrays(tmp_path / "a.safetensors", {**ARRAYS, "b": np.array(4.5)}, {})
    with pytest.raises(FileDamaged, match=r"got a whole file, but another one than results\.json tells of\. Delete it"):
        load_arrays(tmp_path / "a.safetensors", digest)


@pytest.mark.parametrize("metadata", [None, {"zspace": "[]"}, {"zspace": '{"digest": 1, "facts": 3}'}, {"zspace": "{"}])
def test_a_file_of_another_program_is_told(tmp_path, metadata):
    save_file({"a": np.zeros(3)}, tmp_path / "a.safetensors", metadata)
    with pytest.raises(FileDamaged, match=r"got one without zspace's own facts\."):
        load_arrays(tmp_path / "a.safetensors")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileDamaged, match=r"none\.safetensors: must be a whole safetensors file, got "):
        load_arrays(tmp_path / "none.safetensors")
