"""Batches: the same pixels in the same order wherever they are held, and a proper shuffle."""

import zlib

import numpy as np
import pytest
import torch

from zspace.errors import FileDamaged, StoreIncomplete
from zspace.images import loader
from zspace.images.loader import Holding, ImageBatches, choose_holding, cut, epoch_order
from zspace.images.pixels import StoredPixels

CPU = torch.device("cpu")
DISK = Holding("disk", "asked for by a test")
ROWS = np.array([0, 2, 3, 5, 8, 9, 11])


@pytest.fixture
def stored(tmp_path):
    """Images as a store keeps them: mapped from a file."""
    images = np.random.default_rng(1).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    checksums = np.array([zlib.crc32(image) for image in images], np.uint32)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    return StoredPixels(mapped, checksums, tuple(map(str, range(12))), tmp_path / "images.npy")


def test_a_batch_holds_the_right_pixels_scaled_to_one():
    images = np.zeros((3, 4, 4, 3), dtype=np.uint8)
    images[2, 1, 0] = (255, 51, 0)
    batch = ImageBatches(images, np.array([0, 2]), CPU).take(np.array([1]))
    assert batch.shape == (1, 3, 4, 4)
    assert batch[0, :, 1, 0].tolist() == pytest.approx([1.0, 0.2, 0.0])
    assert float(batch.sum()) == pytest.approx(1.2)


@pytest.mark.parametrize("n_ahead", [1, 3, 100])
def test_images_read_from_disk_are_those_held_in_memory_in_the_same_order(stored, monkeypatch, n_ahead):
    monkeypatch.setattr(loader, "_N_BATCHES_AHEAD", n_ahead)
    held, streamed = ImageBatches(stored, ROWS, CPU), ImageBatches(stored, ROWS, CPU, DISK)
    assert held.holding.place == "memory"
    batches = [*cut(epoch_order(len(ROWS), 1, 0), 2), np.array([], np.int64)]
    for one, other in zip(held.stream(batches), streamed.stream(batches), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(held.take(batches[0]), streamed.take(batches[0]))
    assert torch.equal(torch.cat(list(held.in_order(3))), torch.cat(list(streamed.in_order(3))))


def test_a_stream_that_is_left_early_leaves_no_thread_behind(stored):
    import threading

    stream = ImageBatches(stored, ROWS, CPU, DISK).stream(cut(np.arange(7), 1))
    next(stream)
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read")]


def test_a_store_that_was_cut_short_meanwhile_is_told(stored):
    batches = ImageBatches(stored, ROWS, CPU, DISK)
    with stored.path.open("r+b") as file:
        file.truncate(300)
    with pytest.raises(StoreIncomplete, match=r"must be a whole image store, got no pixels of image 8"):
        batches.take(np.array([4]))


def test_images_that_are_in_memory_anyway_stay_there():
    batches = ImageBatches(np.zeros((3, 8, 8, 3), np.uint8), np.arange(3), CPU, DISK)
    assert batches.holding == Holding("memory", "images are in memory already")
    assert batches.take(np.array([0])).shape == (1, 3, 8, 8)


def test_the_choice_follows_the_free_memory_and_gives_its_reason(monkeypatch):
    monkeypatch.setattr(loader, "free_memory", lambda: 10_000_000_000)
    assert choose_holding(5_000_000_000, CPU) == Holding("memory", "images held in memory: 5.00 GB of 10.00 GB free")
    assert choose_holding(5_000_000_001, CPU) == Holding(
        "disk", "images read from disk, ahead of each step: their 5.00 GB are more than half of the free memory"
    )


def test_a_gpu_holds_the_images_when_they_fit_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (8_000_000_000, 9_000_000_000))
    monkeypatch.setattr(loader, "free_memory", lambda: 40_000_000_000)
    cuda = torch.device("cuda")
    assert choose_holding(4_000_000_000, cuda) == Holding("device", "images held on the GPU: 4.00 GB of 8.00 GB free")
    assert choose_holding(5_000_000_000, cuda).place == "memory"


def test_every_order_of_an_epoch_is_equally_likely():
    orders = [tuple(epoch_order(3, seed, 0)) for seed in range(1200)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    # 6 orders, 200 expected of each: chi-squared with 5 degrees of freedom stays below 25.7 but once in 10,000.
    assert len(counts) == 6
    assert ((counts - 200) ** 2 / 200).sum() < 25.7
    assert not np.array_equal(epoch_order(50, 1, 0), epoch_order(50, 1, 1))


@pytest.mark.parametrize("holding", [None, DISK])
def test_a_damaged_image_reaches_no_model_and_one_that_is_not_used_harms_none(stored, holding):
    with stored.path.open("r+b") as file:
        file.seek(stored.offset + 8 * 192)
        file.write(bytes(192))
    with pytest.raises(FileDamaged, match="others in row 8, the image '8'"):
        list(ImageBatches(stored, ROWS, CPU, holding).in_order(2))
    assert len(list(ImageBatches(stored, ROWS[:4], CPU, holding).in_order(2))) == 2
