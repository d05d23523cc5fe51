"""The verdict on the screen: its headline, a paragraph for each claim, and the ladder as a table."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from zspace.cli.trainings import table_lines
from zspace.records import to_mapping
from zspace.results import NO_NULL, Claim, MeasureResult, RungTest, StudyResults, Verdict

_WIDTH = 80
_HEAD = ("null model", "told apart", "p after correction", "by")
_ROOM = 34
"""Columns that the last cell of the ladder may take."""
_LONG = ("envelopes", "line_ups")


def verdict_text(found: MeasureResult) -> str:
    """Return the verdict on a cloud within 80 columns; why there is none, where it was asked for; else nothing."""
    verdict = found.verdict
    if verdict is None:
        return _wrapped(f"No verdict: {found.no_verdict.rstrip('.')}.") if found.no_verdict else ""
    closest = "none of the ladder" if verdict.closest_null == NO_NULL else _title(verdict, verdict.closest_null)
    compared = (
        f"{verdict.n_compared:,} of {verdict.n_points:,} z-points compared; the simplest null model that this sample "
        f"cannot be told from: {closest}."
    )
    claims = [_claim_text(claim, verdict) for claim in verdict.claims.values()]
    ladder = "\n".join(table_lines([_HEAD, *_ladder_rows(verdict)]))
    untried = [f"{_title(verdict, rung.null)}, not tried: {rung.reason}" for rung in verdict.rungs if rung.reason]
    notes = "\n".join(_wrapped(note) for note in (*untried, *verdict.notes))
    parts = ["\n".join((_wrapped(f"Verdict: {verdict.sentence}"), _wrapped(compared))), *claims, ladder, notes]
    return "\n\n".join(part for part in parts if part)


def verdict_lines(results: StudyResults) -> Iterator[str]:
    """Yield one line for every model of a study with a verdict, or without one although it was asked for."""
    for name, found in results.models.items():
        if found.verdict is not None:
            yield f"{name}: {found.verdict.sentence}"
        elif found.no_verdict:
            yield f"{name}: no verdict: {found.no_verdict.rstrip('.')}."


def verdict_document(verdict: Verdict | None) -> dict[str, Any] | None:
    """Return the verdict for machines, with counts in place of draws and without curves; results.json has all."""
    if verdict is None:
        return None
    document: dict[str, Any] = {key: value for key, value in to_mapping(verdict).items() if key not in _LONG}
    for comparison in document["comparisons"]:
        comparison["n_draws"] = len(comparison.pop("draws"))
    return document


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _title(verdict: Verdict, null: str) -> str:
    """Return what a null model is called where people read it."""
    return next((rung.title for rung in verdict.rungs if rung.null == null), null)


def _claim_text(claim: Claim, verdict: Verdict) -> str:
    lines = [_wrapped(f"{claim.question} {claim.answer.upper()}{_test_words(claim, verdict)}")]
    lines.append(_wrapped(claim.sentence, "  "))
    lines.append(_wrapped(f"For sampling: {claim.means_for_sampling}", "  "))
    return "\n".join(lines)


def _test_words(claim: Claim, verdict: Verdict) -> str:
    if claim.p_corrected is None:
        return ""
    return f" (p = {claim.p_corrected:.2g} after correction, beside: {_title(verdict, claim.null)})"


def _ladder_rows(verdict: Verdict) -> Iterator[tuple[str, ...]]:
    for rung in verdict.rungs:
        if rung.reason:
            yield rung.null, "not tried", "-", "see below"
        else:
            yield rung.null, rung.answer, "-" if rung.p is None else f"{rung.p:.2g}", _families(rung, verdict)


def _families(rung: RungTest, verdict: Verdict) -> str:
    """Return the families of tests that tell a rung from the cloud, as many as there is room for."""
    apart = [one for one in rung.families if one.p_corrected is not None and one.p_corrected <= verdict.level]
    return _shortened(", ".join(one.title or one.family for one in apart)) or "-"


def _shortened(text: str) -> str:
    return textwrap.shorten(text, _ROOM, placeholder=" ...")
