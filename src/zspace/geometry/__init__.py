"""Geometry of clouds of points: it sees arrays and numbers, never a model."""
