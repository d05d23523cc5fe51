"""z-points on disk."""

import numpy as np
import pytest

from zspace.errors import NotARunFolder
from zspace.runs.folders import RunFolder
from zspace.runs.latents import read_latent_ids, read_latents, write_latents


def test_latents_come_back_and_replace_older_ones(tmp_path):
    path = tmp_path / "latents.zarr"
    random = np.random.default_rng(0)
    for n_points in (5, 20_000):
        z = random.standard_normal((n_points, 3)).astype(np.float32)
        write_latents(path, {"z": z}, np.arange(n_points)[::-1].copy())
    assert np.array_equal(read_latents(RunFolder(tmp_path), "z"), z)
    assert read_latent_ids(RunFolder(tmp_path))[0] == 19_999
    with pytest.raises(NotARunFolder, match=r"must be a Zarr group of z-points, got nothing"):
        read_latents(RunFolder(tmp_path / "none"), "z")
