"""The guard: growth is no jump, a jump is, and so is anything not finite."""

import pytest

from zspace.guarding import JUMPS, Guard

USUAL = {"loss": 4600.0, "gradient norm": 10.0, "mean radius": 16.0, "KL divergence": 1780.0}


def seasoned_guard():
    guard = Guard()
    for _ in range(12):
        assert guard.look(USUAL) is None
    return guard


@pytest.mark.parametrize("quantity", USUAL)
def test_a_jump_of_each_quantity_is_seen_and_not_remembered(quantity):
    guard = seasoned_guard()
    jumped = USUAL[quantity] * JUMPS[quantity] * 1.01
    for _ in range(2):
        trouble = guard.look({**USUAL, quantity: jumped})
        assert (trouble.quantity, trouble.value, trouble.usual) == (quantity, jumped, USUAL[quantity])
    assert guard.look(USUAL) is None


@pytest.mark.parametrize("quantity", USUAL)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_seen_from_the_first_look(quantity, value):
    trouble = Guard().look({**USUAL, quantity: value})
    assert (trouble.quantity, trouble.value) == (quantity, None)
    assert str(trouble) == f"a {quantity} that is not finite"


def test_the_posts_leap_to_radius_66_is_a_jump():
    trouble = seasoned_guard().look({**USUAL, "mean radius": 66.0})
    assert str(trouble) == "a mean radius of 66, at most 16 before"


def test_steady_growth_and_a_wild_start_are_no_trouble():
    guard = Guard()
    assert guard.look({**USUAL, "loss": 6388.0, "gradient norm": 1e4}) is None
    for radius in range(1, 200):
        assert guard.look({**USUAL, "mean radius": radius / 10 + 16}) is None
