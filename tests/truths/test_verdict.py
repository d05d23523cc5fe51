"""The verdict on every known shape, at as many points as it compares."""

import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.truths.shapes import SHAPES
from zspace.geometry.verdict.judge import judge
from zspace.settings import VerdictSettings

ROWS = [(name, z_dim) for name, shape in SHAPES.items() for z_dim in (16, 256) if z_dim in shape.dimensions]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "z_dim"), ROWS)
def test_what_is_right_about_a_shape_is_said(name, z_dim):
    """Without detection limits, where "no" is "cannot tell": what is claimed is what is there, and no more."""
    shape = SHAPES[name]
    found = judge(Cloud(shape.draw(2048, z_dim, 1)), VerdictSettings(limits=False), 1)
    claimed = {claim for claim, one in found.claims.items() if one.answer == "yes" and claim in shape.claims}
    assert claimed == {claim for claim, answer in shape.claims.items() if answer == "yes"}
    assert found.closest_null in shape.rung
