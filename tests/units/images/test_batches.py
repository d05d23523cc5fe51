import threading
import time
import warnings
import zlib

import cv2
import numpy as np
import pytest

from zspace.images.batches import Recipe, Room, finish_batches
from zspace.images.candidates import Candidate, Skipped
from zspace.images.fitting import crop_rule


def recipe(size=16) -> Recipe:
    return Recipe(crop_rule("square"), size, 1.0)


def refuse() -> bytes:
    raise Skipped("no good")


def candidates(encoded, picture, n=100):
    for row in range(n):
        data = encoded(picture(row))
        yield Candidate(f"{row}", refuse if row % 10 == 3 else lambda data=data: data, (float(row),))


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_order_and_content_do_not_depend_on_the_threads(encoded, picture, n_threads):
    batches = list(finish_batches(candidates(encoded, picture), recipe(), n_threads))
    names = [name for batch in batches for name in batch.names]
    assert names == [str(row) for row in range(100) if row % 10 != 3]
    assert [entry for batch in batches for entry in batch.skipped] == [
        (str(row), "no good") for row in range(3, 100, 10)
    ]
    for batch in batches:
        assert len(batch.images) == len(batch.names)
        assert list(batch.checksums) == [zlib.crc32(image.tobytes()) for image in batch.images]
        assert list(batch.attributes) == [float(name) for name in batch.names]
        assert list(batch.sides) == [40, 40] * len(batch.names)


def test_only_a_few_batches_are_read_ahead(encoded, picture):
    n_read = 0

    def counted():
        nonlocal n_read
        for candidate in candidates(encoded, picture, 1000):
            n_read += 1
            yield candidate

    batches = finish_batches(counted(), recipe(), 2)
    first = next(batches)
    assert len(first.names) + len(first.skipped) == 32
    assert n_read <= 5 * 32
    batches.close()


def test_heavy_candidates_and_large_stores_make_small_batches(encoded, picture):
    data = encoded(picture(1))
    heavy = (Candidate("a", lambda: data, n_bytes=3 << 20) for _ in range(6))
    assert [len(batch.names) for batch in finish_batches(heavy, recipe(), 1)] == [2, 2, 2]
    light = (Candidate("a", lambda: data) for _ in range(3))
    assert [len(batch.names) for batch in finish_batches(light, recipe(1000), 1)] == [1, 1, 1]


def test_closing_stops_the_threads_at_the_next_image():
    def slow() -> bytes:
        time.sleep(0.02)
        return refuse()

    batches = finish_batches((Candidate("a", slow) for _ in range(10_000)), recipe(), 2)
    next(batches)
    started = time.monotonic()
    batches.close()
    assert time.monotonic() - started < 0.5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pack")]


def test_an_error_inside_a_thread_comes_out_and_opencv_is_as_before():
    def fail() -> bytes:
        raise RuntimeError("not a matter of the file")

    before = cv2.getNumThreads(), cv2.utils.logging.getLogLevel()
    with pytest.raises(RuntimeError, match="not a matter of the file"):
        list(finish_batches(iter([Candidate("a", fail)]), recipe(), 2))
    assert (cv2.getNumThreads(), cv2.utils.logging.getLogLevel()) == before


def test_pixels_need_no_decoding(picture):
    (batch,) = finish_batches(iter([Candidate("a", lambda: picture(1, 16, 16))]), recipe(), 1)
    np.testing.assert_array_equal(batch.images[0], picture(1, 16, 16))


def test_warnings_of_pillow_are_silent():
    def warn() -> bytes:
        warnings.warn_explicit("odd file", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
        return refuse()

    (batch,) = finish_batches(iter([Candidate("a", warn)]), recipe(), 1)
    assert batch.skipped == [("a", "no good")]


def test_large_images_wait_for_room():
    room = Room(100)
    order = []

    def take(name, n_pixels):
        with room.taken(n_pixels):
            order.append(f"{name} in")
            time.sleep(0.1)
            order.append(f"{name} out")

    threads = [threading.Thread(target=take, args=(name, 1000)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


def test_heavy_candidates_are_not_held_together(picture):
    """Held bytes are let go before more are read, however many threads there are."""
    held = [0]

    class Heavy:
        def __init__(self) -> None:
            held[0] += 1

        def __call__(self) -> np.ndarray:
            return picture(1)

        def __del__(self) -> None:
            held[0] -= 1

    def heavy():
        for row in range(5):
            assert held[0] == 0, row
            yield Candidate(f"{row}", Heavy(), n_bytes=300 << 20)

    assert [batch.names for batch in finish_batches(heavy(), recipe(), 8)] == [[f"{row}"] for row in range(5)]
