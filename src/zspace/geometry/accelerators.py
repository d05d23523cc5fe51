"""What geometry has done on a GPU where there is one: large products of points.

PyTorch takes longer to load than most clouds take to measure, so it is loaded by the first work that is worth it.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt16

from zspace.shapes import Points

_WORTH_SENDING = 1e9
"""With fewer operations the processor is done before the points would have reached a device."""

Candidates = Callable[[Float32[np.ndarray, "n_queries z_dim"], int], Int64[np.ndarray, "n_queries n_candidates"]]
"""Gives the rows of the cloud nearest to each query, itself among them, as exactly as float32 allows."""
Assigned = tuple[
    UInt16[np.ndarray, "n_points n_ks"], Float64[np.ndarray, " n_ks"], Float64[np.ndarray, "n_centres z_dim"]
]
"""Number of the nearest centre of every point, inertias, and sums of the points of every centre."""
ClusterPass = Callable[[Float[np.ndarray, "n_centres z_dim"], Int64[np.ndarray, " n_ks"]], Assigned]
"""Assigns all points to centres of their precision that stand in one stack, given where each number of clusters ends.
"""


@runtime_checkable
class PointSource(Protocol):
    """Points that are made, or read, a slice of rows at a time; an array is one."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Float[np.ndarray, "n_rows z_dim"]: ...


@runtime_checkable
class Accelerator(Protocol):
    """A device for products of points. Its answers are the processor's, but for the rounding of the points' precision.

    Calls of several threads take turns. The memory they need on the device does not grow with the number of points,
    unless all points fit into a fraction of what is free.
    """

    def candidates(self, points: Points) -> Candidates:
        """Return a search among points that are centred on the origin."""
        ...

    def outer_sums(
        self, points: Points, centre: Float64[np.ndarray, " z_dim"]
    ) -> tuple[Float64[np.ndarray, "z_dim z_dim"], Float64[np.ndarray, " z_dim"]]:
        """Return the sums of the points' outer products with themselves and of the points, all about a centre.

        In float64, as the processor does.
        """
        ...

    def rotated(
        self, points: Points, centre: Float64[np.ndarray, " z_dim"], axes: Float64[np.ndarray, "z_dim n_axes"]
    ) -> Float32[np.ndarray, "n_points n_axes"]:
        """Return the points' coordinates along axes, which are columns, about a centre; computed in float64."""
        ...

    def cluster_pass(self, points: PointSource) -> ClusterPass:
        """Return what assigns these points to centres; of equally near ones the first is taken."""
        ...


def accelerator(n_operations: float) -> Accelerator | None:
    """Return the GPU, or None where there is none, it has no memory left, or the work is too small for it.

    With an empty ``CUDA_VISIBLE_DEVICES`` in the environment all work stays on the processor.

    Parameters
    ----------
    n_operations
        Multiplications and additions of the work.

    Examples
    --------
    >>> accelerator(1e6) is None
    True
    """
    if n_operations < _WORTH_SENDING:
        return None
    from zspace.geometry.torch_accelerator import find_gpu  # noqa: PLC0415 - loads PyTorch, which takes seconds

    return find_gpu()
