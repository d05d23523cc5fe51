"""Killed at random, also with changed settings in between, a study ends as if nobody had touched it."""

import json
import os
import random
from pathlib import Path

import pytest

import killing
from zspace.runs.tensors import load_arrays

N_KILLS = int(os.environ.get("ZSPACE_KILLS", "100"))
KILLS_PER_VISIT = 7
"""Before the settings are changed, or the study may end."""
MOST_CHANGES = 60
"""Of files, before a kill: a whole study makes some hundreds."""

STUDY = """
name = "killed"
seed = 3

[images]
source = "faces"
n_faces = 60
size = 16

[models.ae.network]
filters = [4, 8]
z_dim = 3

[models.vae]
kind = "vae"

[models.vae.network]
filters = [4, 8]
z_dim = 3
batch_norm = true

[models.ae.training]
epochs = 3
batch_size = 2
precision = "float32"
device = "cpu"
checkpoint_seconds = 0.0
keep_every = 1
learning_rate = 1e-3

[models.vae.training]
epochs = 3
batch_size = 2
precision = "float32"
device = "cpu"
checkpoint_seconds = 0.0
keep_every = 1
learning_rate = 1e-3

[measure]
only = ["radius", "maps"]
maps = ["pca"]
n_null_clouds = 2

[generate]
samplers = ["normal"]
n_components = 1
n_shown = 2
n_scored = 4
"""
OF_PLACE_AND_MOMENT = ("seconds", "images_per_second", "images_held", "source", "files")
"""The last are sizes, of files with times in them too; what the files hold is compared itself."""


def timeless(document):
    """Leave out times and places, which are never the same twice."""
    if isinstance(document, dict):
        # The digest of a step is over its times too.
        kept = {key: value for key, value in document.items() if key != "digest"}
        return {key: timeless(value) for key, value in kept.items() if not key.endswith(OF_PLACE_AND_MOMENT)}
    return [timeless(value) for value in document] if isinstance(document, list) else document


def kept_epoch(path):
    arrays, facts = load_arrays(path)
    del facts["digest"]  # of facts with times in them
    return {name: array.tobytes() for name, array in arrays.items()}, timeless(facts)


def content(path):
    if path.name.startswith("epoch-"):
        return kept_epoch(path)
    if path.name in {"results.json", "store.json", ".zspace.json"}:
        return timeless(json.loads(path.read_text()))
    if path.name == "history.jsonl":
        return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
    return path.read_bytes()


def everything(out):
    """Return the content of every file by its path; of the report only that it is there.

    What a training leaves aside does not count: the newest steps, and kept epochs of other settings.
    """
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    found = {}
    for path in paths:
        name = path.relative_to(out)
        is_aside = path.name.startswith("step-") or any(part.startswith("other-") for part in name.parts)
        if not is_aside and path.name != ".lock":
            # The report shows times, and the log beside it is about the report.
            found[str(name)] = None if str(name) in {"report.html", "results.json"} else content(path)
    return found


def visit(arguments, out, chance):
    """Start a study again and again, killed each time; return how many kills there were."""
    for n_kills in range(KILLS_PER_VISIT):
        code = killing.run([*arguments, "--out", out, "--quiet"], kill_at=chance.randint(1, MOST_CHANGES))
        assert code in (0, -9)
        if code == 0:
            return n_kills
    return KILLS_PER_VISIT


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_study_killed_and_changed_and_changed_back_ends_bit_identical(tmp_path):
    study = tmp_path / "killed.toml"
    study.write_text(STUDY)
    asked = ["study", study]
    changed = [*asked, "--set", "models.*.training.learning_rate=2e-3"]
    assert killing.run([*asked, "--out", tmp_path / "calm", "--quiet"]) == 0
    calm = everything(tmp_path / "calm")
    assert "runs/vae/checkpoints/epoch-0003.safetensors" in calm
    chance, n_kills, n_rounds = random.Random(20), 0, 0
    while n_kills < N_KILLS:
        n_rounds += 1
        out = Path(tmp_path / f"out-{n_rounds}")
        n_kills += sum(visit(arguments, out, chance) for arguments in (asked, changed, asked))
        assert killing.run([*asked, "--out", out, "--quiet"]) == 0
        found = everything(out)
        assert [name for name in found if name.endswith((".partial", ".old")) or ".partial/" in name] == []
        assert sorted(found) == sorted(calm)
        assert [name for name in calm if found[name] != calm[name]] == []
