"""Dimension over scale: how many directions neighbours spread into, near and farther away."""
