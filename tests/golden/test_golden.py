"""Frozen outputs: what a seed gave yesterday it gives today.

After a change that is meant to change them: ``python tests/golden/test_golden.py`` writes the file again; the
difference in version control then shows what has changed.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.images.faces import draw_faces, sample_factors
from zspace.measuring import measure_cloud
from zspace.seeds import random_stream, stream_seed
from zspace.settings import MeasureSettings

GOLDEN = Path(__file__).parent / "golden.json"


def outputs():
    random = np.random.default_rng(0)
    points = (random.standard_normal((400, 5)) * [3, 2, 1, 1, 0.5] + [4, 0, 0, 0, 0]).astype(np.float32)
    measured = measure_cloud(Cloud(points), MeasureSettings(n_null_clouds=5, max_clusters=8), seed=1)
    return {
        "streams": [random_stream(1, "order", 2).random(), float(stream_seed(1, "weights"))],
        "faces": draw_faces(sample_factors(3, seed=1), 32).mean(axis=(1, 2)).ravel().tolist(),
        "measures": {
            f"{found.name}.{name}": known_numbers(estimate)
            for found in measured
            for name, estimate in found.estimates.items()
        },
    }


def known_numbers(estimate):
    return [number for number in (estimate.value, *(estimate.band or ())) if number is not None]


def flat(value):
    if isinstance(value, dict):
        return {f"{key}.{name}": number for key, item in value.items() for name, number in flat(item).items()}
    if isinstance(value, list):
        return {str(place): item for place, item in enumerate(value)}
    return {"": value}


def test_outputs_are_those_that_were_frozen():
    frozen, found = flat(json.loads(GOLDEN.read_text())), flat(outputs())
    assert found.keys() == frozen.keys()
    # Linear algebra libraries may differ in the last digits.
    assert found == pytest.approx(frozen, rel=1e-5, abs=1e-8)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(outputs(), indent=1) + "\n")
    sys.stdout.write(f"wrote {GOLDEN}\n")
