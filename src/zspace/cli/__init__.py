"""The command line: parse, call one workflow, print."""

try:
    from zspace.cli.run import main
except KeyboardInterrupt:  # in the first moments, before anything could be told
    raise SystemExit(130) from None

__all__ = ["main"]
