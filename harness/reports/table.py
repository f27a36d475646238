"""The formats by name."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.reports.github import GithubRenderer
from harness.reports.html import HtmlRenderer
from harness.reports.interface import FileRenderer, Renderer
from harness.reports.json import JsonRenderer
from harness.reports.junit import JunitRenderer
from harness.reports.markdown import MarkdownRenderer

FILE_RENDERERS: Mapping[str, FileRenderer] = MappingProxyType(
    {
        "html": HtmlRenderer(),
        "markdown": MarkdownRenderer(),
        "junit": JunitRenderer(),
        "json": JsonRenderer(),
    }
)
"""What each run is written in."""

RENDERERS: Mapping[str, Renderer] = MappingProxyType({**FILE_RENDERERS, "github": GithubRenderer()})
"""What ``harness report`` renders."""
