"""A study small enough to run many times, and a way to call the command line inside the test process."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from zspace.cli import main

STUDY = """
name = "tiny"
title = "A tiny study"

[images]
source = "faces"
n_faces = 160
size = 32

[models.ae.network]
filters = [4, 8]
z_dim = 5

[models.ae.training]
epochs = 3
batch_size = 32
learning_rate = 2e-3
checkpoint_seconds = 0

[measure]
only = ["radius", "principal", "maps"]
n_null_clouds = 3
max_clusters = 6
planes = ["pc1-pc2"]
plane_sides = [1.0]
attribute_clusters = 3
maps = ["pca"]

[generate]
n_shown = 6
n_scored = 20
"""


@dataclass(frozen=True)
class Outcome:
    """How a call of the command line ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self):
        return json.loads(self.stdout)


@pytest.fixture
def zspace(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        code = 0
        capsys.readouterr()
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def study_file(tmp_path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(STUDY)
    return path
