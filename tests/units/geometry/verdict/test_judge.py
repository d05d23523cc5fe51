"""Verdicts on small clouds, with few draws and few subjects: what is seen of a ring, of a Gaussian, and of copies."""

import numpy as np
import pytest

from zspace.geometry.clouds import Cloud
from zspace.geometry.nulls.ladder import LADDER
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths.shapes import SHAPES
from zspace.geometry.verdict import judge as judging
from zspace.geometry.verdict.claims import CLAIMS
from zspace.geometry.verdict.judge import compared_points, judge
from zspace.settings import VerdictSettings

FEW = ("radius", "shapes", "hollow")
ASKED = VerdictSettings(n_compared=240, n_draws=39, level=0.2, limits=False)
"""At 39 draws p is at best 1/40, 1/8 after correction over the five claims."""


@pytest.fixture(scope="module")
def verdict_on():
    """A function of points; each cloud is judged once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "SUBJECTS", {name: SUBJECTS[name] for name in FEW})
        yield lambda points, asked=ASKED: judge(Cloud(np.asarray(points, np.float32)), asked, 1)


@pytest.fixture(scope="module")
def of_loop(verdict_on):
    return verdict_on(SHAPES["loop"].draw(300, 8, 1))


@pytest.fixture(scope="module")
def of_gaussian(verdict_on):
    return verdict_on(SHAPES["turned-gaussian"].draw(240, 3, 1))


def test_a_loop_is_a_string_and_hollow_and_no_gaussian(of_loop):
    answers = {name: claim.answer for name, claim in of_loop.claims.items()}
    assert (answers["gaussian"], answers["strings"], answers["hollow"]) == ("no", "yes", "yes")
    assert answers["sheets"] != "yes"
    assert of_loop.claims["strings"].p == 1 / 40
    assert "Points lie on strings. It is hollow" in of_loop.sentence
    assert of_loop.closest_null in {"mixture", "none"}
    # Fewer subjects look at the prior, so that its largest effect may be the smallest.
    assert "prior" not in of_loop.sentence


def test_nothing_is_seen_in_a_gaussian(of_gaussian):
    assert not [name for name, claim in of_gaussian.claims.items() if claim.answer == "yes"]
    assert of_gaussian.closest_null == "gaussian"
    assert [rung.answer for rung in of_gaussian.rungs[:2]] == ["yes", "no"]
    assert of_gaussian.claims["gaussian"].answer == "cannot tell"


def test_what_could_not_be_looked_for_has_no_p_value(of_gaussian):
    for name in ("clusters", "lower_dimensional"):
        claim = of_gaussian.claims[name]
        assert (claim.answer, claim.p, claim.p_corrected) == ("cannot tell", None, None)
        assert claim.sentence.endswith(": too few points to look for it.")


def test_every_rung_is_tried_and_no_family_where_draws_have_it_from_the_cloud(of_loop):
    assert [rung.null for rung in of_loop.rungs] == list(LADDER)
    families = {rung.null: [one.family for one in rung.families] for rung in of_loop.rungs}
    assert families["gaussian"] == list(FEW)
    assert families["elliptical"] == ["shapes", "hollow"]
    # The radius alone tells the prior.
    assert families["prior"] == ["radius"]
    assert list(of_loop.claims) == ["gaussian", *CLAIMS]


def test_a_verdict_says_what_it_rests_on(of_loop, of_gaussian):
    assert (of_loop.n_points, of_loop.n_compared, of_loop.seed, of_loop.level) == (300, 240, 1, 0.2)
    assert {one.null for one in of_loop.comparisons} == set(LADDER)
    assert [line_up.null for line_up in of_gaussian.line_ups] == ["gaussian"]
    assert all(len(one.draws) + one.n_unknown <= 39 for one in of_loop.comparisons)


def test_null_models_that_nothing_can_be_compared_with_say_why(verdict_on):
    found = verdict_on(np.ones((120, 3)))
    for rung in found.rungs[1:]:
        assert (rung.answer, rung.p) == ("cannot tell", None)
        assert rung.reason
    assert {claim.answer for claim in found.claims.values()} == {"cannot tell"}


def test_points_to_compare_are_chosen_at_random_and_all_of_them_where_there_are_no_more():
    cloud = Cloud(np.arange(60, dtype=np.float32)[:, np.newaxis])
    some, all_of_them = compared_points(cloud, 20, 1), compared_points(cloud, 100, 1)
    assert some.n_points == len(np.unique(some.points)) == 20
    assert sorted(all_of_them.points[:, 0].tolist()) == list(range(60))
    assert np.array_equal(some.points, compared_points(cloud, 20, 1).points)
    assert not np.array_equal(some.points, compared_points(cloud, 20, 2).points)
