"""What the three posts report, to stand beside the study's own values.

The posts are "Autoencoders, latent space and the curse of high dimensionality", part II, and "Variational Autoencoder
with Tensorflow 2.8", parts XII and XIII. Only their figures are taken, none of their sentences. Where a value was read
off by eye, or comes from another network than the plain autoencoder, its row says so.
"""

from __future__ import annotations

from dataclasses import dataclass

NAMES = (
    "“Autoencoders, latent space and the curse of high dimensionality”, part II",
    "“Variational Autoencoder with Tensorflow 2.8”, parts XII and XIII",
)
"""The three posts."""

AE = "AE, z of 256"
TINY_KL = "VAE with a tiny KL loss, z of 256"

DATA = "170,000 CelebA photographs of 96 by 96 pixels, 24 epochs of Adam with a step size of 0.0005"
"""What all values of the posts were found on, unless a row says otherwise."""


@dataclass(frozen=True)
class Post:
    """One value of the posts."""

    section: str
    """Name of the measurement, or ``"training"`` or ``"generation"``."""
    key: str
    """Key of the estimate it belongs to, or the name of the sampler."""
    value: str
    model: str


POSTS: tuple[Post, ...] = (
    Post("training", "loss", "4515 nats per image", AE),
    Post("training", "loss_per_pixel", "0.49 nats per pixel", AE),
    Post("training", "images_per_second", "about 1,417, derived from 120 s an epoch on a GTX 960", "VAE, z of 256"),
    Post("radius", "peak_radius", "16.5 with bins of 0.5 and 0.05; 16.75 in another post", AE),
    Post("radius", "mean_radius", "16.28; 17.37 in another run", TINY_KL),
    Post("radius", "smallest", "6.50; 7.21 in another run", TINY_KL),
    Post("radius", "largest", "nothing above 32 (AE); 33.10 and 35.51 (VAE)", f"{AE}; {TINY_KL}"),
    Post("radius", "half_shell_low", "more than half of the points above 14", AE),
    Post("radius", "half_shell_high", "more than half of the points below 19", AE),
    Post("radius", "shell95_low", "most points above 12, read off the plot", AE),
    Post("radius", "shell95_high", "most points below 24, read off the plot", AE),
    Post("axes", "n_special_axes", "12 named as examples, 5 of them clearly off the origin", AE),
    Post("axes", "median_standard_deviation", "no number; most axes Gaussian-like at 0, half-width about 2", AE),
    Post("axes", "largest_offset", "5.0, on axis 52 of width 8; next -2.0 on axis 130 of width 9", AE),
    Post("axes", "largest_standard_deviation", "no number; widest is axis 200 with a width of 11", AE),
    Post("principal", "first_component_share", "no number; one dominant component", AE),
    Post("principal", "participation_ratio", "no number; the spectrum is nearly flat after 10 components", AE),
    Post("clusters", "elbow_k", "no sharp elbow; 38 to 42 read off", AE),
    Post("clusters", "gap_k", "not tried", ""),
    Post("maps", "tsne:perplexity=10,exaggeration=16", "no score; fragments and clusters, judged by eye", AE),
    Post("maps", "tsne", "no score; the impression of clusters remains, judged by eye", f"{AE}; {TINY_KL}"),
    Post("maps", "tsne:n_components=2", "no score; strings round elongated voids, judged by eye", AE),
    Post("maps", "tsne:n_components=4", "no score; strings a bit smeared out, voids still visible", AE),
    Post("maps", "tsne:n_components=10", "no score; close to the map of z itself", AE),
    Post("planes", "n_stringy_windows", "thin lines round voids in every window, judged by eye", AE),
    Post("posterior", "largest_logvar", "-2.02; 3.38 in another run", TINY_KL),
    Post("posterior", "smallest_logvar", "-24.66", TINY_KL),
    Post("posterior", "mean_logvar", "-13.68", TINY_KL),
    Post("posterior", "largest_component_gap", "0.26", TINY_KL),
    Post("posterior", "n_far_components", "5 of 43.5 million", TINY_KL),
    Post("posterior", "largest_radius_z", "33.10", TINY_KL),
    Post("posterior", "smallest_radius_z", "6.50", TINY_KL),
    Post("posterior", "mean_radius_z", "16.283989", TINY_KL),
    Post("posterior", "mean_radius_mu", "16.283972", TINY_KL),
    Post("posterior", "largest_radius_gap", "0.018", TINY_KL),
    Post("posterior", "mean_radius_gap", "0.00095", TINY_KL),
    Post("posterior", "largest_relative_radius_gap", "0.00072", TINY_KL),
    Post("posterior", "mean_relative_radius_gap", "0.000061", TINY_KL),
    Post("posterior", "divergence", "about 1,780, derived from a KL term of 0.0178", TINY_KL),
    Post("generation", "normal", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "uniform:2", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "uniform:3", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "uniform:8", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "uniform:10", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "uniform:16", "no faces, judged by eye", f"{AE}; {TINY_KL}"),
    Post("generation", "fitted-gaussian", "not tried", ""),
)


def posts_on(section: str, keys: tuple[str, ...]) -> tuple[Post, ...]:
    """Return what the posts report on these keys of a section, in the order of the keys."""
    found = {post.key: post for post in POSTS if post.section == section}
    return tuple(found[key] for key in keys if key in found)
