"""The losses of every epoch as TensorBoard reads them: an optional extra, beside ``history.jsonl``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from zspace.errors import LibraryMissing
from zspace.files import atomic_folder
from zspace.results import EpochRecord, LossParts


def require_tensorboard() -> None:
    """Refuse before any work what would fail after the first epoch.

    Raises
    ------
    LibraryMissing
        When TensorBoard is not installed.
    """
    if find_spec("tensorboard") is None:
        rule, next_step = "needs the package tensorboard", "Install it with: pip install 'zspace[tensorboard]'"
        raise LibraryMissing("training.tensorboard", rule, "none installed", next_step)


def write_tensorboard(folder: Path, history: Sequence[EpochRecord]) -> None:
    """Write the whole history anew, so that a run that was resumed or rolled back shows each epoch once.

    The horizontal axis counts images, so that runs of other batch sizes compare.
    """
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - the package is optional

    with atomic_folder(folder) as partial, SummaryWriter(str(partial)) as writer:
        for row in history:
            for name, value in _scalars(row):
                writer.add_scalar(name, value, row.n_images_seen)


def _scalars(row: EpochRecord) -> Iterator[tuple[str, float]]:
    for split, parts in (("training", row.training), ("validation", row.validation)):
        if parts is not None:
            for name, value in _parts(parts):
                if value is not None:
                    yield f"{name}/{split}", value
    if row.kl_weight is not None:
        yield "KL weight/training", row.kl_weight
    yield "largest gradient/training", row.largest_gradient


def _parts(parts: LossParts) -> Iterator[tuple[str, float | None]]:
    yield "loss", parts.total
    yield "reconstruction", parts.reconstruction
    yield "KL divergence", parts.divergence
    yield "KL share", parts.kl_share
    yield "mean radius", parts.mean_radius
