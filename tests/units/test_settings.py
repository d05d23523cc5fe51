"""Defaults, presets, files and flags, laid over each other."""

import re

import pytest

from zspace.errors import FileDamaged, SettingOutOfRange, SettingsError, UnknownPreset, UnknownSetting
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


@pytest.mark.parametrize(
    "name",
    ["/absolute", "../x", "a/b", "a\\\\b", "", "..", "a\\u0000b", "a\\nb", "a ", ".a", "a\\u202eb", "x" * 201, "aux"],
)
def test_a_name_that_leads_out_of_its_folder_is_refused_for_models_and_studies(tmp_path, name):
    study = write(tmp_path / "s.toml", f'[models."{name}".network]\nz_dim = 3\n')
    with pytest.raises(SettingOutOfRange, match=r"models: must be the name of a folder, which may |models: a key or"):
        resolve_plan(study, {})
    with pytest.raises(SettingOutOfRange, match=r"s\.toml\.name: must be the name of a folder, which may "):
        resolve_plan(write(tmp_path / "s.toml", f'name = "{name}"\n'), {})


def test_the_name_of_a_study_file_is_checked_like_any_other(tmp_path):
    with pytest.raises(SettingOutOfRange, match="must be the name of a folder, which may not begin with a dot"):
        resolve_plan(write(tmp_path / ".toml", ""), {})


def test_a_dot_in_the_name_of_a_model_is_told_as_such(tmp_path):
    with pytest.raises(SettingOutOfRange, match=r"models: a key or the name of a model may not hold a dot.*'a\.b'"):
        resolve_plan(write(tmp_path / "s.toml", '[models."a.b".network]\nz_dim = 3\n'), {})


@pytest.mark.parametrize(
    ("names", "runs", "rule"),
    [
        (("AE", "ae"), 1, "must differ by more than capitals and the spelling of accents, got 'AE' and 'ae'"),
        (("\\u00e9", "e\\u0301"), 1, "must differ by more than capitals and the spelling of accents"),
        (("ae", "ae-1"), 2, "may be another's with -1, as the runs of that one are called, got 'ae-1' beside 'ae'"),
        (("Ae", "ae-7"), 2, "may be another's with -7"),
        (("ae-from-3-again",), 1, "may end as those of repetitions do"),
        (("ae-From-3-Fresh",), 1, "may end as those of repetitions do"),
    ],
)
def test_models_that_would_share_a_run_folder_are_refused(tmp_path, names, runs, rule):
    tables = "".join(f'[models."{name}".network]\nz_dim = 3\n' for name in names)
    study = write(tmp_path / "s.toml", f"runs = {runs}\n{tables}")
    with pytest.raises(SettingOutOfRange, match=re.escape(rule)):
        resolve_plan(study, {})


def test_names_with_numbers_are_fine_where_no_run_takes_them(tmp_path):
    alone = resolve_plan(write(tmp_path / "s.toml", "[models.ae]\n[models.ae-1]\n"), {})
    assert list(alone.settings.models) == ["ae", "ae-1"]
    runs = resolve_plan(write(tmp_path / "s.toml", "runs = 2\n[models.ae-1]\n[models.b]\n"), {})
    assert list(runs.settings.models) == ["ae-1-1", "ae-1-2", "b-1", "b-2"]
    assert plan_from_document(plan_document(runs), "plan.toml") == runs


@pytest.mark.parametrize(("kind", "does"), [("ae", False), ("vae", True)])
def test_batches_are_normalised_as_the_posts_do_for_the_kind_unless_told(tmp_path, kind, does):
    study = write(tmp_path / "s.toml", f'runs = 2\n[models.a]\nkind = "{kind}"\n')
    plan = resolve_plan(study, {})
    word = "normalises" if does else "does not normalise"
    for name in ("a-1", "a-2"):
        assert plan.settings.models[name].network.batch_norm is does
        origin = plan.origins[f"models.{name}.network.batch_norm"]
        assert origin == Origin("derived", f"the posts' {kind} {word} its batches")
    for asked in (True, False):
        plan = resolve_plan(study, {"models.*.network.batch_norm": asked})
        assert plan.settings.models["a-1"].network.batch_norm is asked
        assert plan.origins["models.a-1.network.batch_norm"] == Origin("flag")


def test_a_plan_of_before_keeps_what_was_resolved_then():
    document = plan_document(resolve_plan("demo", {"models.*.kind": "vae"}))
    assert document["settings"]["models"]["ae"]["network"]["batch_norm"] is True
    document["settings"]["models"]["ae"]["network"]["batch_norm"] = False
    assert plan_from_document(document, "plan.toml").settings.models["ae"].network.batch_norm is False


@pytest.mark.parametrize("table", ["preset = 3", "models = 3", "preset = ['demo']"])
def test_tables_of_another_shape_are_refused_in_words(tmp_path, table):
    with pytest.raises(SettingsError, match=r"must be a preset|must be a table"):
        resolve_plan(write(tmp_path / "s.toml", table), {"models.*.training.epochs": 2})


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
@pytest.mark.parametrize(
    "key", ["measure.axis_bin", "models.ae.training.learning_rate", "models.ae.objective.kl_weight"]
)
def test_numbers_of_settings_are_finite(key, value):
    with pytest.raises(SettingOutOfRange, match=rf"{key}: must be (finite|at least [\w.-]+), got {value}\."):
        resolve_plan("demo", {key: float(value)})
