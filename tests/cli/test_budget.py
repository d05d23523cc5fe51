"""``zspace budget``: the posts' numbers to the digit, a table that fits, and what cannot be counted."""

import re

import pytest

POSTS = [
    (("--model", "vae", "--z-dim", 512), 9_828_544, 5_116_867),
    (("--model", "vae", "--z-dim", 256), 5_109_440, 2_757_571),
    (("--dense", 256), 2_881_472, 2_757_571),
    (("--dense", 384), 4_126_784, 2_757_571),
    (("--model", "ae", "--z-dim", 256, "--no-batch-norm"), 2_747_968, 2_756_675),
    (("--model", "ae"), 2_747_968, 2_756_675),
]


@pytest.mark.parametrize(("arguments", "encoder", "decoder"), POSTS)
def test_the_posts_models_have_the_posts_parameters(zspace, arguments, encoder, decoder):
    document = zspace("budget", *arguments, "--json").document
    assert document["encoder_parameters"] == encoder
    assert document["decoder_parameters"] == decoder
    kinds = ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes", "transient_bytes")
    assert document["peak_bytes"] == sum(document[kind] for kind in kinds)
    assert document["weights_bytes"] >= 4 * (encoder + decoder)


def test_batch_norm_follows_the_kind_unless_told_and_says_why(zspace):
    found = {
        (kind, flag): zspace("budget", "--model", kind, *flag, "--filters", "4,8", "--size", 32, "--json").document
        for kind in ("ae", "vae")
        for flag in ((), ("--batch-norm",), ("--no-batch-norm",))
    }
    normalised = {key: document["settings"]["network"]["batch_norm"] for key, document in found.items()}
    assert normalised == {
        (kind, flag): flag == ("--batch-norm",) or (kind, flag) == ("vae", ()) for kind, flag in found
    }
    assert found["vae", ()]["origins"]["network.batch_norm"] == "derived: the posts' vae normalises its batches"
    assert found["ae", ("--batch-norm",)]["origins"]["network.batch_norm"] == "flag"


@pytest.mark.parametrize("written", [("8,4,6",), ("8", "4", "6"), ("8,4", "6")])
def test_lists_are_written_with_commas_or_spaces(zspace, written):
    document = zspace("budget", "--filters", *written, "--size", 32, "--json").document
    assert document["settings"]["network"]["filters"] == [8, 4, 6]


@pytest.mark.parametrize("arguments", [("--z-dim", 512), ("--model", "ae", "--block", "residual")])
def test_the_table_fits_eighty_columns_and_ends_in_the_totals(zspace, arguments):
    document = zspace("budget", *arguments, "--precision", "float32", "--json").document
    text = zspace("budget", *arguments, "--precision", "float32").stdout
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in text
    encoder, decoder = document["encoder_parameters"], document["decoder_parameters"]
    (total,) = [line.split() for line in lines if line.startswith("total")]
    kinds = ("weights_bytes", "gradients_bytes", "optimizer_bytes", "activations_bytes")
    sizes = [document[kind] for kind in kinds]
    assert total[1:] == [f"{encoder + decoder:,}", *(f"{n / 2**20:,.1f}" for n in (*sizes, sum(sizes))), "100.0%"]
    assert f"Parameters: encoder {encoder:,}, decoder {decoder:,}." in text
    assert f"Predicted peak: {document['peak_bytes'] / 2**20:,.1f} MiB = weights" in text
    assert f"Work: {document['flops_per_image'] / 1e9:.4g} GFLOP an image" in text


def test_advice_names_the_layer_that_dominates_and_what_variants_cost(zspace):
    text = re.sub(r"\s+", " ", zspace("budget", "--z-dim", 512).stdout)
    assert (
        "Largest of the encoder: head mu with 4,719,104 parameters, 48.0% of it; all dense layers together 96.0%."
        in text
    )
    small = zspace("budget", "--z-dim", 512, "--dense", 512, "--json").document
    saved = 9_828_544 - small["encoder_parameters"]
    assert f"With an extra dense layer of width 512: saves {saved:,} parameters" in text
    three = zspace("budget", "--z-dim", 512, "--filters", "32,64,256", "--json").document
    cost = three["encoder_parameters"] + three["decoder_parameters"] - 9_828_544 - 5_116_867
    assert f"filters 32, 64, 256: flattens to 4 times as many values, costs {cost:,} parameters" in text


def test_a_time_is_given_for_a_measured_rate_only(zspace):
    small = ("budget", "--filters", "4,8", "--size", 32)
    assert "Time: give a measured rate with --images-per-second, and --n-images." in zspace(*small).stdout
    timed = zspace(*small, "--images-per-second", 200, "--n-images", 170_000, "--epochs", 2)
    assert "an epoch takes 14 min 10 s, all of them 28 min 20 s." in re.sub(r"\s+", " ", timed.stdout)
    refused = zspace(*small, "--n-images", 170_000)
    assert refused.code == 2
    assert (
        "--images-per-second: must be given with --n-images, since a rate is measured and not guessed" in refused.stderr
    )


def test_every_model_of_a_study_is_counted_as_it_would_be_trained(zspace, study_file):
    study_file.write_text(study_file.read_text() + '\n[models.wide]\nkind = "vae"\n[models.wide.network]\nz_dim = 9\n')
    document = zspace("budget", "--study", study_file, "--json").document
    assert {name: model["kind"] for name, model in document["models"].items()} == {"ae": "ae", "wide": "vae"}
    assert document["models"]["ae"]["image_size"] == 32
    assert document["models"]["ae"]["batch_size"] == 32
    assert document["models"]["wide"]["settings"]["network"]["batch_norm"] is True
    assert (
        document["models"]["wide"]["origins"]["network.batch_norm"] == "derived: the posts' vae normalises its batches"
    )
    narrow = zspace("budget", "--study", study_file, "--filters", "4,8", "--z-dim", 3, "--json").document
    assert {model["settings"]["network"]["z_dim"] for model in narrow["models"].values()} == {3}
    text = zspace("budget", "--study", study_file).stdout
    assert "AE 'ae', z of 5, images of 32 x 32" in text
    assert "VAE 'wide', z of 9, images of 32 x 32" in text


def test_a_dry_run_prints_every_value_with_its_origin(zspace):
    lines = {line.split()[0]: line for line in zspace("budget", "--z-dim", 512, "--dry-run").stdout.splitlines()}
    assert lines["models.model.network.z_dim"].split()[1:] == ["512", "flag"]
    assert lines["images.size"].split()[1:] == ["96", "default"]
    assert "derived: the posts' vae normalises its batches" in lines["models.model.network.batch_norm"]
    assert not any(line.startswith("measure") for line in lines)


def test_a_gpu_that_is_not_here_can_be_planned_for(zspace):
    small = ("budget", "--filters", "4,8", "--size", 32, "--device", "cuda")
    assert zspace(*small, "--json").document["precision"] == "bf16"
    assert zspace(*small, "--precision", "float32", "--json").document["precision"] == "float32"


def test_help_of_a_setting_is_the_settings_own(zspace):
    text = re.sub(r"[\s│]+", " ", zspace("budget", "--help").stdout)
    assert "Output channels of each convolution of the encoder;" in text
    assert "(default: 32,64,128,256)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", 90], "--size: must be a multiple of 16, since strides of 2 x 2 x 2 x 2 shrink it, got 90 pixels."),
        (["--z-dim", 0], "budget.network.z_dim: must be at least 1, got 0."),
        (["--filters", "32,x"], "budget.network.filters[1]: must be a whole number, got 'x'."),
        (["--filters"], "budget.network.filters: must hold at least one item, got ()."),
        (["--strides", "2,2"], "network.strides: must have one number, or one for each of the 4 filters, got [2, 2]."),
        (["--batch-norm", "--no-batch-norm"], "--batch-norm: must stand alone, got --no-batch-norm as well."),
        (["--batch-size", 0], "budget.training.batch_size: must be at least 1, got 0."),
        (["--study", "celeba"], "must be a preset or the path of a .toml file, got 'celeba'. Did you mean"),
    ],
)
def test_what_cannot_be_counted_is_told_with_exit_code_2(zspace, arguments, message):
    outcome = zspace("budget", *arguments)
    assert outcome.code == 2
    assert message in outcome.stderr
    assert outcome.stdout == ""
