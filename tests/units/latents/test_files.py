"""Files of z-points: every kind is read, and what is odd about them is told."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import zarr
from safetensors.numpy import save_file

from zspace.errors import LatentsNotFound, LatentsUnreadable, SettingOutOfRange
from zspace.latents import Selection, check_latents_source, read_latents_file, usable_latents

POINTS = np.random.default_rng(1).standard_normal((6, 3)).astype(np.float32)


def write_npy(folder, points):
    np.save(folder / "points.npy", points)
    return folder / "points.npy"


def write_npz(folder, points):
    np.savez(folder / "points.npz", labels=np.arange(6), z=points)
    return folder / "points.npz"


def write_parquet_columns(folder, points):
    columns = {f"axis {axis}": points[:, axis] for axis in range(points.shape[1])}
    pq.write_table(pa.table({"name": list("abcdef"), **columns}), folder / "points.parquet")
    return folder / "points.parquet"


def write_parquet_vectors(folder, points):
    pq.write_table(pa.table({"id": range(6), "embedding": points.tolist()}), folder / "points.parquet")
    return folder / "points.parquet"


def write_csv(folder, points):
    columns = {f"axis {axis}": points[:, axis] for axis in range(points.shape[1])}
    pyarrow.csv.write_csv(pa.table(columns), folder / "points.csv")
    return folder / "points.csv"


def write_safetensors(folder, points):
    save_file({"latents": points}, folder / "points.safetensors")
    return folder / "points.safetensors"


def write_zarr_array(folder, points):
    zarr.create_array(folder / "points.zarr", data=points)
    return folder / "points.zarr"


def write_zarr_group(folder, points):
    group = zarr.create_group(folder / "points.zarr")
    for name, values in {"z": points, "mu": points + 1, "logvar": points * 0, "ids": np.arange(6)}.items():
        group.create_array(name, data=values)
    return folder / "points.zarr"


WRITERS = (
    write_npy,
    write_npz,
    write_parquet_columns,
    write_parquet_vectors,
    write_csv,
    write_safetensors,
    write_zarr_array,
    write_zarr_group,
)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_kind_of_file_gives_the_same_points(tmp_path, write, dtype):
    found = read_latents_file(write(tmp_path, POINTS.astype(dtype)))
    usable, facts = usable_latents(found, "a test", None, seed=1)
    np.testing.assert_allclose(usable.z, POINTS, rtol=1e-6)
    assert usable.z.dtype == np.float32
    assert facts.z_dim == 3


def test_mu_and_logvar_beside_z_are_found(tmp_path):
    found = read_latents_file(write_zarr_group(tmp_path, POINTS))
    np.testing.assert_array_equal(found.mu, POINTS + 1)
    assert not found.logvar.any()
    assert found.notes == ("of the arrays 'logvar', 'mu', 'z' the points are 'z'",)


def test_more_than_two_dimensions_are_flattened_and_told(tmp_path):
    found = read_latents_file(write_npy(tmp_path, np.zeros((5, 4, 2, 2), np.float16)))
    assert found.z.shape == (5, 16)
    assert found.notes == ("points of shape (5, 4, 2, 2) was flattened to 16 dimensions",)


def test_columns_without_numbers_are_left_out_and_told(tmp_path):
    assert read_latents_file(write_parquet_columns(tmp_path, POINTS)).notes == ("left out: name (text, such as 'a')",)


def refusal(path, **asked):
    with pytest.raises(LatentsUnreadable) as caught:
        read_latents_file(path, Selection(**asked))
    return str(caught.value)


def test_what_cannot_be_read_is_refused_with_the_next_step(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"PK")
    assert "must be .npy, .npz, .parquet, .csv, .tsv, .safetensors or a Zarr folder" in refusal(tmp_path / "weights.pt")
    assert "Save it as .npy." in refusal(tmp_path / "weights.pt")
    (tmp_path / "half.npy").write_bytes(write_npy(tmp_path, POINTS).read_bytes()[:100])
    assert "must be a whole file of the kind .npy" in refusal(tmp_path / "half.npy")
    np.save(tmp_path / "objects.npy", np.array([{}, {}]), allow_pickle=True)
    assert "arrays of Python objects are never read" in refusal(tmp_path / "objects.npy")
    np.save(tmp_path / "flat.npy", np.zeros(4))
    assert "must be an array of points, one a row, got shape (4,)" in refusal(tmp_path / "flat.npy")
    np.save(tmp_path / "complex.npy", np.zeros((4, 2), complex))
    assert "must hold real numbers, got complex128" in refusal(tmp_path / "complex.npy")
    with pytest.raises(LatentsNotFound, match=r"or a run folder, got nothing there\. Check the path\."):
        read_latents_file(tmp_path / "missing.npy")


def test_an_array_is_chosen_by_name_where_there_are_several(tmp_path):
    np.savez(tmp_path / "two.npz", first=POINTS, second=POINTS * 2)
    path = tmp_path / "two.npz"
    assert "must hold one array, or one of a usual name, got 'first', 'second'. Name one with --array." in refusal(path)
    assert "Did you mean 'first'?" in refusal(path, array="frist")
    np.testing.assert_array_equal(read_latents_file(path, Selection("second")).z, POINTS * 2)


def test_vectors_of_several_lengths_are_refused(tmp_path):
    pq.write_table(pa.table({"z": [[1.0, 2.0], [1.0]]}), tmp_path / "ragged.parquet")
    assert "must hold vectors of one length, got 2, 1" in refusal(tmp_path / "ragged.parquet")
    pq.write_table(pa.table({"z": [[1.0, 2.0], None]}), tmp_path / "ragged.parquet")
    assert "got 2, missing" in refusal(tmp_path / "ragged.parquet")


def test_the_only_array_that_can_be_points_is_taken(tmp_path):
    np.savez(tmp_path / "some.npz", names=np.array(["a", "b"]), features=POINTS, labels=np.arange(6))
    found = read_latents_file(tmp_path / "some.npz")
    np.testing.assert_array_equal(found.z, POINTS)
    assert found.notes == ("of the arrays 'names', 'features', 'labels' the points are 'features'",)


def test_mu_and_logvar_that_do_not_fit_are_left_out_and_told(tmp_path):
    np.savez(tmp_path / "some.npz", z=POINTS, mu=POINTS > 0, logvar=POINTS)
    found = read_latents_file(tmp_path / "some.npz")
    assert (found.mu, found.logvar) == (None, None)
    assert found.notes[-1] == "mu and logvar were left out: they are not of the shape of the points, or no real numbers"


def test_float32_stays_on_the_disk(tmp_path):
    found = read_latents_file(write_npy(tmp_path, POINTS))
    usable, _ = usable_latents(found, "a test", None, seed=1)
    assert isinstance(found.z, np.memmap)
    assert np.shares_memory(usable.z, found.z)


def test_what_is_no_ordinary_file_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(LatentsUnreadable, match="got neither a file nor a folder"):
        check_latents_source(tmp_path / "pipe.npy")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(LatentsUnreadable, match=r"must hold z-points, got an empty file\."):
        check_latents_source(tmp_path / "empty.csv")
    with pytest.raises(LatentsUnreadable, match="got a folder that is no Zarr array or group"):
        check_latents_source(tmp_path)
    for name, target in (("loop.npy", "loop.npy"), ("gone.npy", "nothing")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(LatentsNotFound, match=r"got a link that leads nowhere\. Check the path\."):
            check_latents_source(tmp_path / name)
    (tmp_path / "link.npy").symlink_to(write_npy(tmp_path, POINTS))
    np.testing.assert_array_equal(read_latents_file(tmp_path / "link.npy").z, POINTS)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    write_npy(tmp_path, POINTS).chmod(0)
    with pytest.raises(LatentsUnreadable, match="got Permission denied"):
        check_latents_source(tmp_path / "points.npy")


def test_columns_can_only_be_named_of_a_table(tmp_path):
    rule = r"--columns, --drop: can only be used with a table, \.parquet, \.csv or \.tsv, got points\.npy"
    for asked in (Selection(columns=("a",)), Selection(drop=("a",))):
        with pytest.raises(SettingOutOfRange, match=rule):
            read_latents_file(write_npy(tmp_path, POINTS), asked)
