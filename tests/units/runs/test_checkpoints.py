"""Checkpoints: whole or not there, and only for the run they belong to."""

import numpy as np

from zspace.runs.checkpoints import newest_checkpoint, save_checkpoint

TENSORS = {"a": np.arange(6.0).reshape(2, 3)}


def facts(epoch, step=0, trajectory="this"):
    return {"trajectory": trajectory, "position": {"epoch": epoch, "step": step}}


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
