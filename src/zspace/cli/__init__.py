"""The command line: parse, call one workflow, print."""

from zspace.cli.ending import main

__all__ = ["main"]
