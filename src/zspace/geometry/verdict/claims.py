"""The claims that a verdict makes: each a question, the quantities that answer it, and the null models without it.

A claim is made where the cloud goes further than the draws of *every* null model that has none of the structure: the
largest of their p-values counts (intersection-union test), so it is wrong no more often than its level says, whichever
of these models the cloud comes from.
"""

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


@dataclass(frozen=True)
class ClaimRow:
    """One row of the table of claims."""

    name: str
    question: str
    evidence: tuple[Evidence, ...]
    """Any of it makes the claim, at a level that is shared out evenly (Bonferroni)."""
    planted: str | None
    """The structure that is planted to find the detection limit; None where the claim has none."""
    noun: str
    """In the plural, as in "strings that hold 2 % of the points"."""
    yes: str
    """The sentence where it is so."""
    no: str
    sampling_yes: str
    sampling_no: str


@dataclass(frozen=True)
class Finding:
    """What the comparisons say of one claim, before any correction."""

    p: float | None
    """None where nothing could be compared."""
    comparison: Comparison | None
    """The one that decides: the null model that comes nearest to the cloud."""
    reason: str | None = None
    """Why nothing could be compared."""


def finding_of(row: ClaimRow, comparisons: dict[tuple[str, str], Comparison]) -> Finding:
    """Return the evidence for a claim.

    Parameters
    ----------
    row
        The claim.
    comparisons
        By quantity and null model.
    """
    found = [one for evidence in row.evidence if (one := _evidence_of(evidence, comparisons)) is not None]
    if not found:
        return Finding(None, None, "too few points to look for it")
    p, comparison = min(found, key=lambda one: one[0])
    return Finding(min(1.0, len(row.evidence) * p), comparison)


def _evidence_of(
    evidence: Evidence, comparisons: dict[tuple[str, str], Comparison]
) -> tuple[float, Comparison] | None:
    """Return the largest p-value over the null models without the structure, and the comparison it comes from."""
    beside = [comparisons.get((evidence.quantity, null)) for null in evidence.without]
    known = [one for one in beside if one is not None and one.p is not None]
    if not known:
        return None
    decisive = max(known, key=lambda one: (one.p or 0.0, -abs(one.effect or 0.0)))
    p = decisive.p or 0.0
    if evidence.bound is not None:
        bound = next((one.value for (name, _), one in comparisons.items() if name == evidence.bound), None)
        p = max(p, 1.0 if bound is None else bound)
    return p, decisive


CLAIMS: dict[str, ClaimRow] = {
    row.name: row
    for row in (
        ClaimRow(
            "clusters",
            "Does it fall into clusters?",
            (
                Evidence("clusters.largest_dip", ("gaussian", "elliptical"), bound="clusters.dip_p"),
                Evidence("connectivity.grouped_share", UNSTRUCTURED),
            ),
            "clusters",
            "clusters",
            "It falls into clusters",
            "No clusters",
            "Draw from the mixture: one Gaussian puts many points between the clusters.",
            "No mixture is needed for the sake of clusters.",
        ),
        ClaimRow(
            "strings",
            "Do the points lie on strings (filaments)?",
            (Evidence("shapes.strings", UNSTRUCTURED),),
            "strings",
            "strings",
            "Points lie on strings",
            "No strings",
            "Draw near points that are there (bootstrap, neighbors): a Gaussian puts nearly all points beside the strings.",
            "Random points need not follow any strings.",
        ),
        ClaimRow(
            "sheets",
            "Do the points lie on sheets?",
            (Evidence("shapes.sheets", UNSTRUCTURED),),
            "sheets",
            "sheets",
            "Points lie on curved sheets",
            "No sheets",
            "Draw near points that are there (bootstrap, neighbors): a Gaussian puts nearly all points off the sheets.",
            "Random points need not follow any sheets.",
        ),
        ClaimRow(
            "hollow",
            "Is it hollow?",
            (Evidence("hollow.hollowness", ("gaussian", "independent", "copula")),),
            "hollow",
            "holes",
            "It is hollow: there is a hole around its centre",
            "Not hollow",
            "Stay away from the centre: draw from a model that keeps the radius, or near points that are there.",
            "The centre is as full as it should be.",
        ),
        ClaimRow(
            "lower_dimensional",
            "Does it have fewer dimensions than a cloud of its spread should have?",
            (Evidence("dimension.neighbor_dimension", UNSTRUCTURED),),
            None,
            "",
            "Its points spread into fewer dimensions than those of any plain model with its spread",
            "Its dimension is that of a plain model with its spread",
            "A fitted Gaussian fills directions that the cloud leaves empty: draw from the mixture or near points that "
            "are there, and compare their scores.",
            "No directions are left empty beyond what the covariance tells.",
        ),
    )
}
