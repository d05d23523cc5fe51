"""``zspace measure`` ends with the verdict, and a study names it: in words within 80 columns, and as a document."""

import numpy as np
import pytest

from zspace.workflows import measure

POINTS = np.random.default_rng(1).standard_normal((120, 4)).astype(np.float32)


@pytest.fixture
def points_file(tmp_path):
    np.save(tmp_path / "points.npy", POINTS)
    return tmp_path / "points.npy"


@pytest.fixture
def verdict():
    import synthetic  # late, when shape types are already checked

    return synthetic.verdict()


@pytest.fixture
def judged(monkeypatch, verdict):
    """Give every cloud that is measured this verdict, or none with a reason."""

    def judge(verdict=verdict, no_verdict=""):
        monkeypatch.setattr(measure, "judge_cloud", lambda *_: (verdict, no_verdict))

    return judge


def test_measure_ends_with_the_verdict_in_plain_lines_of_80_columns(zspace, points_file, tmp_path, judged, verdict):
    judged()
    out = tmp_path / "out"
    outcome = zspace("measure", points_file, "--out", out, "--only", "verdict")
    assert outcome.code == 0, outcome.stderr
    head, _, told = outcome.stdout.partition(f"Report: {out / 'report.html'}\n\n")
    assert head == "120 points of 4 dimensions\n"
    assert max(map(len, told.splitlines())) <= 80
    assert "\x1b" not in told
    flat = " ".join(told.split())
    assert flat.startswith(
        f"Verdict: {verdict.sentence} 2,048 of 12,577 z-points compared; the simplest null model "
        "that this sample cannot be told from: none of the ladder."
    )
    for claim in verdict.claims.values():
        p = f"{claim.p_corrected:.2g}"
        beside = next((rung.title for rung in verdict.rungs if rung.null == claim.null), claim.null)
        assert f"{claim.question} {claim.answer.upper()} (p = {p} after correction, beside: {beside})" in flat
        assert f"{claim.sentence} " in flat
        assert f"For sampling: {claim.means_for_sampling}" in flat
    ladder = told[told.index("null model  ") :].splitlines()
    assert ladder[0].split() == ["null", "model", "told", "apart", "p", "after", "correction", "by"]
    assert ladder[1].split() == ["gaussian", "yes", "0.01", "Neighbours"]


def test_the_document_has_nearest_null_and_claims_and_no_draws(zspace, points_file, tmp_path, judged, verdict):
    judged()
    outcome = zspace("measure", points_file, "--out", tmp_path / "out", "--only", "verdict", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["measurements"] == {}
    found = outcome.document["verdict"]
    assert found["closest_null"] == "none"
    assert list(found["claims"]) == ["gaussian", "clusters", "strings", "sheets", "hollow", "lower_dimensional"]
    strings = found["claims"]["strings"]
    assert {key: strings[key] for key in ("answer", "null", "scale", "sentence")} == {
        "answer": "no",
        "null": "copula",
        "scale": "64 neighbours",
        "sentence": verdict.claims["strings"].sentence,
    }
    assert (strings["p"], strings["p_corrected"], strings["effect"]) == (0.31, 1.0, -1.2)
    assert strings["detection_limit"]["value"] == 0.02
    assert strings["means_for_sampling"].startswith("Straight lines between")
    assert found["comparisons"][0]["n_draws"] == 199
    assert "draws" not in found["comparisons"][0]
    assert not {"envelopes", "line_ups"} & set(found)
    assert outcome.document["no_verdict"] == ""


def test_a_second_call_reads_the_verdict_back_and_the_page_has_it(zspace, points_file, tmp_path, judged):
    judged()
    asked = ("measure", points_file, "--out", tmp_path / "out", "--only", "verdict")
    first, again = zspace(*asked), zspace(*asked)
    assert again.stdout == first.stdout
    assert again.stderr.count("already done") == 2
    page = (tmp_path / "out" / "report.html").read_text()
    assert '<section id="points-verdict-line-up-gaussian"' in page
    assert (tmp_path / "out" / "figures" / "verdict-ladder.svg").is_file()


def test_why_there_is_none_is_said_where_it_was_asked_for(zspace, points_file, tmp_path, judged):
    judged(verdict=None, no_verdict="30 z-points are too few, 100 are needed")
    asked = ("measure", points_file, "--out", tmp_path / "out", "--only", "verdict")
    assert zspace(*asked).stdout.endswith("\n\nNo verdict: 30 z-points are too few, 100 are needed.\n")
    document = zspace(*asked, "--json").document
    assert (document["verdict"], document["no_verdict"]) == (None, "30 z-points are too few, 100 are needed")


def test_its_settings_are_set_checked_and_shown(zspace, points_file, tmp_path):
    asked = ("measure", points_file, "--out", tmp_path / "out", "--dry-run")
    shown = zspace(*asked, "--set", "verdict.n_draws=399", "--set", 'verdict.nulls=["shell"]').stdout
    assert "verdict.n_draws = 399\n" in shown
    assert "verdict.n_compared = 2048\n" in shown
    assert "verdict.nulls = ['shell']\n" in shown
    few = zspace(*asked, "--set", "verdict.n_draws=3")
    assert few.code == 2
    assert "measure.verdict.n_draws: must be between 19 and 9999, got 3." in few.stderr
    unknown = zspace(*asked, "--set", 'verdict.nulls=["ball"]')
    assert "must be one of 'shell', 'cube', got 'ball'." in unknown.stderr
    assert "Did you mean 'verdict' or 'radius'?" in zspace("measure", points_file, "--only", "verdicts").stderr


def test_the_last_lines_of_a_study_name_the_verdict_of_every_model(zspace, study_file, tmp_path, judged, verdict):
    judged()
    outcome = zspace("study", study_file, "--out", tmp_path / "out", "--set", "measure.only=['verdict']")
    assert outcome.code == 0, outcome.stderr
    *_, ruled, path = outcome.stdout.splitlines()
    assert ruled == f"ae: {verdict.sentence}"
    assert path == f"Report: {tmp_path / 'out' / 'report.html'}"
    page = (tmp_path / "out" / "report.html").read_text()
    assert '<section id="m0-ae-verdict-evidence"' in page
    assert '<section id="m0-ae-verdict-line-up-gaussian"' in page
    document = zspace("report", tmp_path / "out", "--json").document
    assert document["results"]["models"]["ae"]["verdict"]["closest_null"] == "none"
