"""The words of a verdict: what was found, what would have been missed, and what follows for sampling."""

from __future__ import annotations

from dataclasses import replace

from zspace.geometry.nulls.ladder import NULLS, Null
from zspace.geometry.verdict.claims import CLAIMS, ClaimRow, Finding
from zspace.results import NO_NULL, Answer, Claim, Comparison, Estimate, RungTest

_FEWEST_FOR_NO = 500
"""With fewer points no difference from a Gaussian means little."""

GAUSSIAN = "gaussian"

_DRAW_FROM = {
    "prior": "N(0, 1) draws are as good as any: the cloud fills the prior.",
    "gaussian": "Draw from the fitted Gaussian: nothing of the cloud's shape is lost. N(0, 1) has another spread, "
    "so its draws fall outside.",
    "elliptical": "Draw from the elliptical model: a fitted Gaussian has the right spread but the wrong radii.",
    "independent": "Draw every component by itself from its own values: a fitted Gaussian has the wrong marginals.",
    "copula": "Draw from the copula: a fitted Gaussian has the wrong marginals.",
    "mixture": "Draw from the mixture: a single Gaussian also fills what lies between its parts.",
    NO_NULL: "No simple model describes it, so every sampler but drawing near points that are there misses something: "
    "compare their scores. A fitted Gaussian has at least the right place and spread, which N(0, 1) has not.",
}


def number_words(value: float, n_digits: int = 2) -> str:
    """Return a number with so many digits, written out.

    Examples
    --------
    >>> number_words(0.02134), number_words(137.2), number_words(1234567.0, 3)
    ('0.021', '140', '1,230,000')
    """
    return f"{float(f'{value:.{n_digits}g}'):,.12g}"


def share_words(share: float) -> str:
    """Return a share in percent, with two digits.

    Examples
    --------
    >>> share_words(0.0213), share_words(0.5)
    ('2.1 %', '50 %')
    """
    return f"{number_words(100 * share)} %"


def p_words(p: float) -> str:
    """Return a p-value with two digits.

    Examples
    --------
    >>> p_words(0.0333)
    'p = 0.033'
    """
    return f"p = {number_words(p)}"


def verdict_sentence(closest: Null | None, nearest: Null, claims: dict[str, Claim]) -> str:
    """Return the answer in short: the simplest model that describes the cloud, and what it is besides."""
    if closest is None:
        first = f"No simple model describes this cloud; the {nearest.title} comes nearest"
    else:
        first = f"The simplest model that this sample cannot be told from is the {closest.title}"
    shapes = [claim for name, claim in claims.items() if name != GAUSSIAN]
    made = [claim.sentence.partition(":")[0] for claim in shapes if claim.answer == "yes"]
    return ". ".join([first, *(made or [_nothing(shapes)])]) + "."


def _nothing(claims: list[Claim]) -> str:
    """Return that no claim was made, and which of them may be true for all that."""
    open_ones = [CLAIMS[claim.name].noun for claim in claims if claim.answer == "cannot tell"]
    nothing = "No clusters, strings, sheets or hole were found"
    return f"{nothing}; this sample cannot rule out {_listed(open_ones, 'or')}" if open_ones else nothing


def gaussian_claim(test: RungTest, comparisons: list[Comparison], closest_null: str, level: float) -> Claim:
    """Return the claim that the cloud is a Gaussian, from its comparison with one.

    What it means for sampling follows from the first rung that the cloud cannot be told from.
    """
    few, p_corrected = test.n_compared < _FEWEST_FOR_NO, test.p
    if p_corrected is None:
        answer: Answer = "cannot tell"
        sentence = f"Whether it is a Gaussian cannot be told: {test.reason}."
    elif p_corrected <= level:
        answer = "no"
        families = [_lowered(one.title) for one in test.families if (one.p_corrected or 1.0) <= level]
        sentence = (
            f"Not a Gaussian: told apart from the Gaussian of its own mean and covariance by {_listed(families)} "
            f"({p_words(p_corrected)} after correction, {test.n_compared:,} points compared)."
        )
    else:
        answer = "cannot tell" if few else "yes"
        sentence = (
            f"{'Too few points to tell a Gaussian' if few else 'It may be a Gaussian'}: nothing that was looked at "
            f"tells it from the Gaussian of its own mean and covariance ({p_words(p_corrected)} after correction, "
            f"{test.n_compared:,} points compared{f'; {_FEWEST_FOR_NO:,} would do' if few else ''})."
        )
    # Of what tells them apart, or of everything where nothing does.
    apart = {one.family for one in test.families if (one.p_corrected or 1.0) <= level}
    known = [one for one in comparisons if one.null == test.null and one.effect is not None]
    telling = [one for one in known if one.family in apart] or known
    strongest = max(telling, key=lambda one: abs(one.effect or 0.0), default=None)
    return Claim(
        name=GAUSSIAN,
        question="Is it just a Gaussian?",
        answer=answer,
        p=min((one.p for one in test.families if one.p is not None), default=None),
        p_corrected=p_corrected,
        effect=strongest.effect if strongest else None,
        null=test.null,
        scale=None,
        detection_limit=None,
        sentence=sentence,
        means_for_sampling="Draw from the fitted Gaussian until more points say otherwise."
        if answer == "cannot tell"
        else _DRAW_FROM[closest_null],
        evidence=(strongest.quantity,) if strongest else (),
    )


def claim_of(
    row: ClaimRow, found: Finding, p_corrected: float | None, limit: Estimate | None, level: float, n_compared: int
) -> Claim:
    """Return one claim with its sentence.

    Yes where the corrected p-value allows it; no where structures of a share that is told would have been found; in
    between, that none can tell.
    """
    if p_corrected is not None and p_corrected <= level:
        answer: Answer = "yes"
        sentence = f"{found.yes or row.yes}: {_evidence_words(found, p_corrected)}."
    elif p_corrected is not None and limit is not None and limit.value is not None:
        answer = "no"
        sentence = f"{row.no}: {limit_words(row, limit)} ({_against(found)})."
    else:
        answer = "cannot tell"
        sentence = f"{row.cannot_tell}: {_why(found, limit, n_compared)}."
    comparison = found.comparison
    return Claim(
        name=row.name,
        question=row.question,
        answer=answer,
        p=found.p,
        p_corrected=p_corrected,
        effect=comparison.effect if comparison else None,
        null=comparison.null if comparison else "",
        scale=row.scale,
        detection_limit=limit,
        sentence=sentence,
        means_for_sampling={"yes": row.sampling_yes, "no": row.sampling_no}.get(answer, row.sampling_open),
        evidence=tuple(evidence.quantity for evidence in row.evidence),
    )


def limit_words(row: ClaimRow, limit: Estimate) -> str:
    """Return what would have been seen."""
    value = limit.value or 0.0
    difference = f"{number_words(value)} {limit.unit}"
    return f"{row.planted_words.format(share=share_words(value), difference=difference)} would have been seen"


def _evidence_words(found: Finding, p_corrected: float) -> str:
    one = found.comparison
    if one is None or one.value is None or one.band is None:
        return p_words(p_corrected)
    return (
        f"{_lowered(one.title)} {number_words(one.value, 3)}, where the {NULLS[one.null].title} gives "
        f"{_range_words(one.band)} ({effect_words(one)}, {p_words(p_corrected)} after correction)"
    )


def effect_words(one: Comparison) -> str:
    """Return how far a value is from the draws."""
    if one.effect is None:
        return "in each of its draws"
    side = "above" if one.effect > 0 else "below"
    return f"{number_words(abs(one.effect))} standard deviations {side} the mean of its draws"


def _against(found: Finding) -> str:
    return f"{p_words(found.p)} beside the {NULLS[found.comparison.null].title}" if found.p and found.comparison else ""


def _why(found: Finding, limit: Estimate | None, n_compared: int) -> str:
    if found.p is None:
        return found.reason or "nothing could be compared"
    if limit is not None and limit.reason:
        return f"{limit.reason}; with four times as many ({4 * n_compared:,}), a quarter of the share may do"
    return f"nothing was found ({_against(found)}), and what would have been missed was not measured"


def _range_words(band: tuple[float, float]) -> str:
    low, high = (number_words(end, 3) for end in band)
    return low if low == high else f"{low} to {high}"


def _lowered(title: str) -> str:
    """Return a title as it stands within a sentence."""
    return title[:1].lower() + title[1:]


def _listed(names: list[str], joined_by: str = "and") -> str:
    return f"{', '.join(names[:-1])} {joined_by} {names[-1]}" if len(names) > 1 else "".join(names)


def without_doubles(claims: dict[str, Claim]) -> dict[str, Claim]:
    """Return the claims, none of which is made on the strength of another structure.

    Strings and sheets also form groups, so clusters are claimed only where there are neither; of strings and sheets, a
    few points of the one among many of the other are bends and edges.
    """
    strings, sheets, clusters = claims["strings"], claims["sheets"], claims["clusters"]
    if clusters.answer == "yes" and "yes" in (strings.answer, sheets.answer):
        kind = "strings" if strings.answer == "yes" else "sheets"
        sentence = f"Groups of points stand apart, but points lie on {kind}, and the groups may be these."
        means = CLAIMS["clusters"].sampling_open
        left = replace(clusters, answer="cannot tell", sentence=sentence, means_for_sampling=means)
        claims = {**claims, "clusters": left}
    return claims
