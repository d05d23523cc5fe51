"""What help and dry runs say before anything is done."""

import json
import re

import numpy as np
import pytest

from zspace.settings import preset_names, preset_titles


def flat(text):
    return re.sub(r"[\s│]+", " ", text)


@pytest.mark.parametrize("arguments", [["--help"], ["study", "--help"], ["train", "--help"]])
def test_help_tells_every_preset_in_its_own_words(zspace, arguments):
    outcome = zspace(*arguments)
    assert outcome.code == 0
    for name in preset_names():
        assert f"{name}: {preset_titles()[name]}" in flat(outcome.stdout)
    assert "A whole study in three minutes on two cores" in preset_titles()["demo"]


def test_every_preset_begins_with_a_sentence():
    assert all(title and title[0].isupper() and title[-1] in ".?" for title in preset_titles().values())


@pytest.mark.parametrize(
    ("verb", "defaults"),
    [
        ("study", ["Passes over the training images. (default: the study's, or 24)", "(default: zspace-out/NAME)"]),
        ("study", ["(default: the study's, or quick)", "Side of the stored square images, in pixels. (default: the study's, or 96)"]),
        ("train", ["(default: none, needed with --resume)", "(default: the study's, or auto)"]),
        ("measure", ["(default: quick)", '"maps" among them. (default: all)', "chosen at random. (default: all)"]),
        ("encode", ["(default: those of the study)", "(default: RUN/encoded/NAME)", "(default: 0.01)"]),
        ("budget", ["(default: the study's, or vae)", "(default: the study's, or in a vae)", "(default: 32,64,128,256)"]),
    ],
)  # fmt: skip
def test_help_gives_the_default_that_holds_and_not_that_there_is_none(zspace, verb, defaults):
    text = flat(zspace(verb, "--help").stdout)
    for default in defaults:
        assert default in text
    assert "(default: None)" not in text


def test_a_dry_run_of_packing_counts_the_images_and_sees_what_is_done(zspace, tmp_path):
    arguments = ("pack", "faces", "--n-faces", 30, "--size", 16, "--out", tmp_path / "store")
    before = zspace(*arguments, "--dry-run")
    assert before.stdout.startswith(f"Would pack 30 images of faces at 16 x 16 pixels into {tmp_path / 'store'}.\n")
    assert "n_faces = 30\n" in before.stdout
    assert not (tmp_path / "store").exists()
    assert zspace(*arguments).code == 0
    after = zspace(*arguments, "--dry-run", "--json").document
    assert after["would"] == [f"Nothing to pack: {tmp_path / 'store'} holds the 30 images of faces already."]
    assert zspace("pack", tmp_path / "none", "--out", tmp_path / "b", "--dry-run").code == 3


def would(zspace, *arguments):
    outcome = zspace(*arguments, "--dry-run", "--json")
    assert outcome.code == 0, outcome.stderr
    return outcome.document["would"]


def test_dry_runs_of_a_study_say_what_each_verb_would_do_and_write_nothing(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    asked = (study_file, "--out", out, "--set", "models.*.training.keep_every=1")
    pack, rest = would(zspace, "study", *asked)
    assert pack == f"Would pack 160 images of faces at 32 x 32 pixels into {out / 'images'}."
    assert rest.startswith(f"Would train 'ae' (AE, 3 epochs), encode, measure and generate with each, and write {out}")
    assert would(zspace, "train", *asked)[1].startswith("Would train 'ae' (AE, 3 epochs); what is finished there")
    assert not out.exists()
    assert zspace("train", *asked).code == 0
    run = out / "runs" / "ae"
    before = sorted(out.rglob("*"))
    assert would(zspace, "study", *asked)[0].startswith("Nothing to pack: ")
    repeat = ("train", "--resume", run, "--from-epoch", 2)
    assert would(zspace, *repeat) == [f"Would train epochs 3 to 3 of 'ae' again, into {run}-from-2-again."]
    assert would(zspace, *repeat, "--fresh-noise")[0].endswith(f"with fresh noise, into {run}-from-2-fresh.")
    assert zspace("train", "--resume", run, "--from-epoch", 9, "--dry-run").code == 5
    assert would(zspace, "encode", run) == [
        f"Would encode 160 images with the AE 'ae', z of 5, into {run}/latents.zarr."
    ]
    other = would(zspace, "encode", run, "--images", "faces")
    place = run / "encoded" / "faces"
    assert other == [
        f"Would pack 8,000 images of faces at 32 x 32 pixels into {place}/images.",
        f"Would encode them with the AE 'ae', z of 5, into {place}/latents.zarr.",
    ]
    assert would(zspace, "report", out) == [
        f"Would write {out}/report.html, of 'ae', unless it tells all that was found already."
    ]
    assert sorted(out.rglob("*")) == before
    assert zspace("encode", run).code == 0
    assert would(zspace, "encode", run) == [
        f"Nothing to encode: {run}/latents.zarr holds the z-points of the 160 images with the AE 'ae', z of 5, already."
    ]


def test_a_dry_run_fails_as_the_verb_would(zspace, tmp_path):
    assert zspace("report", tmp_path, "--dry-run").code == 4
    assert zspace("encode", tmp_path, "--dry-run").code == 4
    assert zspace("study", "demo", "--images", tmp_path / "none", "--dry-run").code == 3


@pytest.mark.parametrize("source", ["..", ".", "/", "deep/.."])
def test_the_default_place_of_encoding_lies_within_the_run(tmp_path, monkeypatch, source):
    from zspace.settings import ImageSettings
    from zspace.workflows.encode import default_place

    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path)
    place = default_place(tmp_path / "run", ImageSettings(source=source))
    assert place.resolve().parent == tmp_path / "run" / "encoded"


def test_points_of_files_that_differ_in_their_ending_go_to_places_of_their_own(zspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).standard_normal((20, 3))
    np.save("a.npy", points)
    np.savetxt("a.csv", points, delimiter=",")
    places = [json.loads(zspace("measure", name, "--dry-run", "--json").stdout)["out"] for name in ("a.npy", "a.csv")]
    assert places == ["zspace-out/a.npy-measured", "zspace-out/a.csv-measured"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_at_out_stays_a_link(zspace, tmp_path, is_there):
    target, link = tmp_path / "far" / "store", tmp_path / "link"
    if is_there:
        target.mkdir(parents=True)
    link.symlink_to(target)
    for size in (16, 24):
        outcome = zspace("pack", "faces", "--n-faces", 20, "--size", size, "--out", link)
        assert outcome.code == 0, outcome.stderr
        assert link.is_symlink()
        assert (target / "store.json").is_file()
        assert [entry.name for entry in target.parent.iterdir()] == ["store"]


def test_a_study_keeps_the_links_in_its_folder(zspace, study_file, tmp_path):
    out, far = tmp_path / "out", tmp_path / "far"
    out.symlink_to(far)
    far.mkdir()
    (far / "images").symlink_to(tmp_path / "images")
    outcome = zspace("train", study_file, "--out", out, "--epochs", 1)
    assert outcome.code == 4  # a folder with something in it is no place for a study
    (far / "images").unlink()
    assert zspace("train", study_file, "--out", out, "--epochs", 1).code == 0
    weights = far / "runs" / "ae" / "model.safetensors"
    weights.rename(tmp_path / "weights")
    weights.symlink_to(tmp_path / "weights")
    assert zspace("train", study_file, "--out", out, "--epochs", 2).code == 0
    assert out.is_symlink()
    assert weights.is_symlink()
