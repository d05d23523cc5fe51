"""The verdict on the page: first of all, in words, each claim tied to its evidence, and the line-up that hides a cloud."""

import re
from dataclasses import replace
from html import unescape

import pytest

from zspace.report import PointsReport, render_points_report, render_report
from zspace.report.findings import verdict_finding
from zspace.report.plates import Manner
from zspace.report.verdicts import side_by_side, verdict_part
from zspace.results import MeasureResult, StudyResults

SECTION = "m0-ae-verdict"


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@pytest.fixture(scope="module")
def verdict(synthetic):
    return synthetic.verdict()


@pytest.fixture(scope="module")
def box(page):
    return page[page.index(f'id="{SECTION}"') :].partition('<section id="findings"')[0]


@pytest.fixture(scope="module")
def evidence(page):
    return page[page.index(f'<section id="{SECTION}-evidence"') :].partition("</section>")[0]


@pytest.fixture(scope="module")
def screen(page):
    return page[page.index(f'<section id="{SECTION}-line-up-gaussian"') :].partition("</section>")[0]


def test_the_page_opens_with_the_headline_and_every_claim_in_words(page, box, verdict):
    assert page.index(f'id="{SECTION}"') < page.index('<section id="findings"')
    told = text_of(box)
    assert verdict.sentence in told
    assert "2,048 of 12,577 z-points compared" in told
    for claim in verdict.claims.values():
        assert f"{claim.question} {claim.answer} {claim.sentence}" in told
        assert f"For sampling: {claim.means_for_sampling}" in told
    assert '<span class="badge cannot-tell">cannot tell</span>' in box


def test_every_claim_is_linked_to_its_evidence(page, box):
    for place, title in re.findall(r'Evidence: <a href="#([^"]+)">([^<]+)</a>', box):
        assert title in text_of(page[page.index(f'id="{place}"') :].partition("</figure>")[0]) or title == "The ladder"
    assert f'<a href="#{SECTION}-neighbours">Neighbours</a>' in box
    assert f'<a href="#{SECTION}-ladder">The ladder</a>' in box


def test_the_ladder_says_what_every_rung_keeps_and_destroys_and_how_it_ended(evidence, verdict):
    told = text_of(evidence)
    for rung in verdict.rungs:
        assert f"Keeps {rung.keeps}. Destroys {rung.destroys}." in told
    assert "Gaussian with the cloud's mean and covariance told apart" in told
    assert (
        "p = 0.01 after correction over 2 families, 199 draws; strongest: Neighbours, Mean distance to the 1st" in told
    )
    assert "the first that this cloud cannot be told from" not in told


def test_the_nearest_null_is_marked_and_one_that_was_not_tried_says_why(synthetic):
    found = synthetic.verdict(("gaussian", "mixture"), ("neighbours",), ())
    assert found.closest_null == "mixture"
    untried = replace(found.rungs[0], answer="cannot tell", reason="41 points are too few for two halves")
    part = verdict_part("m0", "ae", replace(found, rungs=(untried, found.rungs[1])), "", Manner(False))
    assert part.closest == "mixture of 10 Gaussians"
    first, second = part.rungs
    assert (first.answer, first.notes, first.is_closest) == ("not tried", "41 points are too few for two halves", False)
    assert (second.answer, second.is_closest) == ("not told apart", True)


def test_tables_give_value_band_level_p_and_draws(evidence, verdict):
    one = verdict.comparisons[0]
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", evidence) if f'"{one.value!r}"' in row)
    cells = [text_of(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    assert cells[0] == "Mean distance to the 1st neighbour"
    assert cells[1] == "Gaussian with the cloud's mean and covariance"
    assert (cells[3], cells[5], cells[8], cells[9]) == ("units of z", "95 %", "199", "0")
    assert f'value="{one.effect!r}"' in row
    assert "Claims: all numbers" in evidence


def test_the_numbers_of_an_envelope_are_its_records(evidence, verdict):
    lines = unescape(re.search(r'<pre class="csv"[^>]*>(.*?)</pre>', evidence, re.DOTALL)[1]).splitlines()
    assert lines[0] == '"null model","number of the neighbour","z-points","lowest","highest","middle","outside"'
    assert len(lines) == 1 + sum(len(one.x) for one in verdict.envelopes)
    first = verdict.envelopes[0]
    assert lines[1].startswith(f"gaussian,1,{first.y[0]:.6g},{first.low[0]:.6g},{first.high[0]:.6g}")
    assert lines[1].endswith(",yes")


def test_the_line_up_is_a_page_of_its_own_that_tells_nothing_until_it_is_opened(page, screen, box, verdict):
    assert page.index("</main>") < page.index(f'id="{SECTION}-line-up-gaussian"')
    assert f'<a href="#{SECTION}-line-up-gaussian">Test your own eyes</a>' in box
    shown, answer = screen.split("<details>")
    assert [int(number) for number in re.findall(r"<figcaption>(\d+)</figcaption>", shown)] == list(range(1, 21))
    figures = re.findall(r"<figure>(.*?)</figure>", shown, re.DOTALL)
    assert len({re.sub(r' d="[^"]*"|<figcaption>\d+', "", figure) for figure in figures}) == 1
    assert "real" not in shown.partition('<div class="panels">')[2]
    place = verdict.line_ups[0].place
    assert f"<summary>Show which one is real</summary>\n<p>The z-points are in panel <b>{place}</b>." in answer
    assert "is right 1 in 20 times: to be right at the first try is a p-value of 0.05" in text_of(answer)
    assert "<script" not in screen


def test_a_model_without_a_verdict_says_why(study):
    found = study.results.models["ae"]

    def told(**changes):
        changed = replace(found, verdict=None, measurements={}, maps={}, **changes)
        page = render_report(replace(study, results=StudyResults(study.results.images, {"ae": changed}))).page
        return text_of(page[page.index(f'id="{SECTION}"') :].partition("</div>")[0]), page

    few, page = told(no_verdict="40 z-points are too few, 100 are needed")
    assert few.endswith("No verdict: 40 z-points are too few, 100 are needed.")
    assert f"{SECTION}-evidence" not in page
    assert told(unfinished={"measure": "interrupted"})[0].endswith("No verdict: interrupted.")
    older = "it was not asked for, or these results are of a version of zspace that gave none"
    assert told()[0].endswith(f"No verdict: {older}.")


def test_several_models_stand_side_by_side_with_their_answers(verdict):
    manner = Manner(False)
    parts = [verdict_part("m0", "ae", verdict, "", manner), verdict_part("m1", "vae", None, "too few", manner)]
    table = side_by_side(parts)
    assert table.head == ("", "ae", "vae")
    assert table.rows[0] == ("Simplest null model not told apart", "none of the ladder", "no verdict")
    assert ("Does it lie on sheets?", "cannot tell", "no verdict") in table.rows
    assert parts[1].finding.sentence == "No verdict: too few."


def test_figures_are_explained_once_for_all_models(verdict):
    manner = Manner(False)
    first, second = (verdict_part(anchor, "ae", verdict, "", manner) for anchor in ("m0", "m1"))
    assert first.plates[0].caption.startswith("Columns are the null models")
    assert all(plate.caption == "" for plate in second.plates)
    assert [plate.file_name for plate in first.plates] == [
        "verdict-ladder", "verdict-neighbours", "verdict-neighbours.distances-curve", "verdict-hollow"]  # fmt: skip


def test_points_alone_open_with_their_verdict(study, verdict):
    found = study.results.models["ae"]
    result = MeasureResult({}, found.cloud, 1.0, verdict)
    report = PointsReport("points.npy", result, {}, {}, None, 1, study.created, "0.1.0")
    rendered = render_points_report(report)
    assert verdict.sentence in text_of(rendered.page[: rendered.page.index('<section id="findings"')])
    assert '<section id="points-verdict-evidence"' in rendered.page
    assert "verdict-ladder" in rendered.figures[""]
    assert "<h2>Key findings</h2>" not in rendered.page  # nothing else was measured
    without = render_points_report(replace(report, found=replace(result, verdict=None, no_verdict="too few points")))
    assert "No verdict: too few points." in text_of(without.page)


def test_a_finding_weighs_what_the_verdict_says(verdict):
    calm = {
        name: replace(claim, answer="yes" if name == "gaussian" else "no") for name, claim in verdict.claims.items()
    }
    assert verdict_finding(verdict, "").kind == "deviates"
    assert verdict_finding(replace(verdict, claims=calm), "").kind == "deviates"
    found = verdict_finding(replace(verdict, claims=calm, closest_null="gaussian"), "")
    assert (found.kind, found.sentence) == ("told", verdict.sentence)
    assert verdict_finding(None, "").kind == "unknown"
