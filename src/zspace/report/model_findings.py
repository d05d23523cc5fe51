"""What was found of a model, in plain sentences: whether it has learned to draw, and which sampler works.

No sentence on faces is told of a model that is not known to have learned: a face detector is content with one grey
face for every image.
"""

from __future__ import annotations

from zspace.figures import REFERENCES
from zspace.figures.numbers import format_grid, format_number
from zspace.generating.learning import EXPLAINED_FROM, SPREAD_FROM, is_varied
from zspace.report.findings import Finding, Kind, cannot_tell, in_order, measurement_findings
from zspace.report.values import NOT_RECORDED, estimate_words, interval_words
from zspace.results import GenerateResult, Learning, ModelResults, SampleScore

WORKS = 0.5
"""A sampler that shows no face in half of its images is not called one that works."""
_NEXT_TO_NOTHING = 5e-4
"""A spread below it would be shown as 0 %."""


def findings_of(found: ModelResults) -> tuple[Finding, ...]:
    """Return what was found of a model, what deviates most first."""
    findings = [learning_finding(found.generation, found.unfinished.get("generate", ""))]
    findings += measurement_findings(found.measurements or {}, found.maps)
    if found.generation is not None:
        findings.append(samplers_finding(found.generation))
    return in_order(findings)


def learning_finding(generation: GenerateResult | None, unfinished: str = "") -> Finding:
    """Return whether a model has learned to draw, with what that rests on."""
    learning = generation.learning if generation is not None else None
    title = "Reconstructions"
    if generation is None or learning is None:
        reason = unfinished or "it was not looked at when these results were made; generate again"
        return Finding("reconstructions", title, f"Cannot tell whether it has learned to draw: {reason}.", "doubt")
    which = _judged_words(generation, learning)
    if learning.verdict == "learned":
        explained, spread = (str(estimate_words(one, with_unit=False)) for one in (learning.explained, learning.spread))
        come = f"its loss has come {explained} of the way from one constant image to drawing exactly"
        vary = f"reconstructions vary {spread} as much as the originals"
        return Finding("reconstructions", title, f"It draws what it is given: on {which} {come}, and {vary}.", "told")
    if learning.verdict == "cannot tell":
        sentence = f"Cannot tell whether it has learned to draw: {_undecided_words(learning)}."
        return Finding("reconstructions", title, sentence, "doubt")
    return Finding(
        "reconstructions", title, f"It has not learned to draw: on {which} {_failure_words(learning)}.", "alarm"
    )


def _judged_words(generation: GenerateResult, learning: Learning) -> str:
    held_out = "held-out " if generation.originals_split == "validation" else ""
    return f"{format_number(learning.loss.n_used)} {held_out}images"


def _failure_words(learning: Learning) -> str:
    parts = []
    loss, constant = learning.loss.value or 0.0, learning.constant_loss.value or 0.0
    if learning.explained.value is not None and learning.explained.value < EXPLAINED_FROM:
        than = "no lower than" if loss >= constant else "hardly lower than"
        unit = learning.loss.unit.partition(" (")[0]
        parts.append(
            f"its loss of {format_number(loss)} {unit} is {than} the {format_number(constant)} of one constant image"
        )
    if learning.spread.value is not None and learning.spread.value < SPREAD_FROM:
        vary = f"vary only {estimate_words(learning.spread, with_unit=False)} as much as the originals"
        alike = learning.spread.value < _NEXT_TO_NOTHING
        parts.append(f"its reconstructions {'are all but the same picture' if alike else vary}")
    return ", and ".join(parts)


def _undecided_words(learning: Learning) -> str:
    for estimate in (learning.explained, learning.spread):
        if estimate.value is None:
            return estimate.reason or NOT_RECORDED
    low = learning.explained.interval[0] if learning.explained.interval else 0.0
    if low < EXPLAINED_FROM:
        shown, limit, what = learning.explained, EXPLAINED_FROM, "the way from one constant image to drawing exactly"
    else:
        shown, limit, what = learning.spread, SPREAD_FROM, "the originals' spread"
    return f"{interval_words(shown)} of {what} lies on both sides of the limit of {format_grid(100 * limit)} %"


def has_learned(generation: GenerateResult | None) -> bool:
    """Return whether a model may be judged by what it draws: it certainly has learned."""
    return generation is not None and generation.learning is not None and generation.learning.verdict == "learned"


def detector_applies(generation: GenerateResult) -> bool:
    """Return whether the face detector understands the originals: else its rates say nothing."""
    originals = next((score for score in generation.scores if score.sampler == "originals"), None)
    return originals is None or originals.face_rate.value is not None


def best_sampler(generation: GenerateResult) -> SampleScore | None:
    """Return the sampler with most faces, among those whose pictures differ from each other."""
    judged = [score for score in generation.scores if score.sampler not in REFERENCES]
    varied = [score for score in judged if score.face_rate.value is not None and is_varied(score.spread)]
    return max(varied, key=lambda score: score.face_rate.value or 0.0, default=None)


def samplers_finding(generation: GenerateResult) -> Finding:
    """Return which sampler works, as far as the face detector can tell."""
    sentence, kind = _samplers_told(generation)
    return Finding("generated", "Generated images", sentence, kind)


def _samplers_told(generation: GenerateResult) -> tuple[str, Kind]:
    samplers = [score for score in generation.scores if score.sampler not in REFERENCES]
    if not samplers:
        return "No sampler was asked for.", "unknown"
    if not has_learned(generation):
        return cannot_tell("face rates say nothing of a model that is not known to have learned to draw"), "unknown"
    if not detector_applies(generation):
        originals = next(score for score in generation.scores if score.sampler == "originals")
        return f"The face detector does not apply here: {originals.face_rate.reason}.", "unknown"
    best = best_sampler(generation)
    if best is None:
        reasons = [score.face_rate.reason for score in samplers if score.face_rate.reason]
        same = "every sampler draws much the same picture again and again"
        return cannot_tell(same if any(one.face_rate.value is not None for one in samplers) else reasons[0]), "unknown"
    what = f"{best.title}: faces in {estimate_words(best.face_rate, with_unit=False)} of its images"
    if best.spread is not None:
        what += f", which vary {estimate_words(best.spread, with_unit=False)} as much as the originals"
    if (best.face_rate.value or 0.0) < WORKS:
        return f"None of {len(samplers)} samplers works; the best is {what}.", "deviates"
    return f"One sampler does best: {what}.", "told"
