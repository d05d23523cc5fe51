"""Several processes: alone nothing changes, and two of them compute what one would."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from zspace.processes import average_gradients, is_first, mean_over_processes, own_share, process_count, together


def test_alone_everything_is_as_if_there_were_no_processes(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with together():
        assert process_count() == 1
        assert is_first()
        assert own_share(5) == slice(0, 5)
        mean, parameter = torch.tensor(3.0), nn.Parameter(torch.ones(2))
        assert mean_over_processes(mean, torch.zeros(4)) is mean
        average_gradients([parameter])
        assert parameter.grad is None


def test_two_processes_compute_from_their_shares_what_one_computes_from_the_whole():
    script = Path(__file__).with_name("share_batches.py")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
