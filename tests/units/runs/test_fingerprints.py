"""Fingerprints: what decides the weights changes them, what does not leaves them alone."""

from dataclasses import dataclass, replace
from typing import Annotated

import pytest

from zspace.records import NEUTRAL, Within, deciding_mapping
from zspace.runs.fingerprints import train_fingerprint, trajectory_digest
from zspace.settings import ModelSettings, TrainingSettings

DEFAULT = ModelSettings()


def trajectory(settings=DEFAULT, store="images", seed=1):
    return trajectory_digest(store, settings, seed)


def training(**changes):
    return replace(DEFAULT, training=replace(DEFAULT.training, **changes))


def test_the_digests_of_the_defaults_are_what_they_were():
    # Another digest begins every training anew. Raise _TRAIN_VERSION where that is meant; where it is not, mark the
    # new field NEUTRAL, or leave a default as it was.
    assert trajectory() == "52e5e5ec000c5aecd5df81223c4d32e2"
    assert train_fingerprint("images", DEFAULT, 1) == "a9ee13598f3acfa185c85e0f96d08f1c"


@pytest.mark.parametrize(
    "change",
    [{"keep_every": 3}, {"max_rollbacks": 9}, {"tensorboard": True}, {"checkpoint_seconds": 1.0}],
    ids=str,
)
def test_a_neutral_setting_changes_no_digest(change):
    assert trajectory(training(**change)) == trajectory()
    assert train_fingerprint("images", training(**change), 1) == train_fingerprint("images", DEFAULT, 1)


def test_a_longer_training_is_another_one_on_the_same_trajectory():
    longer = training(epochs=DEFAULT.training.epochs + 1)
    assert trajectory(longer) == trajectory()
    assert train_fingerprint("images", longer, 1) != train_fingerprint("images", DEFAULT, 1)


def test_the_seed_counts_wherever_it_was_set():
    assert trajectory(replace(DEFAULT, seed=1)) == trajectory()
    assert trajectory(seed=2) != trajectory()


def test_everything_else_decides():
    others = [
        trajectory(store="other images"),
        trajectory(replace(DEFAULT, kind="vae")),
        trajectory(replace(DEFAULT, network=replace(DEFAULT.network, z_dim=7))),
        trajectory(replace(DEFAULT, objective=replace(DEFAULT.objective, kl_weight=7.0))),
        *(
            trajectory(training(**change))
            for change in (
                {"batch_size": 7},
                {"learning_rate": 0.7},
                {"adam_epsilon": 0.7},
                {"split": "all"},
                {"device": "cpu"},
                {"precision": "bf16"},
                {"compile": "off"},
                {"guard": False},
            )
        ),
    ]
    assert len({trajectory(), *others}) == len(others) + 1


@dataclass(frozen=True)
class NextTraining(TrainingSettings):
    """The settings of training as a later version may have them."""

    progress_bar: Annotated[int, Within(0), NEUTRAL] = 0
    """Neutral."""


@dataclass(frozen=True)
class NextModel(ModelSettings):
    """One model as a later version may have it."""

    training: NextTraining = NextTraining()
    note: Annotated[str, NEUTRAL] = ""
    """Neutral."""


def test_a_new_neutral_setting_keeps_every_run():
    later = NextModel(training=NextTraining(progress_bar=5), note="tried again")
    assert deciding_mapping(later) == deciding_mapping(DEFAULT)
    assert trajectory(later) == trajectory()
    assert train_fingerprint("images", later, 1) == train_fingerprint("images", DEFAULT, 1)
