"""The training loop: it finds the weights, says how far it is, and can stop and go on at any step.

Nothing random is stored between steps: the order of epoch k comes from its own named stream. Weights, optimiser
and position are therefore all there is to a state, and a resumed run is the run that was never stopped. The loop keeps
the last state that the guard found sound, and goes back to it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from enum import Enum
from math import ceil
from time import perf_counter
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from zspace.errors import DeviceMissing, RunDiverged
from zspace.guarding import CHECK_STEPS, Guard, Trouble
from zspace.images.loader import ImageBatches, Index, cut, epoch_order
from zspace.machine import freed_memory_kept
from zspace.models import Autoencoder, Losses, on_host
from zspace.objectives.divergence import scheduled_weight, steer_weight
from zspace.processes import average_gradients, own_share, process_count
from zspace.results import EpochRecord, LossParts, Rollback
from zspace.seeds import random_stream, stream_seed
from zspace.settings import Origin, TrainingSettings
from zspace.states import Position, State

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


def resolve_compile(asked: str, device: Device) -> tuple[Literal["on", "off"], Origin | None]:
    """Return whether the step is compiled, and why, when it was left to us."""
    if asked != "auto":
        return ("on" if asked == "on" else "off"), None
    if device == "cpu":
        return "off", Origin("derived", "auto: on a CPU compiling costs more than it saves")
    if process_count() > 1:
        return "off", Origin("derived", "auto: several processes exchange sums in the middle of a step")
    return "on", Origin("derived", "auto: a CUDA device runs the compiled step as CUDA graphs")


def resolve_training(asked: TrainingSettings) -> tuple[TrainingSettings, dict[str, Origin]]:
    """Return the settings with device, precision and compilation decided, and why, by the name of the setting.

    Raises
    ------
    DeviceMissing
        When a CUDA device was asked for and none is there.
    """
    device, device_origin = resolve_device(asked.device)
    precision, precision_origin = resolve_precision(asked.precision, device)
    compiled, compile_origin = resolve_compile(asked.compile, device)
    origins = {"device": device_origin, "precision": precision_origin, "compile": compile_origin}
    resolved = replace(asked, device=device, precision=precision, compile=compiled)
    return resolved, {name: origin for name, origin in origins.items() if origin}


class Moment(Enum):
    """Where the loop stands when it says how far it is."""

    BEGUN = "before the first step from here"
    AFTER_STEP = "after a step"
    SOUND = "after a step that the guard found sound"
    AFTER_EPOCH = "after an epoch, found sound as well"
    WENT_BACK = "back at the last sound state after trouble, with other noise and another order to come"

    @property
    def is_sound(self) -> bool:
        """Whether the present state is one to come back to."""
        return self is not Moment.AFTER_STEP


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
        As `resolve_training` gives them.
    seed
        The seed of the study. The order of the images comes from its streams ("order", epoch), the noise of a VAE
        from ("noise", number of changes, epoch, step).
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
        self.objective = model.settings.objective
        self.seed = seed
        self.position = Position()
        self.steps_per_epoch = ceil(len(images) / settings.batch_size)
        # Everything that a step adds up stays on the device: a step never waits for the host.
        self._epoch_sums = Sums(self.device)
        self._check_sums = Sums(self.device)
        self._kl_weight = torch.tensor(self.objective.kl_weight, device=self.device)
        self._losses = self._compiled_losses() if settings.compile == "on" else model.losses
        self._optimizer = torch.optim.Adam(
            model.parameters(), lr=settings.learning_rate, eps=settings.adam_epsilon, fused=True
        )
        self._tensors = self._all_tensors()
        self._sound = {name: _beside(tensor) for name, tensor in self._tensors.items()}
        self._sound_position = self.position.copied()

    def _all_tensors(self) -> dict[str, Tensor]:
        """Return every tensor that a step changes; they stay where they are and are written in place."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            # As Adam would at its first step: so a state has the same tensors from the start.
            moments = {"exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}
            self._optimizer.state[parameter] = {"step": torch.zeros((), device=self.device), **moments}
            tensors |= {f"optimizer.{name}.{key}": value for key, value in self._optimizer.state[parameter].items()}
        own = (self._kl_weight, self._epoch_sums.values, self._check_sums.values)
        return tensors | dict(zip(("kl_weight", "epoch_sums", "check_sums"), own, strict=True))

    def _compiled_losses(self) -> Callable[[Tensor, Tensor, Tensor], Losses]:
        """Return the losses as one compiled function, forward and backward; on a GPU each is a CUDA graph."""
        mode = "reduce-overhead" if self.device.type == "cuda" else "default"
        # Two shapes, the full batch and the last one: two exact programs, not one for any size.
        compiled: Callable[[Tensor, Tensor, Tensor], Losses] = torch.compile(
            self.model.losses, mode=mode, dynamic=False
        )
        return compiled

    @property
    def n_images_this_epoch(self) -> int:
        """Images seen in the current epoch."""
        return min(self.position.step * self.settings.batch_size, len(self.images))

    @property
    def n_images_seen(self) -> int:
        """Images seen since the start."""
        return self.position.epoch * len(self.images) + self.n_images_this_epoch

    @property
    def n_steps_done(self) -> int:
        """Steps since the start."""
        return self.position.epoch * self.steps_per_epoch + self.position.step

    def run(self) -> Iterator[Moment]:
        """Train until the last epoch, saying after every step, epoch and way back how far it is.

        Raises
        ------
        RunDiverged
            When the guard sees a jump, or anything not finite, more often than it may go back.
        """
        with freed_memory_kept():
            self._remember()
            yield Moment.BEGUN
            while self.position.epoch < self.settings.epochs:
                yield from self._run_epoch()

    def _run_epoch(self) -> Iterator[Moment]:
        """Train to the end of the current epoch, or to the first trouble and back from there."""
        self.model.train()
        start = perf_counter()
        batches = cut(self._order(), self.settings.batch_size)[self.position.step :]
        for n_images, batch in _shares(self.images, batches):
            self._step(batch, n_images)
            moment = self._moment()
            trouble = self._look() if moment.is_sound else None
            self.position.epoch_seconds += perf_counter() - start
            if moment is Moment.AFTER_EPOCH:
                trouble = trouble or self._finish_epoch()
            if trouble:
                self._go_back(trouble)
                yield Moment.WENT_BACK
                return
            if moment.is_sound:
                self._remember()
            yield moment
            start = perf_counter()

    def _moment(self) -> Moment:
        """Return where the loop stands after a step, if the guard has nothing against it."""
        if self.position.step == self.steps_per_epoch:
            return Moment.AFTER_EPOCH
        return Moment.SOUND if self.position.step % CHECK_STEPS == 0 else Moment.AFTER_STEP

    def _order(self) -> Int64[np.ndarray, " n_images"]:
        """Return the order of the images in this epoch; after a change, what was still to come is shuffled anew."""
        epoch = self.position.epoch
        order = epoch_order(len(self.images), self.seed, epoch)
        for number, (changed_epoch, step) in enumerate(self.position.changes, 1):
            if changed_epoch == epoch:
                rest = order[step * self.settings.batch_size :]
                order[step * self.settings.batch_size :] = random_stream(self.seed, "order", epoch, number).permutation(
                    rest
                )
        return order

    def losses_so_far(self) -> LossParts | None:
        """Return the mean losses of the current epoch so far, or None before its first step.

        It waits for the device, so it is not for every step.
        """
        start = perf_counter()
        parts = self._epoch_sums.means(self.model.is_variational) if self.position.step else None
        self.position.epoch_seconds += perf_counter() - start
        return parts

    def _go_back(self, trouble: Trouble) -> None:
        """Return to the last sound state, note why, and draw other noise and another order from there on.

        Raises
        ------
        RunDiverged
            When the guard may not go back, or not once more.
        """
        seen_at, n_images_seen = self.position, self.n_images_seen
        most = self.settings.max_rollbacks if self.settings.guard else 0
        if len(seen_at.rollbacks) >= most:
            raise RunDiverged(
                f"epoch {seen_at.epoch + 1}, step {seen_at.step}",
                f"training must stay sound, with at most {most} rollbacks",
                str(trouble),
                "Lower the learning rate, or try --precision float32; the last checkpoint is from before this.",
            )
        self._put_back(self._sound, self._sound_position)
        now = self.position
        rollback = Rollback(
            seen_at.epoch + 1,
            seen_at.step,
            trouble.quantity,
            trouble.value,
            trouble.usual,
            n_images_seen - self.n_images_seen,
        )
        now.rollbacks = (*now.rollbacks, rollback)
        now.changes = (*now.changes, (now.epoch, now.step))
        # From now on this is the state to come back to: the same noise is never tried twice.
        self._remember()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16")

    def _noise(self, n_images: int, *name: str | int) -> Tensor:
        shape = (n_images, self.model.settings.network.z_dim)
        if not self.model.is_variational:
            return torch.empty(shape, device=self.device)  # an AE does not read it
        generator = torch.Generator(self.device).manual_seed(stream_seed(self.seed, "noise", *name))
        return torch.randn(shape, generator=generator, device=self.device)

    def _step(self, batch: Tensor, n_images: int) -> None:
        place = self.position
        # All processes draw the noise of the whole batch, so that their number does not change it.
        noise = self._noise(n_images, len(place.changes), place.epoch, place.step)[own_share(n_images)]
        if self.objective.kl_schedule != "target-share":
            epochs_done = place.epoch + place.step / self.steps_per_epoch
            self._kl_weight.fill_(scheduled_weight(self.objective, epochs_done))
        with self._autocast():
            losses = self._losses(batch, noise, self._kl_weight)
        self._optimizer.zero_grad()
        losses.total.backward()  # type: ignore[no-untyped-call]
        average_gradients(self.model.parameters())
        gradients = [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
        gradient_norm = torch.nn.utils.get_total_norm(gradients)
        self._optimizer.step()
        if self.objective.kl_schedule == "target-share" and self.model.is_variational:
            steer_weight(self._kl_weight, losses.reconstruction, losses.charged, self.objective.kl_target_share)
        for sums in (self._epoch_sums, self._check_sums):
            sums.add(losses, gradient_norm, n_images)
        self.position.step += 1

    def _look(self) -> Trouble | None:
        """Let the guard look at the steps since its last look; without a guard only what is not finite is trouble."""
        parts = self._check_sums.means(self.model.is_variational)
        values = {
            "loss": parts.total,
            "gradient norm": self._check_sums.largest_gradient(),
            "mean radius": parts.mean_radius,
        }
        if parts.divergence is not None:
            values["KL divergence"] = parts.divergence
        guard = self.position.guard if self.settings.guard else Guard()
        trouble = guard.look(values)
        if trouble is None:
            self._check_sums.clear()
        return trouble

    def _finish_epoch(self) -> Trouble | None:
        """Add the epoch to the history, unless the last step has ruined the weights: only validation sees that."""
        validation = self._validation_losses()
        if validation and (trouble := Guard().look({"validation loss": validation.total})):
            return trouble
        record = EpochRecord(
            epoch=self.position.epoch + 1,
            n_images_seen=(self.position.epoch + 1) * len(self.images),
            training=self._epoch_sums.means(self.model.is_variational),
            validation=validation,
            kl_weight=float(self._kl_weight) if self.model.is_variational else None,
            largest_gradient=self._epoch_sums.largest_gradient(),
            elapsed_seconds=self.position.epoch_seconds,
        )
        self.position.history = (*self.position.history, record)
        self._epoch_sums.clear()
        self.position.epoch += 1
        self.position.step = 0
        self.position.epoch_seconds = 0.0
        return None

    @torch.no_grad()
    def _validation_losses(self) -> LossParts | None:
        if self.validation is None or len(self.validation) == 0:
            return None
        self.model.eval()
        sums = Sums(self.device)
        batches = cut(np.arange(len(self.validation)), self.settings.batch_size)
        for place, (n_images, batch) in enumerate(_shares(self.validation, batches)):
            noise = self._noise(n_images, "validation", place)[own_share(n_images)]
            with self._autocast():
                losses = self.model.losses(batch, noise, self._kl_weight)
            sums.add(losses, torch.zeros((), device=self.device), n_images)
        return sums.means(self.model.is_variational)

    def _remember(self) -> None:
        """Keep the present state on the host. Nobody waits for it: a device copies between two steps."""
        for name, tensor in self._tensors.items():
            self._sound[name].copy_(tensor, non_blocking=True)
        self._sound_position = self.position.copied()

    def _put_back(self, tensors: Mapping[str, Tensor], position: Position) -> None:
        for name, tensor in self._tensors.items():
            tensor.copy_(tensors[name])
        self.position = position.copied()

    def state(self) -> State:
        """Return the present state, as arrays on the host."""
        arrays = {name: on_host(tensor).copy() for name, tensor in self._tensors.items()}
        return State(arrays, self.position.copied(), self.n_steps_done)

    def restore(self, state: State) -> None:
        """Go back, or forward, to a state that fits."""
        self._put_back({name: torch.from_numpy(array) for name, array in state.arrays.items()}, state.position)

    def fits(self, state: State) -> bool:
        """Return whether a state can be one of this training, and lies within its epochs."""
        place = state.position
        return (
            {name: (array.shape, str(array.dtype)) for name, array in state.arrays.items()}
            == {name: (tuple(tensor.shape), _type_name(tensor)) for name, tensor in self._tensors.items()}
            and (place.epoch, place.step) <= (self.settings.epochs, 0)
            and place.step < self.steps_per_epoch
            and state.n_steps_done == place.epoch * self.steps_per_epoch + place.step
            and [row.epoch for row in place.history] == list(range(1, place.epoch + 1))
        )


def _type_name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _beside(tensor: Tensor) -> Tensor:
    """Return room for a copy on the host, which a device can write to by itself."""
    return torch.empty_like(tensor, device="cpu", pin_memory=tensor.is_cuda)


def _shares(images: ImageBatches, batches: list[Index]) -> Iterator[tuple[int, Tensor]]:
    """Yield the size of every batch, and this process's share of its images."""
    with closing(images.stream([batch[own_share(len(batch))] for batch in batches])) as shares:
        yield from zip(map(len, batches), shares, strict=True)


class Sums:
    """Losses added up on the device, weighed by the number of images, and the largest gradient norm."""

    def __init__(self, device: torch.device) -> None:
        self.values = torch.zeros(6, dtype=torch.float64, device=device)
        """Total, reconstruction, divergence, radius, each times images; images; largest gradient norm."""

    def add(self, losses: Losses, gradient_norm: Tensor, n_images: int) -> None:
        """Add one batch."""
        parts = (losses.total, losses.reconstruction, losses.divergence, losses.mean_radius)
        ones = torch.ones_like(losses.total)
        self.values[:5] += torch.stack([*parts, ones]).detach().double() * n_images
        # A NaN wins over any number in torch.maximum: it is not forgotten.
        self.values[5] = torch.maximum(self.values[5], gradient_norm.double())

    def means(self, is_variational: bool) -> LossParts:
        """Return the means over images. It waits for the device."""
        total, reconstruction, divergence, radius, n_images, _ = self.values.tolist()
        mean_divergence = divergence / n_images if is_variational else None
        return LossParts(total / n_images, reconstruction / n_images, mean_divergence, radius / n_images)

    def largest_gradient(self) -> float:
        """Return the largest gradient norm. It waits for the device."""
        return float(self.values[5])

    def clear(self) -> None:
        """Start again."""
        self.values.zero_()
