"""Defaults, presets, files and flags, laid over each other."""

import pytest

from zspace.errors import FileDamaged, SettingOutOfRange, UnknownPreset, UnknownSetting
from zspace.files import read_toml, write_toml
from zspace.settings import Origin, Plan, plan_document, plan_from_document, preset_names, resolve_plan


def write(path, text):
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_resolves_and_bears_its_own_name(name):
    plan = resolve_plan(name, {})
    assert plan.settings.name == name
    assert plan.settings.title


def test_the_posts_autoencoder_is_a_preset():
    plan = resolve_plan("celeba-ae", {})
    model = plan.settings.models["ae"]
    assert plan.settings.images.size == 96
    assert model.network.filters == (32, 64, 128, 256)
    assert (model.network.z_dim, model.network.batch_norm) == (256, False)
    training = model.training
    assert (training.epochs, training.batch_size, training.learning_rate) == (24, 128, 5e-4)
    assert (training.adam_epsilon, model.network.leaky_slope) == (1e-7, 0.3)
    assert plan.settings.measure.radius_bins == (0.5, 0.05)
    assert plan.settings.measure.axis_bin == 0.25


def test_flags_win_over_the_file_and_the_file_over_its_preset(tmp_path):
    study = write(
        tmp_path / "mine.toml",
        'preset = "demo"\nseed = 3\n[models.ae.training]\nepochs = 5\nbatch_size = 7\n',
    )
    plan = resolve_plan(study, {"models.*.training.epochs": 2, "images.size": None})
    assert plan.settings.name == "mine"
    assert plan.settings.models["ae"].training.epochs == 2
    assert plan.settings.models["ae"].training.batch_size == 7
    assert plan.settings.images.size == 64
    kinds = {
        key: plan.origins[key].kind
        for key in ("models.ae.training.epochs", "seed", "images.size", "models.ae.training.device")
    }
    assert kinds == {
        "models.ae.training.epochs": "flag",
        "seed": "file",
        "images.size": "preset",
        "models.ae.training.device": "default",
    }


def test_a_star_reaches_every_model(tmp_path):
    study = write(tmp_path / "two.toml", "[models.a.training]\nepochs = 5\n[models.b.network]\nz_dim = 9\n")
    plan = resolve_plan(study, {"models.*.training.epochs": 2})
    assert {name: model.training.epochs for name, model in plan.settings.models.items()} == {"a": 2, "b": 2}


def test_a_file_of_a_name_only_gets_the_default_model(tmp_path):
    plan = resolve_plan(write(tmp_path / "bare.toml", ""), {"models.*.training.epochs": 2})
    assert plan.settings.name == "bare"
    assert plan.settings.models["ae"].training.epochs == 2


def test_the_plan_survives_its_own_file(tmp_path):
    plan = resolve_plan("demo", {"seed": 5})
    plan = Plan(plan.settings, {**plan.origins, "images.source": Origin("derived", "auto: because: of colons")})
    write_toml(tmp_path / "plan.toml", plan_document(plan))
    assert plan_from_document(read_toml(tmp_path / "plan.toml"), "plan.toml") == plan


@pytest.mark.parametrize(
    ("study", "error", "message"),
    [
        ("demoo", UnknownPreset, r"study: must be a preset or the path of a \.toml file, got 'demoo'\. Did you mean"),
        ("nowhere.toml", UnknownPreset, r"got nowhere\.toml\. No such file\."),
    ],
)
def test_an_unknown_study_is_refused(study, error, message):
    with pytest.raises(error, match=message):
        resolve_plan(study, {})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('preset = "celeba"', UnknownPreset, r"got 'celeba'\. Did you mean 'celeba-ae'"),
        (
            "[images]\nsizes = 3",
            UnknownSetting,
            r"images\.sizes: must be a known key, got 'sizes'\. Did you mean 'size'",
        ),
        (
            "[models.ae.training]\nepochs = 0",
            SettingOutOfRange,
            r"models\.ae\.training\.epochs: must be at least 1, got 0",
        ),
        ("[models]", SettingOutOfRange, r"models: must hold at least one item, got \{\}\."),
        ("[measure]\nradius_bins = []", SettingOutOfRange, r"measure\.radius_bins: must hold at least one item"),
        ("[models.a.network]\nfilters = []", SettingOutOfRange, r"network\.filters: must hold at least one item"),
        ("models = 3", SettingOutOfRange, r"models: must be a table, got 3"),
        ("a = ", FileDamaged, r"mine\.toml: must hold a TOML table"),
    ],
)
def test_a_file_that_does_not_fit_names_the_key(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        resolve_plan(write(tmp_path / "mine.toml", text), {})


def test_an_unknown_flag_is_refused_like_a_key():
    with pytest.raises(UnknownSetting, match=r"demo\.models\.ae\.network\.zdim: must be a known key, .* 'z_dim'"):
        resolve_plan("demo", {"models.*.network.zdim": 3})


def test_a_flag_through_a_value_is_refused():
    with pytest.raises(SettingOutOfRange, match=r"^seed\.deep: 'seed' must be a table to have keys, got 3\."):
        resolve_plan("demo", {"seed": 3, "seed.deep": 4})
