"""Checkpoints: whole or not there, and only for the run they belong to."""

import pytest
import torch

from zspace.checkpoints import load_tensors, newest_checkpoint, save_checkpoint, save_tensors
from zspace.errors import FileDamaged

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3.5, dtype=torch.float64)}


def facts(epoch, step=0, trajectory="this"):
    return {"trajectory": trajectory, "position": {"epoch": epoch, "step": step}}


def test_tensors_and_facts_come_back_as_they_were(tmp_path):
    save_tensors(tmp_path / "a.safetensors", TENSORS, {"n": 1})
    tensors, found = load_tensors(tmp_path / "a.safetensors")
    assert found == {"n": 1}
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_a_flipped_bit_and_a_short_file_are_noticed(tmp_path):
    path = tmp_path / "a.safetensors"
    save_tensors(path, TENSORS, {})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FileDamaged, match=r"must be a whole safetensors file, got other bytes than were written\."):
        load_tensors(path)
    path.write_bytes(whole[:-5])
    with pytest.raises(
        FileDamaged, match=r"a\.safetensors: must be a whole safetensors file, got .* Delete it and run"
    ):
        load_tensors(path)


def test_the_newest_whole_checkpoint_of_this_run_is_found(tmp_path):
    for step in (1, 2, 3):
        save_checkpoint(tmp_path, step, TENSORS, facts(0, step))
    assert len(list(tmp_path.iterdir())) == 2
    assert newest_checkpoint(tmp_path, "this", 5)[1]["position"]["step"] == 3
    newest = tmp_path / "step-000000003.safetensors"
    newest.write_bytes(newest.read_bytes()[:-8])
    assert newest_checkpoint(tmp_path, "this", 5)[1]["position"]["step"] == 2


def test_checkpoints_of_another_run_or_from_beyond_the_end_are_no_use(tmp_path):
    assert newest_checkpoint(tmp_path / "none", "this", 5) is None
    save_checkpoint(tmp_path, 9, TENSORS, facts(5))
    assert newest_checkpoint(tmp_path, "other", 5) is None
    assert newest_checkpoint(tmp_path, "this", 4) is None
    assert newest_checkpoint(tmp_path, "this", 5) is not None
    save_checkpoint(tmp_path, 10, TENSORS, facts(5, step=1))
    assert newest_checkpoint(tmp_path, "this", 5)[1]["position"]["step"] == 0
