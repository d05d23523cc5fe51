"""One seed, many independent named streams of random numbers.

Every random act asks for the stream of its own name, so adding one act never changes the numbers of another, and a
resumed run needs no stored random state: the stream of epoch 7 is made from ``(seed, "order", 7)`` again.
"""

import hashlib

import numpy as np


def _words(seed: int, name: tuple[str | int, ...]) -> list[int]:
    digest = hashlib.blake2b(repr((seed, *name)).encode(), digest_size=16).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]


def random_stream(seed: int, *name: str | int) -> np.random.Generator:
    """Return the random stream of this name.

    Parameters
    ----------
    seed
        The seed of the study.
    name
        Words and counters that say what the numbers are for, such as ``"order", epoch``.

    Examples
    --------
    >>> first = random_stream(1, "order", 0).integers(100, size=3)
    >>> again = random_stream(1, "order", 0).integers(100, size=3)
    >>> bool((first == again).all())
    True
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(_words(seed, name))))


def stream_seed(seed: int, *name: str | int) -> int:
    """Return a 63-bit seed of this name, for libraries that take an integer.

    Examples
    --------
    >>> stream_seed(1, "weights") == stream_seed(1, "weights")
    True
    >>> stream_seed(1, "weights") == stream_seed(2, "weights")
    False
    """
    low, high, *_ = _words(seed, name)
    return (high << 32 | low) >> 1
