"""Random z-points, what they decode to, and how good that is."""
