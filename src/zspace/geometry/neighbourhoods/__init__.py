"""Neighbourhoods: who is near whom, and how many dimensions neighbours spread into."""
