"""``torchrun``: two processes train what one does, and only the first one writes."""

import json
import os
import subprocess
import sys

import pytest

N_STEPS = 5

STUDY = """
name = "together"

[images]
source = "faces"
n_faces = 120
size = 16

[models.vae]
kind = "vae"

[models.vae.network]
filters = [4, 8]
z_dim = 3
batch_norm = true

[models.vae.objective]
kl_schedule = "target-share"
kl_weight = 0.01
free_bits = 0.01

[models.gaussian.network]
filters = [4, 8]
z_dim = 3

[models.gaussian.objective]
reconstruction = "gaussian"

[models.gaussian.training]
epochs = 2
batch_size = 33
precision = "float32"
device = "cpu"

[models.vae.training]
# A bias before BatchNorm has no gradient but rounding: with its usual epsilon Adam would make whole steps of that.
adam_epsilon = 1e-3
epochs = 2
batch_size = 33
precision = "float32"
device = "cpu"

[generate]
n_shown = 2
n_scored = 5

[measure]
only = ["principal"]
n_null_clouds = 2
"""


def run(out, *, n_processes):
    study = out.with_suffix(".toml")
    study.write_text(STUDY)
    together = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(n_processes), "-m"]
    command = [sys.executable, "-m", *(together if n_processes > 1 else []), "zspace", "study", str(study)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(out), "--json"], capture_output=True, text=True, env=environment, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["results"]["models"]


def known(losses):
    return {name: loss for name, loss in losses.items() if loss is not None}


@pytest.mark.timeout(300)
def test_two_processes_give_the_losses_of_one_with_the_same_global_batch(tmp_path):
    # Of the 100 training images the last batch of 33 holds a single one: a share of none, and one of one.
    alone, together = (run(tmp_path / f"out-{n}", n_processes=n) for n in (1, 2))
    for name, model in alone.items():
        training, other = model["training"], together[name]["training"]
        assert (training["n_processes"], other["n_processes"]) == (1, 2)
        for one, two in zip(training["history"], other["history"], strict=True):
            assert known(two["training"]) == pytest.approx(known(one["training"]), rel=2e-5)
            assert known(two["validation"]) == pytest.approx(known(one["validation"]), rel=2e-5)
            assert two["largest_gradient"] == pytest.approx(one["largest_gradient"], rel=2e-4)
            assert two["kl_weight"] == (one["kl_weight"] and pytest.approx(one["kl_weight"], rel=2e-5))
    assert (tmp_path / "out-2" / "report.html").is_file()
