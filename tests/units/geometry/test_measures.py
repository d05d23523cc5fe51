"""Subjects: what is left of them where a null model keeps some of what they look at."""

from zspace.geometry.measures import Quantity, Subject

TWO = tuple(Quantity(name, name, "", "", "high", float) for name in ("mean", "spread"))
SUBJECT = Subject("radius", "Radius", "How far?", len, TWO)


def test_a_subject_without_some_quantities_has_the_others():
    assert SUBJECT.without(["radius.mean"]).quantities == TWO[1:]
    assert SUBJECT.without(["axes", "axes.mean", "mean"]) == SUBJECT


def test_a_subject_that_is_named_as_a_whole_or_left_without_quantities_is_none():
    assert SUBJECT.without(["radius"]) is None
    assert SUBJECT.without(["radius.mean", "radius.spread"]) is None
