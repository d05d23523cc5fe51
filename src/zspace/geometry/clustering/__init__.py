"""Clusters: k-means, what its curves say, and what clusters know of attributes."""
