"""``zspace study`` from end to end: it finishes, goes on, re-runs what depends on a change, and says what is wrong."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from zspace.files import read_json_lines
from zspace.images.faces import draw_faces, sample_factors

STEPS = ("train", "encode", "measure", "generate")


def fingerprints(out):
    steps = json.loads((out / "runs" / "ae" / "results.json").read_text())["steps"]
    return {name: steps[name]["fingerprint"] for name in STEPS}


def weights_digest(out):
    return json.loads((out / "runs" / "ae" / "results.json").read_text())["steps"]["train"]["result"]["weights_digest"]


def repeated(outcome):
    """Which steps said that they had nothing to do."""
    return {line.split(":")[0] for line in outcome.stderr.splitlines() if line.endswith("already done")}


def test_a_study_ends_with_a_report_and_every_file_in_its_place(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    quick = (
        "measure.only=[]",
        "measure.verdict.n_compared=100",
        "measure.verdict.n_draws=39",
        "measure.verdict.limits=false",
    )
    outcome = zspace("study", study_file, "--out", out, *(word for one in quick for word in ("--set", one)))
    assert outcome.code == 0, outcome.stderr
    learned, verdict, report = outcome.stdout.splitlines()
    assert learned == "ae: Cannot tell whether it has learned to draw: only 9 images, 10 are needed."
    assert verdict.startswith("ae: ")
    assert "model" in verdict
    assert report == f"Report: {out / 'report.html'}"
    assert "train ae: 100% (" in outcome.stderr
    assert "images/s, took" in outcome.stderr
    run = out / "runs" / "ae"
    for path in (
        out / "plan.toml",
        out / "images" / "images.npy",
        run / "model.safetensors",
        run / "history.jsonl",
        run / "latents.zarr" / "z",
        run / "results.json",
        run / "pictures.safetensors",
    ):
        assert path.exists(), path
    assert len(read_json_lines(run / "history.jsonl")) == 3
    assert list((run / "figures").glob("*.svg"))
    html = (out / "report.html").read_text()
    assert "A tiny study" in html
    for title in ("Clusters and attributes", "Copies among neighbours", "Planes at ever smaller scales", "Maps"):
        assert f"<h3>{title}</h3>" in html
    assert "data:image/png;base64," in html


def test_a_finished_study_repeats_nothing_and_a_changed_setting_only_what_depends_on_it(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    zspace("study", study_file, "--out", out)
    before, weights = fingerprints(out), weights_digest(out)
    again = zspace("study", study_file, "--out", out)
    assert repeated(again) == {"pack", "train ae", "encode ae", "measure ae", "map pca", "generate ae", "report"}
    bins = zspace("study", study_file, "--out", out, "--set", "measure.radius_bins=[0.5]")
    assert repeated(bins) == {"pack", "train ae", "encode ae", "map pca", "generate ae"}
    assert {name for name in STEPS if fingerprints(out)[name] != before[name]} == {"measure"}
    maps = zspace(
        "study", study_file, "--out", out, "--set", "measure.radius_bins=[0.5]", "--maps", "pca", "tsne:n_iterations=9"
    )
    assert repeated(maps) == {"pack", "train ae", "encode ae", "measure ae", "map pca", "generate ae"}
    assert (out / "runs" / "ae" / "maps" / "tsne-n-iterations-9.safetensors").is_file()
    samplers = zspace("study", study_file, "--out", out, "--set", 'generate.samplers=["normal"]')
    assert repeated(samplers) == {"pack", "train ae", "encode ae", "map pca"}
    assert weights_digest(out) == weights


def test_another_size_packs_and_trains_again(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    zspace("study", study_file, "--out", out, "--epochs", 1)
    larger = zspace("study", study_file, "--out", out, "--epochs", 1, "--size", 40)
    assert larger.code == 0, larger.stderr
    assert repeated(larger) == set()
    assert np.load(out / "images" / "images.npy", mmap_mode="r").shape == (160, 40, 40, 3)


def test_a_longer_training_goes_on_where_the_shorter_one_ended(zspace, study_file, tmp_path):
    short, whole = tmp_path / "short", tmp_path / "whole"
    zspace("study", study_file, "--out", short, "--epochs", 2)
    longer = zspace("study", study_file, "--out", short, "--epochs", 4)
    assert "going on after" in longer.stderr
    zspace("study", study_file, "--out", whole, "--epochs", 4)
    assert weights_digest(short) == weights_digest(whole)


def test_a_store_with_missing_files_is_packed_again_and_nothing_else_is_repeated(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    zspace("study", study_file, "--out", out)
    (out / "images" / "images.npy").unlink()
    again = zspace("study", study_file, "--out", out)
    assert again.code == 0, again.stderr
    assert repeated(again) == {"train ae", "encode ae", "measure ae", "map pca", "generate ae"}


def test_killed_at_any_moment_the_same_command_finishes_with_the_same_weights(zspace, study_file, tmp_path):
    zspace("study", study_file, "--out", tmp_path / "whole")
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "zspace", "study", str(study_file), "--out", str(out), "--quiet"]
    moments = random.Random(0)
    for _ in range(4):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
        time.sleep(moments.uniform(2.0, 6.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    outcome = zspace("study", study_file, "--out", out)
    assert outcome.code == 0, outcome.stderr
    assert weights_digest(out) == weights_digest(tmp_path / "whole")
    assert not list(out.rglob("*.partial"))


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(study_file, tmp_path):
    out = tmp_path / "out"
    # Where the tests run in the background, Ctrl-C is switched off for them and all they start.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom zspace.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "study", str(study_file), "--out", str(out), "--epochs", "10000"]
    history = out / "runs" / "ae" / "history.jsonl"
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not history.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted: What is finished is kept: run the same command to go on." in stderr
    assert "Traceback" not in stderr


def test_json_is_one_document_and_keeps_progress_off_stdout(zspace, study_file, tmp_path):
    document = zspace("study", study_file, "--out", tmp_path / "out", "--json").document
    assert document["report"] == str(tmp_path / "out" / "report.html")
    radius = document["results"]["models"]["ae"]["measurements"]["radius"]["estimates"]["mean_radius"]
    assert radius["interval"][0] < radius["value"] < radius["interval"][1]


def test_quiet_prints_only_where_the_report_is(zspace, study_file, tmp_path):
    outcome = zspace("study", study_file, "--out", tmp_path / "out", "--quiet")
    assert outcome.stderr == ""
    assert outcome.stdout == f"Report: {tmp_path / 'out' / 'report.html'}\n"


def test_a_dry_run_prints_every_value_with_its_origin_and_writes_nothing(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("study", study_file, "--out", out, "--epochs", 7, "--dry-run")
    assert not out.exists()
    lines = {line.split()[0]: line for line in outcome.stdout.splitlines()}
    assert lines["models.ae.training.epochs"].split()[1:] == ["7", "flag"]
    assert lines["images.size"].split()[1:] == ["32", "file"]
    assert lines["models.ae.training.learning_rate"].split()[1:] == ["0.002", "file"]
    assert "derived: auto: " in lines["models.ae.training.precision"]
    document = zspace("study", study_file, "--out", out, "--dry-run", "--json").document
    assert document["plan"]["origins"]["images.size"] == "file"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--images", "nowhere"], 3, "SourceNotFound: "),
        (
            ["--size", "30"],
            2,
            "must be a multiple of 4, since strides of 2 x 2 shrink it, got 30 pixels. Use --size 28 or 32",
        ),
        (["--epochs", "0"], 2, "models.ae.training.epochs: must be at least 1, got 0."),
        (["--set", "models.ae.network.zdim=3"], 2, "must be a known key, got 'zdim'. Did you mean 'z_dim'?"),
        (["--set", "seed"], 2, "--set: must be KEY=VALUE, got 'seed'. Write for example --set seed=2."),
        (["--set", 'generate.samplers=["gauss"]'], 2, "must name samplers, got 'gauss'."),
        (["--set", 'measure.only=["radios"]'], 2, "must name measures, got 'radios'. Did you mean 'radius'?"),
        (
            ["--set", "models.*.training.learning_rate=1e30"],
            5,
            "training must stay sound, with at most 3 rollbacks, got a ",
        ),
    ],
)
def test_what_cannot_be_done_is_told_with_an_exit_code_and_no_traceback(
    zspace, study_file, tmp_path, arguments, code, message
):
    outcome = zspace("study", study_file, "--out", tmp_path / "out", *arguments)
    assert outcome.code == code
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.stdout == ""


def test_an_unknown_preset_names_the_near_ones_and_json_carries_the_error(zspace):
    outcome = zspace("study", "celeba", "--json")
    assert outcome.code == 2
    assert outcome.document["error"] == "UnknownPreset"
    assert "Did you mean 'celeba-ae'" in outcome.document["message"]


def test_a_study_of_photographs_does_not_fall_back_on_drawn_faces(zspace, tmp_path):
    outcome = zspace("study", "celeba-ae", "--out", tmp_path / "out")
    assert outcome.code == 2
    assert "images.source: must be given for this study, got nothing. Give --images PATH." in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_usage_errors_are_json_too(zspace):
    outcome = zspace("study", "demo", "--json", "--epochs", "x")
    assert outcome.code == 2
    assert outcome.document["error"] == "UsageError"
    assert "epochs" in outcome.stderr


def test_folders_that_are_not_this_studys_are_left_alone(zspace, study_file, tmp_path):
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("x")
    outcome = zspace("study", study_file, "--out", foreign)
    assert outcome.code == 4
    assert (
        "--out must be new, empty, or the folder of this study, got other files, such as thesis.tex." in outcome.stderr
    )
    below_a_file = zspace("study", study_file, "--out", foreign / "thesis.tex" / "out")
    assert below_a_file.code == 4
    assert "must be a place this user may write to" in below_a_file.stderr
    assert sorted(entry.name for entry in foreign.iterdir()) in (["thesis.tex"], [".lock", "thesis.tex"])


def test_a_study_of_other_images_is_not_overwritten(zspace, study_file, tmp_path):
    out, photos = tmp_path / "out", tmp_path / "photos"
    photos.mkdir()
    for row, image in enumerate(draw_faces(sample_factors(30, seed=5), 40)):
        cv2.imwrite(str(photos / f"{row}.png"), image)
    assert zspace("study", study_file, "--out", out, "--epochs", 1).code == 0
    outcome = zspace("study", study_file, "--out", out, "--images", photos)
    assert outcome.code == 4
    assert "got one with images.source 'faces'. Choose another --out" in outcome.stderr


def test_a_folder_of_photographs_becomes_a_report_that_counts_what_was_skipped(zspace, study_file, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    images = draw_faces(sample_factors(60, seed=5), 40)
    for row, image in enumerate(images):
        cv2.imwrite(str(photos / f"{row:03}.png"), image)
    cv2.imwrite(str(photos / "copy.png"), images[0])
    (photos / "empty.jpg").touch()
    refused = zspace("study", study_file, "--out", tmp_path / "out", "--images", photos)
    assert refused.code == 3
    assert "TooManySkipped" in refused.stderr
    arguments = ("--images", photos, "--max-skipped-fraction", 0.05, "--epochs", 1, "--json")
    document = zspace("study", study_file, "--out", tmp_path / "out2", *arguments).document
    packed = document["results"]["images"]
    assert (packed["n_images"], packed["n_skipped"], packed["n_duplicates"]) == (61, 1, 1)
    assert "empty.jpg" in (tmp_path / "out2" / "images" / "skipped.csv").read_text()


def test_one_image_is_too_few(zspace, study_file, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "one.png"), np.full((40, 40, 3), 128, np.uint8))
    outcome = zspace("study", study_file, "--out", tmp_path / "out", "--images", photos)
    assert outcome.code == 3
    assert "TooFewImages" in outcome.stderr
