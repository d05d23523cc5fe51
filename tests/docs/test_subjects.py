"""The page on what a verdict looks at names every subject."""

from pathlib import Path

from zspace.geometry.subjects import SUBJECTS

PAGE = (Path(__file__).parents[2] / "docs" / "what-is-looked-at.md").read_text(encoding="utf-8")


def test_every_subject_has_a_row():
    rows = [line.split("|")[1].strip(" `") for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == list(SUBJECTS)
