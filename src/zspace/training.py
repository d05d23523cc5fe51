"""The training loop: it finds the weights, says how far it is, and can stop and go on at any step.

Nothing random is stored between steps: the order of epoch k comes from its own named stream. Weights, optimiser
and position are therefore all there is to a checkpoint, and a resumed run is the run that was never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import ceil, isfinite
from time import perf_counter
from typing import Any, Literal

import torch
from torch import Tensor

from zspace.errors import DeviceMissing, LossNotFinite
from zspace.images.loader import ImageBatches, epoch_order
from zspace.models import Autoencoder
from zspace.records import from_mapping, to_mapping
from zspace.results import EpochRecord
from zspace.settings import Origin, TrainingSettings

Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bf16"]


def resolve_device(asked: str) -> tuple[Device, Origin | None]:
    """Return the device to compute on, and why, when it was left to us.

    Raises
    ------
    DeviceMissing
        When a CUDA device was asked for and none is there.
    """
    has_cuda = torch.cuda.is_available()
    if asked == "cuda" and not has_cuda:
        raise DeviceMissing(
            "training.device", "must be a device of this machine", "'cuda' without a CUDA device", "Use --device cpu."
        )
    if asked == "auto":
        found = "a CUDA device was found" if has_cuda else "no CUDA device was found"
        return "cuda" if has_cuda else "cpu", Origin("derived", f"auto: {found}")
    return ("cuda" if asked == "cuda" else "cpu"), None


def resolve_precision(asked: str, device: Device) -> tuple[Precision, Origin | None]:
    """Return the number format of the convolutions, and why, when it was left to us."""
    if asked != "auto":
        return ("bf16" if asked == "bf16" else "float32"), None
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities = torch.cpu.get_capabilities()
        fast = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    reason = f"auto: this {device} {'multiplies' if fast else 'does not multiply'} bf16 in hardware"
    return "bf16" if fast else "float32", Origin("derived", reason)


class Moment(Enum):
    """Where the loop stands when it hands over control."""

    AFTER_STEP = "after a step"
    AFTER_EPOCH = "after an epoch"


@dataclass
class Position:
    """How far a run has come."""

    epoch: int = 0
    """Epochs completed."""
    step: int = 0
    """Steps of the current epoch completed."""
    epoch_seconds: float = 0.0
    """Time spent in the steps of the current epoch."""
    history: list[EpochRecord] = field(default_factory=list)


class Training:
    """One model on its way from initial weights to the last epoch.

    Parameters
    ----------
    model
        Changed in place.
    images
        The images to train on.
    validation
        Images to watch; None for none.
    settings
        Device and precision must be resolved.
    seed
        The seed of the study; the order of the images comes from its streams "order".
    """

    def __init__(
        self,
        model: Autoencoder,
        images: ImageBatches,
        validation: ImageBatches | None,
        settings: TrainingSettings,
        seed: int,
    ) -> None:
        self.device = torch.device(settings.device)
        self.model = model.place_on(self.device)
        self.images = images
        self.validation = validation
        self.settings = settings
        self.seed = seed
        self.position = Position()
        self.steps_per_epoch = ceil(len(images) / settings.batch_size)
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self._optimizer = torch.optim.Adam(
            model.parameters(), lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True
        )

    @property
    def n_images_this_epoch(self) -> int:
        """Images seen in the current epoch."""
        return min(self.position.step * self.settings.batch_size, len(self.images))

    @property
    def n_images_seen(self) -> int:
        """Images seen since the start."""
        return self.position.epoch * len(self.images) + self.n_images_this_epoch

    def run(self) -> Iterator[Moment]:
        """Train until the last epoch, handing over control after every step and every epoch.

        Raises
        ------
        LossNotFinite
            When an epoch ends with a loss that is NaN or infinite, and no later than that.
        """
        while self.position.epoch < self.settings.epochs:
            self.model.train()
            order = epoch_order(len(self.images), self.seed, self.position.epoch)
            for first in range(self.position.step * self.settings.batch_size, len(order), self.settings.batch_size):
                start = perf_counter()
                self._step(self.images.take(order[first : first + self.settings.batch_size]))
                self.position.epoch_seconds += perf_counter() - start
                yield Moment.AFTER_STEP
            self._finish_epoch()
            yield Moment.AFTER_EPOCH

    def mean_loss(self) -> float | None:
        """Return the mean loss of the current epoch so far, or None before its first step.

        It waits for the device, so it is not for every step.

        Raises
        ------
        LossNotFinite
            When it is NaN or infinite.
        """
        if self.position.step == 0:
            return None
        start = perf_counter()
        loss = float(self._loss_sum) / self.n_images_this_epoch
        self.position.epoch_seconds += perf_counter() - start
        if not isfinite(loss):
            raise LossNotFinite(
                f"epoch {self.position.epoch + 1}, step {self.position.step}",
                "the loss must be finite",
                str(loss),
                "Lower the learning rate, or try --precision float32; the last checkpoint is from before this.",
            )
        return loss

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16")

    def _step(self, batch: Tensor) -> None:
        with self._autocast():
            loss = self.model.loss(batch)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._loss_sum += loss.detach() * len(batch)
        self.position.step += 1

    def _finish_epoch(self) -> None:
        training_loss = self.mean_loss()
        if training_loss is None:
            return
        self.position.history.append(
            EpochRecord(
                epoch=self.position.epoch + 1,
                n_images_seen=(self.position.epoch + 1) * len(self.images),
                training_loss=training_loss,
                validation_loss=self._validation_loss(),
                elapsed_seconds=self.position.epoch_seconds,
            )
        )
        self._loss_sum.zero_()
        self.position.epoch += 1
        self.position.step = 0
        self.position.epoch_seconds = 0.0

    @torch.no_grad()
    def _validation_loss(self) -> float | None:
        if self.validation is None or len(self.validation) == 0:
            return None
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for batch in self.validation.in_order(self.settings.batch_size):
            with self._autocast():
                total += self.model.loss(batch) * len(batch)
        return float(total) / len(self.validation)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return all tensors and the position: everything a checkpoint needs."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            for key, value in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = value
        tensors["loss_sum"] = self._loss_sum
        return tensors, to_mapping(self.position)

    def restore(self, tensors: Mapping[str, Tensor], position: Mapping[str, Any]) -> None:
        """Go back, or forward, to a state that `state` gave."""
        prefix = "model."
        self.model.load_state_dict(
            {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        )
        for name, parameter in self.model.named_parameters():
            prefix = f"optimizer.{name}."
            saved = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            self._optimizer.state[parameter] = {
                # The moments take the parameter's memory layout, which a file does not keep.
                key: torch.empty_like(parameter).copy_(value) if value.ndim else value.clone()
                for key, value in saved.items()
            }
        self._loss_sum.copy_(tensors["loss_sum"])
        epochs = [from_mapping(EpochRecord, row, "checkpoint") for row in position["history"]]
        self.position = Position(position["epoch"], position["step"], position["epoch_seconds"], epochs)
