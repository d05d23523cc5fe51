"""Connectivity: what holds a cloud together when the nearest points are linked first, and whether there are loops."""
