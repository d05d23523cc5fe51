"""Keys of records as words."""

from __future__ import annotations

from zspace.figures import plane_words

_QUANTITIES = {
    "half_shell_low": "Half of the points: from",
    "half_shell_high": "Half of the points: to",
    "shell95_low": "95 % of the points: from",
    "shell95_high": "95 % of the points: to",
    "matched_mean_radius": "Mean radius of the matched Gaussian",
    "matched_peak_radius": "Peak radius of the matched Gaussian",
    "smallest": "Smallest radius",
    "largest": "Largest radius",
    "n_special_axes": "Special axes",
    "n_not_normal_axes": "Axes that are not normal, beyond chance",
    "first_component_share": "Share of the first component",
    "n_for_half": "Components for half the variance",
    "n_for_90_percent": "Components for 90 % of the variance",
    "n_for_99_percent": "Components for 99 % of the variance",
    "gap_k": "Clusters by the gap",
    "elbow_k": "Clusters by the elbow",
    "elbow_bend": "Sharpest bend of the inertia",
    "n_stringy_windows": "Windows with strings",
    "n_far_components": "Components of z far from mu",
    "mean_radius_z": "Mean radius of z",
    "mean_radius_mu": "Mean radius of mu",
    "smallest_radius_z": "Smallest radius of z",
    "smallest_radius_mu": "Smallest radius of mu",
    "largest_radius_z": "Largest radius of z",
    "largest_radius_mu": "Largest radius of mu",
    "n_attributes_in_clusters": "Attributes that differ between clusters",
    "kl_share": "Share of the KL term",
    "kl_term": "KL term",
    "kl_weight": "Weight of the KL term",
    "negative_elbo": "Negative ELBO",
}
"""Keys that read better in other words than their own."""

_WINDOW_QUANTITIES = ("points", "expected", "local_dimension")


def quantity_words(key: str) -> str:
    """Return an estimate's key as words.

    Examples
    --------
    >>> quantity_words("n_special_axes"), quantity_words("mean_radius"), quantity_words("n_clusters")
    ('Special axes', 'Mean radius', 'Number of clusters')
    >>> quantity_words("pc1_pc2_side_0.5_local_dimension")
    'Components 1 and 2, square of side 0.5: local dimension'
    """
    if key in _QUANTITIES:
        return _QUANTITIES[key]
    for quantity in _WINDOW_QUANTITIES:
        window = plane_words(key.removesuffix(f"_{quantity}"))
        if key.endswith(f"_{quantity}") and " and " in window:
            return sentence_case(f"{window}: {quantity.replace('_', ' ')}")
    words = key.replace("_", " ")
    return sentence_case(f"number of {words[2:]}" if words.startswith("n ") else words)


def sentence_case(words: str) -> str:
    """Return a text with its first letter raised, as sentences begin."""
    return words[:1].upper() + words[1:]


_NUMERALS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def numeral(number: int) -> str:
    """Return a small whole number as a word, a larger one in digits.

    Examples
    --------
    >>> numeral(5), numeral(42)
    ('five', '42')
    """
    return _NUMERALS[number] if 0 <= number < len(_NUMERALS) else f"{number:,}"
