"""Hollow or not: how much of a cloud lies about its centre, and about its densest places."""
