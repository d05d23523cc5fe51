"""The page on loss conventions computes what it says: every convention is written out here in plain NumPy."""

import ast
import operator
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from zspace.objectives.divergence import divergence_per_dimension, penalised_divergence
from zspace.objectives.reconstruction import RECONSTRUCTIONS
from zspace.settings import ObjectiveSettings

PAGE = (Path(__file__).parent.parent.parent / "docs" / "loss-conventions.md").read_text(encoding="utf-8")
POSTS = {"C": 3, "P": 96 * 96, "Z": 256}


def table(first_column):
    """Return the rows of the table whose first column has this name, as lists of cells."""
    lines = PAGE.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


OPERATIONS = {ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Add: operator.add}


def value(formula, symbols):
    """Return what a formula of the page comes to."""

    def walk(node):
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](walk(node.left), walk(node.right))
        return symbols[node.id] if isinstance(node, ast.Name) else node.value

    return walk(ast.parse(formula.strip("`"), mode="eval").body)


class Batch:
    """Random images, reconstructions and posteriors, (n, channels, height, width) and (n, z)."""

    def __init__(self, n=3, channels=3, height=4, width=6, z=5):
        random = np.random.default_rng(1)
        self.x = random.random((n, channels, height, width))
        self.logits = random.normal(size=self.x.shape)
        self.y = 1 / (1 + np.exp(-self.logits))
        self.mu, self.logvar = random.normal(size=(2, n, z))
        self.bce = -self.x * np.log(self.y) - (1 - self.x) * np.log(1 - self.y)
        self.squared = (self.x - self.y) ** 2
        self.absolute = np.abs(self.x - self.y)
        self.kl = -0.5 * (1 + self.logvar - self.mu**2 - np.exp(self.logvar))
        self.symbols = {"C": channels, "P": height * width, "Z": z, "w": 0.7}


def summed(values):
    """Return the sum over all but the images, mean over these."""
    return values.reshape(len(values), -1).sum(axis=1).mean()


DISTANCES = {
    "binary cross-entropy": lambda batch: batch.bce,
    "half squared error": lambda batch: batch.squared / 2,
    "absolute error": lambda batch: batch.absolute,
}


def latent_image(batch):
    """Return the divergence as diffusers and LDM compute it, on (n, channels, height, width)."""
    mu, logvar = (values.reshape(len(values), -1, 1, 1) for values in (batch.mu, batch.logvar))
    return (0.5 * (mu**2 + np.exp(logvar) - 1.0 - logvar).sum(axis=(1, 2, 3))).sum() / len(mu)


# Reconstruction term and KL term of each convention, step by step as its own source takes them.
CONVENTIONS = {
    "zspace and the posts": lambda b, w: (b.bce.mean(axis=1).sum(axis=(1, 2)).mean(), w * b.kl.sum(axis=1).mean()),
    "full-sum likelihood, beta-VAE": lambda b, w: (summed(b.bce), w * summed(b.kl)),
    "Keras' example": lambda b, _: (
        np.moveaxis(b.bce, 1, -1).mean(axis=-1).sum(axis=(1, 2)).mean(),
        b.kl.sum(axis=1).mean(),
    ),
    "Keras' example, early copies": lambda b, _: (b.bce.mean() * b.symbols["P"], b.kl.mean()),
    "pythae, `bce`": lambda b, w: (b.bce.reshape(len(b.x), -1).sum(axis=-1).mean(), w * b.kl.sum(axis=-1).mean()),
    "pythae 0.1.2, `mse`": lambda b, w: (
        (0.5 * b.squared.reshape(len(b.x), -1).sum(axis=-1)).mean(),
        w * b.kl.sum(axis=-1).mean(),
    ),
    "pythae, `mse`, early copies": lambda b, w: (
        b.squared.reshape(len(b.x), -1).sum(axis=-1).mean(),
        w * b.kl.sum(axis=-1).mean(),
    ),
    "PyTorch-VAE": lambda b, w: (b.squared.mean(), w * b.kl.sum(axis=1).mean(axis=0)),
    "diffusers' AutoencoderKL script, `l2`": lambda b, w: (b.squared.sum() / len(b.x), w * latent_image(b)),
    "diffusers' AutoencoderKL script, `l1`": lambda b, w: (b.absolute.sum() / len(b.x), w * latent_image(b)),
    "latent diffusion (LDM)": lambda b, w: (
        (b.absolute / np.exp(0.0) + 0.0).sum() / len(b.x),
        w * latent_image(b),
    ),
    "mean of everything": lambda b, w: (b.squared.mean(), w * b.kl.mean()),
}


def test_the_table_names_every_convention_once():
    assert [row[0] for row in table("convention")[: len(CONVENTIONS)]] == list(CONVENTIONS)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("row", table("convention"), ids=lambda row: row[0])
def test_factors_are_what_the_convention_computes(row, channels):
    batch = Batch(channels=channels)
    name, distance, *formulas = row
    r, k, beta, weight = (value(formula, batch.symbols) for formula in formulas)
    reconstruction, divergence = CONVENTIONS[name](batch, batch.symbols["w"])
    assert reconstruction == pytest.approx(r * summed(DISTANCES[distance](batch)))
    assert divergence == pytest.approx(k * summed(batch.kl))
    assert beta == pytest.approx(k / r)
    assert weight == pytest.approx(beta / channels)


def zspace_loss(batch, name):
    logits, images = (torch.from_numpy(values) for values in (batch.logits, batch.x))
    return float(RECONSTRUCTIONS[name].function(logits, images, torch.zeros(())))


def test_the_first_row_is_what_zspace_computes():
    batch = Batch()
    reconstruction, divergence = CONVENTIONS["zspace and the posts"](batch, 1.0)
    assert zspace_loss(batch, "binary-cross-entropy") == pytest.approx(reconstruction)
    per_dimension = divergence_per_dimension(torch.from_numpy(batch.mu), torch.from_numpy(batch.logvar))
    plain = replace(ObjectiveSettings(), free_bits=0.0, capacity=0.0)
    assert float(penalised_divergence(per_dimension.mean(dim=0), plain)) == pytest.approx(divergence)


def test_what_is_said_of_the_other_distances_of_zspace():
    batch = Batch()
    channels = batch.symbols["C"]
    assert zspace_loss(batch, "squared-error") == pytest.approx(2 / channels * summed(batch.squared / 2))
    assert zspace_loss(batch, "absolute-error") == pytest.approx(1 / channels * summed(batch.absolute))


def test_images_from_minus_one_to_one_change_the_errors_as_said():
    batch = Batch()
    x, y = 2 * batch.x - 1, 2 * batch.y - 1
    assert summed((x - y) ** 2) == pytest.approx(4 * summed(batch.squared))
    assert summed(np.abs(x - y)) == pytest.approx(2 * summed(batch.absolute))


def number(cell):
    """Return the number a cell starts with."""
    return float(re.match(r"[\d.]+", cell).group())


def shown(cell, exact):
    """Return whether the number in a cell is this one, rounded to the four digits the page gives."""
    return number(cell) == pytest.approx(exact, rel=5e-4)


@pytest.mark.parametrize("row", table("quantity"), ids=lambda row: row[0])
def test_worked_example(row):
    _, formula, result = row
    assert shown(result, value(formula, POSTS)), row


SAME_AS_WEIGHT_5 = {
    "pythae": "pythae, `bce`",
    "Keras' example": "zspace and the posts",  # with a factor, it is the posts' convention
    "PyTorch-VAE": "PyTorch-VAE",
    "diffusers, `l2`": "diffusers' AutoencoderKL script, `l2`",
    "LDM": "latent diffusion (LDM)",
}


@pytest.mark.parametrize("row", table("program"), ids=lambda row: row[0])
def test_weights_that_train_the_same_balance(row):
    name, _, weight = row
    formulas = {row[0]: row[4] for row in table("convention")}
    beta_per_weight = value(formulas[SAME_AS_WEIGHT_5[name]], {**POSTS, "w": 1.0})
    assert shown(weight, 15 / beta_per_weight)


@pytest.mark.parametrize("row", table("default"), ids=lambda row: row[0])
def test_defaults_of_others(row):
    name, channels, pixels, weight, beta, ours = row
    convention = max((row for row in table("convention") if name.startswith(row[0])), key=lambda row: len(row[0]))
    symbols = {"C": number(channels), "P": number(pixels), "Z": POSTS["Z"], "w": number(weight)}
    assert shown(beta, value(convention[4], symbols))
    assert shown(ours, value(convention[5], symbols))
