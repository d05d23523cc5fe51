"""One process, or several that ``torchrun`` started and that train one model together.

Every process holds the whole model, takes its share of every batch, and computes the loss of the whole batch: means
are taken over the images of all processes. What follows from a loss (weights, history, the guard's verdict) is
therefore the same everywhere, and the first process alone writes it down.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

_PATIENCE = timedelta(days=7)
"""The first process measures and draws while the others wait; a process that died is torchrun's to notice."""


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that torchrun started, while the block runs; without torchrun, be the only one.

    A process that leaves the block without an error ends with exit code 0.

    Raises
    ------
    RuntimeError
        From PyTorch, when the processes cannot reach each other.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    has_cuda = torch.cuda.is_available()
    if has_cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    distributed.init_process_group("nccl" if has_cuda else "gloo", timeout=_PATIENCE)
    try:
        yield
        atexit.register(_leave_at_once)
    finally:
        distributed.destroy_process_group()


def _leave_at_once() -> None:
    """End the process here, so that the interpreter does not take itself apart.

    Gloo's threads let go of a tensor a moment after its sum is there and need the interpreter for that: where it is
    being taken apart already, the C++ library aborts the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def process_count() -> int:
    """Return how many processes train together; 1 without torchrun."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def is_first() -> bool:
    """Return whether this process is the one that writes."""
    return process_count() == 1 or distributed.get_rank() == 0


def wait_for_all() -> None:
    """Return when all processes have come this far."""
    if process_count() > 1:
        distributed.barrier()


def own_share(n_images: int) -> slice:
    """Return the part of a batch that this process takes: contiguous, as even as can be, empty where there are too few.

    Examples
    --------
    >>> own_share(128)
    slice(0, 128, None)
    """
    n_processes = process_count()
    rank = distributed.get_rank() if n_processes > 1 else 0
    return slice(n_images * rank // n_processes, n_images * (rank + 1) // n_processes)


class _Sum(torch.autograd.Function):
    """The sum over processes; gradients are summed as well."""

    @staticmethod
    def forward(_context: torch.autograd.function.FunctionCtx, value: Tensor) -> Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total


def sum_over_processes(value: Tensor) -> Tensor:
    """Return the sum over processes, through which gradients flow."""
    if process_count() == 1:
        return value
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total


def mean_over_processes(mean: Tensor, batch: Tensor) -> Tensor:
    """Return the mean over the images of all processes, given the mean over those of this one.

    Parameters
    ----------
    mean
        Over the images of ``batch``; anything when there are none.
    batch
        What the mean was computed from, images first; gradients reach it in every process, even from no images.
    """
    if process_count() == 1:
        return mean
    own = mean * len(batch) if len(batch) else torch.zeros_like(mean) + batch.sum() * 0.0
    return sum_over_processes(own) / sum_over_processes(torch.tensor(float(len(batch)), device=mean.device))


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over processes, in one exchange.

    Each process differentiates the loss of the whole batch, and so finds its own images' part of the gradient times
    the number of processes: the mean is the gradient.
    """
    if process_count() == 1:
        return
    gradients = []
    for parameter in parameters:
        if parameter.grad is None:  # a share of no images reaches no parameter but those of layers
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= process_count()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
