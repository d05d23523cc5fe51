"""Candidates to finished pixels on all cores: batches in, batches out, in the same order whatever the threads do."""

from __future__ import annotations

import threading
import warnings
import zlib
from array import array
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import cv2
import numpy as np

from zspace.images.candidates import Candidate, Skipped
from zspace.images.decoding import decode_image, read_header
from zspace.images.fitting import Crop, fit_image
from zspace.shapes import Image, Images

_MOST_AT_ONCE = 32
_MOST_BYTES_AT_ONCE = 4 << 20
_LARGE_BYTES = 6 << 20
_ROOM_BYTES = 450 << 20
_MOST_BYTES_WAITING = 256 << 20


class Room:
    """Lets large images be decoded side by side only as far as they fit in memory together.

    Parameters
    ----------
    n_bytes
        How much decoding may take at one time; a larger image is still decoded, alone.
    """

    def __init__(self, n_bytes: int) -> None:
        self._all = self._free = n_bytes
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, n_bytes: int) -> Iterator[None]:
        """Wait until there is room for this many bytes, and keep it while the block runs."""
        n_taken = min(n_bytes, self._all)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= n_taken)
            self._free -= n_taken
        try:
            yield
        finally:
            with self._changed:
                self._free += n_taken
                self._changed.notify_all()


@dataclass(frozen=True)
class Recipe:
    """What happens to every image."""

    crop: Crop
    size: int
    max_megapixels: float
    room: Room = field(default_factory=lambda: Room(_ROOM_BYTES))
    """For pixels."""
    reading_room: Room = field(default_factory=lambda: Room(_ROOM_BYTES))
    """For what is read; apart from that for pixels, so that no image waits for one that waits for it."""
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass
class Batch:
    """Images that were finished together, and the candidates among them that were skipped."""

    images: Images
    names: list[str] = field(default_factory=list)
    checksums: array[int] = field(default_factory=lambda: array("I"))
    """CRC-32 of the stored pixels. A digest that no two images share would take a tenth of the time of decoding."""
    sides: array[int] = field(default_factory=lambda: array("i"))
    """Width and height of each original."""
    attributes: array[float] = field(default_factory=lambda: array("f"))
    n_upscaled: int = 0
    brightest: int = 0
    """The largest value of all pixels."""
    masks: list[str] = field(default_factory=list)
    """Names of the images that hold nothing above 1, and something there."""
    skipped: list[tuple[str, str]] = field(default_factory=list)


def finish_batches(candidates: Iterator[Candidate], recipe: Recipe, n_threads: int) -> Generator[Batch]:
    """Yield the finished batches in the order of the candidates.

    Parameters
    ----------
    candidates
        Read on the calling thread, at most a few batches ahead.
    recipe
        What to do with each.
    n_threads
        How many to work on at a time; the result does not depend on it.

    Cost
    ----
    Memory for `n_threads` + 2 batches of at most 32 images, or 4 MiB before and 4 MiB after decoding, or one image, but
    no more than 256 MiB and one image of what waits to be decoded; and twice 450 MiB for large images that are being
    read from a zip and decoded, or one of them.
    """
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="pack")
    waiting: deque[tuple[int, Future[Batch]]] = deque()
    n_bytes_waiting = 0
    try:
        with _quiet_libraries():
            for n_bytes, batch in _in_batches(candidates, recipe.size):
                waiting.append((n_bytes, pool.submit(_finish, batch, recipe)))
                n_bytes_waiting += n_bytes
                del batch  # it would be held while the next is read, and may be one image of 400 MB
                while waiting and (len(waiting) > n_threads + 1 or n_bytes_waiting > _MOST_BYTES_WAITING):
                    n_bytes_finished, finished = waiting.popleft()
                    yield finished.result()
                    n_bytes_waiting -= n_bytes_finished
            while waiting:
                yield waiting.popleft()[1].result()
    finally:
        recipe.stopped.set()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """Keep OpenCV to one thread, since every core has an image of its own, and silent about files that are skipped."""
    n_threads, log_level = cv2.getNumThreads(), cv2.utils.logging.getLogLevel()
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    finally:
        cv2.setNumThreads(n_threads)
        cv2.utils.logging.setLogLevel(log_level)


def _in_batches(candidates: Iterable[Candidate], size: int) -> Iterator[tuple[int, list[Candidate]]]:
    n_most = max(1, min(_MOST_AT_ONCE, _MOST_BYTES_AT_ONCE // (3 * size**2)))
    batch: list[Candidate] = []
    n_bytes = 0
    for candidate in candidates:
        batch.append(candidate)
        n_bytes += candidate.n_bytes
        if len(batch) == n_most or n_bytes >= _MOST_BYTES_AT_ONCE:
            del candidate
            yield n_bytes, batch
            batch, n_bytes = [], 0
    if batch:
        yield n_bytes, batch


def _finish(candidates: list[Candidate], recipe: Recipe) -> Batch:
    batch = Batch(np.empty((len(candidates), recipe.size, recipe.size, 3), np.uint8))
    for candidate in candidates:
        if recipe.stopped.is_set():
            break
        try:
            _finish_one(candidate, recipe, batch)
        except Skipped as skipped:
            batch.skipped.append((candidate.name, skipped.reason))
    batch.images = batch.images[: len(batch.names)]
    batch.brightest = int(batch.images.max(initial=0))
    return batch


def _finish_one(candidate: Candidate, recipe: Recipe, batch: Batch) -> None:
    with _taken(recipe.reading_room, candidate.n_bytes_read):
        content = candidate.read()
        if isinstance(content, bytes):
            header = read_header(content, recipe.max_megapixels)
            with _taken(recipe.room, header.peak_bytes):
                _add(candidate, decode_image(content, header), recipe, batch)
        else:
            _add(candidate, content, recipe, batch)


def _taken(room: Room, n_bytes: int) -> AbstractContextManager[None]:
    return room.taken(n_bytes) if n_bytes > _LARGE_BYTES else nullcontext()


def _add(candidate: Candidate, pixels: Image, recipe: Recipe, batch: Batch) -> None:
    stored = batch.images[len(batch.names)]
    was_upscaled = fit_image(pixels, recipe.crop, stored)
    batch.names.append(candidate.name)
    batch.checksums.append(zlib.crc32(stored))
    batch.sides.extend((pixels.shape[1], pixels.shape[0]))
    batch.attributes.extend(candidate.attributes)
    batch.n_upscaled += was_upscaled
    if pixels.max(initial=0) == 1:
        batch.masks.append(candidate.name)
