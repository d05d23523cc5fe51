"""Checkpoints: whole or not there, and each training's own, whatever else lies in the folder."""

from dataclasses import replace

import numpy as np
import pytest

from zspace.files import document_digest
from zspace.records import to_mapping
from zspace.runs.checkpoints import Checkpoints
from zspace.runs.tensors import load_arrays, load_facts, save_arrays
from zspace.states import Position, State

MINE, YOURS = "a" * 32, "b" * 32
STEPS_PER_EPOCH = 10


def state(n_steps, value=0.0):
    epoch, step = divmod(n_steps, STEPS_PER_EPOCH)
    return State({"weights": np.full((2, 3), value + n_steps)}, Position(epoch=epoch, step=step), n_steps)


def anything(_state):
    return True


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.safetensors"))


def steps(folder):
    return [int(name.removeprefix("step-").removesuffix(".safetensors")) for name in names(folder) if "/" not in name]


def assert_same(one, other):
    assert one.position == other.position
    assert one.n_steps_done == other.n_steps_done
    assert one.arrays.keys() == other.arrays.keys()
    assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


@pytest.fixture
def mine(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", MINE)


@pytest.fixture
def yours(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", YOURS)


def test_the_newest_whole_checkpoint_is_found_and_two_stay(mine):
    for n_steps in (1, 2, 3):
        mine.save(state(n_steps))
    assert steps(mine.folder) == [2, 3]
    assert_same(mine.newest(anything), state(3))
    newest = mine.folder / "step-000000003.safetensors"
    newest.write_bytes(newest.read_bytes()[:-8])
    assert_same(mine.newest(anything), state(2))
    assert mine.newest(lambda found: found.n_steps_done < 2) is None


def test_what_a_longer_training_left_crowds_nothing_out(mine):
    for n_steps in (80, 90, 100, 1, 2, 3):
        mine.save(state(n_steps))
    assert steps(mine.folder) == [2, 3, 90, 100]
    assert_same(mine.newest(lambda found: found.n_steps_done <= 50), state(3))
    mine.save(state(95))
    assert steps(mine.folder) == [90, 95, 100]


def test_another_training_is_set_aside_and_comes_back_whole(mine, yours):
    mine.save(state(50))
    mine.keep(state(50))
    assert [folder.name for folder in yours.gather()] == ["other-aaaaaaaaaaaa"]
    assert yours.newest(anything) is None
    assert yours.kept() == {}
    for n_steps in (1, 2, 3):
        yours.save(state(n_steps, 0.5))
    assert steps(yours.folder) == [2, 3]
    assert_same(yours.newest(anything), state(3, 0.5))

    assert [folder.name for folder in mine.gather()] == ["other-bbbbbbbbbbbb"]
    assert_same(mine.newest(anything), state(50))
    assert_same(mine.at_epoch(5), state(50))
    assert names(mine.folder) == [
        "epoch-0005.safetensors",
        "other-bbbbbbbbbbbb/step-000000002.safetensors",
        "other-bbbbbbbbbbbb/step-000000003.safetensors",
        "step-000000050.safetensors",
    ]
    assert not (mine.folder / "other-aaaaaaaaaaaa").exists()


@pytest.mark.parametrize("n_moves", range(5))
def test_a_kill_between_two_moves_leaves_an_order_that_the_next_start_mends(mine, yours, monkeypatch, n_moves):
    for n_steps in (40, 50):
        mine.save(state(n_steps))
    mine.keep(state(50))
    yours.gather()
    for n_steps in (40, 50):
        yours.save(state(n_steps, 0.5))

    class Killed(BaseException):
        pass

    path_type, moved = type(mine.folder), []
    replace_file = path_type.replace

    def move(path, target):
        if len(moved) == n_moves:
            raise Killed
        moved.append(path)
        return replace_file(path, target)

    monkeypatch.setattr(path_type, "replace", move)
    with pytest.raises(Killed):
        mine.gather()
    monkeypatch.undo()
    for own, other in ((yours, mine), (mine, yours), (yours, mine)):
        (aside,) = own.gather()
        value = 0.5 if own is yours else 0.0
        assert aside.name == f"other-{other.trajectory[:12]}"
        assert_same(own.newest(anything), state(50, value))
        assert len(names(own.folder)) == 5
        assert list(own.kept()) == ([] if own is yours else [5])


def test_a_finished_training_deletes_the_steps_of_others_and_no_kept_epoch(mine, yours):
    yours.save(state(50))
    yours.keep(state(50))
    Checkpoints(mine.folder, "c" * 32).gather()
    Checkpoints(mine.folder, "c" * 32).save(state(7))
    mine.gather()
    mine.save(state(1))
    assert [path.name for path in mine.forget_others()] == ["other-bbbbbbbbbbbb", "other-cccccccccccc"]
    assert names(mine.folder) == ["other-bbbbbbbbbbbb/epoch-0005.safetensors", "step-000000001.safetensors"]
    assert not (mine.folder / "other-cccccccccccc").exists()
    assert mine.forget_others() == []


def test_epochs_that_have_passed_are_kept_as_far_as_their_states_are_there(mine):
    for n_steps in (20, 25, 30):
        mine.save(state(n_steps))
    mine.save(state(33))
    assert mine.keep_passed(1, 3) == [1, 2]
    assert_same(mine.at_epoch(3), state(30))
    assert mine.keep_passed(3, 3) == []
    assert mine.keep_passed(0, 3) == []
    assert mine.at_epoch(2) is None


def rewritten(path, **changes):
    """Write other facts with a fitting digest into a checkpoint, as nobody but a vandal would."""
    arrays, facts = load_arrays(path)
    facts = {name: value for name, value in {**facts, **changes}.items() if name != "digest"}
    save_arrays(path, arrays, {**facts, "digest": document_digest(facts)})


POSITION = to_mapping(Position(epoch=6))


@pytest.mark.parametrize(
    "changes",
    [
        {"position": None},
        {"position": []},
        {"position": 5},
        {"position": {**POSITION, "epoch": "6"}},
        {"position": {**POSITION, "epoch": -1}},
        {"position": {**POSITION, "step": 1.5}},
        {"position": {**POSITION, "epoch_seconds": 10**400}},
        {"position": {**POSITION, "changes": [[1]]}},
        {"position": {**POSITION, "changes": [[1, None]]}},
        {"position": {**POSITION, "history": [{}]}},
        {"position": {**POSITION, "history": {"a": 1}}},
        {"position": {**POSITION, "rollbacks": [3]}},
        {"position": {**POSITION, "guard": {"seen": {"loss": ["much"]}}}},
        {"position": {**POSITION, "unknown": 1}},
        {"trajectory": None},
        {"trajectory": "../../../elsewhere"},
        {"n_steps_done": "many"},
        {"n_steps_done": -3},
        {"extra": 1},
    ],
    ids=str,
)
def test_facts_that_no_training_writes_are_passed_over(mine, changes):
    for n_steps in (50, 60):
        mine.save(state(n_steps))
    rewritten(mine.folder / "step-000000060.safetensors", **changes)
    mine.gather()
    assert_same(mine.newest(anything), state(50))
    mine.save(state(55))
    assert_same(mine.newest(anything), state(55))
    assert {path.parent.name for path in mine.folder.parent.rglob("*.safetensors")} <= {
        "checkpoints",
        "other-unreadable",
    }


def test_a_number_changed_in_the_facts_is_noticed(mine):
    for n_steps in (50, 60):
        mine.save(state(n_steps))
    path = mine.folder / "step-000000060.safetensors"
    arrays, facts = load_arrays(path)
    save_arrays(path, arrays, {**facts, "position": {**facts["position"], "epoch_seconds": 9.0}})
    assert_same(mine.newest(anything), state(50))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\xff" * 64], ids=["empty", "text", "bytes"])
def test_files_that_are_no_checkpoints_are_set_aside_and_left_alone(mine, content):
    mine.save(state(50))
    for name in ("step-000000099", "epoch-0009", "epoch-nine", "step-"):
        (mine.folder / f"{name}.safetensors").write_bytes(content)
    (mine.folder / "step-000000070.safetensors").mkdir()
    assert [folder.name for folder in mine.gather()] == ["other-unreadable"]
    assert_same(mine.newest(anything), state(50))
    assert mine.kept() == {}
    mine.save(state(51))
    assert (mine.folder / "epoch-nine.safetensors").read_bytes() == content


def test_the_facts_alone_can_be_read(mine):
    mine.save(state(50))
    path = mine.folder / "step-000000050.safetensors"
    assert load_facts(path)["n_steps_done"] == 50
    rewritten(path, position=to_mapping(replace(state(50).position, step=1)))
    assert load_facts(path)["position"]["step"] == 1
