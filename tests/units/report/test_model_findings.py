"""Every sentence that judges a model, and what a model that has not learned may not earn."""

from dataclasses import replace

import pytest

from zspace.report.headline import comparison_table, headline_of, learning_lines
from zspace.report.model_findings import best_sampler, learning_finding, samplers_finding
from zspace.results import Estimate, StudyResults

BOTH = "lies on both sides of the limit of 20 %"


@pytest.fixture
def generated(synthetic):
    def build(**shares):
        return synthetic.generation(synthetic.learning(**shares))

    return build


def test_a_model_that_has_learned(generated):
    found = learning_finding(generated())
    assert found.sentence == (
        "It draws what it is given: on 1,000 held-out images its loss has come 62.0 % (60.0 to 64.0 %) of the way from "
        "one constant image to drawing exactly, and reconstructions vary 70.0 % (68.0 to 72.0 %) as much as the originals."
    )
    assert found.kind == "told"


def test_a_model_no_better_than_one_image(generated):
    found = learning_finding(generated(explained=-0.3, spread=0.001, half=0.0005))
    assert found.sentence == (
        "It has not learned to draw: on 1,000 held-out images its loss of 5,300 nats per image is no lower than the 5,000 "
        "of one constant image, and its reconstructions vary only 0.100 % (0.050 to 0.150 %) as much as the originals."
    )
    assert found.kind == "alarm"


def test_a_model_hardly_better_than_one_image(generated):
    found = learning_finding(replace(generated(explained=0.1), originals_split="train"))
    assert found.sentence == (
        "It has not learned to draw: on 1,000 images its loss of 4,900 nats per image is hardly lower than the 5,000 of "
        "one constant image."
    )


def test_a_model_whose_pictures_do_not_differ(generated):
    found = learning_finding(generated(explained=0.0, spread=1e-6, half=1e-6))
    assert found.sentence.endswith("of one constant image, and its reconstructions are all but the same picture.")


def test_a_model_that_draws_one_picture_at_a_good_loss(generated):
    found = learning_finding(generated(spread=0.05))
    assert "its reconstructions vary only 5.0 % (3.0 to 7.0 %) as much as the originals." in found.sentence
    assert "constant image" not in found.sentence


@pytest.mark.parametrize(
    ("shares", "reason"),
    [
        ({"explained": 0.2}, f"18.0 to 22.0 % of the way from one constant image to drawing exactly {BOTH}"),
        ({"spread": 0.2}, f"18.0 to 22.0 % of the originals' spread {BOTH}"),
        ({"explained": None, "spread": None}, "only 3 images, 10 are needed"),
    ],
)
def test_a_model_that_cannot_be_told(generated, shares, reason):
    found = learning_finding(generated(**shares))
    assert found.sentence == f"Cannot tell whether it has learned to draw: {reason}."
    assert found.kind == "doubt"


def test_results_without_a_judgement_and_models_without_results():
    assert learning_finding(None, "the run was interrupted").sentence == (
        "Cannot tell whether it has learned to draw: the run was interrupted."
    )


def test_results_of_a_version_that_did_not_look(generated):
    found = learning_finding(replace(generated(), learning=None))
    assert found.sentence.endswith("it was not looked at when these results were made; generate again.")


def test_the_best_sampler_is_told_with_its_spread(generated):
    found = samplers_finding(generated())
    assert found.sentence == (
        "One sampler does best: Gaussian with the cloud's mean and covariance: faces in 97.3 % (96.3 to 98.3 %) of its "
        "images, which vary 60.0 % (58.0 to 62.0 %) as much as the originals."
    )
    assert found.kind == "told"


def with_spread(generation, value):
    scores = [
        replace(one, spread=replace(one.spread, value=value, interval=(value, value))) for one in generation.scores
    ]
    return replace(generation, scores=tuple(scores))


def test_one_good_picture_again_and_again_is_no_working_sampler(generated):
    still = with_spread(generated(), 0.01)
    assert best_sampler(still) is None
    assert samplers_finding(still).sentence == (
        "Cannot tell: every sampler draws much the same picture again and again."
    )


def test_samplers_that_do_not_work(generated):
    scores = tuple(score for score in generated().scores if score.sampler != "fitted-gaussian")
    found = samplers_finding(replace(generated(), scores=scores))
    assert found.sentence.startswith("None of 3 samplers works; the best is N(0, 1) on every axis: faces in 3.1 %")


def test_nothing_is_said_of_faces_of_a_model_that_has_not_learned(generated):
    for shares in ({"explained": 0.0}, {"explained": 0.2}, {"explained": None}):
        found = samplers_finding(generated(**shares))
        assert found.sentence == (
            "Cannot tell: face rates say nothing of a model that is not known to have learned to draw."
        )
        assert found.kind == "unknown"


def without_faces(generation):
    reason = "the face detector finds a face in only 3.0% of the originals, so it cannot judge these images"
    blind = Estimate(None, "share of images", 9, 0, "cascade", reason=reason)
    return replace(generation, scores=tuple(replace(score, face_rate=blind) for score in generation.scores))


def test_images_without_faces_are_said_to_be_so_once(synthetic, generated):
    found = samplers_finding(without_faces(generated()))
    assert found.sentence == (
        "The face detector does not apply here: the face detector finds a face in only 3.0% of the originals, so it "
        "cannot judge these images."
    )
    model = replace(synthetic.model(60, 24), generation=without_faces(generated()))
    headline = headline_of("m0", "ae", model)
    assert headline.bars == ()
    assert not any("Faces" in card.label for card in headline.cards)
    table = comparison_table(StudyResults(synthetic.packing(), {"ae": model}))
    assert not any("Faces" in row[0] for row in table.rows)


@pytest.mark.parametrize("shares", [{"explained": 0.0}, {"spread": 0.0}, {"explained": 0.2}, {"explained": None}])
def test_no_headline_that_a_useless_model_could_earn(synthetic, generated, shares):
    model = replace(synthetic.model(60, 24), generation=generated(**shares))
    headline = headline_of("m0", "ae", model)
    assert headline.bars == ()
    assert not any("Faces" in card.label for card in headline.cards)
    assert not any("97.3" in one.sentence for one in headline.findings)
    table = comparison_table(StudyResults(synthetic.packing(), {"ae": model}))
    marked = [str(row[1]) for row in table.rows if row[0].startswith("Faces, Gaussian")]
    assert marked == ["97.3 % (96.3 to 98.3 %); says nothing, since it is not known to have learned"]


def test_the_command_line_names_models_that_are_not_known_to_have_learned(synthetic, generated):
    good, bad = synthetic.model(60, 24), replace(synthetic.model(60, 24), generation=generated(explained=0.0))
    unfinished = replace(good, generation=None, unfinished={"generate": "interrupted"})
    results = StudyResults(synthetic.packing(), {"good": good, "bad": bad, "open": unfinished})
    first, second = learning_lines(results)
    assert first.startswith("bad: It has not learned to draw: on 1,000 held-out images its loss of 5,000")
    assert second == "open: Cannot tell whether it has learned to draw: interrupted."
