"""``budget``: settings to parameters, memory and work, before any training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from zspace.budget import ModelBudget, model_budget, training_time
from zspace.errors import SettingMissing
from zspace.networks.convolutional import check_image_size
from zspace.records import dotted, from_mapping, to_mapping
from zspace.settings import ModelSettings, Origin, Plan, StudySettings, TrainingSettings, resolve_plan
from zspace.training import resolve_training

DEFAULT_KIND = "vae"
"""Without flags the budget is that of the posts' VAE with z of 256: the model whose cost they ask about."""

MODEL_NAME = "model"
"""Of the one model that flags describe."""


def plan_budget(study: str | None, image_size: int | None, flags: Mapping[str, Any]) -> Plan:
    """Return the models to count, with every value resolved, and where each comes from.

    Parameters
    ----------
    study
        A preset or the path of a TOML file: each of its models is counted as `zspace study` would train it. None for
        one model described by the flags alone.
    image_size
        Side of the square images, in pixels; None takes the study's, or the default.
    flags
        Values by their key in a model, such as ``"network.z_dim"``; None means not given.

    Raises
    ------
    UnknownPreset, UnknownSetting, SettingOutOfRange, FileDamaged
        When something asked for cannot be had; the message names the place.
    ImageSizeNotDivisible
        When the strides of a model do not divide the image size.
    """
    asked = {key: value for key, value in flags.items() if value is not None}
    if study is None:
        plan = _one_model(image_size, asked)
    else:
        by_model = {f"models.*.{key}": value for key, value in asked.items()}
        plan = resolve_plan(study, {"images.size": image_size, **by_model})
    for name, model in plan.settings.models.items():
        where = "--size" if study is None else f"images.size for model {name!r}"
        check_image_size(model.network, plan.settings.images.size, where)
    return _resolve_precisions(plan)


def _one_model(image_size: int | None, asked: Mapping[str, Any]) -> Plan:
    prefix = f"models.{MODEL_NAME}"
    origins = {f"{prefix}.{key}": Origin("flag") for key in asked}
    values: dict[str, Any] = {"kind": DEFAULT_KIND, **asked}
    model = from_mapping(ModelSettings, _nested(values), "budget")
    origins.setdefault(f"{prefix}.network.batch_norm", model.batch_norm_origin)
    images: dict[str, Any] = {}
    if image_size is not None:
        images["size"] = image_size
        origins["images.size"] = Origin("flag")
    table = {"name": "budget", "images": images, "models": {MODEL_NAME: model}}
    settings = from_mapping(StudySettings, table, "budget")
    defaults = {key: Origin("default") for key, _ in dotted(to_mapping(settings))}
    return Plan(settings, {**defaults, **origins})


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``{"network.z_dim": 2}`` into ``{"network": {"z_dim": 2}}``."""
    table: dict[str, Any] = {}
    for key, value in values.items():
        section, dot, name = key.partition(".")
        if dot:
            table.setdefault(section, {})[name] = value
        else:
            table[section] = value
    return table


def _resolve_precisions(plan: Plan) -> Plan:
    origins, models = dict(plan.origins), {}
    for name, model in plan.settings.models.items():
        training, reasons = _resolve_training(model.training)
        models[name] = replace(model, training=training)
        origins |= {f"models.{name}.training.{key}": origin for key, origin in reasons.items()}
    return Plan(replace(plan.settings, models=models), origins)


def _resolve_training(asked: TrainingSettings) -> tuple[TrainingSettings, dict[str, Origin]]:
    """Resolve as training does, but for a CUDA device that is not here: a budget may be for another machine."""
    if asked.device != "cuda" or torch.cuda.is_available():
        return resolve_training(asked)
    if asked.precision != "auto":
        return asked, {}
    reason = "auto: a CUDA device that multiplies bf16 is assumed, none is here"
    return replace(asked, precision="bf16"), {"precision": Origin("derived", reason)}


def budget(plan: Plan, images_per_second: float | None = None, n_images: int | None = None) -> dict[str, ModelBudget]:
    """Return the budget of every model of a plan, by name.

    Parameters
    ----------
    plan
        What `plan_budget` gave.
    images_per_second
        A rate measured on the machine that will train; None gives no time.
    n_images
        Images in the training split, for the time of an epoch; only used with a rate.

    Raises
    ------
    SettingMissing
        For a number of images without a rate.
    SettingOutOfRange
        For a rate or a number of images that is not above zero.
    """
    if n_images is not None and images_per_second is None:
        raise SettingMissing(
            "--images-per-second",
            "must be given with --n-images, since a rate is measured and not guessed",
            "nothing",
            "Train for a minute and take the rate that is printed.",
        )
    found = {}
    for name, model in plan.settings.models.items():
        result = model_budget(model, plan.settings.images.size)
        if images_per_second is not None:
            result = replace(result, time=training_time(result, model.training.epochs, images_per_second, n_images))
        found[name] = result
    return found
