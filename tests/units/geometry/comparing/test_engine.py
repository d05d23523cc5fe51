"""The engine: how many draws it takes, which quantities it waits for, and what it does with what is not known."""

from dataclasses import dataclass

import numpy as np
import pytest

from zspace.errors import TooFewPoints
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import BATCH, ENOUGH, Family, compare, read, sight_of
from zspace.geometry.measures import Profile, Quantity, Subject

CLOUD = Cloud(np.zeros((10, 2), np.float32) + np.arange(2, dtype=np.float32))
HIGH = 1e3
"""Beyond anything that is drawn."""


@dataclass(frozen=True)
class Numbers:
    """A null model whose draws are filled with a number of their stream; it knows how often it was drawn from."""

    compared: Cloud
    drawn: list[float]

    def draw(self, random):
        number = random.standard_normal()
        self.drawn.append(number)
        return np.full((10, 2), number, np.float32)


def first_number(cloud):
    return float(cloud.points[0, 0])


def quantity(name, value, tail="high"):
    return Quantity(name, name.title(), "numbers", "test", tail, value)


def subject(name, *quantities, profiles=(), view=first_number, two_samples=False):
    return Subject(name, name.title(), "Is it?", view, quantities, profiles, two_samples)


def far_only_on(own):
    """A quantity that is far out on the cloud, whose first number is 0 to the digit, and a number of the draw there."""
    return lambda seen: own if seen == 0 else seen


FAR, USUAL = quantity("far", far_only_on(HIGH)), quantity("usual", far_only_on(0.0))
FAR_SUBJECT, USUAL_SUBJECT = subject("one", FAR), subject("other", USUAL)


def compared(*subjects, most_draws=199, **asked):
    return compare("null", Numbers(CLOUD, []), subjects, most_draws, 1, **asked)


def n_draws(*subjects, **asked):
    return [len(family.draws) for family in compared(*subjects, **asked).families]


# --- How many draws ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most_draws", [19, 39, 60, 239])
def test_a_quantity_that_no_draw_reaches_takes_as_many_draws_as_are_allowed(most_draws):
    found = compared(FAR_SUBJECT, most_draws=most_draws, watched={"one.far": 10**6})
    assert found.n_draws == most_draws
    assert found.comparisons()[0].p == pytest.approx(1 / (1 + most_draws))


def test_draws_come_in_batches_that_with_the_cloud_are_multiples_of_forty():
    seen = []
    compare(
        "null",
        Numbers(CLOUD, []),
        [FAR_SUBJECT],
        199,
        1,
        watched={"one.far": 10**6},
        watch=lambda at: seen.append(at.done),
    )
    assert seen == list(range(1, 200))
    slow = subject("slow", quantity("slow", far_only_on(1.9)))
    draws = {n_draws(slow, watched={"slow.slow": 10**6}, most_draws=most)[0] for most in (39, 79, 119, 159)}
    assert draws <= {39, 79, 119, 159}
    assert len(draws) > 1


def test_a_family_that_enough_draws_equal_stops_after_the_first_batch():
    assert n_draws(USUAL_SUBJECT, watched={"other.usual": 10**6}) == [BATCH - 1]
    assert n_draws(USUAL_SUBJECT) == [BATCH - 1]


def test_families_need_no_more_draws_once_the_null_model_is_told_apart():
    """After 39 draws p is at best 1/40: enough over 2 families, not over 7, of which the first is then drawn on."""
    also = subject("also", FAR)
    assert n_draws(FAR_SUBJECT, also) == [39, 39]
    assert n_draws(FAR_SUBJECT, also, level=0.01) == [199, 39]
    assert n_draws(FAR_SUBJECT, also, level=0.01, most_draws=119) == [119, 119]
    many = [subject(f"usual {number}", USUAL) for number in range(5)]
    assert n_draws(FAR_SUBJECT, also, *many) == [199, 39, *[39] * 5]


def test_watched_quantities_are_drawn_on_whatever_the_others_tell():
    both = subject("both", USUAL, FAR)
    assert n_draws(FAR_SUBJECT, both, watched={"both.far": 10**6}) == [39, 199]
    assert n_draws(FAR_SUBJECT, both, watched={"both.usual": 10**6}) == [39, 39]


def test_draws_are_the_same_whatever_is_looked_at_besides():
    alone = compared(FAR_SUBJECT, watched={"one.far": 10**6}).comparisons()[0]
    among = compared(USUAL_SUBJECT, FAR_SUBJECT, watched={"one.far": 10**6}).comparisons()[1]
    assert alone == among
    short = compared(FAR_SUBJECT, most_draws=50, watched={"one.far": 10**6}).comparisons()[0]
    assert short.draws == alone.draws[:50]


def test_families_that_take_as_many_draws_share_them():
    fitted = Numbers(CLOUD, [])
    compare("null", fitted, [FAR_SUBJECT, subject("two", FAR)], 119, 1, watched={"one.far": 10**6, "two.far": 10**6})
    # One more is the reference of subjects that compare two samples.
    assert len(fitted.drawn) == len(set(fitted.drawn)) == 120


# --- When a family is settled -----------------------------------------------------------------------------------------


def family(own, draws, *quantities):
    rows = quantities or (FAR,)
    return Family(subject("one", *rows), "null", own, {}, None, draws)


@pytest.mark.parametrize(("n_as_far", "is_settled"), [(0, False), (ENOUGH - 1, False), (ENOUGH, True), (20, True)])
def test_a_family_is_settled_once_enough_draws_go_as_far(n_as_far, is_settled):
    one = family([9.0], [[9.0]] * n_as_far + [[number / 10] for number in range(39 - n_as_far)])
    assert one.is_settled is is_settled
    assert one.decides({"one.far": 10**6}) is not is_settled


def test_nothing_is_settled_before_a_draw_and_nothing_waits_for_what_is_not_watched():
    assert not family([1.0], []).is_settled
    assert family([1.0], []).decides({"one.far": 10**6})
    assert not family([1.0], []).decides({"one.else": 10**6, "other.far": 10**6})


def test_each_watched_quantity_is_settled_by_itself():
    draws = [[float(number), float(number)] for number in range(39)]
    one = family([HIGH, 0.0], draws, FAR, USUAL)
    assert one.decides({"one.far": 10**6})
    assert not one.decides({"one.usual": 10**6})


def test_a_watched_quantity_that_has_seen_as_many_draws_as_its_claim_takes_decides_nothing_more():
    one = family([HIGH], [[float(number)] for number in range(39)], FAR)
    assert one.decides({"one.far": 40})
    assert not one.decides({"one.far": 39})


# --- What is not known ------------------------------------------------------------------------------------------------


def refuse(_cloud):
    raise TooFewPoints("cloud", "must have more points", "10", "Encode more images.")


def test_a_subject_that_does_not_suit_the_cloud_has_no_p_value_and_takes_no_more_draws():
    found = compared(subject("shy", FAR, view=refuse), FAR_SUBJECT)
    [comparison] = found.families[0].comparisons()
    assert (comparison.value, comparison.p, comparison.n_unknown) == (None, None, 39)
    shy, other = found.tests()
    assert (shy.p, shy.p_corrected, shy.n_draws) == (None, None, 39)
    assert other.p == other.p_corrected


def test_a_draw_of_which_a_quantity_is_not_known_counts_as_going_as_far():
    gaps = quantity("gaps", lambda seen: HIGH if seen == 0 else None if seen > 0 else seen)
    comparison = compared(subject("one", gaps)).comparisons()[0]
    assert comparison.n_unknown > 5
    assert comparison.p == (1 + comparison.n_unknown) / 40
    assert len(comparison.draws) == 39 - comparison.n_unknown


def test_an_infinite_number_is_not_known():
    endless = subject("one", quantity("endless", lambda _seen: float("inf")))
    assert np.isnan(read(endless, endless.quantities[0], sight_of(endless, CLOUD), None))


def test_a_quantity_that_the_cloud_has_not_leaves_the_family_to_the_others():
    hidden = quantity("hidden", lambda seen: None if seen == 0 else seen)
    one = compared(subject("one", hidden, FAR)).families[0]
    assert one.p == pytest.approx(1 / 40)
    assert [comparison.p for comparison in one.comparisons()] == [None, pytest.approx(1 / 40)]


def test_two_samples_are_compared_with_one_and_the_same_further_draw():
    difference = subject("two", quantity("gap", lambda seen, reference: seen - reference), two_samples=True)
    fitted = Numbers(CLOUD, [])
    [one] = compare("null", fitted, [difference], 39, 1).families
    reference, *drawn = fitted.drawn
    assert one.own == pytest.approx([-reference])
    assert sorted(value for [value] in one.draws) == pytest.approx(sorted(np.subtract(drawn, reference)))
    assert np.isnan(read(difference, difference.quantities[0], sight_of(difference, CLOUD), None))


# --- Records ----------------------------------------------------------------------------------------------------------


def steps(level, length=3):
    return lambda seen: (np.arange(1.0, length + 1), np.full(length, level(seen)))


def profile(name, value):
    return Profile(name, name.title(), "x", "y", value)


def test_curves_are_beside_an_envelope_of_the_draws():
    high = profile("high", steps(lambda seen: HIGH if seen == 0 else seen))
    found = compared(subject("one", FAR, profiles=(high,)))
    [envelope] = found.envelopes()
    draws = found.comparisons()[0].draws
    assert (envelope.curve, envelope.family, envelope.null) == ("one.high", "one", "null")
    assert (envelope.title, envelope.x_label, envelope.y_label) == ("High", "x", "y")
    assert envelope.left_at == envelope.x == (1.0, 2.0, 3.0)
    # The lowest draw is as extreme at every x as the cloud.
    assert envelope.p == pytest.approx(2 / 40)
    assert envelope.high == pytest.approx([max(draws)] * 3, rel=1e-5)
    assert envelope.central == pytest.approx([np.median(draws)] * 3, rel=1e-5)


def test_a_curve_that_the_cloud_or_a_draw_has_not_is_left_out():
    of_draws_only = profile("draws", steps(lambda seen: np.nan if seen == 0 else seen))
    of_some = profile("some", steps(lambda seen: np.nan if seen > 1 else seen))
    empty = profile("empty", lambda _seen: (np.empty(0), np.empty(0)))
    assert compared(subject("one", FAR, profiles=(of_draws_only, of_some, empty))).envelopes() == []


def test_families_are_corrected_for_their_number_and_name_what_goes_furthest():
    near, far = compared(USUAL_SUBJECT, subject("both", USUAL, FAR)).tests()
    assert (near.family, near.title) == ("other", "Other")
    assert near.p_corrected == near.p
    assert far.p_corrected == 2 * far.p
    assert far.strongest == "both.far"


def test_nothing_to_look_at_takes_no_draws():
    found = compared()
    assert (found.n_draws, found.tests(), found.comparisons()) == (0, (), [])
    assert found.n_compared == 10
