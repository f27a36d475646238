"""Release gate for inference service images."""

from importlib.metadata import version

__version__ = version("harness")
