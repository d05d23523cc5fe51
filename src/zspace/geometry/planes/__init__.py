"""Planes of two axes or two components, seen at several scales."""
