"""Every number in the findings is the one in the records beside them."""

import json
import re
from pathlib import Path

import pytest

FINDINGS = Path(__file__).parent.parent.parent / "docs" / "findings"
ROW = re.compile(r"^\| [^|]+ \| (-?[\d.,]+) \|(?:.*\|)? `([\w.]+)` \|$", re.MULTILINE)


def look_up(document, dotted):
    for key in dotted.split("."):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


@pytest.mark.parametrize("page", sorted(path for path in FINDINGS.glob("*.md") if path.with_suffix(".json").exists()))
def test_numbers_are_those_of_the_records(page):
    records = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    rows = ROW.findall(page.read_text(encoding="utf-8"))
    assert len(rows) >= 10
    for shown, key in rows:
        n_decimals = len(shown.partition(".")[2])
        assert f"{look_up(records, key):.{n_decimals}f}" == shown.replace(",", ""), key


def test_there_are_findings_with_records():
    assert any(path.with_suffix(".json").exists() for path in FINDINGS.glob("*.md"))
