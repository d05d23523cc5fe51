import numpy as np
import pytest

from zspace.errors import NoImagesFound, SourceUnreadable
from zspace.images.arrays import open_array

MEGABYTE = 1 << 20
RNG = np.random.default_rng(1)
BYTES = RNG.integers(0, 256, (5, 9, 10, 3), dtype=np.uint8)


def saved(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    return tmp_path / "a.npy"


def pixels_of(source) -> np.ndarray:
    with source.open() as candidates:
        return np.stack([candidate.read() for candidate in candidates])


def test_bytes_stay_as_they_are_and_rows_are_named_by_number(tmp_path):
    source = open_array(saved(tmp_path, BYTES), MEGABYTE)
    np.testing.assert_array_equal(pixels_of(source), BYTES)
    with source.open() as candidates:
        assert [candidate.name for candidate in candidates][1] == "a/000000001"
    assert source.expected(0) == 5
    assert source.notes == ()


@pytest.mark.parametrize("shape", [(5, 9, 10), (5, 9, 10, 1)])
def test_grey_arrays_become_three_channels(tmp_path, shape):
    grey = BYTES[..., 0].reshape(shape)
    np.testing.assert_array_equal(
        pixels_of(open_array(saved(tmp_path, grey), MEGABYTE)), np.repeat(BYTES[..., :1], 3, axis=3)
    )


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
@pytest.mark.parametrize(
    ("scale", "offset", "words"),
    [(1 / 255, 0, "0 being black and 1 white"), (2 / 255, -1, "-1 being black and 1 white")],
)
def test_floats_are_scaled_by_the_range_of_the_whole_array(tmp_path, dtype, scale, offset, words):
    values = (BYTES * scale + offset).astype(dtype)
    source = open_array(saved(tmp_path, values), MEGABYTE)
    assert np.abs(pixels_of(source).astype(int) - BYTES).max() <= (1 if dtype == "<f2" else 0)
    assert words in source.notes[0]


def test_floats_up_to_255_are_bytes(tmp_path):
    source = open_array(saved(tmp_path, BYTES.astype(np.float32)), MEGABYTE)
    np.testing.assert_array_equal(pixels_of(source), BYTES)
    assert "0 being black and 255 white" in source.notes[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused_with_their_row(tmp_path, bad):
    values = BYTES.astype(np.float32)
    values[3, 2, 1, 0] = bad
    with pytest.raises(SourceUnreadable, match="must hold finite numbers, got NaN or infinity in row 3"):
        open_array(saved(tmp_path, values), MEGABYTE)


@pytest.mark.parametrize(("low", "high"), [(-2, 1), (0, 300), (-1, 255)])
def test_values_of_no_known_range_are_refused(tmp_path, low, high):
    values = np.linspace(low, high, 5 * 9 * 10 * 3).reshape(BYTES.shape)
    with pytest.raises(SourceUnreadable, match=f"floats from 0 to 1, -1 to 1 or 0 to 255, got {low:g} to {high:g}"):
        open_array(saved(tmp_path, values), MEGABYTE)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_one_array_of_an_npz_that_looks_like_images_is_taken(tmp_path, save):
    save(tmp_path / "a.npz", labels=np.arange(5), images=BYTES)
    np.testing.assert_array_equal(pixels_of(open_array(tmp_path / "a.npz", MEGABYTE)), BYTES)


def test_several_such_arrays_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=BYTES, x_test=BYTES)
    with pytest.raises(SourceUnreadable, match=r"got 2 such among x_train uint8 \(5, 9, 10, 3\), x_test uint8"):
        open_array(tmp_path / "a.npz", MEGABYTE)


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (BYTES.astype(np.int64), r"0 such among a\.npy int64 \(5, 9, 10, 3\)"),
        (BYTES.transpose(0, 3, 1, 2).copy(), r"0 such among a\.npy uint8 \(5, 3, 9, 10\)"),
        (np.asfortranarray(BYTES), "in Fortran order"),
        (np.array([{}, {}], object), r"0 such among a\.npy object \(2,\)"),
    ],
)
def test_other_arrays_are_refused_and_objects_never_unpickled(tmp_path, array, got):
    with pytest.raises(SourceUnreadable, match=got):
        open_array(saved(tmp_path, array), MEGABYTE)


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(SourceUnreadable, match="must be a whole NumPy file"):
        open_array(tmp_path / "a.npy", MEGABYTE)
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(SourceUnreadable, match="must be a whole NumPy file"):
        open_array(tmp_path / "a.npz", MEGABYTE)


def test_a_file_cut_short_is_refused(tmp_path):
    path = saved(tmp_path, BYTES)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(SourceUnreadable, match=r"must be a whole NumPy file, got .* 1,350 bytes, before 1,349 bytes"):
        open_array(path, MEGABYTE)


def test_no_rows_is_no_images(tmp_path):
    with pytest.raises(NoImagesFound, match=r"must hold rows, got the array a\.npy uint8 \(0, 9, 10, 3\)"):
        open_array(saved(tmp_path, BYTES[:0]), MEGABYTE)


def test_rounding_outside_the_range_is_cut_and_told(tmp_path):
    shares = BYTES / 255
    for value, words in ((1.000001, "from 0 to 1.000001"), (-1e-7, "from -1e-07 to 1")):
        noisy = shares.copy()
        noisy[3, 2, 1, 0] = value
        source = open_array(saved(tmp_path, noisy), MEGABYTE)
        expected = BYTES.copy()
        expected[3, 2, 1, 0] = 255 * (value > 0.5)
        np.testing.assert_array_equal(pixels_of(source), expected)
        assert f"0 being black and 1 white, its values {words} cut to that" in source.notes[0]
    source = open_array(saved(tmp_path, shares * 2.002 - 1.001), MEGABYTE)
    assert np.abs(pixels_of(source).astype(int) - BYTES).max() <= 1
    assert "-1 being black and 1 white, its values from -1.001 to 1.001 cut" in source.notes[0]


@pytest.mark.parametrize(("low", "high"), [(-0.02, 1), (0, 1.1), (0, 16), (-1.1, 1), (-0.02, 1.02)])
def test_floats_that_leave_a_range_by_more_are_no_guess(tmp_path, low, high):
    values = np.linspace(low, high, BYTES.size).reshape(BYTES.shape)
    with pytest.raises(SourceUnreadable, match=f"got {low:g} to {high:g}. Rescale the array"):
        open_array(saved(tmp_path, values), MEGABYTE)


@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_masks_of_0_and_1_are_black_and_white(tmp_path, dtype):
    masks = BYTES > 127
    source = open_array(saved(tmp_path, masks.astype(dtype)), MEGABYTE)
    np.testing.assert_array_equal(pixels_of(source), masks * np.uint8(255))
    assert "was read as masks, 0 being black and 1 white." in source.notes[0]
    assert open_array(saved(tmp_path, masks * np.uint8(2)), MEGABYTE).notes == ()


def test_truth_values_and_objects_beside_images_stay_out_of_the_way(tmp_path):
    np.savez(tmp_path / "a.npz", images=BYTES, masks=BYTES > 127, labels=np.array([{}, {}], object))
    np.testing.assert_array_equal(pixels_of(open_array(tmp_path / "a.npz", MEGABYTE)), BYTES)


def test_images_larger_than_allowed_are_refused_unread(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", np.zeros((2, 600, 600, 3), np.uint8))
    with pytest.raises(SourceUnreadable, match=r"at most 1,048,576 bytes, got 1,080,000 in .*Raise --max-megapixels"):
        open_array(tmp_path / "a.npz", MEGABYTE)


def test_a_bad_checksum_is_told_while_reading(tmp_path):
    images = np.random.default_rng(1).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[100_000] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(SourceUnreadable, match="must be a whole NumPy file, got Bad CRC-32"):
        pixels_of(open_array(tmp_path / "a.npz", MEGABYTE))
