"""Folders that have been used: changed settings, damage, exchanged files, kills; nothing is passed off as what it is not."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import zarr

from zspace.runs.folders import RunFolder


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """A finished study of two models of one shape, made once; every test works on a copy."""
    folder = tmp_path_factory.mktemp("finished")
    study = folder / "tiny.toml"
    study.write_text(STUDY)
    command = [sys.executable, "-m", "zspace", "study", study, "--out", folder / "out", "--quiet"]
    subprocess.run(command, check=True)
    return folder


STUDY = """
name = "tiny"
[images]
source = "faces"
n_faces = 80
size = 16
[models.vae]
kind = "vae"
[models.vae.network]
filters = [4]
z_dim = 4
[models.vae.training]
epochs = 2
batch_size = 16
device = "cpu"
[models.other]
kind = "vae"
seed = 9
[models.other.network]
filters = [4]
z_dim = 4
[models.other.training]
epochs = 2
batch_size = 16
device = "cpu"
[measure]
only = ["radius", "maps"]
maps = ["pca"]
n_null_clouds = 2
[generate]
samplers = ["normal"]
n_scored = 8
n_shown = 4
n_components = 1
"""


@pytest.fixture
def out(two_runs, tmp_path):
    return shutil.copytree(two_runs / "out", tmp_path / "out")


@pytest.fixture
def study(two_runs):
    return two_runs / "tiny.toml"


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 8
    path.write_bytes(content)


def test_a_number_that_was_changed_in_the_results_is_noticed(zspace, study, out):
    path = out / "runs" / "vae" / "results.json"
    document = json.loads(path.read_text())
    document["steps"]["measure"]["result"]["measurements"]["radius"]["estimates"]["mean_radius"]["value"] *= 10
    path.write_text(json.dumps(document))
    for command in (["report", out], ["study", study, "--out", out], ["measure", out / "runs" / "vae"]):
        outcome = zspace(*command)
        if command[0] != "measure":  # which reads the z-points, not the numbers
            assert outcome.code == 4
            assert "results.json: must be as it was written, got a step 'measure' of other content." in outcome.stderr
            assert "Delete it and run the command that made it again." in outcome.stderr
    path.unlink()
    assert zspace("study", study, "--out", out).code == 0


@pytest.mark.parametrize(
    "document",
    ['{"format":2}', '{"format":2,"steps":[]}', '{"format":2,"steps":{"train":3}}', '{"format":2,"steps":{"train":{}}}',
     "[]", "{", "null", '{"format":1,"steps":{}}', "[" * 100_000,
     '{"format":2,"steps":{"train":{"fingerprint":"","files":{},"asked":1,"result":Infinity,"digest":""}}}'],
)  # fmt: skip
def test_results_of_another_shape_are_one_line(zspace, out, document):
    (out / "runs" / "vae" / "results.json").write_text(document)
    for command in (["report", out], ["encode", out / "runs" / "vae"]):
        outcome = zspace(*command)
        assert outcome.code == 4
        assert outcome.stderr.startswith("FileDamaged: ")
        assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["settings = 3", "", "origins = 3\n[settings]\nname = 'tiny'", "[settings]\nname = ["])
def test_plans_of_another_shape_are_one_line(zspace, out, text):
    (out / "plan.toml").write_text(text)
    outcome = zspace("report", out)
    assert outcome.code in (2, 4)
    assert "plan.toml" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["z", "mu", "logvar", "ids"])
@pytest.mark.parametrize("damage", ["flip", "cut", "missing"])
def test_damaged_z_points_are_noticed_before_they_are_measured(zspace, out, name, damage):
    run = out / "runs" / "vae"
    (chunk, *_) = sorted(path for path in (run / "latents.zarr" / name / "c").rglob("*") if path.is_file())
    match damage:
        case "flip":
            flip(chunk, 9)
        case "cut":
            chunk.write_bytes(chunk.read_bytes()[:20])
        case "missing":
            chunk.unlink()
    outcome = zspace("measure", run, "--only", "radius", "--maps", "none")
    assert outcome.code == 4
    assert "latents.zarr: must hold the z-points that were encoded here, got " in outcome.stderr
    assert f"Delete it and run zspace encode {run}, which makes it anew." in outcome.stderr
    shutil.rmtree(run / "latents.zarr")
    assert zspace("encode", run).code == 0
    assert zspace("measure", run, "--only", "radius", "--maps", "none").code == 0


def test_z_points_and_weights_of_another_run_are_noticed(zspace, out):
    vae, other = RunFolder(out / "runs" / "vae"), RunFolder(out / "runs" / "other")
    for one in ("latents", "weights"):
        theirs = getattr(other, one)
        mine, kept = getattr(vae, one), vae.path / "kept"
        mine.rename(kept)
        shutil.copytree(theirs, mine) if theirs.is_dir() else shutil.copy(theirs, mine)
        verb = ["measure", vae.path] if one == "latents" else ["encode", vae.path, "--images", "faces"]
        outcome = zspace(*verb)
        assert outcome.code == 4, outcome.stderr
        assert "got z-points of another run or of other weights." in outcome.stderr or (
            "got a whole file, but another one than results.json tells of." in outcome.stderr
        )
        shutil.rmtree(mine) if mine.is_dir() else mine.unlink()
        kept.rename(mine)


def test_digests_cover_what_zarr_itself_cannot_notice(zspace, out):
    run = RunFolder(out / "runs" / "vae")
    z = zarr.open_array(run.latents, path="z", mode="r+")
    z[:] = np.asarray(z[:]) * 2  # whole chunks with right checksums
    outcome = zspace("measure", run.path, "--only", "radius", "--maps", "none")
    assert outcome.code == 4
    assert "got other values of 'z' than were written." in outcome.stderr


@pytest.mark.parametrize("name", ["pictures.safetensors", "maps/pca.safetensors"])
def test_damaged_pictures_and_maps_are_noticed(zspace, out, name):
    flip(out / "runs" / "vae" / name, -5)
    (out / "report.html").unlink()
    outcome = zspace("report", out)
    assert outcome.code == 4
    assert f"{name}: must be a whole safetensors file, got other bytes than were written." in outcome.stderr


def interrupt_changed(study, out, *flags):
    """Begin the study with other settings, and kill it as soon as its plan is written."""
    command = [sys.executable, "-m", "zspace", "study", study, "--out", out, "--epochs", "5000", *flags]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "train vae: 0%" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_old_weights_are_not_passed_off_as_the_new_settings(zspace, study, out):
    interrupt_changed(study, out, "--set", "models.vae.network.z_dim=6")
    assert "5000" in (out / "plan.toml").read_text()
    outcome = zspace("report", out)
    assert outcome.code == 4
    assert "NothingFinished" in outcome.stderr
    assert "vae: last finished with other settings (" in outcome.stderr
    assert "model.network.z_dim was 4, is 6" in outcome.stderr
    for verb in ("encode", "measure"):
        outcome = zspace(verb, out / "runs" / "vae", "--json")
        assert outcome.code == 0, outcome.stderr
        result = outcome.document["encode" if verb == "encode" else "cloud"]
        assert result["z_dim"] == 4
        assert "last finished with other settings than plan.toml has now: " in result["notes"][-1]
        assert "model.training.epochs was 2, is 5000" in result["notes"][-1]


def test_z_points_of_earlier_weights_are_told_as_such(zspace, study, out):
    assert zspace("train", study, "--out", out, "--epochs", 3).code == 0
    outcome = zspace("measure", out / "runs" / "vae", "--json")
    assert outcome.code == 0, outcome.stderr
    note = "these z-points are of earlier weights than vae has now: run zspace encode vae"
    assert outcome.document["cloud"]["notes"][-1] == note
    assert zspace("encode", out / "runs" / "vae").code == 0
    assert note not in zspace("measure", out / "runs" / "vae", "--json").document["cloud"]["notes"]


def test_what_is_finished_is_reported_and_what_is_not_is_told(zspace, study, out):
    interrupt_changed(study, out, "--set", "models.vae.training.learning_rate=0.25", "--epochs", "2")
    outcome = zspace("report", out, "--json")
    assert outcome.code == 0, outcome.stderr
    results = outcome.document["results"]
    assert list(results["models"]) == ["other"]
    assert results["unfinished"]["vae"] == (
        "last finished with other settings (model.training.learning_rate was 0.0005, is 0.25)"
    )
    (out / "runs" / "other" / "pictures.safetensors").unlink()
    outcome = zspace("report", out, "--json")
    assert outcome.document["results"]["models"]["other"]["unfinished"] == {
        "generate": "pictures.safetensors is missing or cut short"
    }
    page = (out / "report.html").read_text()
    assert "last finished with other settings" in page
    assert "pictures.safetensors is missing or cut short" in page


def test_what_was_measured_outlives_weights_and_z_points(zspace, out):
    before = zspace("report", out, "--json").document["results"]
    for run in (out / "runs").iterdir():
        (run / "model.safetensors").unlink()
        shutil.rmtree(run / "latents.zarr")
    (out / "report.html").unlink()
    outcome = zspace("report", out, "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["results"] == before
    assert zspace("measure", out / "runs" / "vae").code == 4


def test_a_deleted_plan_comes_back_and_reading_does_not_need_it(zspace, study, out):
    (out / "plan.toml").unlink()
    outcome = zspace("report", out)
    assert outcome.code == 4
    assert "got no plan.toml in it. Run zspace study with this --out." in outcome.stderr
    assert zspace("encode", out / "runs" / "vae").code == 0
    again = zspace("study", study, "--out", out)
    assert again.code == 0, again.stderr
    assert "train vae: 100% (132 of 132 images)  already done" in again.stderr
    other = study.with_name("another.toml")
    other.write_text(STUDY.replace('"tiny"', '"another"'))
    (out / "plan.toml").unlink()
    refused = zspace("study", other, "--out", out)
    assert refused.code == 4
    assert "FolderNotEmpty" in refused.stderr


def test_deleted_figures_are_drawn_again(zspace, out):
    figures = out / "runs" / "vae" / "figures"
    names = sorted(path.name for path in figures.iterdir())
    shutil.rmtree(figures)
    assert zspace("report", out).code == 0
    assert sorted(path.name for path in figures.iterdir()) == names


def test_what_killed_processes_left_behind_goes(zspace, study, out, tmp_path):
    left = [
        out / ".plan.toml.4711.partial",
        out / "runs" / "vae" / "checkpoints" / ".step-000000003.safetensors.4711.partial",
    ]
    folders = [out / "runs" / "vae" / ".latents.zarr.partial", out / ".images.4711.partial-old"]
    owned = [out / ".notes.old", out / ".film.mkv.partial", out / "mine" / ".plan.toml.4711.partial"]
    owned[-1].parent.mkdir()
    for path in [*left, *owned]:
        path.write_text("half")
    for path in folders:
        (path / "z").mkdir(parents=True)
    locked = out / "runs" / "vae" / "encoded" / "friends"
    locked.mkdir(parents=True)
    (locked / ".lock").touch()
    (locked / ".latents.zarr.partial").mkdir()
    assert zspace("study", study, "--out", out).code == 0
    assert not any(path.exists() for path in [*left, *folders])
    assert all(path.exists() for path in owned)
    assert (locked / ".latents.zarr.partial").exists()  # whoever holds that lock may be at work on it
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / ".plan.toml.4711.partial").write_text("half")
    assert zspace("train", study, "--out", fresh).code == 0


def test_hidden_files_of_others_are_never_touched(zspace, study, tmp_path):
    home = tmp_path / "home"
    (home / "project" / ".git.old").mkdir(parents=True)
    for name in (".profile.old", ".film.mkv.partial"):
        (home / name).write_text("mine")
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((30, 3)))
    assert zspace("measure", tmp_path / "a.npy", "--out", home, "--only", "radius", "--maps", "none").code == 0
    assert {".profile.old", ".film.mkv.partial", "project"} <= {path.name for path in home.iterdir()}
    assert (home / "project" / ".git.old").is_dir()
    shutil.rmtree(home / "project")
    (home / "results.json").unlink()
    refused = zspace("study", study, "--out", home)
    assert refused.code == 4
    assert "other files, such as .film.mkv.partial" in refused.stderr


def test_results_of_points_do_not_go_over_a_study_or_somebody_elses_report(zspace, out, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).standard_normal((30, 3)))
    before = (out / "report.html").read_bytes()
    refused = zspace("measure", tmp_path / "a.npy", "--out", out)
    assert refused.code == 4
    assert "--out must be a folder for results alone, got a study. Choose another --out." in refused.stderr
    assert (out / "report.html").read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.html").write_text("mine")
    refused = zspace("measure", tmp_path / "a.npy", "--out", tmp_path / "mine")
    assert "got a report.html that tells of something else." in refused.stderr
    assert (tmp_path / "mine" / "report.html").read_text() == "mine"


def test_z_points_are_never_paired_with_images_of_another_store(zspace, study, out):
    for changed in ("images.n_faces=58", "seed=4"):
        assert zspace("train", study, "--out", out, "--set", changed).code == 0
        outcome = zspace("measure", out / "runs" / "vae", "--only", "radius", "copies", "--maps", "none", "--json")
        assert outcome.code == 2  # the measure was asked for by name, and there are no images
        outcome = zspace("measure", out / "runs" / "vae", "--only", "radius", "--maps", "none", "--json")
        assert outcome.code == 0, outcome.stderr
        assert "images and attributes were left out: " in outcome.document["cloud"]["notes"][-1]
        assert "holds others than the z-points were encoded from" in outcome.document["cloud"]["notes"][-1]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "name", ["results.json", "latents.zarr/z/c/0/0", "model.safetensors", "latents.zarr/zarr.json"]
)
def test_a_pipe_in_place_of_a_file_is_told_and_not_waited_for(zspace, out, name):
    run = out / "runs" / "vae"
    (run / name).unlink()
    os.mkfifo(run / name)
    verb = ("encode", run, "--images", "faces") if name == "model.safetensors" else ("measure", run)
    outcome = zspace(*verb)
    assert outcome.code == 4
    assert "FileDamaged: " in outcome.stderr


def test_a_missing_part_of_own_z_points_is_damage_and_not_another_format(zspace, out):
    run = out / "runs" / "vae"
    (run / "latents.zarr" / "zarr.json").unlink()
    outcome = zspace("measure", run)
    assert outcome.code == 4
    assert "latents.zarr: must hold the z-points that were encoded here, got " in outcome.stderr


def test_a_written_report_needs_neither_pytorch_nor_matplotlib(out):
    program = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('torch', 'matplotlib'): raise ImportError(name + ' is blocked')\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "from zspace.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    told = subprocess.run([sys.executable, "-c", program, "report", out], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "already done" in told.stderr
