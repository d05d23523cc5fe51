"""Where the time of a verdict goes, and how it grows: run by hand as ``python bench/verdict.py [--n-points N ...]``.

First a table of seconds over numbers of points and dimensions, each verdict whole and in a process of its own, with the
memory that it took beside that of the cloud. Then, for one of the sizes, the seconds of one draw: what each null model
takes to be fitted and drawn from, and what each subject takes to be read off a draw. Subjects take turns in their order
and share what a cloud keeps, such as neighbours: whoever asks first pays for all.
"""

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from math import log
from multiprocessing import get_context
from statistics import median
from time import perf_counter

from zspace.errors import GeometryError
from zspace.geometry.clouds import Cloud
from zspace.geometry.comparing.engine import sight_of
from zspace.geometry.nulls.ladder import LADDER, NULLS
from zspace.geometry.subjects import SUBJECTS
from zspace.geometry.truths.shapes import SHAPES
from zspace.geometry.verdict.judge import compared_points, judge
from zspace.machine import one_matrix_thread
from zspace.seeds import random_stream
from zspace.settings import VerdictSettings

N_POINTS, Z_DIMS = (1000, 5000, 15_000), (16, 64, 256)
N_TURNS = 5


def cost(shape: str, n_points: int, z_dim: int, asked: VerdictSettings) -> tuple[float, float, int]:
    """Return the seconds of one verdict, the most memory beside the cloud's own, and how many clouds were drawn."""
    points = SHAPES[shape].draw(n_points, z_dim, 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = perf_counter()
    verdict = judge(Cloud(points), asked, seed=1)
    elapsed = perf_counter() - start
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return elapsed, 1 + added / points.nbytes, sum(rung.n_draws for rung in verdict.rungs)


def growth(fewer: float, more: float, factor: float) -> str:
    """Return the power of a size that the seconds grow with.

    Examples
    --------
    >>> growth(1.0, 4.0, 2.0)
    '2.00'
    """
    return f"{log(more / fewer) / log(factor):.2f}"


def print_costs(shape: str, sizes: tuple[list[int], list[int]], asked: VerdictSettings) -> None:
    """Print the table of seconds, and how they grow from the smallest to the largest size either way."""
    numbers, dimensions = sizes
    print(f"seconds of a verdict on {shape} (times the cloud's memory; clouds drawn)")
    print(f"{'':>10}" + "".join(f"{f'{z_dim} dimensions':>26}" for z_dim in dimensions))
    seconds: dict[tuple[int, int], float] = {}
    for n_points in numbers:
        cells = []
        for z_dim in dimensions:
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:  # for a peak of memory of its own
                elapsed, times, n_drawn = alone.submit(cost, shape, n_points, z_dim, asked).result()
            seconds[n_points, z_dim] = elapsed
            cells.append(f"{elapsed:8.1f} s (x {times:.1f}; {n_drawn:4})")
        print(f"{n_points:>10,}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
    if len(numbers) > 1:
        powers = [
            growth(seconds[numbers[0], z_dim], seconds[numbers[-1], z_dim], numbers[-1] / numbers[0])
            for z_dim in dimensions
        ]
        print(f"grow with the number of points to the power of {', '.join(powers)}")
    if len(dimensions) > 1:
        powers = [
            growth(seconds[n_points, dimensions[0]], seconds[n_points, dimensions[-1]], dimensions[-1] / dimensions[0])
            for n_points in numbers
        ]
        print(f"grow with the number of dimensions to the power of {', '.join(powers)}")


def print_parts(shape: str, n_points: int, z_dim: int, asked: VerdictSettings) -> None:
    """Print what one draw of each null model costs, and what each subject costs on it, all on one core."""
    cloud = compared_points(Cloud(SHAPES[shape].draw(n_points, z_dim, 1)), asked.n_compared, 1)
    print(f"\nseconds on one core, {cloud.n_points:,} points of {z_dim} dimensions compared; median of {N_TURNS} draws")
    print(
        f"{'null model':>14} {'to fit':>8} {'a draw':>8} " + "".join(f"{name:>14}" for name in SUBJECTS) + f"{'all':>9}"
    )
    with one_matrix_thread():
        for name in LADDER:
            print(f"{name:>14} {null_parts(name, cloud)}", flush=True)


def null_parts(name: str, cloud: Cloud) -> str:
    """Return one row of the table: a null model, and all subjects on its draws with their shares."""
    start = perf_counter()
    try:
        fitted = NULLS[name].fit(cloud, 1)
    except GeometryError as error:
        return str(error)
    fitting = perf_counter() - start
    turns: list[list[float]] = []
    for turn in range(N_TURNS):
        start = perf_counter()
        drawn = Cloud(fitted.draw(random_stream(1, "bench", name, turn)))
        marks = [start, perf_counter()]
        for subject in SUBJECTS.values():
            sight_of(subject, drawn)
            marks.append(perf_counter())
        turns.append([after - before for before, after in pairwise(marks)])
    drawing, *subjects = [median(seconds) for seconds in zip(*turns, strict=True)]
    whole = drawing + sum(subjects)
    cells = "".join(f"{f'{seconds:.3f} ({seconds / whole:3.0%})':>14}" for seconds in subjects)
    return f"{fitting:8.2f} {drawing:8.3f} {cells}{whole:9.3f}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="hidden-strings")
    parser.add_argument("--n-points", type=int, nargs="+", default=N_POINTS)
    parser.add_argument("--z-dim", type=int, nargs="+", default=Z_DIMS)
    parser.add_argument("--n-compared", type=int, default=VerdictSettings.n_compared)
    parser.add_argument("--n-draws", type=int, default=VerdictSettings.n_draws)
    parser.add_argument("--no-limits", action="store_true", help="leave out the detection limits")
    parser.add_argument("--parts-only", action="store_true", help="leave out the table of whole verdicts")
    given = parser.parse_args()
    asked = VerdictSettings(n_compared=given.n_compared, n_draws=given.n_draws, limits=not given.no_limits)
    numbers, dimensions = sorted(given.n_points), sorted(given.z_dim)
    print_parts(given.shape, numbers[-1], dimensions[-1], asked)
    if not given.parts_only:
        print()
        print_costs(given.shape, (numbers, dimensions), asked)


if __name__ == "__main__":
    main()
