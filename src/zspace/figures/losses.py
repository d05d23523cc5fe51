"""Figure of the losses over training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from zspace.figures.style import DATA, SECOND, add_legend, drawing, new_figure, plain_ticks
from zspace.results import TrainResult

LOSS_CAPTION = (
    "Training loss (blue) is the mean over the steps of an epoch, while the weights still improve; validation loss "
    "(green) is taken at the epoch's end on images that training never sees. The right axis is the same number per "
    "pixel. Validation that rises while training falls means that the model learns its images by heart."
)


def draw_losses(training: TrainResult) -> Figure:
    """Draw training and validation loss over epochs and images seen; there must be at least one epoch."""
    with drawing():
        figure = new_figure()
        axes = figure.subplots()
        _draw_histories(axes, training)
        axes.set(xlabel="epoch", ylabel=f"{training.loss_name} ({training.loss_unit})")
        last = training.history[-1].epoch
        margin = 0.04 * last if last > 1 else 0.5
        axes.set_xlim(1 - margin, last + margin)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _add_scales(axes, training)
        for axis in (axes.xaxis, axes.yaxis):
            plain_ticks(axis)
        add_legend(figure, axes)
    return figure


def _draw_histories(axes: Axes, training: TrainResult) -> None:
    epochs = [record.epoch for record in training.history]
    losses = [record.training_loss for record in training.history]
    axes.plot(epochs, losses, color=DATA, marker="o", markersize=3.5, label="training")
    held_out = [(record.epoch, record.validation_loss) for record in training.history]
    known = [(epoch, loss) for epoch, loss in held_out if loss is not None]
    if known:
        x, y = zip(*known, strict=True)
        axes.plot(x, y, color=SECOND, marker="s", markersize=4, markerfacecolor="white", label="validation")


def _add_scales(axes: Axes, training: TrainResult) -> None:
    """Give the same curve two more scales: loss per pixel at the right, images seen on top."""
    last = training.history[-1]
    right = axes.secondary_yaxis("right", functions=_scaling(1 / training.n_pixels))
    right.set_ylabel(f"{training.loss_unit.removesuffix(' per image')} per pixel")
    top = axes.secondary_xaxis("top", functions=_scaling(last.n_images_seen / last.epoch / 1000))
    top.set_xlabel("images seen (thousands)")
    plain_ticks(right.yaxis)
    plain_ticks(top.xaxis)


def _scaling(factor: float) -> tuple[Callable[[ArrayLike], ArrayLike], Callable[[ArrayLike], ArrayLike]]:
    """Return the conversion to another unit and back, as matplotlib wants it."""
    return (lambda values: np.asarray(values) * factor, lambda values: np.asarray(values) / factor)
