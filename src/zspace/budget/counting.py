"""Parameters, memory and work of a model, beside those of models that differ in one point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from zspace.budget.records import ModelBudget, TimeBudget, Variant
from zspace.budget.tracing import count_flops, trace_memory
from zspace.errors import SettingOutOfRange
from zspace.networks.convolutional import check_image_size, flat_shape, per_layer
from zspace.settings import ModelSettings, NetworkSettings


def model_budget(settings: ModelSettings, image_size: int) -> ModelBudget:
    """Return what a model costs, and what it would with an extra dense layer or one convolution less.

    Parameters
    ----------
    settings
        Kind, network, objective, batch size and precision; precision must be resolved.
    image_size
        Side of the square images, in pixels.

    Raises
    ------
    ImageSizeNotDivisible
        When the strides do not divide the image size.
    SettingOutOfRange
        When precision is still "auto", or BatchNorm would see a single value of each channel.

    Units
    -----
    Bytes, and operations per image.

    Assumes
    -------
    `ASSUMPTIONS`; and that layers keep on a GPU what they keep on a CPU.

    Cost
    ----
    About a second, whatever the size of the model: no tensor holds numbers.
    """
    found = _measure(settings, image_size)
    variants = tuple(
        _compare(found, name, network, _measure(replace(settings, network=network), image_size), image_size)
        for name, network in _changed_networks(settings.network)
    )
    return replace(found, variants=variants)


def training_time(found: ModelBudget, epochs: int, images_per_second: float, n_images: int | None) -> TimeBudget:
    """Return how long training takes.

    Parameters
    ----------
    found
        What `model_budget` gave.
    epochs
        Passes over the images.
    images_per_second
        A rate measured on the machine that will train, as training prints it.
    n_images
        Images in the training split; None when unknown.

    Raises
    ------
    SettingOutOfRange
        When the rate is not above zero, or there are no images.
    """
    for name, number in (("images per second", images_per_second), ("number of images", n_images)):
        if number is not None and not 0 < number < float("inf"):
            raise SettingOutOfRange(name, "must be above 0", repr(number), "Take what training prints.")
    epoch_seconds = None if n_images is None else n_images / images_per_second
    return TimeBudget(
        images_per_second=images_per_second,
        flops_per_second=found.flops_per_image * images_per_second,
        epoch_seconds=epoch_seconds,
        training_seconds=None if epoch_seconds is None else epoch_seconds * epochs,
    )


def _changed_networks(network: NetworkSettings) -> Iterator[tuple[str, NetworkSettings]]:
    if network.dense:
        yield "without the extra dense layers", replace(network, dense=())
    else:
        yield f"with an extra dense layer of width {network.z_dim:,}", replace(network, dense=(network.z_dim,))
    n_layers = len(network.filters)
    if n_layers > 1:
        fewer = replace(
            network,
            filters=_without_last_but_one(network.filters),
            kernel_sizes=_without_last_but_one(per_layer(network.kernel_sizes, network, "kernel_sizes")),
            strides=_without_last_but_one(per_layer(network.strides, network, "strides")),
        )
        plural = "convolutions" if n_layers > 2 else "convolution"
        yield f"with {n_layers - 1} {plural}, filters {', '.join(map(str, fewer.filters))}", fewer


def _without_last_but_one(values: tuple[int, ...]) -> tuple[int, ...]:
    """Leave a layer out so that the first and the last stay."""
    return (*values[:-2], values[-1])


def _compare(found: ModelBudget, name: str, network: NetworkSettings, other: ModelBudget, image_size: int) -> Variant:
    parameters_saved = (
        found.encoder_parameters + found.decoder_parameters - other.encoder_parameters - other.decoder_parameters
    )
    return Variant(
        name=name,
        filters=network.filters,
        dense=network.dense,
        encoder_parameters=other.encoder_parameters,
        decoder_parameters=other.decoder_parameters,
        flatten_factor=prod(flat_shape(network, image_size)) / found.flatten_width,
        peak_bytes=other.peak_bytes,
        parameters_saved=parameters_saved,
        peak_bytes_saved=found.peak_bytes - other.peak_bytes,
    )


def _measure(settings: ModelSettings, image_size: int) -> ModelBudget:
    """Return the budget without variants."""
    _check(settings, image_size)
    ledger = trace_memory(settings, image_size)
    layers = tuple(ledger.layers())
    sums = {
        name: sum(getattr(layer, name) for layer in layers)
        for name in ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes")
    }
    return ModelBudget(
        kind=settings.kind,
        image_size=image_size,
        batch_size=settings.training.batch_size,
        precision=settings.training.precision,
        encoder_parameters=sum(layer.parameters for layer in layers if layer.part == "encoder"),
        decoder_parameters=sum(layer.parameters for layer in layers if layer.part == "decoder"),
        flatten_width=prod(flat_shape(settings.network, image_size)),
        **sums,
        transient_bytes=ledger.peak_bytes - sum(sums.values()),
        peak_bytes=ledger.peak_bytes,
        flops_per_image=count_flops(settings, image_size) // settings.training.batch_size,
        layers=layers,
    )


def _check(settings: ModelSettings, image_size: int) -> None:
    training, network = settings.training, settings.network
    if training.precision == "auto":
        rule = "must be resolved before memory can be counted"
        raise SettingOutOfRange("training.precision", rule, "'auto'", "Give float32 or bf16.")
    check_image_size(network, image_size, "image size")
    if network.batch_norm and training.batch_size == 1 and flat_shape(network, image_size)[1] == 1:
        rule = "must be at least 2 where BatchNorm sees one value of each channel and image"
        raise SettingOutOfRange("training.batch_size", rule, "1", "Use larger batches, larger images or fewer layers.")
