"""Null models: clouds without a structure, but otherwise like the cloud at hand."""
