"""Every sentence that judges a cloud: what deviates, what does not, what cannot be told."""

from dataclasses import replace

import numpy as np
import pytest

from zspace.report.findings import CLEARLY, deviation, in_order, maps_finding, measurement_finding
from zspace.results import Comparison, Estimate, Measurement


def number(value, band=None, unit="units of z", n_draws=39, p=None, tail="both", **more):
    """Return an estimate beside draws over a band: outside it with the smallest p-value there is, unless one is given."""
    compared = None
    if band is not None and value is not None:
        smallest = (2 if tail == "both" else 1) / (1 + n_draws)
        rank_p = 0.6 if band[0] <= value <= band[1] else smallest
        level = (n_draws - 1) / (n_draws + 1)
        draws = tuple(np.linspace(*band, n_draws).tolist())
        compared = Comparison("a.b", "null", value, draws, 0, tail, p or rank_p, level, band, None)
    return Estimate(value, unit, 600, 600, "a definition", comparison=compared, **more)


def told(name, **estimates):
    found = measurement_finding(Measurement(name, estimates, {}))
    assert found.section == name
    return found


def radius(value, band=(3.5, 3.7), **more):
    ends = {"half_shell_low": number(20.92, (20.8, 21.0)), "half_shell_high": number(27.14, (27.0, 27.2))}
    return told("radius", standard_deviation=number(value, band), **ends, **more)


@pytest.mark.parametrize(
    ("value", "band", "far"), [(3.0, (1.0, 3.0), 1.0), (2.0, (1.0, 3.0), 0.0), (5.5, (1.0, 3.0), 3.5)]
)
def test_deviation_counts_half_widths_from_the_middle(value, band, far):
    assert deviation(number(value, band)) == pytest.approx(far)


def test_counts_scatter_by_half_a_unit_at_least():
    assert deviation(number(3.0, (2.0, 2.0))) == pytest.approx(2.0)
    assert deviation(number(2.5, (2.0, 2.0))) > 1e6
    assert deviation(number(None, (2.0, 2.0))) is None
    assert deviation(number(2.0)) is None


def test_radii_that_leave_the_band_are_not_gaussian():
    found = radius(4.2)
    assert found.sentence == (
        "Half of the z-points lie 20.9 to 27.1 from the origin. Not Gaussian in its radii: their standard deviation is "
        "4.2 units of z, and 39 matched Gaussian clouds show 3.50 to 3.70."
    )
    assert (found.kind, found.strength) == ("deviates", pytest.approx(6.0))


def test_radii_within_the_band_differ_in_nothing():
    found = radius(3.6)
    assert found.sentence.endswith("Nothing in the radii differs from a Gaussian of the same mean and covariance.")
    assert found.kind == "nothing"


def test_radii_just_outside_the_band_cannot_be_told():
    found = radius(3.6 + 0.1 * (1 + CLEARLY) / 2)
    assert (
        "Cannot tell: just outside the null band, which chance does too; their standard deviation is" in found.sentence
    )
    assert found.kind == "unknown"


def test_the_mean_radius_is_no_evidence_in_either_direction():
    assert radius(3.6, mean_radius=number(99.0, (24.2, 24.4))).kind == "nothing"
    assert "24.3" not in radius(3.6, mean_radius=number(24.3, (24.2, 24.4))).sentence


@pytest.mark.parametrize(("tail", "n_draws"), [("both", 38), ("high", 18)])
def test_so_few_null_clouds_that_no_p_value_could_be_small_tell_nothing(tail, n_draws):
    found = told("radius", standard_deviation=number(9.0, (3.5, 3.7), n_draws=n_draws, tail=tail))
    assert found.sentence == f"Cannot tell: {n_draws} clouds of the null model are too few to compare with."
    assert found.kind == "unknown"
    enough = told("radius", standard_deviation=number(9.0, (3.5, 3.7), n_draws=n_draws + 1, tail=tail))
    assert enough.kind == "deviates"


def test_a_number_that_many_of_few_null_clouds_equal_is_settled():
    found = told("radius", standard_deviation=number(3.6, (3.5, 3.7), n_draws=12, p=11 / 13))
    assert found.kind == "nothing"


def test_what_is_far_outside_on_the_side_where_no_structure_shows_is_no_finding():
    gap = number(-0.4, (-0.001, 0.007), "nats", p=1.0, tail="high")
    assert told("clusters", largest_gap=gap, gap_k=number(1.0)).kind == "nothing"


AXES = {"n_special_axes": number(13.0, unit="axes"), "largest_excess_kurtosis": number(2.327, unit="no unit")}


def test_axes_that_are_not_normal_are_counted_beside_chance():
    found = told("axes", n_not_normal_axes=number(55.0, (0.0, 1.0), "axes"), **AXES)
    assert found.sentence == (
        "Not Gaussian along its axes: 55 axes are not normal, where matched Gaussian clouds show 0 to 1; the largest "
        "excess kurtosis is 2.327. 13 axes lie off the centre or are unusually broad."
    )
    assert found.kind == "deviates"


def test_axes_that_chance_explains():
    found = told("axes", n_not_normal_axes=number(0.0, (0.0, 1.0), "axes"), n_special_axes=number(1.0, unit="axes"))
    assert found.sentence == (
        "Along single axes nothing differs from a Gaussian beyond chance. One axis lies off the centre or is unusually "
        "broad."
    )
    assert found.kind == "nothing"


def test_axes_of_too_few_points_say_why():
    unknown = number(None, unit="axes", reason="fewer than 20 z-points")
    found = told("axes", n_not_normal_axes=unknown, n_special_axes=number(0.0, unit="axes"))
    assert found.sentence == "Cannot tell: fewer than 20 z-points. No axes lie off the centre or are unusually broad."
    assert found.kind == "unknown"


def components(half, most, band):
    estimates = {"n_for_half": number(half, (30.0, 30.0)), "n_for_90_percent": number(most, band, "components")}
    return told("principal", **estimates)


def test_directions_that_carry_the_cloud():
    found = components(6.0, 18.0, (57.0, 57.0))
    assert found.sentence == (
        "Half of the variance lies in six directions, 90 % in 18; a cloud alike in all directions needs 57 for 90 %."
    )
    assert found.kind == "told"


def test_a_cloud_alike_in_all_directions():
    found = components(30.0, 57.0, (57.0, 57.0))
    assert found.sentence.startswith("The cloud extends alike in all directions, but for chance: half of the variance")
    assert found.kind == "nothing"


def test_points_that_are_all_equal_have_no_directions():
    estimates = {"n_for_half": number(None, reason="all points are equal"), "n_for_90_percent": number(None)}
    assert told("principal", **estimates).sentence == "Cannot tell: all points are equal."


def clusters(gap, by_gap, **more):
    return told("clusters", largest_gap=number(gap, (-0.001, 0.007), "nats"), gap_k=by_gap, **more)


def test_clusters_that_stand_out():
    agreement = number(0.981, unit="adjusted Rand index")
    found = clusters(0.9, number(5.0, unit="clusters", warnings=("3 and 7 were not tried",)), agreement=agreement)
    assert found.sentence == (
        "Five clusters stand out by k-means, which also cuts a curved sheet into pieces; independent starts find much "
        "the same ones (agreement 0.98)."
    )
    assert found.kind == "deviates"
    assert found.notes == ("3 and 7 were not tried",)


def test_what_a_number_of_clusters_assumes_stands_beside_it():
    tried = "no other number of clusters fits better than those tried: 1 to 12"
    assert clusters(0.9, number(5.0, assumptions=(tried,))).assumes == (tried,)
    assert clusters(0.9, number(None, assumptions=(tried,), reason="the gap still grows")).assumes == ()


@pytest.mark.parametrize(
    "name", ["radius", "axes", "principal", "clusters", "planes", "attributes", "posterior", "copies"]
)
def test_a_measure_that_was_not_taken_says_why(name):
    found = told(name, **{name: number(None, unit="no unit", reason="bins of 1e-9 would fill the memory")})
    assert (found.sentence, found.kind) == ("Cannot tell: bins of 1e-9 would fill the memory.", "unknown")


def test_clusters_on_which_starts_do_not_agree():
    found = clusters(0.9, number(5.0), agreement=number(0.41))
    assert "independent starts do not find the same ones (agreement 0.41)." in found.sentence


def test_more_clustered_without_a_number_of_clusters():
    found = clusters(0.14, number(None, reason="the gap still grows at 24 clusters, the most that were looked for"))
    assert found.sentence == (
        "More clustered than a Gaussian, but no number of clusters stands out: the gap still grows at 24 clusters, the "
        "most that were looked for."
    )
    assert clusters(0.14, number(1.0)).sentence == (
        "More clustered than a Gaussian, but no number of clusters stands out."
    )


def test_no_clusters():
    for gap in (0.003, -0.4):  # inside the band, and less clustered than chance
        found = clusters(gap, number(1.0))
        assert found.sentence == "No clusters: nothing here differs from a Gaussian of the same covariance."
        assert found.kind == "nothing"


def test_clusters_that_cannot_be_told():
    found = clusters(0.0075, number(3.0))
    assert found.sentence == "Cannot tell: the gap lies just outside what matched Gaussian clouds show."
    few = told("clusters", largest_gap=number(None, reason="3 points are too few"), gap_k=number(None))
    assert (few.sentence, few.kind) == ("Cannot tell: 3 points are too few.", "unknown")


def window(count, band, p):
    return number(count, band, "z-points", p=p)


def test_a_window_emptier_than_expected_is_named_in_words():
    found = told(
        "planes",
        n_stringy_windows=number(0.0, unit="windows"),
        pc1_pc18_side_5_points=window(554.0, (945.0, 1050.0), 1e-68),
        axis52_axis63_whole_points=window(6343.0, (6344.0, 6346.0), 0.03),
    )
    assert found.sentence == (
        "In no window of these planes do the points lie closer to lines than scattered ones; a plane hides most strings of many dimensions, so the verdict looks for them in all dimensions. Emptier than a Gaussian: "
        "components 1 and 18, square of side 5, with 554 points, where 945 to 1,050 are expected."
    )
    assert found.kind == "deviates"


def test_windows_that_chance_explains_are_no_finding():
    odd = {f"pc1_pc2_side_{side}_points": window(9.0, (10.0, 20.0), 0.02) for side in range(1, 5)}
    found = told("planes", n_stringy_windows=number(0.0, unit="windows"), **odd)
    assert "Emptier" not in found.sentence
    assert found.kind == "nothing"


def test_strings_are_a_finding():
    found = told("planes", n_stringy_windows=number(2.0, unit="windows"))
    assert found.sentence == "Strings: in two windows the points lie closer to lines than chance."
    assert found.kind == "deviates"


def test_planes_without_points_say_why():
    found = told("planes", n_stringy_windows=number(None, reason="none of the 16 windows has points enough"))
    assert (found.sentence, found.kind) == ("Cannot tell: none of the 16 windows has points enough.", "unknown")


def test_attributes_that_clusters_tell():
    found = told(
        "attributes",
        n_attributes_in_clusters=number(1.0, unit="attributes"),
        **{
            "between_clusters: Wearing_Hat": number(0.697, unit="share of variance"),
            "between_clusters: Male": number(0.01, unit="share of variance"),
        },
    )
    assert found.sentence == (
        "One attribute differs between clusters beyond chance, of 2; clusters tell 69.7 % of variance of “Wearing Hat”, "
        "more than of any other."
    )
    none = told("attributes", n_attributes_in_clusters=number(0.0))
    assert (none.sentence, none.kind) == ("The clusters follow none of the attributes beyond chance.", "nothing")
    unknown = told("attributes", n_attributes_in_clusters=number(None, reason="no attribute can be told"))
    assert unknown.sentence == "Cannot tell: no attribute can be told."


def test_a_posterior_that_collapsed_is_an_alarm():
    found = told("posterior", collapsed_share=number(1.0, unit="share of the axes"), n_active_axes=number(0.0))
    assert found.sentence == "The posterior has collapsed: on every axis z tells nothing of the image."
    assert found.kind == "alarm"


def test_a_posterior_that_works():
    found = told("posterior", collapsed_share=number(0.25, unit="share of the axes"), n_active_axes=number(3.0))
    assert found.sentence == "Three axes tell of the image; 25.0 % of the axes carry nothing."
    assert told("posterior").kind == "unknown"


@pytest.mark.parametrize(
    ("share", "sentence", "kind"),
    [
        (0.0, "No image has a copy among its neighbours.", "nothing"),
        (0.004, "Hardly any copies: 0.4 % of points have a copy of their image among their neighbours.", "nothing"),
        (
            0.12,
            "Copies: 12.0 % of points have a copy of their image among their neighbours, and structure may be theirs.",
            "deviates",
        ),
    ],
)
def test_copies(share, sentence, kind):
    found = told("copies", points_with_copies_share=number(share, unit="share of points"))
    assert (found.sentence, found.kind) == (sentence, kind)


def test_a_measure_without_a_sentence_of_its_own_tells_its_most_deviating_number():
    found = told("two_nn", dimension=number(22.5, (9.0, 11.0), "dimensions"), other=number(10.0, (9.0, 11.0)))
    assert found.sentence == "Outside its null band: Dimension: 22.5 dimensions, null band 9 to 11."
    assert told("two_nn", dimension=number(10.0, (9.0, 11.0))).sentence == "Every number lies within its null band."
    assert told("two_nn", dimension=number(10.0)).sentence == "There is no null model to compare these numbers with."


def test_maps_never_claim_heaps(synthetic):
    drawn = {name: found for name, (found, _) in synthetic.drawn_maps().items()}
    found = maps_finding(drawn)
    assert found.sentence.startswith("A map alone shows no structure: the best map keeps ")
    assert found.sentence.endswith("Only what the null twin does not show is the cloud's own.")
    assert found.kind == "unknown"
    missing = replace(
        drawn["pca"], estimates={"trustworthiness": number(None, reason="must have more than 90 z-points")}
    )
    assert maps_finding({"pca": missing}).sentence == "Cannot tell: must have more than 90 z-points."


def test_the_most_deviating_stands_at_the_top():
    plain = radius(3.6)
    kinds = [replace(plain, kind=kind, strength=far) for kind, far in (
        ("unknown", 9.0), ("nothing", 0.3), ("told", 70.0), ("deviates", 2.0), ("deviates", 8.0), ("alarm", 0.0), ("doubt", 0.0))]  # fmt: skip
    assert [(one.kind, one.strength) for one in in_order(kinds)] == [
        ("alarm", 0.0), ("doubt", 0.0), ("deviates", 8.0), ("deviates", 2.0), ("told", 70.0), ("nothing", 0.3), ("unknown", 9.0)]  # fmt: skip
