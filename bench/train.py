"""How fast zspace trains beside its peers: `python bench/train.py`, or `make bench`.

Everyone trains the posts' network (96x96x3, filters 32/64/128/256, z 256; with `--model vae` their VAE with BatchNorm)
on the same images in the same batches for the same number of steps: zspace in bf16 and in float32, a plain PyTorch
loop, pythae's trainer with the same encoder and decoder, and Keras on TensorFlow by the posts' recipe. Each runs in a
process of its own, in turns (A B C .. A B C ..), so that whatever else the machine does hits all alike; warm-up is
left out, and the median of the rounds counts. All must start from the loss of a picture of noise, log 2 a pixel, and
learn. Each takes the settings that were fastest for it; `--tune` measures its variants anew and goes on with the best.

The peers need environments of their own, and are skipped where they are missing:

    python3 -m venv keras-env && keras-env/bin/pip install tensorflow-cpu keras
    python3 -m venv pythae-env && pythae-env/bin/pip install --editable . pythae
    python bench/train.py --python-keras keras-env/bin/python --python-pythae pythae-env/bin/python

pythae's environment holds zspace too, since it trains zspace's modules. For `make bench` the two interpreters can be
named by the variables BENCH_PYTHON_KERAS and BENCH_PYTHON_PYTHAE.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from math import log
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import zspace
from contestants.turn import Outcome, Task
from zspace.images.faces import draw_faces, sample_factors
from zspace.shapes import Images

SIZE = 96
BLANK_LOSS = log(2) * SIZE**2
"""Binary cross-entropy of a network that knows nothing yet, in nats per image."""
ALIKE = 0.1
"""How far from it, as a share, a network with fresh weights may start."""


@dataclass(frozen=True)
class Contestant:
    """Somebody who trains."""

    name: str
    script: str
    """Its module among the contestants."""
    python: str
    modules: tuple[str, ...]
    """What its interpreter must be able to import."""
    install: str
    """What to install where it cannot."""
    variants: tuple[dict[str, Any], ...]
    """Ways to tune it, the one that was fastest first."""

    def is_installed(self) -> bool:
        """Return whether its interpreter has all it needs."""
        look = "import sys; from importlib.util import find_spec; sys.exit(None in map(find_spec, sys.argv[1:]))"
        looked = subprocess.run([self.python, "-c", look, *self.modules], env=environment(), check=False)
        return looked.returncode == 0


def contestants(python_keras: str, python_pythae: str) -> list[Contestant]:
    """Return all of them, in the order of their turns."""
    ours = (sys.executable, ("zspace", "torch"), "--editable .")
    keras = (python_keras, ("keras", "tensorflow"), "tensorflow-cpu keras")

    def keras_variants(precision: str) -> tuple[dict[str, Any], ...]:
        ways = ((False, "gather"), (False, "arrays"), (True, "gather"))
        return tuple({"jit": jit, "data": data, "precision": precision} for jit, data in ways)

    pythae_variants = tuple(
        {"channels_last": channels_last, "workers": workers} for channels_last in (True, False) for workers in (0, 1)
    )
    return [
        Contestant("zspace bf16", "zspace_training", *ours, ({"precision": "bf16"},)),
        Contestant("zspace float32", "zspace_training", *ours, ({"precision": "float32"},)),
        Contestant("plain PyTorch loop", "plain_loop", *ours, ({},)),
        Contestant(
            "pythae",
            "pythae_training",
            python_pythae,
            ("pythae", "torch", "zspace", "jaxtyping", "safetensors", "tomli_w"),
            "--editable . pythae",
            pythae_variants,
        ),
        Contestant("Keras float32", "keras_training", *keras, keras_variants("float32")),
        Contestant("Keras bf16", "keras_training", *keras, keras_variants("bf16")),
    ]


def environment() -> dict[str, str]:
    """Return the environment of the contestants: the zspace that is running here is the one they find."""
    sources = (Path(zspace.__file__).parent.parent, Path(__file__).parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "PYTHONWARNINGS": "ignore"}


def images(store: str | None, n_images: int) -> Images:
    """Return drawn faces, or the images of a packed store, repeated until there are enough."""
    if store is None:
        return draw_faces(sample_factors(n_images, seed=1), SIZE)
    held: Images = import_module("zspace.images.store").open_store(Path(store)).images
    if held.shape[1] != SIZE:
        raise SystemExit(f"{store}: the images must be {SIZE} pixels a side, not {held.shape[1]}")
    return held[np.resize(np.arange(len(held)), n_images)]


def run(contestant: Contestant, task: Task, folder: Path) -> Outcome:
    """Let a contestant train in a process of its own, and check that it trained what all train."""
    given, result = folder / "task.json", folder / "result.json"
    given.write_text(json.dumps(asdict(task)), encoding="utf-8")
    result.unlink(missing_ok=True)
    done = subprocess.run(
        [contestant.python, "-m", f"contestants.{contestant.script}", str(given), str(result)],
        check=False,
        env=environment(),
        capture_output=True,
        text=True,
    )
    if not result.exists():
        raise SystemExit(f"{contestant.name} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    outcome = Outcome(**json.loads(result.read_text(encoding="utf-8")))
    if abs(outcome.first_loss / BLANK_LOSS - 1) > ALIKE:
        raise SystemExit(f"{contestant.name} starts at {outcome.first_loss:.0f} nats, others at {BLANK_LOSS:.0f}")
    if not outcome.last_loss < outcome.first_loss:
        raise SystemExit(f"{contestant.name} does not learn: {outcome.first_loss:.0f} -> {outcome.last_loss:.0f} nats")
    return outcome


def tasks(contestant: Contestant, common: dict[str, Any], tune: bool, folder: Path) -> Iterator[Task]:
    """Yield the task of a contestant as often as it is asked for, tuned as is fastest for it."""
    variants = [Task(**common, options=options) for options in contestant.variants]
    best = variants[0]
    if tune and len(variants) > 1:
        seconds = {index: run(contestant, task, folder).seconds for index, task in enumerate(variants)}
        for index, spent in seconds.items():
            print(f"  {contestant.name}: {images_per_second(best, spent):6.1f} images/s with {variants[index].options}")
        best = variants[min(seconds, key=lambda index: seconds[index])]
    while True:
        yield best


def images_per_second(task: Task, seconds: float) -> float:
    """Return the rate over the timed steps."""
    return task.batch_size * task.steps / seconds


def processor() -> str:
    """Return the name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def arguments() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("ae", "vae"), default="ae")
    parser.add_argument("--images", metavar="STORE", help=f"a packed store of {SIZE}x{SIZE} images; else drawn faces")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20, help="timed steps in each round")
    parser.add_argument("--warm-up", type=int, default=5, help="steps before them, at least 1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tune", action="store_true", help="measure the variants of each contestant first")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="contestants whose name contains one of these words")
    parser.add_argument("--python-keras", default=os.environ.get("BENCH_PYTHON_KERAS", sys.executable))
    parser.add_argument("--python-pythae", default=os.environ.get("BENCH_PYTHON_PYTHAE", sys.executable))
    return parser.parse_args()


def present(asked: argparse.Namespace) -> list[Contestant]:
    """Return who takes part, and say who does not and what to install."""
    everyone = contestants(asked.python_keras, asked.python_pythae)
    wanted = [c for c in everyone if not asked.only or any(word.lower() in c.name.lower() for word in asked.only)]
    here = [contestant for contestant in wanted if contestant.is_installed()]
    for contestant in wanted:
        if contestant not in here:
            print(f"{contestant.name}: skipped, not installed: {contestant.python} -m pip install {contestant.install}")
    return here


def main() -> None:
    """Measure in turns and print the table."""
    asked = arguments()
    taking_part = present(asked)
    print(f"{processor()}, {os.cpu_count()} cores, {asked.threads} threads, Python {platform.python_version()}")
    print(f"load before: {os.getloadavg()[0]:.2f}; repeat with: python bench/train.py {' '.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # One pass over the data and no more: nobody's end of an epoch falls into the time.
        np.save(folder / "images.npy", images(asked.images, asked.batch_size * (asked.warm_up + asked.steps)))
        common = {key: getattr(asked, key) for key in ("model", "batch_size", "warm_up", "steps", "threads")}
        common["images"] = str(folder / "images.npy")
        turns = {c.name: tasks(c, common, asked.tune, folder) for c in taking_part}
        outcomes: dict[str, list[Outcome]] = {c.name: [] for c in taking_part}
        for _ in range(asked.rounds):
            for contestant in taking_part:
                outcomes[contestant.name].append(run(contestant, next(turns[contestant.name]), folder))
        used = {contestant.name: next(turns[contestant.name]) for contestant in taking_part}
    print(f"load after: {os.getloadavg()[0]:.2f}\n")
    print_table(outcomes, used)


def print_table(outcomes: dict[str, list[Outcome]], used: dict[str, Task]) -> None:
    """Print rates, ratios to zspace, losses, options and versions."""
    rates = {
        name: [images_per_second(used[name], outcome.seconds) for outcome in rounds]
        for name, rounds in outcomes.items()
    }
    ours = [name for name in rates if name.startswith("zspace")]
    ratio_heads = "".join(f"{f'{name} is':>22}" for name in ours)
    print(f"{'':20}{'images/s':>9}{'lowest':>8}{'highest':>8}{ratio_heads}   loss before -> after")
    for name, values in rates.items():
        ratios = "".join(f"{median(rates[our]) / median(values):16.2f} times" for our in ours)
        first, last = outcomes[name][-1].first_loss, outcomes[name][-1].last_loss
        numbers = f"{median(values):9.1f}{min(values):8.1f}{max(values):8.1f}"
        print(f"{name:20}{numbers}{ratios}   {first:.0f} -> {last:.0f} nats per image")
    for name, task in used.items():
        versions = ", ".join(f"{module} {version}" for module, version in outcomes[name][-1].versions.items())
        print(f"{name}: {versions}; {task.options or 'no options'}")


if __name__ == "__main__":
    main()
