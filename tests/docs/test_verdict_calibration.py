"""Counts of the verdict's errors are added up as they should be, and the page tells what the record holds."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from zspace.files import read_json, write_json
from zspace.geometry.clouds import Cloud
from zspace.geometry.truths.shapes import SHAPES
from zspace.results import Claim, RungTest, Verdict
from zspace.settings import VerdictSettings

ROOT = Path(__file__).parent.parent.parent
RUNGS = ("prior", "gaussian", "elliptical", "independent", "copula", "mixture")
CLAIMS = ("gaussian", "clusters", "strings", "sheets", "hollow", "lower_dimensional")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("calibrate_verdict", ROOT / "scripts" / "calibrate_verdict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def a_verdict(closest="gaussian", made=(), p=None):
    told = RUNGS[: RUNGS.index(closest)]
    claims = {
        name: Claim(
            name,
            "",
            "yes" if name in made else "cannot tell",
            (p or {}).get(name, 0.5),
            1.0,
            0.0,
            "",
            None,
            None,
            "",
            "",
            (),
        )
        for name in CLAIMS
    }
    rungs = tuple(RungTest(name, "", "", "", "yes" if name in told else "no", 0.5, 300, 39, ()) for name in RUNGS)
    return Verdict(closest, "", claims, rungs, (), (), 300, 400, 1, 1.0)


@pytest.fixture
def trial(script):
    return script.Trial("alarms", "gaussian", 400, 8, VerdictSettings(limits=False))


@pytest.mark.parametrize(("n_hits", "n_trials"), [(0, 20), (5, 100), (20, 20)])
def test_the_range_of_a_share_is_clopper_and_pearson_s(script, n_hits, n_trials):
    found = script.proportion(n_hits, n_trials)
    assert found["share"] == n_hits / n_trials
    # Their ends are quantiles of beta laws.
    low = stats.beta(n_hits, n_trials - n_hits + 1).ppf(0.025) if n_hits else 0.0
    high = stats.beta(n_hits + 1, n_trials - n_hits).ppf(0.975) if n_hits < n_trials else 1.0
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-5)


def test_verdicts_are_counted_one_after_the_other(script, trial):
    verdicts = [
        a_verdict(),
        a_verdict("elliptical", made=("strings",), p={"strings": 0.001}),
        a_verdict(p={"strings": 0.05, "sheets": 0.051}),
    ]
    counts = {}
    for verdict in verdicts:
        counts = script.counted(counts, script.of_verdict(trial, verdict))
    assert counts["n_trials"] == 3
    assert counts["closest"] == {"elliptical": 1, "gaussian": 2}
    hits = {name: found["n_hits"] for name, found in counts.items() if isinstance(found, dict) and "n_hits" in found}
    assert {name: n for name, n in hits.items() if n} == {
        "told_from_prior": 3,
        "told_from_gaussian": 1,
        "strings": 1,
        "strings_p_below_level": 2,
    }
    assert counts["told_from_gaussian"]["share"] == pytest.approx(1 / 3)
    assert not any(name.endswith("_right") for name in counts)


def test_of_a_shape_it_is_counted_what_was_recognised(script):
    trial = script.Trial("power", "strings", 400, 8, VerdictSettings(limits=False))
    right = a_verdict("mixture", made=("strings", "lower_dimensional"))
    wrong = a_verdict("gaussian", made=("strings", "gaussian"))
    counts = {}
    for verdict in (right, wrong):
        counts = script.counted(counts, script.of_verdict(trial, verdict))
    shares = {name: found["share"] for name, found in counts.items() if name.endswith("_right")}
    assert shares == {
        "gaussian_right": 0.5,
        "strings_right": 1,
        "sheets_right": 1,
        "lower_dimensional_right": 0.5,
        "rung_right": 0.5,
        "all_right": 0.5,
    }


@pytest.mark.parametrize("rung", RUNGS)
def test_clouds_come_from_the_rung_and_each_number_gives_another(script, rung):
    trial = script.Trial("alarms", rung, 200, 3, VerdictSettings())
    first, again, other = trial.draw(0), trial.draw(0), trial.draw(1)
    assert first.shape == (200, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_known_shapes_and_planted_clouds_are_drawn_with_the_number_as_seed(script):
    shape = script.Trial("power", "hole", 200, 8, VerdictSettings())
    assert np.array_equal(shape.draw(5), SHAPES["hole"].draw(200, 8, 5))
    planted = script.Trial("limits", "strings", 200, 8, VerdictSettings(), share=0.1)
    gaussian = SHAPES["turned-gaussian"].draw(200, 8, 5)
    assert (planted.draw(5) != gaussian).any(axis=1).sum() == 20
    assert planted.key == "strings_200_x_8_100_thousandths"


def test_a_cloud_is_compared_with_the_rung_that_it_comes_from_alone(script):
    trial = script.Trial("rungs", "gaussian", 60, 3, VerdictSettings(n_draws=19))
    outcome = trial.outcome(0)
    assert (outcome.n_compared, outcome.closest) == (60, None)
    assert {name for name in outcome.hits if name.startswith("told")} == {"told_from_gaussian"}
    assert {f"family_{name}" for name in ("radius", "neighbours", "dimension", "hollow")} <= outcome.hits.keys()
    # With 19 draws no family is significant after a correction over all of them, on whatever cloud.
    assert not outcome.hits["told_from_gaussian"]


def test_a_cloud_that_is_no_gaussian_stands_out_beside_one(script):
    strings = SHAPES["strings"].draw(75, 3, 1)
    trial = script.Trial("rungs", "gaussian", 75, 3, VerdictSettings(n_draws=39))
    hits = script.beside_its_rung(trial, Cloud(strings), 0).hits
    assert hits["family_neighbours"]
    assert hits["lower_dimensional_p_below_level"]


def test_each_rung_is_drawn_from_a_shape_that_it_describes(script):
    assert tuple(script.BASES) == RUNGS
    for rung, shape in script.BASES.items():
        assert rung in SHAPES[shape].rung


def test_a_record_made_with_other_settings_is_not_added_to(script, trial, tmp_path):
    record = tmp_path / "record.json"
    write_json(record, {"alarms": {trial.key: {"settings": {"n_draws": 19}, "n_trials": 3}}})
    with pytest.raises(SystemExit, match=r"was made with other settings, {'n_draws': 19}; name another --record"):
        next(script.run([trial], 4, 1, record))


def a_record(script, trial):
    counts = {}
    for verdict in (a_verdict(), a_verdict(), a_verdict("elliptical", made=("strings",))):
        counts = script.counted(counts, script.of_verdict(trial, verdict))
    return {"alarms": {trial.key: {"settings": {"n_draws": 199}, **counts}}}


def test_tables_show_shares_with_ranges_and_the_key_of_each(script, trial):
    shown = script.tables(a_record(script, trial))
    assert "### Drawn from gaussian 400 x 8" in shown
    assert "3 clouds, 300 points compared, at most 199 draws of each null model." in shown
    assert (
        "| told from the Gaussian | 0.333 | 0.008 to 0.906 "
        "| `alarms.gaussian_400_x_8.told_from_gaussian.share` |" in shown
    )
    assert "| claimed strings | 0.333 | 0.008 to 0.906 | `alarms.gaussian_400_x_8.strings.share` |" in shown


def test_a_page_keeps_what_is_outside_its_marks(script, trial):
    record = a_record(script, trial)
    page = script.with_tables(f"before\n{script.BEGIN}what stood here\n{script.END}after\n", record)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "what stood here" not in page
    assert script.with_tables(page, record) == page


def test_the_page_tells_what_the_record_holds(script):
    page = script.PAGE.read_text(encoding="utf-8")
    assert script.with_tables(page, read_json(script.RECORD)) == page, "run scripts/calibrate_verdict.py page"
