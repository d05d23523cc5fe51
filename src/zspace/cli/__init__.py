"""The command line: parse, call one workflow, print."""

from zspace.cli.run import main

__all__ = ["main"]
