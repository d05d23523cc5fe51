"""The claims that a verdict makes: each a question, the quantities that answer it, and the null models without it.

A claim is made where the cloud goes further than the draws of *every* null model that has none of the structure: the
largest of their p-values counts (intersection-union test), so it is wrong no more often than its level says, whichever
of these models the cloud comes from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zspace.results import Comparison

UNSTRUCTURED = ("gaussian", "elliptical", "independent", "copula")
"""Rungs without strings, sheets or clusters, and of as many dimensions as their covariance has."""


@dataclass(frozen=True)
class Evidence:
    """One quantity that speaks for a claim where it goes far."""

    quantity: str
    """Subject and name, such as ``"shapes.strings"``."""
    without: tuple[str, ...]
    """Null models that have none of the structure."""
    bound: str | None = None
    """A quantity that is itself a p-value, which holds whatever the law without the structure is; also to be small."""
    yes: str | None = None
    """How the sentence begins where this decides; None takes the claim's own."""


@dataclass(frozen=True)
class ClaimRow:
    """One row of the table of claims."""

    name: str
    noun: str
    """What is looked for, within a sentence."""
    question: str
    evidence: tuple[Evidence, ...]
    """Any of it makes the claim, at a level that is shared out evenly (Bonferroni)."""
    planted: str | None
    """The structure that is planted to find the detection limit; None where a smallest difference is told instead."""
    planted_words: str
    """What would have been seen, with a place for the share of the points, or for the difference."""
    scale: str
    """Where it is looked for."""
    yes: str
    no: str
    cannot_tell: str
    """How the sentence begins."""
    sampling_yes: str
    sampling_no: str
    sampling_open: str
    outdone_by: str | None = None
    """A quantity that explains this one's away where it is `OUTDONE` times as large: edges of sheets look like strings,
    and bends of strings like sheets."""


OUTDONE = 4.0


@dataclass(frozen=True)
class Finding:
    """What the comparisons say of one claim, before any correction."""

    p: float | None
    """None where nothing could be compared."""
    comparison: Comparison | None
    """The one that decides: the null model that comes nearest to the cloud."""
    reason: str | None = None
    """Why nothing could be compared."""
    yes: str | None = None
    """How the sentence begins, where what decides has a beginning of its own."""


def finding_of(row: ClaimRow, comparisons: Sequence[Comparison]) -> Finding:
    """Return the evidence for a claim, from the comparisons of the cloud with all null models."""
    by_place = {(one.quantity, one.null): one for one in comparisons}
    found = [(*one, evidence.yes) for evidence in row.evidence if (one := _evidence_of(evidence, by_place)) is not None]
    if not found:
        return Finding(None, None, "too few points to look for it")
    p, comparison, yes = min(found, key=lambda one: one[0])
    other = next((one.value for one in comparisons if one.quantity == row.outdone_by), None)
    if other is not None and comparison.value is not None and other > OUTDONE * comparison.value:
        return Finding(1.0, comparison)
    return Finding(min(1.0, len(row.evidence) * p), comparison, yes=yes)


def _evidence_of(
    evidence: Evidence, comparisons: Mapping[tuple[str, str], Comparison]
) -> tuple[float, Comparison] | None:
    """Return the largest p-value over the null models without the structure, and the comparison it comes from."""
    beside = [comparisons.get((evidence.quantity, null)) for null in evidence.without]
    known = [(one.p, one) for one in beside if one is not None and one.p is not None]
    if not known:
        return None
    p, decisive = max(known, key=lambda one: (one[0], -abs(one[1].effect or 0.0)))
    if evidence.bound is not None:
        bound = next((one.value for (name, _), one in comparisons.items() if name == evidence.bound), None)
        p = max(p, 1.0 if bound is None else bound)
    return p, decisive


_NEAR = "Draw near points that are there: a Gaussian puts nearly all of its points beside the {}."

CLAIMS: dict[str, ClaimRow] = {
    row.name: row
    for row in (
        ClaimRow(
            "clusters",
            "clusters",
            "Does it fall into clusters?",
            (
                Evidence("clusters.split_dip", ("gaussian", "elliptical"), bound="clusters.split_dip_p"),
                Evidence("connectivity.persistence", UNSTRUCTURED, yes="Some of its points form groups of their own"),
            ),
            planted="clusters",
            planted_words="three compact clusters that hold {share} of the points",
            scale="between two halves of the cloud, and at the linking length that sets most points apart",
            yes="It falls into clusters",
            no="No clusters were found",
            cannot_tell="Whether it falls into clusters cannot be told",
            sampling_yes="Compare the mixture with one Gaussian by their scores: the one puts points between clusters.",
            sampling_no="Clusters are no reason to prefer a mixture to one Gaussian.",
            sampling_open="If the mixture scores better than one Gaussian, draw from the mixture.",
        ),
        ClaimRow(
            "strings",
            "strings",
            "Do points lie on strings (filaments)?",
            (Evidence("shapes.strings", UNSTRUCTURED),),
            planted="strings",
            planted_words="strings that hold {share} of the points, at a thickness of 5 % of the cloud's size,",
            scale="8 to 64 neighbours",
            yes="Points lie on strings",
            no="No strings were found",
            cannot_tell="Whether points lie on strings cannot be told",
            sampling_yes=_NEAR.format("strings"),
            sampling_no="Random points need not follow any strings.",
            sampling_open="Compare a sampler that draws near points that are there.",
            outdone_by="shapes.sheets",
        ),
        ClaimRow(
            "sheets",
            "sheets",
            "Do points lie on curved sheets?",
            (Evidence("shapes.sheets", UNSTRUCTURED),),
            planted="sheets",
            planted_words="sheets that hold {share} of the points, at a thickness of 5 % of the cloud's size,",
            scale="8 to 64 neighbours",
            yes="Points lie on curved sheets",
            no="No sheets were found",
            cannot_tell="Whether points lie on sheets cannot be told",
            sampling_yes=_NEAR.format("sheets"),
            sampling_no="Random points need not follow any sheets.",
            sampling_open="Compare a sampler that draws near points that are there.",
            outdone_by="shapes.strings",
        ),
        ClaimRow(
            "hollow",
            "a hole",
            "Is it hollow?",
            (Evidence("hollow.hollowness", ("gaussian", "independent", "copula")),),
            planted="hole",
            planted_words="a hole around the centre that {share} of the points were driven out of",
            scale="half the typical radius in the leading 2, 4 and 6 components",
            yes="It is hollow: fewer points than there should be lie around its centre",
            no="It is not hollow",
            cannot_tell="Whether it is hollow cannot be told",
            sampling_yes="Stay away from the centre: draw from a model that keeps the radius, or near points that are "
            "there.",
            sampling_no="The centre of the cloud is as full as it should be: the mean is a safe place to start from.",
            sampling_open="Look at what the decoder makes of the cloud's mean before you start from there.",
        ),
        ClaimRow(
            "lower_dimensional",
            "fewer dimensions than its spread suggests",
            "Does it have fewer dimensions than its spread suggests?",
            (Evidence("dimension.neighbor_dimension", (*UNSTRUCTURED, "mixture")),),
            planted=None,
            planted_words="a difference of {difference}",
            scale="4 to 64 neighbours",
            yes="It has fewer dimensions than its spread suggests",
            no="Its dimension is what its spread suggests",
            cannot_tell="Whether it has fewer dimensions than its spread suggests cannot be told",
            sampling_yes="A fitted Gaussian also fills directions that the cloud leaves empty: compare its score with "
            "that of the mixture, and of drawing near points that are there.",
            sampling_no="A model with the cloud's covariance leaves no direction too full.",
            sampling_open="Compare the score of the fitted Gaussian with that of drawing near points that are there.",
        ),
    )
}
