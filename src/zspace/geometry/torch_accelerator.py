"""Products of points on a device of PyTorch: on a GPU, and the same code on the processor to test it."""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from zspace.geometry.accelerators import Assigned, Candidates, ClusterPass, PointSource
from zspace.shapes import Points

_ROWS_AT_ONCE = 8192
"""Rows that meet in one product, and are summed in float32; from there on sums are in float64."""
_BLOCK_VALUES = 1 << 26
"""Values that such rows, and their products with centres, have at most: 256 MiB."""
_HELD_SHARE = 0.25
"""Points that take no more than this share of the free memory are sent once; others again for every pass."""
_FEWEST_BYTES = 2 << 30
"""A device with less free memory than this, a few blocks, is left alone."""

_TURN = threading.Lock()
"""Calls of several threads would wait for one another on the device anyway, and each need memory there."""


def find_gpu() -> "TorchAccelerator | None":
    """Return the GPU that PyTorch uses, or None where there is none or its memory is taken."""
    if not torch.cuda.is_available():
        return None
    device = torch.device("cuda", torch.cuda.current_device())
    return TorchAccelerator(device) if _free_bytes(device) >= _FEWEST_BYTES else None


@dataclass(frozen=True)
class TorchAccelerator:
    """What `Accelerator` promises, on a device of PyTorch.

    Products of float32 and their sums are deterministic here: nothing is added up by atomic operations.
    """

    device: torch.device

    def candidates(self, points: Points) -> Candidates:
        """Return a search among points that are centred on the origin."""
        rows = _Rows(points, self.device)

        def search(
            queries: Float32[np.ndarray, "n_queries z_dim"], n: int
        ) -> Int64[np.ndarray, "n_queries n_candidates"]:
            with _own_turn():
                sent = _sent(queries, self.device)
                values = sent.new_empty((len(queries), 0))
                nearest = values.long()
                for part in _parts(len(rows), max(queries.shape)):
                    nearness = _nearness(sent, rows[part])
                    found = nearness.topk(min(n, nearness.shape[1]), dim=1)
                    values = torch.cat([values, found.values], dim=1)
                    nearest = torch.cat([nearest, found.indices + part.start], dim=1)
                    best = values.topk(min(n, values.shape[1]), dim=1)
                    values, nearest = best.values, nearest.gather(1, best.indices)
                return nearest.numpy(force=True)

        return search

    def outer_sums(
        self, points: Points, centre: Float64[np.ndarray, " z_dim"]
    ) -> tuple[Float64[np.ndarray, "z_dim z_dim"], Float64[np.ndarray, " z_dim"]]:
        """Return the sums of the points' outer products with themselves and of the points, all about a centre."""
        with _own_turn():
            middle = _sent(centre, self.device)
            products, total = self._zeros(len(centre), len(centre)), self._zeros(len(centre))
            for part in _parts(len(points), len(centre)):
                block = _sent(points[part], self.device) - middle
                products += block.T @ block
                total += block.sum(dim=0)
            return products.numpy(force=True), total.numpy(force=True)

    def rotated(
        self, points: Points, centre: Float64[np.ndarray, " z_dim"], axes: Float64[np.ndarray, "z_dim n_axes"]
    ) -> Float32[np.ndarray, "n_points n_axes"]:
        """Return the points' coordinates along axes, which are columns, about a centre."""
        rotated = np.empty((len(points), axes.shape[1]), np.float32)
        with _own_turn():
            middle, directions = _sent(centre, self.device), _sent(axes, self.device)
            for part in _parts(len(points), len(centre)):
                rotated[part] = ((_sent(points[part], self.device) - middle) @ directions).numpy(force=True)
        return rotated

    def cluster_pass(self, points: PointSource) -> ClusterPass:
        """Return what assigns these points to centres; of equally near ones the first is taken."""
        rows = _Rows(points, self.device)

        def assign(stacked: Float[np.ndarray, "n_centres z_dim"], ends: Int64[np.ndarray, " n_ks"]) -> Assigned:
            sizes = np.diff(ends, prepend=0)
            labels = np.empty((len(rows), len(ends)), dtype=np.uint16)
            with _own_turn():
                centres, firsts = _sent(stacked, self.device), _sent(ends - sizes, self.device)
                inertias, sums = self._zeros(len(ends)), self._zeros(*stacked.shape)
                for part in _parts(len(rows), max(stacked.shape)):
                    block = rows[part]
                    nearness = _nearness(block, centres)
                    found = [one.max(dim=1) for one in torch.split(nearness, sizes.tolist(), dim=1)]
                    best, nearest = (torch.stack(column, dim=1) for column in zip(*found, strict=True))
                    inertias += (block.square().sum(dim=1, keepdim=True) - 2 * best).sum(dim=0, dtype=torch.float64)
                    labels[part] = nearest.numpy(force=True)
                    # One for each point and the centre it belongs to, in the memory of what is no longer needed.
                    members = nearness.zero_().scatter_(1, nearest + firsts, 1.0)
                    sums += members.T @ block
                return labels, inertias.numpy(force=True), sums.numpy(force=True)

        return assign

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.float64, device=self.device)


class _Rows:
    """Points on a device: all of them where they fit, else sent as they are asked for."""

    def __init__(self, points: PointSource, device: torch.device) -> None:
        self._points, self._device = points, device
        self._held: Tensor | None = None
        first = _sent(points[:1], device)
        n_points, z_dim = len(points), first.shape[1]
        if first.element_size() * n_points * z_dim <= _HELD_SHARE * _free_bytes(device):
            self._held = first.new_empty((n_points, z_dim))
            for part in _parts(n_points, z_dim):
                self._held[part] = _sent(points[part], device)

    def __len__(self) -> int:
        return len(self._points)

    def __getitem__(self, part: slice) -> Tensor:
        return _sent(self._points[part], self._device) if self._held is None else self._held[part]


def _parts(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Go through all rows, so many at a time that their products with columns have a size that suits a device."""
    step = max(1, min(_ROWS_AT_ONCE, _BLOCK_VALUES // n_columns))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def _nearness(points: Tensor, others: Tensor) -> Tensor:
    """Return what is largest for the nearest of the others: x.c - |c|^2 / 2, since |x - c|^2 = |x|^2 - 2 of it."""
    lengths = torch.linalg.vector_norm(others, dim=1, dtype=torch.float64)
    return torch.addmm(-(lengths.square() / 2).to(points.dtype), points, others.T)


def _sent(values: np.ndarray, device: torch.device) -> Tensor:
    # A copy, and in order: arrays may be read-only, as files mapped into memory are, or run backwards.
    return torch.from_numpy(np.array(values, order="C")).to(device)


def _free_bytes(device: torch.device) -> float:
    """Return the memory left on a device, what PyTorch keeps for later included; infinite on the processor."""
    if device.type != "cuda":
        return math.inf
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


@contextmanager
def _own_turn() -> Iterator[None]:
    """Let one call at a time compute, with all digits of float32, also in programs that let PyTorch round to TF32."""
    with _TURN:
        rounds = torch.backends.cuda.matmul.fp32_precision == "tf32"
        if rounds:
            torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            if rounds:
                torch.set_float32_matmul_precision("high")
