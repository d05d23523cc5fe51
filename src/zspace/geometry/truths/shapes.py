"""The table of known shapes: clouds of which it is known what is right to say about them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from zspace.geometry.truths.closed_forms import standard_normal_points
from zspace.geometry.truths.thick import (
    copula_points,
    direction_points,
    heap_points,
    heavy_tailed_points,
    hollow_points,
    independent_points,
    repeated_points,
    shell_points,
    turned_gaussian_points,
)
from zspace.geometry.truths.thin import (
    hidden_string_points,
    loop_points,
    sheet_points,
    string_points,
    tube_points,
)
from zspace.results import Answer
from zspace.shapes import Points

ANY_DIMENSIONS = (2, 3, 8, 16, 64, 256)
MANY_DIMENSIONS = (8, 16, 64, 256)


@dataclass(frozen=True)
class Shape:
    """One row of the table: a cloud, and what is right to say about it when the points are many."""

    name: str
    title: str
    draw: Callable[..., Points]
    """Function of the number of points, the number of dimensions and a seed. Noise, share or width has a default and is
    set by keyword, and so is ``shape_seed``, where the shape itself is random."""
    claims: dict[str, Answer]
    """Right answers by claim. Where either is fine, or where it depends on words, the claim is left out."""
    rung: tuple[str, ...]
    """The first rung of the ladder that describes the cloud, or ``"none"``. Several where a rung comes so near that few
    points cannot tell."""
    dimensions: tuple[int, ...] = ANY_DIMENSIONS
    """Numbers of dimensions that it is meant for."""


def _said(**answers: Answer) -> dict[str, Answer]:
    """Return answers by claim: no structure but what is named here."""
    none: dict[str, Answer] = dict.fromkeys(("clusters", "strings", "sheets", "hollow", "lower_dimensional"), "no")
    return {"gaussian": "no", **none, **answers}


def _without(answers: dict[str, Answer], *left_out: str) -> dict[str, Answer]:
    return {claim: answer for claim, answer in answers.items() if claim not in left_out}


_GAUSSIAN = _said(gaussian="yes")
_THIN = _without(_said(lower_dimensional="yes"), "clusters", "hollow")
"""Whether a line that winds about leaves heaps and holes is a matter of words."""
_BEYOND = ("mixture", "none")
"""No rung describes it, but a mixture of many small Gaussians may come so near that few points cannot tell."""

_STRINGS = Shape("strings", "connected network of curved strings", string_points, _THIN | {"strings": "yes"}, _BEYOND)

SHAPES: dict[str, Shape] = {
    row.name: row
    for row in (
        Shape("standard-normal", "N(0, I)", standard_normal_points, _GAUSSIAN, ("prior",)),
        Shape(
            "turned-gaussian",
            "Gaussian with a power-law spectrum, turned in space",
            turned_gaussian_points,
            _GAUSSIAN,
            ("gaussian",),
        ),
        Shape("heavy-tailed", "multivariate t law", heavy_tailed_points, _said(), ("elliptical",)),
        Shape(
            "independent",
            "independent components with skewed and peaked laws",
            independent_points,
            _said(),
            ("independent",),
        ),
        Shape(
            "copula",
            "axes with skewed and peaked laws, tied by a Gaussian copula",
            copula_points,
            _said(),
            # Exactly a copula of its axes; of its principal components it is none, and then only what comes after.
            ("copula", *_BEYOND),
        ),
        replace(_STRINGS, dimensions=(3, *MANY_DIMENSIONS)),
        replace(
            _STRINGS,
            name="strings-in-a-plane",
            title="connected network of curved strings in a plane",
            claims={"gaussian": "no", "strings": "yes"},  # strings that cross fill the plane in parts
            dimensions=(2,),
        ),
        Shape(
            "tubes",
            "tubes that fork and taper",
            tube_points,
            _THIN | {"strings": "yes"},
            _BEYOND,
            (3, *MANY_DIMENSIONS),
        ),
        Shape(
            "sheet",
            "rolled sheet, bent along both its sides",
            sheet_points,
            _THIN | {"sheets": "yes"},
            _BEYOND,
            (3, *MANY_DIMENSIONS),
        ),
        Shape(
            "sphere",
            "thin shell of a ball in space, which is a sheet",
            shell_points,
            {"gaussian": "no", "strings": "no", "sheets": "yes", "hollow": "yes"},
            ("elliptical",),
            (3,),
        ),
        Shape(
            "thin-shell",
            "thin shell in several dimensions",
            shell_points,
            _without(_said(hollow="yes"), "lower_dimensional"),
            ("elliptical",),
            (8, 16),
        ),
        Shape(
            "high-shell",
            "shell in many dimensions, hollow as every Gaussian there is, but thinner",
            lambda n_points, z_dim, seed, width=0.01: shell_points(n_points, z_dim, seed, width=width),
            _without(_said(), "hollow", "lower_dimensional"),
            ("elliptical",),
            (64, 256),
        ),
        Shape(
            "separated-clusters",
            "Gaussians with nothing between them",
            heap_points,
            _without(_said(clusters="yes"), "hollow"),
            ("mixture",),
        ),
        Shape(
            "touching-clusters",
            "Gaussians that overlap a little",
            lambda n_points, z_dim, seed, n_heaps=3, distance=4.5, shape_seed=0: heap_points(
                n_points, z_dim, seed, n_heaps=n_heaps, distance=distance, shape_seed=shape_seed
            ),
            _without(_said(clusters="yes"), "hollow"),
            ("mixture",),
        ),
        Shape(
            "hole",
            "Gaussian with a hole in its leading components",
            hollow_points,
            _said(hollow="yes"),
            _BEYOND,
            MANY_DIMENSIONS,
        ),
        Shape(
            "hole-everywhere",
            "Gaussian with a hole in all its components",
            hollow_points,
            _without(_said(hollow="yes"), "lower_dimensional", "sheets", "strings"),
            ("elliptical",),
            (2, 3),
        ),
        Shape(
            "hidden-strings",
            "Gaussian in which a tenth of the points lie on strings",
            hidden_string_points,
            _without(_said(strings="yes"), "clusters", "lower_dimensional"),
            _BEYOND,
            MANY_DIMENSIONS,
        ),
        Shape(
            "repeated",
            "Gaussian in which three of ten points are copies of others",
            repeated_points,
            _without(_said(), "clusters", "lower_dimensional"),
            ("none",),
        ),
        Shape(
            "direction",
            "unit sphere about a direction, as embeddings by CLIP",
            direction_points,
            _without(_said(), "hollow", "lower_dimensional"),
            ("elliptical", "independent", "copula", *_BEYOND),
            MANY_DIMENSIONS,
        ),
        Shape(
            "loop",
            "closed line in noise",
            loop_points,
            # Its points are so many that neighbours lie in its noise, which has all dimensions there are.
            _without(_THIN, "lower_dimensional") | {"strings": "yes", "hollow": "yes"},
            _BEYOND,
            (3, *MANY_DIMENSIONS),
        ),
    )
}
