"""``zspace measure`` and ``zspace encode``: points of any program, and of a run; images the model has not seen."""

import json
import os

import numpy as np
import pytest
from safetensors import safe_open

from zspace.images.faces import draw_faces, sample_factors
from zspace.runs.folders import RunFolder
from zspace.runs.latents import read_latents

POINTS = np.random.default_rng(1).standard_normal((300, 6)).astype(np.float32)
QUICK = ("--set", "n_null_clouds=3", "--set", "max_clusters=4", "--only", "radius", "principal")


@pytest.fixture
def points_file(tmp_path):
    np.save(tmp_path / "points.npy", POINTS)
    return tmp_path / "points.npy"


def test_points_of_any_program_are_measured_and_reported(zspace, points_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("measure", points_file, "--out", out, *QUICK, "--json")
    assert outcome.code == 0, outcome.stderr
    found = outcome.document
    assert set(found["measurements"]) == {"radius", "principal"}
    radius = found["measurements"]["radius"]["estimates"]["mean_radius"]["value"]
    assert radius == pytest.approx(np.linalg.norm(POINTS.astype(float), axis=1).mean())
    assert (found["cloud"]["n_given"], found["cloud"]["z_dim"]) == (300, 6)
    page = (out / "report.html").read_text()
    assert "z-points of points.npy" in page
    assert "https://" not in page
    assert any((out / "figures").glob("radius*.svg"))
    again = zspace("measure", points_file, "--out", out, *QUICK)
    assert again.stderr.count("already done") == 2


def test_maps_are_drawn_scored_and_kept(zspace, points_file, tmp_path):
    out = tmp_path / "out"
    asked = ("--out", out, "--only", "maps", "--maps", "tsne:n_iterations=20,null_twin=false", "pca")
    outcome = zspace("measure", points_file, *asked, "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["measurements"] == {}
    maps = outcome.document["maps"]
    assert list(maps) == ["tsne:n_iterations=20,null_twin=false", "pca"]
    assert maps["pca"]["null_estimates"]["trustworthiness"]["value"] > 0.5
    with safe_open(out / "maps" / "pca.safetensors", framework="numpy") as file:
        assert file.get_tensor("coordinates").shape == (300, 2)
        assert file.get_tensor("score trustworthiness").mean() == pytest.approx(
            maps["pca"]["estimates"]["trustworthiness"]["value"]
        )
    assert "Scores of the maps" in (out / "report.html").read_text()
    assert (out / "figures" / "map-pca.svg").is_file()
    more = zspace("measure", points_file, *asked, "tsne:n_points=0,n_iterations=21,null_twin=false")
    assert more.stderr.count("already done") == 3


def test_too_few_points_for_a_map_are_told_and_all_else_is_measured(zspace, tmp_path):
    np.save(tmp_path / "few.npy", POINTS[:40])
    out = tmp_path / "out"
    outcome = zspace("measure", tmp_path / "few.npy", "--out", out, *QUICK, "maps", "--json")
    assert outcome.code == 0, outcome.stderr
    assert set(outcome.document["measurements"]) == {"radius", "principal"}
    (found,) = outcome.document["maps"].values()
    assert "must have more than 90 z-points" in found["estimates"]["trustworthiness"]["reason"]
    assert "must have more than 90 z-points" in (out / "report.html").read_text()


def test_other_points_in_the_file_are_measured_anew(zspace, points_file, tmp_path):
    out = tmp_path / "out"
    zspace("measure", points_file, "--out", out, *QUICK)
    np.save(points_file, 2 * POINTS)
    outcome = zspace("measure", points_file, "--out", out, *QUICK, "--json")
    radius = outcome.document["measurements"]["radius"]["estimates"]["mean_radius"]["value"]
    assert radius == pytest.approx(2 * np.linalg.norm(POINTS.astype(float), axis=1).mean())


def test_rows_that_are_not_finite_are_left_out_and_told(zspace, points_file, tmp_path):
    points = POINTS.copy()
    points[7, 2] = np.nan
    np.save(points_file, points)
    outcome = zspace("measure", points_file, "--out", tmp_path / "out", *QUICK, "--json")
    assert outcome.document["cloud"]["n_not_finite"] == 1
    assert outcome.document["cloud"]["n_used"] == 299
    page = (tmp_path / "out" / "report.html").read_text()
    assert "rows left out: not finite" in page


def test_what_was_read_of_a_table_is_told_everywhere(zspace, tmp_path):
    rows = [f"{900 - place}," + ",".join(map(str, row)) + f",{place % 5}" for place, row in enumerate(POINTS)]
    (tmp_path / "points.csv").write_text("\n".join(["id,a,b,c,d,e,f,label", *rows]))
    told = "300 points of 6 dimensions; left out: id (whole numbers, all different), label (5 whole values)"
    asked = ("measure", tmp_path / "points.csv", "--out", tmp_path / "out", *QUICK)
    planned = zspace(*asked, "--dry-run")
    assert planned.code == 0, planned.stderr
    assert planned.stdout.startswith(told + "\n")
    assert not (tmp_path / "out").exists()
    assert zspace(*asked, "--dry-run", "--json").document["cloud"]["z_dim"] == 6
    outcome = zspace(*asked)
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.startswith(told + "\n")
    assert told in outcome.stderr
    notes = json.loads((tmp_path / "out" / "results.json").read_text())["steps"]["measure"]["result"]["cloud"]["notes"]
    assert notes == [told.partition("; ")[2]]
    assert notes[0] in (tmp_path / "out" / "report.html").read_text()
    chosen = zspace(*asked, "--columns", "a:f", "--drop", "c", "--json")
    assert (chosen.document["cloud"]["n_used"], chosen.document["cloud"]["z_dim"]) == (300, 5)
    wrong = zspace(*asked, "--columns", "g")
    assert wrong.code == 4
    assert "must have a column 'g'" in wrong.stderr


def test_results_of_other_points_are_kept_apart(zspace, points_file, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert zspace("measure", points_file, "--out", out, *QUICK, "--quiet").code == 0
    first = (out / "results.json").read_bytes()
    np.savez(tmp_path / "points.npz", z=2 * POINTS)
    outcome = zspace("measure", tmp_path / "points.npz", "--out", out, *QUICK)
    assert outcome.code == 0, outcome.stderr
    (aside,) = (out / "of-other-points").iterdir()
    assert aside.name.startswith("points.npy-")
    assert f"what was measured of {points_file} is now in {aside}" in outcome.stderr
    assert (aside / "results.json").read_bytes() == first
    assert (aside / "report.html").is_file()
    assert "z-points of points.npz" in (out / "report.html").read_text()
    assert zspace("measure", tmp_path / "points.npz", "--out", out, *QUICK).stderr.count("already done") == 2
    monkeypatch.chdir(tmp_path)
    for name in ("points.npy", "points.npz"):
        assert zspace("measure", name, *QUICK, "--quiet").code == 0
    assert {path.name for path in (tmp_path / "zspace-out").iterdir()} == {"points.npy-measured", "points.npz-measured"}


def test_what_cannot_hold_points_is_one_line_before_any_work(zspace, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.npy").touch()
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    for name, got in (
        ("folder", "a folder that is no Zarr array or group"),
        ("empty.npy", "an empty file"),
        ("pipe.npy", "neither a file nor a folder"),
        ("loop.npy", "a link that leads nowhere"),
    ):
        for more in (("--out", tmp_path / "out"), ("--dry-run",)):
            outcome = zspace("measure", tmp_path / name, *more)
            assert outcome.code == 4
            assert f"got {got}." in outcome.stderr
            assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_bad_requests_are_refused_before_any_work(zspace, points_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("measure", points_file, "--out", out, "--only", "radios")
    assert outcome.code == 2
    assert "Did you mean 'radius'?" in outcome.stderr
    assert zspace("measure", points_file, "--out", out, "--points", 1).code == 2
    outcome = zspace("measure", points_file, "--out", out, "--only", "posterior")
    assert outcome.code == 2
    assert "It needs mu and logvar of a VAE." in outcome.stderr
    assert "Did you mean 'tsne'" in zspace("measure", points_file, "--out", out, "--maps", "tsnee").stderr
    missing = zspace("measure", tmp_path / "nothing.npy", "--out", out)
    assert missing.code == 4
    assert "got nothing there. Check the path." in missing.stderr


VAE = ("--set", 'models.*.kind="vae"', "--set", "models.*.objective.kl_weight=0.1")


def test_a_run_is_measured_as_a_whole_with_its_posterior_and_encodes_other_images(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    assert zspace("study", study_file, "--out", out, *VAE, "--quiet").code == 0
    run = out / "runs" / "ae"
    results = (run / "results.json").read_bytes()
    outcome = zspace("measure", run, *QUICK, "posterior", "attributes", "copies", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["cloud"]["n_given"] == 160
    assert outcome.document["measurements"]["posterior"]["estimates"]["divergence"]["value"] > 0
    assert outcome.document["measurements"]["attributes"]["estimates"]["n_clusters"]["value"] == 12
    taken = zspace("measure", run, "--out", run, *QUICK)
    assert taken.code == 4
    assert "--out must be a folder for results alone, got a run." in taken.stderr
    assert "The most alike images among neighbours" in (run / "measured" / "report.html").read_text()
    assert (run / "results.json").read_bytes() == results

    np.save(tmp_path / "others.npy", draw_faces(sample_factors(9, seed=5), 40))
    outcome = zspace("encode", run, "--images", tmp_path / "others.npy", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["encode"] == {**outcome.document["encode"], "n_points": 9, "z_dim": 5}
    folder = run / "encoded" / "others.npy"
    assert {name: read_latents(RunFolder(folder), name).shape for name in ("z", "mu", "logvar")} == dict.fromkeys(
        ("z", "mu", "logvar"), (9, 5)
    )
    assert "already done" in zspace("encode", run, "--images", tmp_path / "others.npy").stderr
    assert "already done" in zspace("encode", run).stderr
    steps = json.loads((folder / "results.json").read_text())["steps"]
    assert set(steps) == {"encode"}

    np.save(tmp_path / "one.npy", draw_faces(sample_factors(1, seed=5), 40))
    outcome = zspace("encode", run, "--images", tmp_path / "one.npy", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["encode"]["n_points"] == 1


def test_what_is_no_run_encodes_nothing(zspace, tmp_path):
    outcome = zspace("encode", tmp_path)
    assert outcome.code == 4
    assert "must be the folder of a run, such as OUT/runs/NAME" in outcome.stderr
