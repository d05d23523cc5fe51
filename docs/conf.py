"""Sphinx configuration; the pages of settings and measures are written from the code, so they cannot be out of date."""

import ast
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path

project = "zspace"
copyright = "2026, the zspace developers"
release = installed_version("zspace")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "zspace"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "none"
suppress_warnings = ["myst.xref_missing"]

ROOT = Path(__file__).parent
GLOSSARY = ROOT.parent / "src" / "zspace" / "report" / "glossary.toml"
SETTINGS = ROOT.parent / "src" / "zspace" / "settings.py"
SECTIONS = {
    "StudySettings": "the top of the file",
    "ImageSettings": "`[images]`",
    "NetworkSettings": "`[models.NAME.network]`",
    "ObjectiveSettings": "`[models.NAME.objective]`",
    "TrainingSettings": "`[models.NAME.training]`",
    "MeasureSettings": "`[measure]`",
    "VerdictSettings": "`[measure.verdict]`",
    "MapSettings": 'one map, as `"METHOD:KEY=VALUE,KEY=VALUE"` in `measure.maps`',
    "GenerateSettings": "`[generate]`",
}


def field_rows(record: ast.ClassDef):
    """Yield name, type, default and text of every field, as they stand in the source."""
    for entry, text in zip(record.body, [*record.body[1:], None], strict=True):
        if isinstance(entry, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            default = ast.unparse(entry.value) if entry.value else "required"
            default = "a table" if "factory" in default else default
            yield entry.target.id, ast.unparse(entry.annotation), default, text.value.value


def settings_page():
    """Return one table per record of the settings module."""
    tree = ast.parse(SETTINGS.read_text(encoding="utf-8"))
    records = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    parts = ["# Settings\n\nA study is a TOML file; `--set KEY=VALUE` reaches every key. Written from the source."]
    parts.append(
        "\nNEUTRAL marks what does not decide the weights: a change keeps checkpoints and finished trainings.\n"
    )
    for name, section in SECTIONS.items():
        parts.append(f"\n## {section}\n\n{ast.get_docstring(records[name])}\n")
        parts.append("\n| key | default | type | meaning |\n|---|---|---|---|\n")
        for key, kind, default, text in field_rows(records[name]):
            cells = (f"`{key}`", f"`{default}`", f"`{kind}`", text)
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
    return "".join(parts)


def glossary_page():
    """Return the words that the report explains too, as a table."""
    rows = [f"| {key} | {meaning} |\n" for key, meaning in tomllib.loads(GLOSSARY.read_text(encoding="utf-8")).items()]
    return "# Glossary\n\nWritten from what the report explains.\n\n| word | meaning |\n|---|---|\n" + "".join(rows)


def setup(_app):
    """Write the generated pages before Sphinx looks for files; a test keeps the committed ones the same."""
    (ROOT / "settings.md").write_text(settings_page(), encoding="utf-8")
    (ROOT / "glossary.md").write_text(glossary_page(), encoding="utf-8")
