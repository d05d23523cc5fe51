import zlib

import numpy as np

from zspace.images.duplicates import find_originals


def test_copies_point_at_the_first_of_their_kind(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    images[[3, 5]] = images[1]
    images[4] = images[0]
    np.save(tmp_path / "images.npy", images)
    checksums = np.array([zlib.crc32(image) for image in images], np.uint32)
    assert find_originals(checksums, tmp_path / "images.npy").tolist() == [0, 1, 2, 1, 0, 1]


def test_an_equal_checksum_alone_makes_no_duplicate(tmp_path):
    images = np.random.default_rng(2).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    images[3] = images[1]
    np.save(tmp_path / "images.npy", images)
    assert find_originals(np.zeros(4, np.uint32), tmp_path / "images.npy").tolist() == [0, 1, 2, 1]
