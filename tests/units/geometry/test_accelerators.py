"""What a GPU does is what the processor does; here PyTorch's code for both runs on the processor, and on a GPU if any."""

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from zspace.geometry import torch_accelerator
from zspace.geometry.accelerators import Accelerator, accelerator
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.inertia import look_at, look_at_nulls
from zspace.geometry.clustering.kmeans import CentredPoints, _pass_on_cores, move_by_batches, refine
from zspace.geometry.clustering.starts import spread_out
from zspace.geometry.neighbourhoods.search import nearest_neighbors
from zspace.geometry.torch_accelerator import TorchAccelerator, find_gpu
from zspace.geometry.truths import constant_points, sphere_points, standard_normal_points
from zspace.seeds import random_stream

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
NORMAL = standard_normal_points(700, 6, 1)
CLOUDS = {
    "normal": NORMAL,
    "far from the origin": NORMAL + np.float32(1e3),
    "each point twice": np.repeat(NORMAL[:350], 2, axis=0),
    "forty copies and others": np.concatenate([constant_points(40, np.ones(6)), NORMAL]),
    "shell": sphere_points(600, 12, 5.0, 1),
    "lattice": np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=2).reshape(400, 2).astype(np.float32),
    "one dimension": standard_normal_points(300, 1, 1),
    "tiny": NORMAL * np.float32(1e-6),
}
EVERY_CLOUD = pytest.mark.parametrize("points", CLOUDS.values(), ids=CLOUDS)
KS = (2, 5, 9)


@pytest.fixture(params=DEVICES)
def device(request):
    return TorchAccelerator(torch.device(request.param))


@pytest.fixture(params=["held", "sent"])
def small_blocks(request, monkeypatch):
    """Many blocks, of points that are held on the device or sent for every pass."""
    monkeypatch.setattr(torch_accelerator, "_ROWS_AT_ONCE", 64)
    if request.param == "sent":
        monkeypatch.setattr(torch_accelerator, "_free_bytes", lambda _device: 0)


def take_everywhere(device, monkeypatch):
    for module in ("neighbourhoods.search", "clouds", "clustering.kmeans"):
        monkeypatch.setattr(f"zspace.geometry.{module}.accelerator", lambda _n_operations: device)


def one_stack(points):
    sequence = spread_out(points, KS[-1], random_stream(1, "test"))
    starts = [sequence[: min(k, len(sequence))] for k in KS]
    return np.concatenate(starts), np.cumsum([len(start) for start in starts])


# --- Neighbours -------------------------------------------------------------------------------------------------------


@EVERY_CLOUD
@pytest.mark.usefixtures("small_blocks")
def test_neighbours_are_the_very_same(points, device, monkeypatch):
    expected = nearest_neighbors(points, 7)
    take_everywhere(device, monkeypatch)
    found = nearest_neighbors(points, 7)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)


@pytest.mark.usefixtures("small_blocks")
def test_the_search_itself_finds_what_float64_finds(device):
    squares = np.square(NORMAL[:, np.newaxis].astype(np.float64) - NORMAL).sum(axis=2)
    search = device.candidates(NORMAL)
    for n in (1, 16, 100, len(NORMAL)):
        found = search(NORMAL[:50], n)
        np.testing.assert_array_equal(found, np.argsort(squares[:50], axis=1)[:, :n])
        assert found.dtype == np.int64


# --- Principal components ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.usefixtures("small_blocks")
def test_covariance_is_that_of_float64(offset, device, monkeypatch):
    points = standard_normal_points(10_000, 5, 1) * np.geomspace(1e-3, 10, 5, dtype=np.float32) + np.float32(offset)
    exact = np.cov(points.astype(np.float64).T)
    take_everywhere(device, monkeypatch)
    deviations = np.sqrt(exact.diagonal())
    assert (np.abs(Cloud(points).covariance - exact) <= 1e-12 * np.outer(deviations, deviations)).all()


@pytest.mark.usefixtures("small_blocks")
def test_rotated_points_are_the_same_but_for_rounding(device, monkeypatch):
    points = CLOUDS["far from the origin"]
    expected = Cloud(points).rotated
    take_everywhere(device, monkeypatch)
    found = Cloud(points).rotated
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


# --- k-means ----------------------------------------------------------------------------------------------------------


@EVERY_CLOUD
@pytest.mark.usefixtures("small_blocks")
def test_a_pass_assigns_points_as_the_processor_does(points, device):
    points = (points - points.mean(axis=0, dtype=np.float64)).astype(np.float32)
    stacked, ends = one_stack(points)
    labels, inertias, _ = _pass_on_cores(points, stacked, ends)
    found_labels, found_inertias, found_sums = device.cluster_pass(points)(stacked, ends)
    assert found_labels.dtype == np.uint16
    sizes = np.diff(ends, prepend=0)
    squares = np.square(points[:, np.newaxis].astype(np.float64) - stacked).sum(axis=2)
    chosen, expected = (np.take_along_axis(squares, one + ends - sizes, axis=1) for one in (found_labels, labels))
    # Another centre only where it is as near, within rounding.
    np.testing.assert_allclose(chosen, expected, rtol=1e-5, atol=1e-6 * squares.max())
    total = np.square(points, dtype=np.float64).sum()
    np.testing.assert_allclose(found_inertias, inertias, rtol=1e-5, atol=1e-6 * total)
    belongs = np.concatenate([found_labels[:, j] == np.arange(k)[:, np.newaxis] for j, k in enumerate(sizes)])
    np.testing.assert_allclose(found_sums, belongs @ points.astype(np.float64), atol=1e-6 * np.abs(points).sum())


@pytest.mark.usefixtures("small_blocks")
def test_a_pass_in_float64_tells_tight_heaps_far_apart_from_each_other(device):
    points = np.repeat(np.array([[-1e6, 0.0], [1e6, 0.0]]), 100, axis=0) + standard_normal_points(200, 2, 1)
    points -= points.mean(axis=0)
    stacked, ends = points[[0, 1, 2, 100, 101]], np.array([5])
    squares = np.square(points[:, np.newaxis] - stacked).sum(axis=2)
    for labels, inertias, _ in (_pass_on_cores(points, stacked, ends), device.cluster_pass(points)(stacked, ends)):
        np.testing.assert_array_equal(labels[:, 0], squares.argmin(axis=1))
        assert inertias[0] == pytest.approx(squares.min(axis=1).sum(), rel=0.01)


@pytest.mark.usefixtures("small_blocks")
def test_a_pass_gives_the_same_from_call_to_call(device):
    stacked, ends = one_stack(NORMAL)
    first, second = (device.cluster_pass(NORMAL)(stacked, ends) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_fits_on_the_device_are_those_of_the_processor(device, monkeypatch):
    points = standard_normal_points(5000, 4, 1)
    centred = CentredPoints(points, points.mean(axis=0, dtype=np.float64), 2.0)
    stacked, ends = one_stack(centred[: len(points)])
    starts = np.split(stacked, ends[:-1])

    def fits():
        first, _ = refine(centred, starts, 1, 0.0)
        return refine(centred, move_by_batches(centred, np.arange(len(points)), first), 3, 0.0)[0]

    expected = fits()
    take_everywhere(device, monkeypatch)
    found = fits()
    np.testing.assert_allclose(found.inertias, expected.inertias, rtol=1e-5)
    assert (found.labels == expected.labels).mean() > 0.999


def test_null_clouds_of_several_threads_share_the_device(device, monkeypatch):
    points = NORMAL - NORMAL.mean(axis=0)
    order = np.argsort(np.square(points).sum(axis=1))
    monkeypatch.setattr("zspace.machine.usable_cores", lambda: 4)

    def looks():
        return [look_at(points[order], [2, 4])[0], *look_at_nulls(points, [2, 4], 6, "test", 1)]

    expected = looks()
    take_everywhere(device, monkeypatch)
    found, again = looks(), looks()
    for one, other, same in zip(expected, found, again, strict=True):
        np.testing.assert_allclose(other.log_shares, one.log_shares, atol=1e-3)
        np.testing.assert_array_equal(other.log_shares, same.log_shares)


# --- The device -------------------------------------------------------------------------------------------------------


def test_a_torch_accelerator_is_an_accelerator(device):
    assert isinstance(device, Accelerator)


@pytest.mark.parametrize("order", [1, -1])
def test_points_that_may_not_be_written_or_run_backwards_are_read(order, device):
    points = NORMAL[::order]
    points.flags.writeable = False
    assert device.candidates(points)(points[:3], 1).ravel().tolist() == [0, 1, 2]


def test_products_have_all_digits_of_float32_where_a_program_rounds_to_tf32(device, monkeypatch):
    seen = []
    plain = torch_accelerator._nearness

    def nearness(points, others):
        seen.append(torch.get_float32_matmul_precision())
        return plain(points, others)

    monkeypatch.setattr(torch_accelerator, "_nearness", nearness)
    asked = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        search = device.candidates(NORMAL)
        threads = [threading.Thread(target=search, args=(NORMAL[:9], 3)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(asked)
    assert seen == ["highest"] * 8


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_takes_work_that_is_worth_it(monkeypatch):
    points = standard_normal_points(5000, 32, 1)
    monkeypatch.setattr("zspace.geometry.neighbourhoods.search.accelerator", lambda _n_operations: None)
    expected = nearest_neighbors(points, 10)
    monkeypatch.undo()
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    found = nearest_neighbors(points, 10)
    assert torch.cuda.memory_stats()["allocation.all.allocated"] > before
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_without_a_gpu_all_work_stays_on_the_processor():
    assert accelerator(1e15) is None


@pytest.mark.parametrize(
    ("free", "reserved", "is_taken"), [(4 << 30, 0, True), (1 << 30, 0, False), (1 << 30, 3 << 30, True)]
)
def test_a_gpu_is_taken_when_it_has_memory_left(free, reserved, is_taken, monkeypatch):
    known = {"is_available": True, "current_device": 1, "memory_allocated": 0, "memory_reserved": reserved}
    for name, value in {**known, "mem_get_info": (free, 8 << 30)}.items():
        monkeypatch.setattr(torch.cuda, name, lambda *_device, found=value: found)
    expected = TorchAccelerator(torch.device("cuda", 1)) if is_taken else None
    assert find_gpu() == accelerator(1e12) == expected
    assert accelerator(1e6) is None


def test_work_is_weighed_by_its_operations(monkeypatch):
    weighed = []
    for module in ("neighbourhoods.search", "clouds", "clustering.kmeans"):
        monkeypatch.setattr(f"zspace.geometry.{module}.accelerator", weighed.append)
    n_points, z_dim = NORMAL.shape
    stacked, ends = one_stack(NORMAL)
    nearest_neighbors(NORMAL, 3, np.arange(10))
    refine(NORMAL, np.split(stacked, ends[:-1]), 4, 0.0)
    cloud = Cloud(standard_normal_points(10_000, z_dim, 1))
    assert cloud.rotated.shape == (10_000, z_dim)
    product = 2 * 10_000 * z_dim**2
    assert weighed == [2 * 10 * n_points * z_dim, 4 * 2 * n_points * z_dim * sum(KS), product, product]


def test_small_work_does_not_load_pytorch():
    program = """
import sys
import numpy as np
from zspace.geometry.clouds import Cloud
from zspace.geometry.clustering.curves import cluster_curves
cloud = Cloud(np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32))
cluster_curves(cloud, 4, 1, 2, 1), cloud.rotated, cloud.neighbors(3)
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
