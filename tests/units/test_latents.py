"""Files of z-points: every kind is read, and what is odd about them is told."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import zarr
from safetensors.numpy import save_file

from zspace.errors import LatentsNotFound, LatentsUnreadable, TooFewPoints
from zspace.latents import Latents, Selection, read_latents_file, usable_latents

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


def test_what_is_odd_about_points_is_counted_and_only_what_is_not_finite_left_out():
    points = np.vstack([POINTS, POINTS[:2], [[np.nan, 0, 0]], [[0, np.inf, 0]]]).astype(np.float32)
    points[:, 2] = 7
    latents, facts = usable_latents(Latents(points), "a test", None, seed=1)
    assert (facts.n_given, facts.n_used, facts.n_not_finite) == (10, 8, 2)
    assert (facts.n_duplicates, facts.n_constant_axes, facts.has_posterior) == (2, 1, False)
    np.testing.assert_array_equal(latents.z, points[:8])


def test_zeros_of_either_sign_are_the_same_point():
    points = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 1.0]], np.float32)
    assert usable_latents(Latents(points), "a test", None, seed=1)[1].n_duplicates == 1


def test_some_points_are_chosen_at_random_in_their_order_and_with_their_posterior():
    points = np.arange(40, dtype=np.float32).reshape(20, 2)
    latents, facts = usable_latents(Latents(points, points + 1, points * 0), "a test", 5, seed=1)
    again, _ = usable_latents(Latents(points, points + 1, points * 0), "a test", 5, seed=1)
    assert (facts.n_given, facts.n_used, facts.has_posterior) == (20, 5, True)
    assert (np.diff(latents.z[:, 0]) > 0).all()
    np.testing.assert_array_equal(latents.mu, latents.z + 1)
    np.testing.assert_array_equal(latents.z, again.z)


def test_too_few_points_are_refused():
    points = np.full((4, 2), np.nan, np.float32)
    points[0] = 0
    with pytest.raises(TooFewPoints, match=r"a test: must hold at least 2 finite z-points, got 1 of 4\."):
        usable_latents(Latents(points), "a test", None, seed=1)
    with pytest.raises(TooFewPoints, match=r"must have at least 1 dimension, got 0"):
        usable_latents(Latents(np.zeros((4, 0), np.float32)), "a test", None, seed=1)
