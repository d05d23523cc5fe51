"""The engine: reads the same quantities off a cloud and off draws of a null model, as many as it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float64

from zspace.errors import GeometryError
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.comparisons import LEVEL, comparison_of, kept
from zspace.geometry.comparing.ranks import global_envelope, holm, joint_p
from zspace.geometry.measures import Profile, Quantity, Subject
from zspace.geometry.nulls.ladder import Fitted
from zspace.machine import each_block
from zspace.results import Comparison, Envelope, FamilyTest, Progress, Watcher, watch_nothing
from zspace.seeds import random_stream

BATCH = 40
"""Draws between two looks at whether more are needed; one less in the first batch, for the cloud itself counts too."""
ENOUGH = 4
"""Draws that go as far as the cloud, after which no more are needed: after 39 draws p is then at least 0.125, and one
that would end below 0.005 gets there in one of 30,000 cases."""

_NOTHING: Mapping[str, int] = MappingProxyType({})

XY = tuple[Float64[np.ndarray, " n_x"], Float64[np.ndarray, " n_x"]]
"""A curve."""


@dataclass(frozen=True)
class Sight:
    """What one subject shows of one cloud."""

    view: Any
    """None where the subject does not suit the cloud."""
    curves: dict[str, XY]


def sight_of(subject: Subject, cloud: Cloud) -> Sight:
    """Return the view of a subject and its profiles, those that are known all along; empty for unsuitable points."""
    try:
        view = subject.view(cloud)
    except GeometryError:
        return Sight(None, {})
    curves = {profile.name: profile.value(view) for profile in subject.profiles}
    return Sight(view, {name: (x, y) for name, (x, y) in curves.items() if len(y) and np.isfinite(y).all()})


@dataclass(frozen=True)
class Look:
    """What is kept of a draw."""

    values: list[float]
    curves: dict[str, Float64[np.ndarray, " n_x"]]


def values_of(subject: Subject, sight: Sight, reference: Sight | None) -> list[float]:
    """Return all quantities of a sight; NaN for those that cannot be found."""
    return [read(subject, quantity, sight, reference) for quantity in subject.quantities]


def read(subject: Subject, quantity: Quantity, sight: Sight, reference: Sight | None) -> float:
    """Return a quantity of a sight; NaN where it cannot be found."""
    if sight.view is None or (subject.two_samples and (reference is None or reference.view is None)):
        return float("nan")
    views = (sight.view, reference.view) if subject.two_samples and reference is not None else (sight.view,)
    value = quantity.value(*views)
    return float("nan") if value is None or not np.isfinite(value) else float(value)


@dataclass
class Family:
    """One subject on the cloud and on draws of one null model."""

    subject: Subject
    null: str
    own: list[float]
    """Quantities of the cloud."""
    own_curves: dict[str, XY]
    reference: Sight | None
    """Of one more draw, where the subject compares two samples."""
    draws: list[list[float]] = field(default_factory=list)
    curves: dict[str, list[Float64[np.ndarray, " n_x"]]] = field(default_factory=dict)

    @classmethod
    def begun(cls, subject: Subject, null: str, cloud: Cloud, reference: Cloud) -> Family:
        """Return what a subject shows of the cloud, before any draw."""
        beside = sight_of(subject, reference) if subject.two_samples else None
        sight = sight_of(subject, cloud)
        return cls(subject, null, values_of(subject, sight, beside), sight.curves, beside)

    def look(self, cloud: Cloud) -> Look:
        """Return the numbers and curves of a draw."""
        sight = sight_of(self.subject, cloud)
        return Look(values_of(self.subject, sight, self.reference), {name: y for name, (_, y) in sight.curves.items()})

    def take(self, seen: Look) -> None:
        """Add what was seen of a draw."""
        self.draws.append(seen.values)
        for name, y in seen.curves.items():
            self.curves.setdefault(name, []).append(y)

    @property
    def rows(self) -> Float64[np.ndarray, "n_rows n_quantities"]:
        """The cloud's numbers, then those of the draws."""
        return np.array([self.own, *self.draws])

    @property
    def p(self) -> float | None:
        """Of all quantities together; None where the cloud has none of them, or nothing was drawn."""
        known = ~np.isnan(self.own)
        if not known.any() or not self.draws:
            return None
        tails = [quantity.tail for quantity, is_known in zip(self.subject.quantities, known, strict=True) if is_known]
        return joint_p(self.rows[:, known], tails)

    @property
    def is_settled(self) -> bool:
        """Whether more draws would change nothing for all quantities together."""
        return bool(self.draws) and self._suffice(self.p)

    def decides(self, watched: Mapping[str, int]) -> bool:
        """Whether a watched quantity is not settled by itself, and has not seen as many draws as it takes."""
        mine = [one for one in self.comparisons() if len(self.draws) < watched.get(one.quantity, 0)]
        return any(not self.draws or not self._suffice(one.p) for one in mine)

    def _suffice(self, p: float | None) -> bool:
        """Whether enough draws go as far, or there is nothing to compare."""
        return p is None or p * (1 + len(self.draws)) > ENOUGH

    def comparisons(self) -> list[Comparison]:
        """Return every quantity beside its draws."""
        columns = np.array(self.draws).reshape(len(self.draws), len(self.own)).T
        return [
            replace(
                comparison_of(f"{self.subject.name}.{quantity.name}", self.null, value, draws, quantity.tail),
                title=quantity.title,
                unit=quantity.unit,
            )
            for quantity, value, draws in zip(self.subject.quantities, self.own, columns, strict=True)
        ]

    def envelopes(self) -> list[Envelope]:
        """Return every profile beside its draws, where all of them could be found."""
        return [
            self._envelope(profile)
            for profile in self.subject.profiles
            if profile.name in self.own_curves and len(self.curves.get(profile.name, ())) == len(self.draws) > 0
        ]

    def _envelope(self, profile: Profile) -> Envelope:
        x, y = self.own_curves[profile.name]
        found = global_envelope(y, np.array(self.curves[profile.name]), LEVEL)
        return Envelope(
            curve=f"{self.subject.name}.{profile.name}",
            null=self.null,
            x=kept(x),
            y=kept(y),
            low=kept(found.low),
            high=kept(found.high),
            central=kept(found.central),
            level=found.level,
            p=found.p,
            left_at=kept(x[found.outside]),
            x_label=profile.x_label,
            y_label=profile.y_label,
            title=profile.title,
        )


@dataclass(frozen=True)
class Compared:
    """A cloud against one null model."""

    null: str
    n_compared: int
    families: tuple[Family, ...]

    @property
    def n_draws(self) -> int:
        """The most draws that any family took."""
        return max((len(family.draws) for family in self.families), default=0)

    def comparisons(self) -> list[Comparison]:
        """Return every quantity beside its draws."""
        return [one for family in self.families for one in family.comparisons()]

    def envelopes(self) -> list[Envelope]:
        """Return every curve beside those of the draws."""
        return [one for family in self.families for one in family.envelopes()]

    def tests(self) -> tuple[FamilyTest, ...]:
        """Return every family as one test, corrected over the families by Holm."""
        p_values = [family.p for family in self.families]
        tests = []
        for family, p, corrected in zip(self.families, p_values, holm(p_values), strict=True):
            effects = {one.quantity: abs(one.effect or 0.0) for one in family.comparisons()}
            strongest = max(effects, key=lambda name: effects[name])
            subject = family.subject
            tests.append(FamilyTest(subject.name, p, corrected, len(family.draws), strongest, subject.title))
        return tuple(tests)


def compare(
    null: str,
    fitted: Fitted,
    subjects: Sequence[Subject],
    most_draws: int,
    seed: int,
    level: float = 0.05,
    watched: Mapping[str, int] = _NOTHING,
    watch: Watcher = watch_nothing,
) -> Compared:
    """Look at a cloud and at draws of a null model with the same eyes.

    Parameters
    ----------
    null
        Name of the null model.
    fitted
        The null model, fitted; it says which points are compared.
    subjects
        What to look at; each is one family.
    most_draws
        A family that is not settled before gets so many. With 10 families, 199 are needed for any to be significant at
        5 % after correction.
    level
        Once a family tells the null model apart at this level, corrected for their number, the others need no more
        draws, unless they are watched.
    seed
        Of the draws: draw k comes from a stream of its own, whatever was drawn before and however many there are.
    watched
        Quantities, such as ``"shapes.strings"``, whose families are drawn on, whatever the others tell, until each is
        settled by itself or has seen so many draws.
    watch
        Told how many draws are done.

    Cost
    ----
    Views of 40 to `most_draws` + 1 clouds, spread over the cores.

    Source
    ------
    Sequential p-values: Besag and Clifford 1991, Biometrika 78, 301; here after batches of draws: a family that at
    least `ENOUGH` draws equal is settled. To be significant it must pass every look, so it errs on the safe side, and
    so does one that is not drawn on: its p-value is that of fewer draws.
    """
    reference = Cloud(fitted.draw(random_stream(seed, "null", null, "reference")))
    families = [Family.begun(subject, null, fitted.compared, reference) for subject in subjects]
    looking = _Looking(fitted, null, seed, watch)
    looking.draw_on(families, min(BATCH - 1, most_draws), lambda family: not family.draws)
    looking.draw_on(families, most_draws, lambda family: family.decides(watched))
    for family in families:
        if not _are_told_apart(families, level):
            looking.draw_on([family], most_draws, lambda family: not family.is_settled)
    return Compared(null, fitted.compared.n_points, tuple(families))


def _are_told_apart(families: Sequence[Family], level: float) -> bool:
    """Whether a family tells cloud and null model apart, corrected for their number."""
    p_values = [family.p for family in families]
    return any(p is not None and p * len(families) <= level for p in p_values)


@dataclass(frozen=True)
class _Looking:
    """Draws of one null model, numbered, and who looks at them."""

    fitted: Fitted
    null: str
    seed: int
    watch: Watcher

    def draw_on(self, families: Sequence[Family], most_draws: int, wants: Callable[[Family], bool]) -> None:
        """Let families that want it see more draws, those that have seen the fewest first, up to the most."""
        while True:
            wanting = [one for one in families if len(one.draws) < most_draws and wants(one)]
            if not wanting:
                return
            fewest = min(len(one.draws) for one in wanting)
            open_ones = [one for one in wanting if len(one.draws) == fewest]
            done = len(open_ones[0].draws)
            # Up to a multiple of the batch with the cloud, which counts too: 39, 79, 119 ...
            batch = range(done, min(((done + 1) // BATCH + 1) * BATCH - 1, most_draws))

            def look(number: int, families: list[Family] = open_ones) -> list[Look]:
                drawn = Cloud(self.fitted.draw(random_stream(self.seed, "null", self.null, number)))
                return [family.look(drawn) for family in families]

            for number, looks in zip(batch, each_block(look, batch), strict=True):
                for family, seen in zip(open_ones, looks, strict=True):
                    family.take(seen)
                self.watch(Progress(f"draws of {self.null}", number + 1, most_draws, "clouds"))
