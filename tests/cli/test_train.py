"""``zspace train``: several seeds, repeating from an epoch, and the guard at work in real runs."""

import json

import pytest

from zspace.training import Training


def digest(run):
    return json.loads((run / "results.json").read_text())["steps"]["train"]["result"]["weights_digest"]


def history(run):
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "elapsed_seconds"} for row in rows]


VAE = ("--set", 'models.*.kind="vae"', "--set", "models.*.objective.kl_weight=0.1")


def test_training_alone_stops_before_measuring_and_a_study_goes_on_from_it(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("train", study_file, "--out", out)
    assert outcome.code == 0, outcome.stderr
    assert not (out / "runs" / "ae" / "latents.zarr").exists()
    assert outcome.stdout.splitlines()[0].split() == [
        "run", "epochs", "loss", "validation", "KL", "share", "radius", "while", "training", "images/s", "rollbacks",
    ]  # fmt: skip
    study = zspace("study", study_file, "--out", out)
    assert "train ae: 100%" in study.stderr
    assert study.stderr.count("already done") == 2


def test_several_seeds_give_several_runs_and_a_table_of_what_is_stable(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("train", study_file, "--out", out, "--runs", 3, *VAE, "--json")
    assert outcome.code == 0, outcome.stderr
    assert set(outcome.document["runs"]) == {"ae-1", "ae-2", "ae-3"}
    assert len({digest(out / "runs" / name) for name in outcome.document["runs"]}) == 3
    stable = outcome.document["stable"]["ae"]
    losses = [run["history"][-1]["training"]["total"] for run in outcome.document["runs"].values()]
    assert stable["training_loss"]["value"] == pytest.approx(sum(losses) / 3)
    low, high = stable["training_loss"]["interval"]
    assert low < stable["training_loss"]["value"] < high
    assert stable["kl_share"]["n_used"] == 3
    text = zspace("train", study_file, "--out", out, "--runs", 3, *VAE, "--quiet").stdout
    assert "mean over runs" in text
    assert "radius while training" in text


@pytest.mark.parametrize("fresh", [False, True])
def test_a_repetition_ends_as_the_run_did_unless_the_noise_is_fresh(zspace, study_file, tmp_path, fresh):
    out = tmp_path / "out"
    zspace("train", study_file, "--out", out, *VAE, "--set", "models.*.training.keep_every=1")
    run = out / "runs" / "ae"
    flags = ["--fresh-noise"] if fresh else []
    outcome = zspace("train", "--resume", run, "--from-epoch", 2, *flags)
    assert outcome.code == 0, outcome.stderr
    assert f"going on after {2 * 133} images" in outcome.stderr.replace(",", "")
    repetition = out / "runs" / f"ae-from-2-{'fresh' if fresh else 'again'}"
    assert history(repetition)[:2] == history(run)[:2]
    assert (digest(repetition) == digest(run)) == (not fresh)
    assert (history(repetition)[2] == history(run)[2]) == (not fresh)


def test_an_epoch_that_was_not_kept_is_told_with_those_that_were(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    zspace("train", study_file, "--out", out, "--set", "models.*.training.keep_every=2")
    missing = zspace("train", "--resume", out / "runs" / "ae", "--from-epoch", 1)
    assert missing.code == 5
    assert "needs the checkpoint of epoch 1, got none. Kept are epochs 2." in missing.stderr
    other = zspace("train", "--resume", out / "runs" / "vae", "--from-epoch", 1)
    assert "must be a run of the study around it, got vae. Runs are: ae." in other.stderr
    assert (
        "must be the folder of a run, such as OUT/runs/NAME"
        in zspace("train", "--resume", out, "--from-epoch", 1).stderr
    )
    assert "needs a study, or --resume RUN" in zspace("train").stderr
    assert "--resume takes --from-epoch and no study" in zspace("train", "--resume", out / "runs" / "ae").stderr


def provoke(monkeypatch, quantity, n_times):
    """Let a quantity leap in the eyes of the guard, at every look of the last epoch, as often as asked."""
    look = Training._look
    left = [n_times]

    def leap(training):
        if training.position.epoch == 2 and left[0]:
            left[0] -= 1
            place = {"loss": 0, "KL divergence": 2, "mean radius": 3}.get(quantity)
            if place is None:
                training._check_sums.values[5] *= 1e6
            else:
                training._check_sums.values[place] *= 1e3
            training.position.guard.seen.update(
                {name: (1e-9 + value,) * 12 for name, (value, *_) in training.position.guard.seen.items()}
            )
        return look(training)

    monkeypatch.setattr(Training, "_look", leap)


@pytest.mark.parametrize("quantity", ["loss", "gradient norm", "KL divergence", "mean radius"])
def test_the_guard_goes_back_says_so_and_goes_on_with_other_noise(zspace, study_file, tmp_path, monkeypatch, quantity):
    zspace("train", study_file, "--out", tmp_path / "calm", *VAE)
    provoke(monkeypatch, quantity, n_times=1)
    outcome = zspace("train", study_file, "--out", tmp_path / "leap", *VAE, "--json")
    assert outcome.code == 0, outcome.stderr
    assert f"a {quantity} of " in outcome.stderr
    assert "other noise" in outcome.stderr
    (rollback,) = outcome.document["runs"]["ae"]["rollbacks"]
    assert (rollback["epoch"], rollback["quantity"]) == (3, quantity)
    assert rollback["value"] > rollback["usual"]
    calm, leap = history(tmp_path / "calm" / "runs" / "ae"), history(tmp_path / "leap" / "runs" / "ae")
    assert len(leap) == 3
    assert leap[:2] == calm[:2]
    assert leap[2] != calm[2]


def test_the_guard_gives_up_after_a_set_number(zspace, study_file, tmp_path, monkeypatch):
    provoke(monkeypatch, "mean radius", n_times=10)
    outcome = zspace("train", study_file, "--out", tmp_path / "out", *VAE, "--set", "models.*.training.max_rollbacks=2")
    assert outcome.code == 5
    assert "RunDiverged: epoch 3, step" in outcome.stderr
    assert "training must stay sound, with at most 2 rollbacks, got a mean radius of" in outcome.stderr
    assert outcome.stderr.count("other noise") == 2


@pytest.mark.parametrize(
    "settings",
    [
        ['reconstruction="squared-error"'],
        ['reconstruction="absolute-error"'],
        ['reconstruction="gaussian"'],
        ['kl_schedule="warm-up"', "kl_epochs=1.0"],
        ['kl_schedule="cyclic"', "kl_epochs=1.0"],
        ['kl_schedule="target-share"'],
        ["free_bits=0.1"],
        ["capacity=5.0"],
    ],
    ids=lambda settings: settings[0],
)
def test_every_objective_trains(zspace, study_file, tmp_path, settings):
    flags = [part for setting in settings for part in ("--set", f"models.*.objective.{setting}")]
    outcome = zspace("train", study_file, "--out", tmp_path / "out", *VAE, *flags, "--epochs", 2, "--json")
    assert outcome.code == 0, outcome.stderr
    first, last = outcome.document["runs"]["ae"]["history"]
    assert last["training"]["reconstruction"] < first["training"]["reconstruction"]
    assert last["training"]["divergence"] > 0


def test_a_setting_given_in_two_ways_is_refused_not_decided_in_silence(zspace, study_file, tmp_path):
    flags = ("--epochs", 3, "--set", "models.ae.training.epochs=2")
    outcome = zspace("train", study_file, "--out", tmp_path / "out", *flags)
    assert outcome.code == 2
    assert "--set: must set what no other option sets, got models.ae.training.epochs and the option for " in (
        outcome.stderr
    )
    assert not (tmp_path / "out").exists()


def test_kept_checkpoints_and_tensorboard_lie_in_the_run_folder(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    outcome = zspace("train", study_file, "--out", out, "--keep", 2, "--tensorboard")
    assert outcome.code == 0, outcome.stderr
    run = out / "runs" / "ae"
    assert [path.name for path in (run / "checkpoints").glob("epoch-*")] == ["epoch-0002.safetensors"]
    assert any((run / "tensorboard").glob("events.out.tfevents.*"))
    assert "images held in memory: " in outcome.stderr


def interrupt(monkeypatch, n_epochs):
    """Stop the process, as Ctrl-C does, after so many epochs."""
    finish, left = Training._finish_epoch, [n_epochs]

    def stop(training):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return finish(training)

    monkeypatch.setattr(Training, "_finish_epoch", stop)


def checkpoints(out):
    folder = out / "runs" / "ae" / "checkpoints"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.safetensors"))


OTHER = ("--set", "models.*.training.learning_rate=3e-3")
KEEP = ("--keep", 1)


def test_a_setting_changed_by_mistake_and_back_costs_nothing(zspace, study_file, tmp_path, monkeypatch):
    zspace("train", study_file, "--out", tmp_path / "calm", *KEEP)
    zspace("train", study_file, "--out", tmp_path / "calm other", *OTHER)
    out = tmp_path / "out"
    interrupt(monkeypatch, n_epochs=2)
    assert zspace("train", study_file, "--out", out, *KEEP).code == 130
    monkeypatch.undo()
    interrupt(monkeypatch, n_epochs=1)
    mistaken = zspace("train", study_file, "--out", out, *OTHER)
    assert mistaken.code == 130
    assert "checkpoints of 1 other training lie in" in mistaken.stderr
    assert "going on" not in mistaken.stderr
    monkeypatch.undo()
    back = zspace("train", study_file, "--out", out, *KEEP)
    assert f"going on after {2 * 133} images" in back.stderr
    assert "deleted the checkpoints of 1 other training, but for kept epochs" in back.stderr
    assert digest(out / "runs" / "ae") == digest(tmp_path / "calm" / "runs" / "ae")
    assert history(out / "runs" / "ae") == history(tmp_path / "calm" / "runs" / "ae")
    assert checkpoints(out) == checkpoints(tmp_path / "calm")

    other = zspace("train", study_file, "--out", out, *OTHER)
    assert "going on" not in other.stderr
    assert digest(out / "runs" / "ae") == digest(tmp_path / "calm other" / "runs" / "ae")
    assert len([name for name in checkpoints(out) if name.startswith("other-")]) == 3
    assert all("epoch-" in name for name in checkpoints(out) if name.startswith("other-"))


def test_a_finished_training_is_whole_again_after_another_was_begun_and_given_up(
    zspace, study_file, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    run = out / "runs" / "ae"
    zspace("train", study_file, "--out", out, *KEEP)
    finished = history(run), checkpoints(out), digest(run)
    interrupt(monkeypatch, n_epochs=1)
    assert zspace("train", study_file, "--out", out, *OTHER).code == 130
    monkeypatch.undo()
    assert len(history(run)) == 1
    assert "already done" in zspace("train", study_file, "--out", out, *KEEP).stderr
    others = [name for name in checkpoints(out) if name.startswith("other-")]
    assert (history(run), [name for name in checkpoints(out) if name not in others], digest(run)) == finished
    assert len(others) == 2
    assert zspace("train", "--resume", run, "--from-epoch", 2).code == 0
    assert digest(out / "runs" / "ae-from-2-again") == digest(run)


def test_a_shorter_training_after_a_longer_one_goes_on_where_it_was_stopped(zspace, study_file, tmp_path, monkeypatch):
    out = tmp_path / "out"
    zspace("train", study_file, "--out", out, "--epochs", 6)
    interrupt(monkeypatch, n_epochs=2)
    zspace("train", study_file, "--out", out)
    monkeypatch.undo()
    assert f"going on after {2 * 133} images" in zspace("train", study_file, "--out", out).stderr
    assert len(history(out / "runs" / "ae")) == 3
    longer = zspace("train", study_file, "--out", out, "--epochs", 6)
    assert f"going on after {6 * 133} images" in longer.stderr
    assert len(history(out / "runs" / "ae")) == 6


def test_what_is_asked_of_a_finished_training_later_is_done_or_said(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    run = out / "runs" / "ae"
    zspace("train", study_file, "--out", out)
    before = history(run)
    (run / "history.jsonl").unlink()
    outcome = zspace("train", study_file, "--out", out, "--tensorboard", "--keep", 1)
    assert outcome.code == 0, outcome.stderr
    assert history(run) == before
    assert any((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (
        f"already done; not kept when they were trained: epochs 1; to have them, delete {run} and train anew"
        in outcome.stderr
    )
    assert [name for name in checkpoints(out) if "epoch" in name] == [
        "epoch-0002.safetensors",
        "epoch-0003.safetensors",
    ]
    for path in (run / "checkpoints").iterdir():
        path.unlink()
    quiet = zspace("train", study_file, "--out", out)
    assert "already done" in quiet.stderr
    assert "kept" not in quiet.stderr
    assert "epochs 1, 2, 3" in zspace("train", study_file, "--out", out, "--keep", 1).stderr


def test_a_training_that_cannot_go_back_ends_with_an_error_also_in_a_used_folder(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    zspace("train", study_file, "--out", out)
    outcome = zspace("train", study_file, "--out", out, "--set", "models.*.training.learning_rate=1e30")
    assert outcome.code == 5
    assert outcome.stderr.count("not finite: back to 0 images, other noise") == 3
    assert "RunDiverged: epoch 1, step" in outcome.stderr


def test_a_repetition_takes_only_a_whole_epoch_of_this_training(zspace, study_file, tmp_path):
    out = tmp_path / "out"
    run = out / "runs" / "ae"
    zspace("train", study_file, "--out", out, *KEEP)
    kept = run / "checkpoints" / "epoch-0001.safetensors"
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    damaged = zspace("train", "--resume", run, "--from-epoch", 1)
    assert damaged.code == 5
    assert f"needs the checkpoint of epoch 1, got none. {kept} is damaged: delete it." in damaged.stderr

    zspace("train", study_file, "--out", out, *OTHER)
    other = zspace("train", "--resume", run, "--from-epoch", 2)
    assert other.code == 5
    assert "got none. Train with --set 'models.*.training.keep_every=1'" in other.stderr

    zspace("train", study_file, "--out", out, *KEEP)
    zspace("train", study_file, "--out", out, *KEEP, "--epochs", 2)
    beyond = zspace("train", "--resume", run, "--from-epoch", 3)
    assert beyond.code == 5
    assert "must belong to this training of 2 epochs, got another one. Name an earlier epoch" in beyond.stderr
