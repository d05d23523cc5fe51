"""``zspace measure`` and ``zspace encode``: points of any program, and of a run; images the model has not seen."""

import json

import numpy as np
import pytest
from safetensors import safe_open

from zspace.images.faces import draw_faces, sample_factors
from zspace.runfolder import read_latents

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
    assert "The most alike images among neighbours" in (run / "measured" / "report.html").read_text()
    assert (run / "results.json").read_bytes() == results

    np.save(tmp_path / "others.npy", draw_faces(sample_factors(9, seed=5), 40))
    outcome = zspace("encode", run, "--images", tmp_path / "others.npy", "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["encode"] == {**outcome.document["encode"], "n_points": 9, "z_dim": 5}
    folder = run / "encoded" / "others.npy"
    assert {name: read_latents(folder / "latents.zarr", name).shape for name in ("z", "mu", "logvar")} == dict.fromkeys(
        ("z", "mu", "logvar"), (9, 5)
    )
    assert "already done" in zspace("encode", run, "--images", tmp_path / "others.npy").stderr
    assert "already done" in zspace("encode", run).stderr
    steps = json.loads((folder / "results.json").read_text())["steps"]
    assert set(steps) == {"encode"}


def test_what_is_no_run_encodes_nothing(zspace, tmp_path):
    outcome = zspace("encode", tmp_path)
    assert outcome.code == 4
    assert "must be the folder of a run, such as OUT/runs/NAME" in outcome.stderr
