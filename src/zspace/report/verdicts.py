"""The verdict on a cloud, as the page shows it: the claims on the first screen, their evidence, and the line-ups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from zspace.figures import (
    FOREST_CAPTION,
    LADDER_CAPTION,
    draw_envelopes,
    draw_forest,
    draw_ladder,
    envelope_caption,
    family_title,
    line_up_panels,
    p_words,
    quantity_title,
    slug,
    to_svg,
)
from zspace.figures.numbers import format_grid, format_interval, format_number
from zspace.report.findings import Finding, verdict_finding
from zspace.report.plates import Manner, Plate
from zspace.report.tables import Cell, Table
from zspace.report.values import Number, estimate_words, number
from zspace.report.words import sentence_case
from zspace.results import NO_NULL, Answer, Claim, Comparison, Envelope, LineUp, RungTest, Verdict

_SECTION = "verdict"
_NOTHING = "–"  # noqa: RUF001 - a dash for what there is not


@dataclass(frozen=True)
class ClaimCard:
    """One claim on the first screen."""

    question: str
    answer: Answer
    sentence: str
    sampling: str
    test: str
    """Its corrected p-value and the null model beside which it was found; nothing where nothing could be compared."""
    evidence: tuple[tuple[str, str], ...]
    """Title and anchor of what the claim rests on."""


@dataclass(frozen=True)
class RungCard:
    """One rung of the ladder in words."""

    title: str
    keeps: str
    destroys: str
    answer: str
    is_told_apart: bool
    is_closest: bool
    notes: str
    """Corrected p-value and the quantity that goes furthest, or why the rung was not tried."""


@dataclass(frozen=True)
class LineUpPage:
    """One line-up, which is a page of its own."""

    anchor: str
    null: str
    panels: tuple[Markup, ...]
    place: int
    """Of the cloud, counted from 1."""
    n_shown: int
    chance: str
    p_value: str


@dataclass(frozen=True)
class VerdictPart:
    """All that the page shows of the verdict on one cloud."""

    anchor: str
    name: str
    finding: Finding
    missing: bool
    """Whether there is no verdict; the finding then says why."""
    closest: str = ""
    """The simplest null model that cannot be told from the cloud, as it stands in a table."""
    compared: str = ""
    cards: tuple[ClaimCard, ...] = ()
    rungs: tuple[RungCard, ...] = ()
    plates: tuple[Plate, ...] = ()
    claims: Table | None = None
    """All numbers of the claims."""
    line_ups: tuple[LineUpPage, ...] = ()
    notes: tuple[str, ...] = ()


def verdict_part(anchor: str, name: str, verdict: Verdict | None, reason: str, manner: Manner) -> VerdictPart:
    """Return the verdict on a cloud as the page shows it.

    Parameters
    ----------
    anchor
        Of the model.
    reason
        Why there is no verdict, where there is none.
    manner
        Of the page.
    """
    anchor, finding = f"{anchor}-{_SECTION}", verdict_finding(verdict, reason)
    if verdict is None:
        return VerdictPart(anchor, name, finding, missing=True)
    plates = tuple(_plates(anchor, verdict, manner))
    return VerdictPart(
        anchor,
        name,
        finding,
        missing=False,
        closest=_null_title(verdict, verdict.closest_null),
        compared=f"{format_number(verdict.n_compared)} of {format_number(verdict.n_points)} z-points compared",
        cards=tuple(
            _claim_card(anchor, claim, verdict, {plate.anchor for plate in plates}) for claim in _claims(verdict)
        ),
        rungs=tuple(_rung_card(rung, verdict) for rung in verdict.rungs),
        plates=plates,
        claims=_claim_table(verdict),
        line_ups=tuple(_line_up_page(anchor, one) for one in verdict.line_ups),
        notes=verdict.notes,
    )


def side_by_side(parts: list[VerdictPart]) -> Table:
    """Return the answers of several models: one column per model, one row per claim."""
    told = [part for part in parts if not part.missing]
    questions = list(dict.fromkeys(card.question for part in told for card in part.cards))
    simplest = ("Simplest null model not told apart", *(part.closest or "no verdict" for part in parts))
    answers = [(question, *(_answer(part, question) for part in parts)) for question in questions]
    return Table("Verdicts side by side", ("", *(part.name for part in parts)), (simplest, *answers))


def _answer(part: VerdictPart, question: str) -> str:
    return next((card.answer for card in part.cards if card.question == question), "no verdict")


def _claims(verdict: Verdict) -> tuple[Claim, ...]:
    return tuple(verdict.claims.values())


def _null_title(verdict: Verdict, null: str) -> str:
    """Return what a null model is called; none at all is said in words."""
    if null == NO_NULL:
        return "none of the ladder"
    return next((rung.title for rung in verdict.rungs if rung.null == null), null)


def _p_cell(p: float | None) -> Cell:
    return _NOTHING if p is None else Number(p_words(p), repr(p))


# --- The first screen -------------------------------------------------------------------------------------------------


def _claim_card(anchor: str, claim: Claim, verdict: Verdict, anchors: set[str]) -> ClaimCard:
    return ClaimCard(
        question=claim.question,
        answer=claim.answer,
        sentence=claim.sentence,
        sampling=claim.means_for_sampling,
        test=_test_words(claim, verdict),
        evidence=tuple(_evidence(anchor, claim, verdict, anchors)),
    )


def _test_words(claim: Claim, verdict: Verdict) -> str:
    if claim.p_corrected is None:
        return ""
    return f"p = {p_words(claim.p_corrected)} after correction, beside: {_null_title(verdict, claim.null)}."


def _evidence(anchor: str, claim: Claim, verdict: Verdict, anchors: set[str]) -> Iterator[tuple[str, str]]:
    """Yield title and anchor of the figure of every family that a claim rests on; the ladder where there is none."""
    titles = _family_titles(verdict)
    families = dict.fromkeys(quantity.partition(".")[0] for quantity in claim.evidence)
    found = [(titles.get(one, one), place) for one in families if (place := f"{anchor}-{slug(one)}") in anchors]
    yield from found or [("The ladder", f"{anchor}-ladder")]


def _family_titles(verdict: Verdict) -> dict[str, str]:
    known = {test.family: family_title(test) for rung in verdict.rungs for test in rung.families}
    return known | {one.family: one.family.capitalize() for one in verdict.comparisons if one.family not in known}


# --- The ladder -------------------------------------------------------------------------------------------------------


def _rung_card(rung: RungTest, verdict: Verdict) -> RungCard:
    words = {"yes": "told apart", "no": "not told apart", "cannot tell": "cannot tell"}
    return RungCard(
        title=sentence_case(rung.title),
        keeps=rung.keeps,
        destroys=rung.destroys,
        answer="not tried" if rung.reason else words[rung.answer],
        is_told_apart=rung.answer == "yes",
        is_closest=rung.null == verdict.closest_null,
        notes=rung.reason or _strongest_words(rung, verdict),
    )


def _strongest_words(rung: RungTest, verdict: Verdict) -> str:
    """Return the p-value of a rung, and of the families with the smallest one the quantity that goes furthest."""
    p = f"p = {p_words(rung.p)} after correction over {len(rung.families)} families, {rung.n_draws} draws"
    compared = {one.quantity: one for one in verdict.comparisons if one.null == rung.null}
    strongest = [(test, compared[test.strongest]) for test in rung.families if test.strongest in compared]
    if not strongest:
        return p
    test, one = min(strongest, key=lambda pair: (_or(pair[0].p_corrected, 1.0), -abs(_or(pair[1].effect, 0.0))))
    far = "" if one.effect is None else f" ({format_number(one.effect, digits=2)} standard deviations)"
    return f"{p}; strongest: {family_title(test)}, {quantity_title(one)}{far}"


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


# --- Figures and numbers ----------------------------------------------------------------------------------------------


def _plates(anchor: str, verdict: Verdict, manner: Manner) -> Iterator[Plate]:
    yield _plate(anchor, "ladder", "What tells which null model apart", LADDER_CAPTION, manner, draw_ladder(verdict))
    titles = _family_titles(verdict)
    for family, title in titles.items():
        compared = [one for one in verdict.comparisons if one.family == family]
        if compared:
            figure = draw_forest(compared, verdict.rungs)
            tables = (_comparison_table(title, compared, verdict),)
            yield _plate(anchor, slug(family), title, FOREST_CAPTION, manner, figure, tables)
        for curve in dict.fromkeys(one.curve for one in verdict.envelopes if one.family == family):
            found = [one for one in verdict.envelopes if one.curve == curve]
            name = found[0].title or curve.partition(".")[2].replace("_", " ").capitalize()
            tables = (_envelope_table(name, found),)
            figure = draw_envelopes(found)
            yield _plate(anchor, f"{slug(curve)}-curve", name, envelope_caption(found), manner, figure, tables)


def _plate(
    anchor: str, key: str, title: str, caption: str, manner: Manner, figure: Figure, tables: tuple[Table, ...] = ()
) -> Plate:
    return Plate(
        anchor=f"{anchor}-{key}",
        title=title,
        caption=manner.unsaid(_SECTION, caption),
        file_name=f"{_SECTION}-{key}",
        document=to_svg(figure, f"{anchor}-{key}"),
        comparisons=(),
        tables=tables,
        is_wide=bool(tables),
    )


def _comparison_table(title: str, compared: list[Comparison], verdict: Verdict) -> Table:
    head = ("quantity", "null model", "value", "unit", "band", "level", "p", "effect", "draws", "unknown draws")
    rows = tuple(
        (
            quantity_title(one),
            _null_title(verdict, one.null),
            "not known" if one.value is None else number(one.value),
            one.unit,
            format_interval(one.band) if one.band else _NOTHING,
            f"{format_grid(round(100 * one.level, 1))} %",
            _p_cell(one.p),
            _NOTHING if one.effect is None else Number(format_number(one.effect, digits=3), repr(one.effect)),
            number(len(one.draws)),
            number(one.n_unknown),
        )
        for one in compared
    )
    return Table(f"Numbers of {title}: {len(rows)} comparisons", head, rows)


def _envelope_table(title: str, envelopes: list[Envelope]) -> Table:
    """Return the numbers behind a curve as CSV: rows are places on x, of one null model after the other."""
    head = ("null model", envelopes[0].x_label, "z-points", "lowest", "highest", "middle", "outside")
    rows = [
        (one.null, *(f"{number:.6g}" for number in (x, y, low, high, middle)), "yes" if x in one.left_at else "no")
        for one in envelopes
        for x, y, low, high, middle in zip(one.x, one.y, one.low, one.high, one.central, strict=True)
    ]
    lines = [",".join(f'"{name}"' for name in head), *map(",".join, rows)]
    return Table(f"Numbers of {title}: {len(rows):,} rows, as CSV", head, csv="\n".join(lines))


def _claim_table(verdict: Verdict) -> Table:
    head = ("claim", "answer", "p", "p corrected", "effect", "null model", "scale", "detection limit", "rests on")
    titles = {one.quantity: quantity_title(one) for one in verdict.comparisons}
    rows = tuple(
        (
            claim.question,
            claim.answer,
            _p_cell(claim.p),
            _p_cell(claim.p_corrected),
            _NOTHING if claim.effect is None else Number(format_number(claim.effect, digits=3), repr(claim.effect)),
            _null_title(verdict, claim.null),
            claim.scale or _NOTHING,
            estimate_words(claim.detection_limit) if claim.detection_limit else _NOTHING,
            "; ".join(titles.get(quantity, quantity) for quantity in claim.evidence),
        )
        for claim in _claims(verdict)
    )
    return Table("Claims: all numbers", head, rows)


def _line_up_page(anchor: str, found: LineUp) -> LineUpPage:
    n_panels, n_shown = found.panels.shape[:2]
    # What is drawn is made of whole numbers alone.
    panels = tuple(Markup(panel) for panel in line_up_panels(found))  # noqa: S704
    return LineUpPage(
        anchor=f"{anchor}-line-up-{slug(found.null)}",
        null=found.title,
        panels=panels,
        place=found.place,
        n_shown=n_shown,
        chance=f"1 in {n_panels}",
        p_value=p_words(1 / n_panels),
    )
