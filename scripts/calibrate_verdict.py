"""How often is the verdict wrong, and how often does it see what is there? Counts, and the page that tells them.

Run by hand, for minutes or for days, as ``.venv/bin/python scripts/calibrate_verdict.py KIND``:

- ``rungs`` draws clouds from laws that rungs of the ladder describe and compares each with its rung, fitted to it: how
  often are they told apart, and how often is a family, or a claim against this rung alone, significant?
- ``alarms`` lets a whole verdict be passed on such clouds, which takes some six times as long.
- ``power`` draws the known shapes: is what they are recognised?
- ``limits`` plants structures of about the share that a verdict says it would have seen.
- ``page`` writes the tables of what was counted.

Each trial is a cloud of its own with a seed of its own. Counts are added to the record after every trial, so that a run
can be stopped at any time and goes on where it was.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from scipy import stats

from zspace.files import read_json, write_json
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import compare
from zspace.geometry.nulls.ladder import LADDER, NULLS
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths.planting import STRUCTURES, plant
from zspace.geometry.truths.shapes import SHAPES, Shape
from zspace.geometry.verdict.claims import CLAIMS, finding_of
from zspace.geometry.verdict.judge import judge
from zspace.machine import one_matrix_thread
from zspace.records import to_mapping
from zspace.results import Verdict
from zspace.seeds import random_stream
from zspace.settings import VerdictSettings
from zspace.shapes import Points

FINDINGS = Path(__file__).parent.parent / "docs" / "findings"
RECORD, PAGE = FINDINGS / "verdict-calibration.json", FINDINGS / "verdict-calibration.md"
BEGIN, END = "<!-- calibration: begin -->\n", "<!-- calibration: end -->\n"
FIRST_PAGE = f"""# How often the verdict is right

Clouds whose answer is known, judged again and again. The range beside each share holds the chance behind it in 95 of
100 cases (Clopper and Pearson). What is at most 5 % in truth may be found above it by luck, but its range then still
holds 5 %.

## How to read the tables beside a rung

- Clouds come from laws that the rungs describe, are drawn anew for every trial, and compared with draws of their own.
- With 39 draws no p-value is below 1/40, and after Holm's correction over nine or ten families none can reach 5 %:
  "told from" is 0 by the number of draws, and says nothing about how often a verdict of 199 draws or more errs.
- No family stops before its 39 draws, so the sequential stop lowers nothing here. The p-values of families are without
  correction. Beside the Gaussian they are exact: shares above 5 % there are chance, those below it are that or ties.
- Beside a Gaussian, hardly any point of so few looks like one on a string or a sheet. Ties count as going as far, so
  these claims are significant less often than in 5 %; so are clusters, whose level two quantities share.
- A claim is made only where all null models without its structure are left and after Holm's correction over the claims;
  beside one model alone, as here, it is significant more often than it is made.
- Families whose whole range is above 5 % are significant too often. Beside the mixture these are most: it is estimated
  from as many points as are compared, and only who belongs to which part is drawn anew, not the parts. Beside the
  independent rung they are those that see the axes and the distances, as axes are found in the compared points; beside
  the copula it is clusters and beside the elliptical rung planes, for reasons not known; one or two such rows among all
  these are to be expected by luck. How far any of this fades with more points was not counted.

{BEGIN}{END}"""
LEVEL = 0.05
BASES = {
    "prior": "standard-normal",
    "gaussian": "turned-gaussian",
    "elliptical": "heavy-tailed",
    "independent": "independent",
    "copula": "copula",
    "mixture": "touching-clusters",
}
"""A shape that each rung describes. Clouds are drawn from it, not from a rung once fitted: what that keeps of the cloud
it was fitted to, such as the covariance, all its draws would have, and no fit to them could be off."""
THICKNESS = 0.05
AROUND = (0.8, 1.0, 1.2)
"""Parts of a printed detection limit that are planted: were it true within 20 %, the chance to be seen would pass 95 %
between the first and the last."""

Counts = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of one trial."""

    n_compared: int
    hits: dict[str, bool]
    """By what is counted: whether it was the case."""
    closest: str | None = None
    """The rung that the verdict names; None where there was no verdict."""


@dataclass(frozen=True)
class Trial:
    """What is drawn and judged, again and again with other seeds."""

    kind: str
    """``"rungs"``, ``"alarms"``, ``"power"`` or ``"limits"``."""
    name: str
    """Of the rung, the shape or the structure."""
    n_points: int
    z_dim: int
    asked: VerdictSettings
    share: float = 0.0
    """Planted, of the points."""

    @property
    def key(self) -> str:
        """Name in the record; no dots, which part the names of a path."""
        planted = f"_{1000 * self.share:.0f}_thousandths" if self.share else ""
        return f"{self.name.replace('-', '_')}_{self.n_points}_x_{self.z_dim}{planted}"

    def draw(self, number: int) -> Points:
        """Return the cloud of a trial."""
        if self.kind == "limits":
            return self._with_a_plant(number)
        return SHAPES[self.name if self.kind == "power" else BASES[self.name]].draw(self.n_points, self.z_dim, number)

    def _with_a_plant(self, number: int) -> Points:
        points = SHAPES[BASES["gaussian"]].draw(self.n_points, self.z_dim, number)
        random = random_stream(number, "calibration", "plant", self.name)
        return plant(STRUCTURES[self.name], points, self.share, THICKNESS, random)

    def outcome(self, number: int) -> Outcome:
        """Return what comes of the trial with this number."""
        cloud = Cloud(self.draw(number))
        if self.kind == "rungs":
            return beside_its_rung(self, cloud, number)
        return of_verdict(self, judge(cloud, self.asked, number))


# --- Counting ---------------------------------------------------------------------------------------------------------


def proportion(n_hits: int, n_trials: int) -> Counts:
    """Return a share with a range that, in 95 of 100 cases, holds the chance behind it.

    Source
    ------
    Clopper and Pearson 1934, Biometrika 26, 404.

    Examples
    --------
    >>> proportion(5, 100)["high"]
    0.11283
    """
    interval = stats.binomtest(n_hits, n_trials).proportion_ci(0.95)
    low, high = round(float(interval.low), 5), round(float(interval.high), 5)
    return {"n_hits": n_hits, "share": n_hits / n_trials, "low": low, "high": high}


def counted(counts: Counts, outcome: Outcome) -> Counts:
    """Return counts with those of one more trial added."""
    n_trials = counts.get("n_trials", 0) + 1
    found: Counts = {"n_trials": n_trials, "n_compared": outcome.n_compared}
    if outcome.closest is not None:
        closest = counts.get("closest", {})
        found["closest"] = dict(sorted({**closest, outcome.closest: closest.get(outcome.closest, 0) + 1}.items()))
    return {**found, **{name: _one_more(counts.get(name), hit, n_trials) for name, hit in outcome.hits.items()}}


def _one_more(before: Counts | None, hit: bool, n_trials: int) -> Counts:
    return proportion((before or {"n_hits": 0})["n_hits"] + hit, n_trials)


def beside_its_rung(trial: Trial, cloud: Cloud, seed: int) -> Outcome:
    """Compare a cloud with the rung that it was drawn from, fitted to it anew."""
    watched = {one.quantity: trial.asked.n_draws for row in CLAIMS.values() for one in row.evidence}
    null = NULLS[trial.name]
    subjects = [told for subject in SUBJECTS.values() if (told := subject.without(null.kept)) is not None]
    compared = compare(null.name, null.fit(cloud, seed), subjects, trial.asked.n_draws, seed, watched=watched)
    tests = compared.tests()
    hits = {f"told_from_{trial.name}": any(_is_small(test.p_corrected) for test in tests)}
    hits |= {f"family_{test.family}": _is_small(test.p) for test in tests}
    comparisons = [one for family in compared.families for one in family.comparisons()]
    findings = {name: finding_of(row, comparisons) for name, row in CLAIMS.items()}
    hits |= {f"{name}_p_below_level": _is_small(one.p) for name, one in findings.items() if one.p is not None}
    return Outcome(compared.n_compared, hits)


def _is_small(p: float | None) -> bool:
    return p is not None and p <= LEVEL


def of_verdict(trial: Trial, verdict: Verdict) -> Outcome:
    """Return what is counted of a verdict."""
    hits = {f"told_from_{rung.null}": rung.answer == "yes" for rung in verdict.rungs}
    hits |= {name: claim.answer == "yes" for name, claim in verdict.claims.items()}
    hits |= {f"{name}_p_below_level": _is_small(claim.p) for name, claim in verdict.claims.items()}
    if trial.kind == "power":
        hits |= _right(SHAPES[trial.name], verdict)
    return Outcome(verdict.n_compared, hits, verdict.closest_null)


def _right(shape: Shape, verdict: Verdict) -> dict[str, bool]:
    """Return what of a shape was recognised: the rung, and each claim that there is a right answer to.

    Detection limits are not measured for a trial, and without one no verdict says that there is no such structure: to
    leave a structure unclaimed is right where there is none.
    """
    right = {
        f"{name}_right": (verdict.claims[name].answer == "yes") == (answer == "yes")
        for name, answer in shape.claims.items()
    }
    return {**right, "rung_right": verdict.closest_null in shape.rung, "all_right": all(right.values())}


def run(trials: list[Trial], n_trials: int, n_processes: int, record: Path) -> Iterator[tuple[Trial, Counts]]:
    """Judge clouds until each trial has been made so many times; yield and store the counts after each.

    Trials take turns, so that whenever this is stopped all have been made about as often.
    """
    done = read_json(record) if record.exists() else {}
    for trial in trials:
        before = done.get(trial.kind, {}).get(trial.key, {}).get("settings", to_mapping(trial.asked))
        if before != to_mapping(trial.asked):
            sys.exit(f"{record}: {trial.key} was made with other settings, {before}; name another --record")
    places = [(trial, number) for number in range(n_trials) for trial in trials if number >= _n_done(done, trial)]
    context = get_context("forkserver")
    cores = context.Queue()
    for core in islice(sorted(os.sched_getaffinity(0)) * n_processes, n_processes):
        cores.put(core)
    with ProcessPoolExecutor(n_processes, context, _keep_to_a_core, (cores,)) as pool:
        for (trial, _), outcome in zip(places, pool.map(_outcome, places), strict=True):
            kind = done.setdefault(trial.kind, {})
            kind[trial.key] = {"settings": to_mapping(trial.asked), **counted(kind.get(trial.key, {}), outcome)}
            write_json(record, done)
            yield trial, kind[trial.key]


def _n_done(done: Counts, trial: Trial) -> int:
    return int(done.get(trial.kind, {}).get(trial.key, {}).get("n_trials", 0))


def _keep_to_a_core(cores: Any) -> None:  # noqa: ANN401 - a queue of the context, which has no name of its own
    os.sched_setaffinity(0, {cores.get()})


def _outcome(place: tuple[Trial, int]) -> Outcome:
    trial, number = place
    with one_matrix_thread():
        return trial.outcome(number)


# --- The page ---------------------------------------------------------------------------------------------------------

Row = tuple[str, str]
"""What is said, and the key of the number."""


def tables(record: Counts) -> str:
    """Return the tables of all counts, as Markdown."""
    sections = {
        "rungs": ("Clouds beside the rung that they are drawn from", "drawn from {}", _rung_rows),
        "alarms": ("False alarms of whole verdicts", "drawn from {}", _alarm_rows),
        "power": ("Known shapes", "{}", _power_rows),
        "limits": ("Detection limits", "{}", _limit_rows),
    }
    blocks = []
    for kind, (title, about, rows) in sections.items():
        if kind in record:
            blocks += [f"## {title}", ""]
        for key, counts in record.get(kind, {}).items():
            words = about.format(key.replace("_", " "))
            draws, n_trials = counts["settings"]["n_draws"], counts["n_trials"]
            blocks += [
                f"### {words[0].upper()}{words[1:]}",
                "",
                f"{n_trials} clouds, {counts['n_compared']} points compared, at most {draws} draws of each null model.",
                "",
                "| of the clouds | share | 95 % range | record |",
                "|---|---|---|---|",
                *(_line(title, counts[name], f"{kind}.{key}.{name}.share") for title, name in rows(key, counts)),
                "",
            ]
    return "\n".join(blocks)


def _line(title: str, found: Counts, key: str) -> str:
    return f"| {title} | {found['share']:.3f} | {found['low']:.3f} to {found['high']:.3f} | `{key}` |"


def _words(claim: str) -> str:
    return claim.replace("_", "-")


def _rung_rows(key: str, counts: Counts) -> list[Row]:
    rung = key.split("_", 1)[0]
    families = [(f"family {_words(name.removeprefix('family_'))}", name) for name in counts if name[:7] == "family_"]
    below = [(f"claim {_words(name.removesuffix('_p_below_level'))}", name) for name in counts if name[-6:] == "_level"]
    return [(f"told from the {NULLS[rung].title}", f"told_from_{rung}"), *families, *below]


def _alarm_rows(key: str, counts: Counts) -> list[Row]:
    rung = key.split("_", 1)[0]
    # What the shape has that the rung was fitted to is no false alarm.
    absent = [name for name, answer in SHAPES[BASES[rung]].claims.items() if answer == "no" and name != "gaussian"]
    made = [(f"claimed {_words(name)}", name) for name in absent]
    below = [(f"p of {_words(name)} at most {LEVEL}", f"{name}_p_below_level") for name in absent]
    told = [(f"told from the {NULLS[rung].title}", f"told_from_{rung}")]
    return told + [row for row in made + below if row[1] in counts]


def _power_rows(_key: str, counts: Counts) -> list[Row]:
    right = [name for name in counts if name.endswith("_right") and name not in ("rung_right", "all_right")]
    claims = [(f"right about {_words(name.removesuffix('_right'))}", name) for name in right]
    return [("right about all claims", "all_right"), ("right about the rung", "rung_right"), *claims]


def _limit_rows(key: str, _counts: Counts) -> list[Row]:
    structure = STRUCTURES[key.split("_", 1)[0]]
    return [(f"claimed {_words(structure.claim)}", structure.claim)]


def with_tables(page: str, record: Counts) -> str:
    """Return the page with what is between its marks replaced by the tables."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + tables(record) + END + after


# --- The command line -------------------------------------------------------------------------------------------------


def rung_trials(asked: argparse.Namespace, settings: VerdictSettings) -> list[Trial]:
    """Return one trial for each rung."""
    n_points, z_dim = asked.n_points or 400, asked.z_dim or 8
    # A mixture is fitted to one half of the points and compared with the other: alone, it gets twice as many.
    doubled = ("mixture",) if asked.act == "rungs" else ()
    return [
        Trial(asked.act, name, n_points * (2 if name in doubled else 1), z_dim, settings)
        for name in asked.only or LADDER
    ]


def power_trials(asked: argparse.Namespace, settings: VerdictSettings) -> list[Trial]:
    """Return one trial for each shape that is meant for so many dimensions."""
    z_dim = asked.z_dim or 256
    names = asked.only or [shape.name for shape in SHAPES.values() if z_dim in shape.dimensions]
    return [Trial("power", name, asked.n_points or 20_000, z_dim, settings) for name in names]


def limit_trials(asked: argparse.Namespace, settings: VerdictSettings) -> list[Trial]:
    """Return three trials for each structure: about the share that a verdict on a Gaussian says it would have seen."""
    n_points, z_dim = asked.n_points or 4000, asked.z_dim or 64
    points = SHAPES[BASES["gaussian"]].draw(n_points, z_dim, 0)
    claims = judge(Cloud(points), replace(settings, limits=True), 0).claims
    printed = {
        name: limit.value
        for name, structure in STRUCTURES.items()
        if (limit := claims[structure.claim].detection_limit) is not None and name in (asked.only or STRUCTURES)
    }
    return [
        Trial("limits", name, n_points, z_dim, settings, part * share)
        for name, share in printed.items()
        if share is not None
        for part in AROUND
    ]


def main() -> None:
    """Run trials of one kind, or write the page."""
    ways: dict[str, Callable[[argparse.Namespace, VerdictSettings], list[Trial]]] = {
        "rungs": rung_trials,
        "alarms": rung_trials,
        "power": power_trials,
        "limits": limit_trials,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=[*ways, "page"])
    parser.add_argument("--only", nargs="+", help="names of rungs, shapes or structures")
    parser.add_argument("--n-trials", type=int, default=400)
    parser.add_argument("--n-points", type=int)
    parser.add_argument("--z-dim", type=int)
    parser.add_argument("--n-compared", type=int, default=VerdictSettings.n_compared)
    parser.add_argument("--n-draws", type=int, default=VerdictSettings.n_draws)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--record", type=Path, default=RECORD)
    asked = parser.parse_args()
    if asked.act == "page":
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else FIRST_PAGE
        PAGE.write_text(with_tables(page, read_json(RECORD)), encoding="utf-8")
        return
    settings = VerdictSettings(n_compared=asked.n_compared, n_draws=asked.n_draws, limits=False)
    for trial, counts in run(ways[asked.act](asked, settings), asked.n_trials, asked.processes, asked.record):
        sys.stdout.write(f"{trial.kind} {trial.key}: {counts['n_trials']} of {asked.n_trials}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
