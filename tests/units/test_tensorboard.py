"""TensorBoard's files: they hold the history, once, whatever was written before."""

import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zspace import tensorboard
from zspace.errors import LibraryMissing
from zspace.results import EpochRecord, LossParts
from zspace.tensorboard import require_tensorboard, write_tensorboard


def row(epoch, loss):
    parts = LossParts(total=loss, reconstruction=loss - 1, divergence=2.0, mean_radius=16.0)
    return EpochRecord(epoch, 100 * epoch, parts, None, 0.5, 3.0, 1.0)


def test_each_epoch_stands_there_once_after_every_rewriting(tmp_path):
    folder = tmp_path / "tensorboard"
    write_tensorboard(folder, [row(1, 10.0)])
    write_tensorboard(folder, [row(1, 9.0), row(2, 8.0)])
    events = EventAccumulator(str(folder))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/training")] == [(100, 9.0), (200, 8.0)]
    assert events.Scalars("KL share/training")[0].value == pytest.approx(1 / 9)
    assert set(events.Tags()["scalars"]) == {
        "loss/training",
        "reconstruction/training",
        "KL divergence/training",
        "KL share/training",
        "KL weight/training",
        "mean radius/training",
        "largest gradient/training",
    }


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch):
    require_tensorboard()
    monkeypatch.setattr(tensorboard, "find_spec", lambda _name: None)
    with pytest.raises(LibraryMissing, match=r"needs the package tensorboard.*pip install 'zspace\[tensorboard\]'"):
        require_tensorboard()
    assert "zspace.tensorboard" in sys.modules
