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
    look = Training._check
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
        look(training)

    monkeypatch.setattr(Training, "_check", leap)


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
