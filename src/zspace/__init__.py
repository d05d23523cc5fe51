"""Train autoencoders on images, see what their latent space really looks like, and sample it so that it works."""

__version__: str


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("zspace")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
