"""How fast, and how trustworthy, is the t-SNE map beside scikit-learn's? Run by hand as `python bench/maps.py`.

Both lay out the same points with the posts' settings (perplexity 30, exaggeration 12, 1000 iterations) in turns in one
process; each map is judged at the same points by the same code. `--n-points 2000 --n-turns 1` is a trial of seconds;
`--peer none` draws zspace's map alone, as for 165,000 points, and prints the peak memory of the process.
"""

import argparse
import resource
import sys
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
from jaxtyping import Float32
from sklearn.manifold import TSNE

from zspace.geometry.clouds import Cloud
from zspace.geometry.maps.drawing import draw_map
from zspace.geometry.maps.scores import neighbor_scores
from zspace.results import Progress
from zspace.seeds import random_stream
from zspace.settings import MapSettings
from zspace.shapes import Points

N_NEIGHBORS = 15
N_SCORED = 2000


def cloud_with_heaps(n_points: int, z_dim: int) -> Points:
    """Return forty overlapping heaps with a falling spectrum, about as spread as an autoencoder's z-points."""
    random = random_stream(1, "bench", "maps")
    spread = np.geomspace(4, 0.4, z_dim)
    centres = 0.7 * spread * random.standard_normal((40, z_dim))
    points = centres[random.integers(40, size=n_points)] + spread * random.standard_normal((n_points, z_dim))
    return points.astype(np.float32)


def show(progress: Progress) -> None:
    """Print progress now and then on the error stream."""
    if progress.done == progress.total or progress.done % 200 == 0:
        print(f"{progress.step}: {progress.done} of {progress.total} {progress.unit}", file=sys.stderr)


def ours(points: Points, n_iterations: int) -> Float32[np.ndarray, "n_points 2"]:
    """Draw zspace's map."""
    asked = MapSettings(n_points=0, n_iterations=n_iterations, n_scored=50, null_twin=False)
    return draw_map(Cloud(points), "bench", asked, 1, watch=show)[1].coordinates


def theirs(points: Points, n_iterations: int) -> Float32[np.ndarray, "n_points 2"]:
    """Draw scikit-learn's map."""
    method = TSNE(perplexity=30, early_exaggeration=12, max_iter=n_iterations, init="pca", random_state=1, n_jobs=-1)
    return np.asarray(method.fit_transform(points), dtype=np.float32)


def main() -> None:
    """Print time and scores of both, turn by turn, and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n-points", type=int, default=20_000)
    parser.add_argument("--z-dim", type=int, default=256)
    parser.add_argument("--n-iterations", type=int, default=1000)
    parser.add_argument("--n-turns", type=int, default=3)
    parser.add_argument("--peer", choices=["scikit-learn", "none"], default="scikit-learn")
    asked = parser.parse_args()
    points = cloud_with_heaps(asked.n_points, asked.z_dim)
    scored = np.sort(random_stream(1, "bench", "scored").permutation(len(points))[:N_SCORED])
    contestants: dict[str, Callable[[Points, int], Float32[np.ndarray, "n_points 2"]]] = {"zspace": ours}
    if asked.peer == "scikit-learn":
        contestants["scikit-learn"] = theirs
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _turn in range(asked.n_turns):
        for name, draw in contestants.items():
            start, start_busy = perf_counter(), process_time()
            sheet = draw(points, asked.n_iterations)
            seconds[name].append(perf_counter() - start)
            busy = process_time() - start_busy
            judged = neighbor_scores(points, sheet, scored, N_NEIGHBORS)
            print(
                f"{name}: {seconds[name][-1]:.1f} s ({busy:.1f} s of processor time), "
                f"trustworthiness {judged.trustworthiness.mean():.4f}, "
                f"continuity {judged.continuity.mean():.4f}, "
                f"neighbours preserved {judged.preserved.mean():.4f}",
                flush=True,
            )
    if asked.peer == "scikit-learn":
        ratio = np.median(seconds["scikit-learn"]) / np.median(seconds["zspace"])
        print(f"zspace is {ratio:.2f} times as fast as scikit-learn")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
