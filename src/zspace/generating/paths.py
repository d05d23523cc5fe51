"""Paths through the latent space whose points are decoded one after the other."""

from __future__ import annotations

import numpy as np

from zspace.geometry.clouds import Cloud
from zspace.shapes import Points

COMPONENT_STEPS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Places on a walk along a principal component, in standard deviations of the cloud along it, from its centre."""


def component_walks(cloud: Cloud, n_components: int) -> Points:
    """Return the points on straight walks through the centre of the cloud, along its first principal components.

    Parameters
    ----------
    n_components
        How many walks, at most one for each dimension.

    Returns
    -------
    `COMPONENT_STEPS` points of the first component, then those of the second, and so on.
    """
    variances, components = cloud.principal
    ends = np.zeros((min(n_components, cloud.z_dim), cloud.z_dim))  # none along components that the points do not span
    spanned = (components * np.sqrt(variances[: components.shape[1]])).T[:n_components]
    ends[: len(spanned)] = spanned
    walks = cloud.mean + np.asarray(COMPONENT_STEPS)[:, np.newaxis] * ends[:, np.newaxis]
    return np.asarray(walks.reshape(-1, cloud.z_dim), dtype=np.float32)
