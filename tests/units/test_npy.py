import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from zspace.npy import NpyUnreadable, map_npy, npz_names, read_npz


def crafted(header: str) -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + bytes(5000)


class Harmful:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


HEADERS = {
    "{'descr':'|u1','fortran_order':False,'shape':(-5,32)}": r"negative side, uint8 \(-5, 32\)",
    "{'descr':'<f4','fortran_order':False,'shape':(4,2000000000,2000000000,3)}": "192,000,000,000,000,000,000 bytes",
    "{'descr':'|u1','fortran_order':False,'shape':(5001,1000)}": "5,001,000 bytes, before 5,000 bytes",
    "{'descr':'|u1','fortran_order':False,'shape':(99999999999999999999,0)}": "too large|dimension exceeded",
    "{'descr':'|S0','fortran_order':False,'shape':(99999999999,)}": "values of no bytes",
    "{'descr':[('a',)],'fortran_order':False,'shape':(5,)}": "a header that cannot be read",
    "{[]:1}": "a header that cannot be read",
    "(" * 3000: "a header that cannot be read",
    "-" * 9000 + "1": "a header that cannot be read",
    "\0": "a header that cannot be read",
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_crafted_header_is_one_reason_alone_and_in_an_archive(tmp_path, header):
    (tmp_path / "z.npy").write_bytes(crafted(header))
    with zipfile.ZipFile(tmp_path / "z.npz", "w") as archive:
        archive.writestr("z.npy", crafted(header))
    with pytest.raises(NpyUnreadable, match=HEADERS[header]):
        map_npy(tmp_path / "z.npy")
    with pytest.raises(NpyUnreadable, match=HEADERS[header]):
        read_npz(tmp_path / "z.npz", "z")


def test_objects_and_pickles_are_refused_unread(tmp_path):
    harmful = Harmful(tmp_path / "run")
    np.savez(tmp_path / "objects.npz", z=np.array([harmful], dtype=object))
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("z.npy", pickle.dumps(harmful))
    with pytest.raises(NpyUnreadable, match=r"Python objects, object \(1,\)"):
        read_npz(tmp_path / "objects.npz", "z")
    with pytest.raises(NpyUnreadable, match="the magic string is not correct"):
        read_npz(tmp_path / "raw.npz", "z")
    assert not harmful.mark.exists()


def test_a_wrong_checksum_a_cut_and_a_strange_method_are_told(tmp_path):
    points = np.arange(60_000, dtype=np.float32).reshape(-1, 6)
    whole = tmp_path / "z.npz"
    np.savez(whole, z=points, more=points)
    assert npz_names(whole) == ["z", "more"]
    assert (read_npz(whole, "z") == points).all()
    assert (read_npz(whole, "more") == points).all()

    damaged = bytearray(whole.read_bytes())
    damaged[1000] ^= 1
    whole.write_bytes(damaged)
    with pytest.raises(NpyUnreadable, match=r"Bad CRC-32 for file 'z.npy'"):
        read_npz(whole, "z")

    whole.write_bytes(damaged[:5000])
    with pytest.raises(NpyUnreadable, match="not a zip file"):
        npz_names(whole)
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("z.npy", crafted("{}"))
    with pytest.raises(NpyUnreadable, match="z packed by the method 12"):
        read_npz(whole, "z")


def test_what_numpy_writes_is_read_as_it_was(tmp_path):
    for points in (np.zeros((0, 3)), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(4, dtype=">i2")):
        np.save(tmp_path / "z.npy", points)
        np.savez_compressed(tmp_path / "z.npz", z=points)
        for read in (map_npy(tmp_path / "z.npy"), read_npz(tmp_path / "z.npz", "z")):
            assert read.dtype == points.dtype
            assert (read == points).all()
            assert read.shape == points.shape
