"""Every sentence of a verdict, read whole."""

from dataclasses import replace

import pytest

from zspace.geometry.nulls.ladder import LADDER, NULLS
from zspace.geometry.verdict.claims import CLAIMS, Finding
from zspace.geometry.verdict.words import (
    _DRAW_FROM,
    claim_of,
    effect_words,
    gaussian_claim,
    number_words,
    p_words,
    share_words,
    verdict_sentence,
    without_doubles,
)
from zspace.results import NO_NULL, Comparison, Estimate, FamilyTest, RungTest

COMPARISON = Comparison(
    "shapes.strings", "independent", 0.3071, (0.01, 0.02), 0, "high", 0.004, 0.95, (0.01, 0.02), 34.6, title="Strings"
)
FOUND, MISSED = Finding(0.004, COMPARISON), Finding(0.4123, COMPARISON)
LIMIT = Estimate.of(0.02134, "share of the points", "trials", 84)
NO_LIMIT = Estimate.unknown(
    "even strings that hold 20 % of the points would be missed too often with 300 points", "", "", 84
)


def claim(name, answer="no"):
    found, p = (FOUND, 0.02) if answer == "yes" else (MISSED, 1.0)
    limit = None if answer == "cannot tell" else LIMIT
    return claim_of(CLAIMS[name], found, p, limit, 0.05, 2048)


def claims(**answers):
    return {name: claim(name, answers.get(name, "no")) for name in CLAIMS}


def rung(p, n_compared=2048, families=(), reason=None):
    null = NULLS["gaussian"]
    return RungTest("gaussian", null.title, null.keeps, null.destroys, "yes", p, n_compared, 239, families, reason)


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (0.00417, "0.0042"), (1.0, "1"), (137.2, "140"), (1.23e6, "1,200,000")]
)
def test_numbers_are_written_out(value, words):
    assert number_words(value) == words


def test_shares_and_chances_have_two_digits():
    assert [share_words(share) for share in (0.0, 0.00512, 0.0999, 0.2)] == ["0 %", "0.51 %", "10 %", "20 %"]
    assert [p_words(p) for p in (1 / 240, 0.05, 1.0)] == ["p = 0.0042", "p = 0.05", "p = 1"]


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        (34.6, "35 standard deviations above the mean of its draws"),
        (-1.23, "1.2 standard deviations below the mean of its draws"),
        (None, "in each of its draws"),
    ],
)
def test_effects_say_on_which_side(effect, words):
    assert effect_words(replace(COMPARISON, effect=effect)) == words


# --- Claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("clusters", "It falls into clusters"),
        ("strings", "Points lie on strings"),
        ("sheets", "Points lie on curved sheets"),
        ("hollow", "It is hollow: fewer points than there should be lie around its centre"),
        ("lower_dimensional", "It has fewer dimensions than its spread suggests"),
    ],
)
def test_yes_is_said_with_its_evidence(name, beginning):
    made = claim(name, "yes")
    assert made.answer == "yes"
    assert made.sentence == (
        f"{beginning}: strings 0.307, where the model of independent components gives 0.01 to 0.02 "
        "(35 standard deviations above the mean of its draws, p = 0.02 after correction)."
    )
    assert (made.p, made.p_corrected, made.null) == (0.004, 0.02, "independent")
    assert made.means_for_sampling == CLAIMS[name].sampling_yes


def test_draws_that_are_all_the_same_are_one_number():
    same = replace(COMPARISON, band=(0.0, 0.0), effect=None, null="gaussian", title="Dimension, TwoNN")
    made = claim_of(CLAIMS["strings"], Finding(0.004, same), 0.02, None, 0.05, 2048)
    assert made.sentence == (
        "Points lie on strings: dimension, TwoNN 0.307, where the Gaussian gives 0 "
        "(in each of its draws, p = 0.02 after correction)."
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "clusters",
            "No clusters were found: three compact clusters that hold 2.1 % of the points would have been seen",
        ),
        (
            "strings",
            (
                "No strings were found: strings that hold 2.1 % of the points, at a thickness of 5 % of the cloud's size, "
                "would have been seen"
            ),
        ),
        (
            "sheets",
            (
                "No sheets were found: sheets that hold 2.1 % of the points, at a thickness of 5 % of the cloud's size, "
                "would have been seen"
            ),
        ),
        (
            "hollow",
            (
                "It is not hollow: a hole around the centre that 2.1 % of the points were driven out of would have been "
                "seen"
            ),
        ),
    ],
)
def test_no_is_said_with_what_would_have_been_seen(name, sentence):
    made = claim(name)
    assert made.answer == "no"
    assert made.sentence == f"{sentence} (p = 0.41 beside the model of independent components)."
    assert made.means_for_sampling == CLAIMS[name].sampling_no


def test_no_fewer_dimensions_is_said_with_the_least_difference():
    limit = Estimate.of(1.234, "dimensions", "draws", 2048)
    assert claim_of(CLAIMS["lower_dimensional"], MISSED, 1.0, limit, 0.05, 2048).sentence == (
        "Its dimension is what its spread suggests: a difference of 1.2 dimensions would have been seen "
        "(p = 0.41 beside the model of independent components)."
    )


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("clusters", "Whether it falls into clusters cannot be told"),
        ("strings", "Whether points lie on strings cannot be told"),
        ("sheets", "Whether points lie on sheets cannot be told"),
        ("hollow", "Whether it is hollow cannot be told"),
        ("lower_dimensional", "Whether it has fewer dimensions than its spread suggests cannot be told"),
    ],
)
@pytest.mark.parametrize(
    ("found", "limit", "reason"),
    [
        (Finding(None, None, "too few points to look for it"), LIMIT, "too few points to look for it"),
        (
            MISSED,
            NO_LIMIT,
            (
                "even strings that hold 20 % of the points would be missed too often with 300 points; with four times as many "
                "(1,200), a quarter of the share may do"
            ),
        ),
        (
            MISSED,
            None,
            (
                "nothing was found (p = 0.41 beside the model of independent components), and what would have been missed "
                "was not measured"
            ),
        ),
    ],
)
def test_cannot_tell_is_said_with_its_reason(name, beginning, found, limit, reason):
    made = claim_of(CLAIMS[name], found, found.p, limit, 0.05, 300)
    assert made.answer == "cannot tell"
    assert made.sentence == f"{beginning}: {reason}."
    assert made.means_for_sampling == CLAIMS[name].sampling_open


def test_groups_of_points_on_strings_or_sheets_are_no_clusters():
    for name in ("strings", "sheets"):
        left = without_doubles(claims(clusters="yes", **{name: "yes"}))["clusters"]
        assert left.answer == "cannot tell"
        assert left.sentence == f"Groups of points stand apart, but points lie on {name}, and the groups may be these."
        assert left.means_for_sampling == CLAIMS["clusters"].sampling_open
    assert without_doubles(claims(clusters="yes"))["clusters"].answer == "yes"
    assert without_doubles(claims(strings="yes")) == claims(strings="yes")


# --- The Gaussian -----------------------------------------------------------------------------------------------------


def test_it_may_be_a_gaussian():
    made = gaussian_claim(rung(0.62), [], "gaussian", 0.05)
    assert (made.answer, made.p_corrected) == ("yes", 0.62)
    assert made.sentence == (
        "It may be a Gaussian: nothing that was looked at tells it from the Gaussian of its own mean and covariance "
        "(p = 0.62 after correction, 2,048 points compared)."
    )
    assert made.means_for_sampling.startswith("Draw from the fitted Gaussian: nothing of the cloud's shape is lost.")


def test_few_points_cannot_tell_a_gaussian():
    made = gaussian_claim(rung(0.62, n_compared=300), [], "gaussian", 0.05)
    assert made.answer == "cannot tell"
    assert made.sentence == (
        "Too few points to tell a Gaussian: nothing that was looked at tells it from the Gaussian of its own mean and "
        "covariance (p = 0.62 after correction, 300 points compared; 500 would do)."
    )
    assert made.means_for_sampling == "Draw from the fitted Gaussian until more points say otherwise."


def test_it_is_not_a_gaussian_and_what_tells_it_is_named():
    families = tuple(
        FamilyTest(title, p, p_corrected, 239, f"{title}.x", title)
        for title, p, p_corrected in [("Radius", 0.004, 0.04), ("Clusters", None, None), ("Two samples", 0.004, 0.04)]
    )
    made = gaussian_claim(rung(0.04, families=families), [replace(COMPARISON, null="gaussian")], "elliptical", 0.05)
    assert (made.answer, made.p, made.p_corrected) == ("no", 0.004, 0.04)
    assert made.sentence == (
        "Not a Gaussian: told apart from the Gaussian of its own mean and covariance by radius and two samples "
        "(p = 0.04 after correction, 2,048 points compared)."
    )
    assert made.means_for_sampling.startswith("Draw from the elliptical model")
    assert (made.effect, made.evidence) == (34.6, ("shapes.strings",))


def test_a_gaussian_that_could_not_be_fitted_cannot_be_told():
    made = gaussian_claim(rung(None, reason="cloud: must have at least 2 different z-points, got 1"), [], "none", 0.05)
    assert made.answer == "cannot tell"
    assert made.sentence == (
        "Whether it is a Gaussian cannot be told: cloud: must have at least 2 different z-points, got 1."
    )
    assert (made.p, made.effect, made.evidence) == (None, None, ())


def test_every_answer_says_what_to_draw_from():
    assert set(_DRAW_FROM) == {*LADDER, NO_NULL}
    assert gaussian_claim(rung(0.62), [], "prior", 0.05).means_for_sampling.startswith("N(0, 1) draws are as good")


# --- All in short -----------------------------------------------------------------------------------------------------


def short(closest, **answers):
    gaussian = gaussian_claim(rung(0.62), [], "gaussian", 0.05)
    return verdict_sentence(closest and NULLS[closest], NULLS["mixture"], {"gaussian": gaussian, **claims(**answers)})


def test_the_closest_rung_is_named_and_that_nothing_was_found():
    assert short("gaussian") == (
        "The simplest model that this sample cannot be told from is the Gaussian. "
        "No clusters, strings, sheets or hole were found."
    )


def test_without_a_rung_the_nearest_is_named_and_each_claim_is_a_sentence():
    assert short(None, strings="yes", hollow="yes", lower_dimensional="yes", sheets="cannot tell") == (
        "No simple model describes this cloud; the mixture of Gaussians comes nearest. Points lie on strings. "
        "It is hollow. It has fewer dimensions than its spread suggests."
    )


@pytest.mark.parametrize(
    ("open_ones", "words"),
    [
        (["hollow"], "a hole"),
        (["clusters", "lower_dimensional"], "clusters or fewer dimensions than its spread suggests"),
        (["clusters", "strings", "sheets"], "clusters, strings or sheets"),
    ],
)
def test_what_cannot_be_ruled_out_is_named(open_ones, words):
    assert short("copula", **dict.fromkeys(open_ones, "cannot tell")) == (
        "The simplest model that this sample cannot be told from is the Gaussian copula. "
        f"No clusters, strings, sheets or hole were found; this sample cannot rule out {words}."
    )
