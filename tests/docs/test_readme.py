"""The README says the truth."""

import importlib.util
import re
import tomllib
from pathlib import Path

from zspace.settings import preset_names, resolve_plan

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_script(name, folder="scripts"):
    spec = importlib.util.spec_from_file_location(name, ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tree_names_every_module_as_it_names_itself():
    script = load_script("write_readme_tree")
    assert script.with_tree(README) == README, "run python scripts/write_readme_tree.py"
    assert "geometry/radius/density.py" in README


def test_the_two_commands_are_words_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in re.findall(r"`?make (\w+)", README):
        assert re.search(rf"^{word}:", makefile, re.MULTILINE), word


def test_ci_runs_the_same_words():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "make test" in ci
    assert "make check" in ci


def test_every_study_named_exists_and_the_example_resolves(tmp_path):
    assert set(re.findall(r"zspace study ([a-z-]+) --images", README)) <= set(preset_names())
    example = re.search(r"```toml\n(.*?)```", README, re.DOTALL).group(1)
    path = tmp_path / "mine.toml"
    path.write_text(example, encoding="utf-8")
    plan = resolve_plan(str(path), {})
    assert tomllib.loads(example)["models"]["ae"]["network"]["z_dim"] == plan.settings.models["ae"].network.z_dim


def test_every_file_linked_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_settings_page_is_what_the_settings_say():
    conf = load_script("conf", "docs")
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == conf.settings_page(), "run make docs"


def test_the_glossary_page_is_what_the_report_explains():
    conf = load_script("conf", "docs")
    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == conf.glossary_page(), "run make docs"
