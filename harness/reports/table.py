"""The formats by name."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.reports.html import HtmlRenderer
from harness.reports.interface import Renderer
from harness.reports.json import JsonRenderer
from harness.reports.junit import JunitRenderer
from harness.reports.markdown import MarkdownRenderer

RENDERERS: Mapping[str, Renderer] = MappingProxyType(
    {
        "html": HtmlRenderer(),
        "markdown": MarkdownRenderer(),
        "junit": JunitRenderer(),
        "json": JsonRenderer(),
    }
)
