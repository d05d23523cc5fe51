"""Several runs of one setting side by side: what is stable between seeds and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from zspace.estimates import mean_estimate
from zspace.results import Estimate, TrainResult

QUANTITIES: dict[str, tuple[str, Callable[[TrainResult], float | None]]] = {
    "training_loss": ("unit of the loss", lambda run: run.history[-1].training.total),
    "validation_loss": ("unit of the loss", lambda run: run.history[-1].validation_loss),
    "reconstruction": ("unit of the loss", lambda run: run.history[-1].training.reconstruction),
    "divergence": ("nats per image", lambda run: run.history[-1].training.divergence),
    "kl_share": ("share of the loss", lambda run: run.history[-1].training.kl_share),
    "radius_while_training": ("units of z", lambda run: run.history[-1].training.mean_radius),
    "rollbacks": ("rollbacks", lambda run: float(len(run.rollbacks))),
}
"""What is compared: unit, and where it stands in a result."""


def compare_runs(runs: Sequence[TrainResult]) -> dict[str, Estimate]:
    """Return the mean of every quantity over runs that differ only in their seed, with an interval.

    Assumes
    -------
    The interval takes the runs as independent and the quantity as normal between them; with fewer than three runs
    there is none.

    Source
    ------
    Student 1908.
    """
    found = {}
    for name, (unit, read) in QUANTITIES.items():
        values = [value for run in runs if (value := read(run)) is not None]
        if values:
            found[name] = _mean_over_runs(np.array(values), unit)
    return found


def compare_seeds(results: dict[str, TrainResult], n_runs: int) -> dict[str, dict[str, Estimate]]:
    """Return the comparison of every model's runs, by the model's name; empty when there is one run of each.

    Parameters
    ----------
    results
        By run, in the order of the plan: all runs of one model, then those of the next.
    n_runs
        Runs of each model.
    """
    if n_runs == 1:
        return {}
    names = list(results)
    return {
        names[first].removesuffix("-1"): compare_runs([results[name] for name in names[first : first + n_runs]])
        for first in range(0, len(names), n_runs)
    }


def _mean_over_runs(values: np.ndarray, unit: str) -> Estimate:
    source = f"mean over runs, from {values.min():.6g} to {values.max():.6g}"
    if len(values) < 3:
        few = "fewer than three runs say nothing of the spread between them"
        return Estimate.of(float(values.mean()), unit, source, len(values), warnings=(few,))
    assumptions = ("runs differ only in their seed", "normal between runs")
    return replace(mean_estimate(values, unit, source), assumptions=assumptions)
