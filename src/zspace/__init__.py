"""Train autoencoders on images, see what their latent space really looks like, and sample it so that it works."""

from importlib.metadata import version

__version__ = version("zspace")
