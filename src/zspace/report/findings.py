"""What was found of a cloud, in one plain sentence for each section of the page, and how much weight it has.

Every sentence that judges a cloud stands here, and of a model in `model_findings`, to be read and tested in one place.
A number deviates where it lies clearly outside what clouds of the null model show, with a p-value of at most 0.05; it
cannot be told where it lies just outside, where there are too few such clouds, or where the number is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from zspace.figures import figure_set, plane_words
from zspace.figures.numbers import format_interval, format_number, format_percent
from zspace.report.values import ALARM, NOT_RECORDED, estimate_words, is_share
from zspace.report.words import numeral, quantity_words, sentence_case
from zspace.results import NO_NULL, Estimate, Map, Measurement, Verdict

CLEARLY = 1.5
"""Half-widths of the null band, from its middle, from which on a number deviates. A band from the lowest to the highest
of 39 clouds reaches about 2.2 standard deviations to each side, so that this is about 3.3 of them."""
ENOUGH = 10
"""Draws that go as far, from which on it is settled, however few there are, that a number is not told apart."""
_MANY_COPIES = 0.01
_COLLAPSED = 0.99
_SAME_CLUSTERS = 0.8
"""Adjusted Rand index from which on starts are said to agree."""

Kind = Literal["alarm", "doubt", "deviates", "told", "nothing", "unknown"]
"""A doubt is an unknown that all else hangs on."""
_ORDER: tuple[Kind, ...] = ("alarm", "doubt", "deviates", "told", "nothing", "unknown")


@dataclass(frozen=True)
class Finding:
    """The answer to the question of a section."""

    section: str
    """Name of the measurement, or ``"maps"``, ``"reconstructions"``, ``"generated"``."""
    title: str
    sentence: str
    kind: Kind
    strength: float = 0.0
    """How far the most deviating number lies from the middle of its null band, in half-widths of it."""
    notes: tuple[str, ...] = ()
    """What to keep in mind: warnings of the numbers that it rests on."""
    assumes: tuple[str, ...] = ()
    """What a choice among several rests on, such as which were tried."""


Measured = Mapping[str, Estimate]


def measurement_findings(measurements: Mapping[str, Measurement], maps: Mapping[str, Map]) -> tuple[Finding, ...]:
    """Return what was found of a cloud, what deviates most first."""
    findings = [measurement_finding(one) for one in measurements.values()]
    if maps:
        findings.append(maps_finding(maps))
    return in_order(findings)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return alarms first, then doubts, then what deviates, the most first, then the rest by its kind."""
    return tuple(sorted(findings, key=lambda one: (_ORDER.index(one.kind), -one.strength)))


# --- A number beside its null band ------------------------------------------------------------------------------------


def deviation(estimate: Estimate) -> float | None:
    """Return how far a number lies from the middle of its null band, in half-widths; None without number or band.

    Counts are taken to scatter by half a unit at least.
    """
    compared = estimate.comparison
    if estimate.value is None or compared is None or compared.value is None or compared.band is None:
        return None
    low, high = compared.band
    is_count = all(float(number).is_integer() for number in (compared.value, low, high))
    half = max((high - low) / 2, 0.5 if is_count else 1e-12)
    return abs(compared.value - (low + high) / 2) / half


def value_words(estimate: Estimate) -> str:
    """Return a value with its unit, without its interval."""
    return str(estimate_words(replace(estimate, interval=None)))


def _band_words(estimate: Estimate) -> str:
    if estimate.band is None:
        return "not known"
    if is_share(estimate):
        low, high = (format_percent(end) for end in estimate.band)
        return f"{low} to {high}"
    return format_interval(estimate.band)


def cannot_tell(reason: str) -> str:
    """Return the sentence for what is not decided."""
    return f"Cannot tell: {reason or NOT_RECORDED}."


def _few_draws(estimate: Estimate) -> str:
    """Return a sentence where so little was drawn that no number could be told from the null model, else nothing."""
    compared = estimate.comparison
    n_draws = len(compared.draws) + compared.n_unknown if compared is not None else 0
    if compared is None or compared.p is None or not n_draws:
        return ""
    smallest = (2 if compared.tail == "both" else 1) / (1 + n_draws)
    settled = compared.p * (1 + n_draws) > ENOUGH
    return "" if settled or smallest <= ALARM else f"{n_draws} clouds of the null model are too few to compare with"


# --- Of the cloud -----------------------------------------------------------------------------------------------------

Told = tuple[str, Kind, float]
"""Sentence, kind and strength."""


def measurement_finding(measurement: Measurement) -> Finding:
    """Return what a measurement found; one that has no sentence of its own tells its most deviating number."""
    tell, noted = _TELLERS.get(measurement.name, (_tell_plainly, ()))
    sentence, kind, strength = tell(measurement.estimates)
    estimates = [measurement.estimates[key] for key in noted if key in measurement.estimates]
    notes = tuple(dict.fromkeys(warning for one in estimates for warning in one.warnings))
    chosen = measurement.estimates.get(_CHOICES.get(measurement.name, ""))
    assumes = chosen.assumptions if chosen is not None and chosen.value is not None else ()
    return Finding(measurement.name, figure_set(measurement).title, sentence, kind, strength, notes, assumes)


def _tell_band(estimates: Measured, keys: tuple[str, ...]) -> tuple[str, Kind, float]:
    """Return the key of the most deviating number, and what it comes to."""
    found = {key: deviation(estimates[key]) for key in keys if key in estimates}
    known = {key: far for key, far in found.items() if far is not None}
    if not known:
        return "", "unknown", 0.0
    key = max(known, key=lambda name: known[name])
    if _few_draws(estimates[key]):
        return "", "unknown", 0.0
    if (estimates[key].p or 0.0) > ALARM or known[key] <= 1:
        return key, "nothing", known[key]
    return key, "deviates" if known[key] > CLEARLY else "unknown", known[key]


def _why_unknown(estimates: Measured, *keys: str) -> str:
    """Return why these numbers are not known or not compared; a measure that was not taken gives its own reason."""
    asked = [estimates[key] for key in keys if key in estimates] or list(estimates.values())
    reasons = [one.reason for one in asked if one.value is None and one.reason]
    few = [words for one in asked if (words := _few_draws(one))]
    return next(iter([*reasons, *few]), "there is nothing to compare with")


_RADIUS = {
    "standard_deviation": "their standard deviation",
    "half_shell_low": "the radius below which a quarter of them lie",
    "half_shell_high": "the radius above which a quarter of them lie",
    "shell95_low": "the radius below which 2.5 % of them lie",
    "shell95_high": "the radius above which 2.5 % of them lie",
}
"""What of the radii is compared. Their mean tells what their deviation tells, as the fit fixes their mean square; their
ends rest on single points."""


def _tell_radius(estimates: Measured) -> Told:
    key, kind, far = _tell_band(estimates, tuple(_RADIUS))
    where = _half_of_the_points(estimates)
    if not key:
        return f"{where}{cannot_tell(_why_unknown(estimates, *_RADIUS))}", "unknown", 0.0
    one, drawn = estimates[key], estimates[key].comparison
    what = f"{_RADIUS[key]} is {value_words(one)}, and {len(drawn.draws) if drawn else 0} matched Gaussian clouds show "
    what += _band_words(one)
    if kind == "deviates":
        return f"{where}Not Gaussian in its radii: {what}.", kind, far
    if kind == "unknown":
        return f"{where}{cannot_tell(f'just outside the null band, which chance does too; {what}')}", kind, far
    return f"{where}Nothing in the radii differs from a Gaussian of the same mean and covariance.", kind, far


def _half_of_the_points(estimates: Measured) -> str:
    ends = [estimates[key].value for key in ("half_shell_low", "half_shell_high") if key in estimates]
    if len(ends) < 2 or ends[0] is None or ends[1] is None:
        return ""
    return f"Half of the z-points lie {format_interval((ends[0], ends[1]))} from the origin. "


def _tell_axes(estimates: Measured) -> Told:
    special, odd = estimates.get("n_special_axes"), estimates.get("n_not_normal_axes")
    known = special is not None and special.value is not None
    lie = _count(special, "axis lies off the centre or is", "axes lie off the centre or are")
    off = f" {sentence_case(lie)} unusually broad." if known else ""
    key, kind, far = _tell_band(estimates, ("n_not_normal_axes",))
    if not key or odd is None or odd.value is None:
        return f"{cannot_tell(_why_unknown(estimates, 'n_not_normal_axes'))}{off}", "unknown", 0.0
    if kind == "nothing" or odd.value <= sum(odd.band or ()) / 2:
        return f"Along single axes nothing differs from a Gaussian beyond chance.{off}", "nothing", far
    what = f"{_count(odd, 'axis is', 'axes are')} not normal, where matched Gaussian clouds show {_band_words(odd)}"
    if kind == "unknown":
        return f"{cannot_tell(f'just outside the null band; {what}')}{off}", kind, far
    tails = estimates.get("largest_excess_kurtosis")
    furthest = f"; the largest excess kurtosis is {value_words(tails).removesuffix(' no unit')}" if tails else ""
    return f"Not Gaussian along its axes: {what}{furthest}.{off}", kind, far


def _count(estimate: Estimate | None, one: str, many: str) -> str:
    number = round(estimate.value or 0) if estimate else 0
    return f"{numeral(number)} {one if number == 1 else many}"


def _tell_principal(estimates: Measured) -> Told:
    half, most = (estimates.get(key) for key in ("n_for_half", "n_for_90_percent"))
    if half is None or most is None or half.value is None or most.value is None:
        return cannot_tell(_why_unknown(estimates)), "unknown", 0.0
    needs = f"half of the variance lies in {_directions(half)}, 90 % in {format_number(round(most.value))}"
    _, kind, far = _tell_band(estimates, ("first_component_share", "n_for_half", "n_for_90_percent"))
    if kind == "nothing":
        return f"The cloud extends alike in all directions, but for chance: {needs}.", kind, far
    alike = f"; a cloud alike in all directions needs {_band_words(most)} for 90 %" if most.band else ""
    return f"{sentence_case(needs)}{alike}.", "told", far


def _directions(estimate: Estimate) -> str:
    number = round(estimate.value or 0)
    return f"{numeral(number)} {'direction' if number == 1 else 'directions'}"


def _tell_clusters(estimates: Measured) -> Told:
    gap, by_gap = estimates.get("largest_gap"), estimates.get("gap_k")
    key, kind, far = _tell_band(estimates, ("largest_gap",))
    if not key or gap is None or gap.value is None:
        return cannot_tell(_why_unknown(estimates, "largest_gap")), "unknown", 0.0
    if kind == "nothing" or gap.value <= sum(gap.band or ()) / 2:
        return "No clusters: nothing here differs from a Gaussian of the same covariance.", "nothing", far
    if kind == "unknown":
        return cannot_tell("the gap lies just outside what matched Gaussian clouds show"), kind, far
    if by_gap is None or by_gap.value is None or by_gap.value < 2:
        why = f": {by_gap.reason}" if by_gap is not None and by_gap.reason else ""
        return f"More clustered than a Gaussian, but no number of clusters stands out{why}.", kind, far
    number = numeral(round(by_gap.value))
    stand = f"{sentence_case(number)} clusters stand out by k-means"
    return f"{stand}, which also cuts a curved sheet into pieces{_agreement_words(estimates)}.", kind, far


def _agreement_words(estimates: Measured) -> str:
    agreement = estimates.get("agreement_at_gap_k") or estimates.get("agreement")
    if agreement is None or agreement.value is None:
        return ""
    agrees = "find much the same ones" if agreement.value >= _SAME_CLUSTERS else "do not find the same ones"
    return f"; independent starts {agrees} (agreement {format_number(agreement.value, digits=2)})"


def _tell_planes(estimates: Measured) -> Told:
    stringy = estimates.get("n_stringy_windows")
    counts = {key: one for key, one in estimates.items() if key.endswith("_points") and one.p is not None}
    odd, far = _oddest_window(counts)
    if stringy is None or stringy.value is None:
        why = _why_unknown(estimates, "n_stringy_windows")
        strings: tuple[str, Kind] = cannot_tell(why), "unknown"
    elif stringy.value > 0:
        windows = "window" if stringy.value == 1 else "windows"
        strings = (
            f"Strings: in {numeral(round(stringy.value))} {windows} the points lie closer to lines than chance.",
            ("deviates"),
        )
        far = max(far, CLEARLY)
    else:
        strings = (
            (
                "In no window of these planes do the points lie closer to lines than scattered ones; a plane hides "
                "most strings of many dimensions, so the verdict looks for them in all dimensions."
            ),
            "nothing",
        )
    sentence, kind = strings
    return (f"{sentence} {odd}", "deviates", far) if odd else (sentence, kind, far if kind == "deviates" else 0.0)


def _oddest_window(counts: Measured) -> tuple[str, float]:
    """Return a sentence about the window whose count is the least likely, if it is so among all of them."""
    if not counts:
        return "", 0.0
    key = min(counts, key=lambda name: (counts[name].p or 0.0, -(deviation(counts[name]) or 0.0)))
    one = counts[key]
    if (one.p or 0.0) >= ALARM / len(counts) or one.value is None or one.band is None:
        return "", 0.0
    fuller = "Fuller" if one.value > one.band[1] else "Emptier"
    place = plane_words(key.removesuffix("_points"))
    what = f"{format_number(round(one.value))} points, where {_band_words(one)} are expected"
    return f"{fuller} than a Gaussian: {place}, with {what}.", deviation(one) or 0.0


def _tell_attributes(estimates: Measured) -> Told:
    number = estimates.get("n_attributes_in_clusters")
    if number is None or number.value is None:
        return cannot_tell(_why_unknown(estimates)), "unknown", 0.0
    shares = {key.partition(": ")[2]: one for key, one in estimates.items() if key.startswith("between_clusters: ")}
    if number.value == 0:
        return "The clusters follow none of the attributes beyond chance.", "nothing", 0.0
    name, most = max(shares.items(), key=lambda pair: pair[1].value or 0.0)
    follow = (
        f"{_count(number, 'attribute differs', 'attributes differ')} between clusters beyond chance, of {len(shares)}"
    )
    clusters = f"clusters tell {value_words(most)} of “{name.replace('_', ' ')}”, more than of any other"
    return f"{sentence_case(follow)}; {clusters}.", "told", 0.0


def _tell_posterior(estimates: Measured) -> Told:
    collapsed, active = (estimates.get(key) for key in ("collapsed_share", "n_active_axes"))
    if collapsed is None or collapsed.value is None:
        return cannot_tell(_why_unknown(estimates)), "unknown", 0.0
    if collapsed.value >= _COLLAPSED:
        return "The posterior has collapsed: on every axis z tells nothing of the image.", "alarm", 0.0
    axes = f"{_count(active, 'axis tells', 'axes tell')} of the image" if active is not None else ""
    return f"{sentence_case(axes)}; {value_words(collapsed)} carry nothing.", "told", 0.0


def _tell_copies(estimates: Measured) -> Told:
    share = estimates.get("points_with_copies_share")
    if share is None or share.value is None:
        return cannot_tell(_why_unknown(estimates)), "unknown", 0.0
    if share.value == 0:
        return "No image has a copy among its neighbours.", "nothing", 0.0
    what = f"{value_words(share)} have a copy of their image among their neighbours"
    if share.value < _MANY_COPIES:
        return f"Hardly any copies: {what}.", "nothing", 0.0
    return f"Copies: {what}, and structure may be theirs.", "deviates", 100 * share.value


def _tell_plainly(estimates: Measured) -> Told:
    key, kind, far = _tell_band(estimates, tuple(estimates))
    if not key:
        return "There is no null model to compare these numbers with.", "unknown", 0.0
    what = f"{quantity_words(key)}: {value_words(estimates[key])}, null band {_band_words(estimates[key])}"
    if kind == "nothing":
        return "Every number lies within its null band.", kind, far
    return f"Outside its null band: {what}." if kind == "deviates" else cannot_tell(what), kind, far


_TELLERS: dict[str, tuple[Callable[[Measured], Told], tuple[str, ...]]] = {
    "radius": (_tell_radius, ()),
    "axes": (_tell_axes, ("n_special_axes", "n_not_normal_axes")),
    "principal": (_tell_principal, ("n_for_half",)),
    "clusters": (_tell_clusters, ("gap_k", "largest_gap")),
    "planes": (_tell_planes, ("n_stringy_windows", "n_planes")),
    "attributes": (_tell_attributes, ("n_clusters",)),
    "posterior": (_tell_posterior, ()),
    "copies": (_tell_copies, ()),
}
"""By measurement: what tells its sentence, and the estimates whose warnings belong to it."""

_CHOICES = {"clusters": "gap_k"}
"""Estimates that choose among what was tried; what that assumes stands beside the finding."""


def maps_finding(maps: Mapping[str, Map]) -> Finding:
    """Return what maps say: no number tells whether their heaps are more than the method's own doing."""
    known = [
        one for one in maps.values() if (kept := one.estimates.get("neighbors_preserved")) and kept.value is not None
    ]
    if not known:
        reasons = [one.reason for found in maps.values() for one in found.estimates.values() if one.reason]
        return Finding("maps", "Maps", cannot_tell(next(iter(reasons), "")), "unknown")
    best = max(known, key=lambda one: one.estimates["neighbors_preserved"].value or 0.0)
    twin = best.null_estimates.get("neighbors_preserved")
    beside = f", and that of its null twin {value_words(twin)}" if twin is not None and twin.value is not None else ""
    keeps = f"the best map keeps {value_words(best.estimates['neighbors_preserved'])} of the neighbours{beside}"
    advice = "Only what the null twin does not show is the cloud's own"
    return Finding("maps", "Maps", f"A map alone shows no structure: {keeps}. {advice}.", "unknown")


# --- The verdict ------------------------------------------------------------------------------------------------------

_NOT_ASKED = "it was not asked for, or these results are of a version of zspace that gave none"


def verdict_finding(verdict: Verdict | None, reason: str) -> Finding:
    """Return the headline of a verdict; where there is none, why."""
    title = "Real or not"
    if verdict is None:
        return Finding("verdict", title, f"No verdict: {(reason or _NOT_ASKED).rstrip('.')}.", "unknown")
    if any(claim.answer == "yes" for name, claim in verdict.claims.items() if name != "gaussian"):
        return Finding("verdict", title, verdict.sentence, "deviates")
    return Finding("verdict", title, verdict.sentence, "deviates" if verdict.closest_null == NO_NULL else "told")
