"""The formats by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.model import Report
from harness.reports.figures.interface import Figure
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


def render(name: str, report: Report, figures: Sequence[Figure] = ()) -> str:
    """One format of a run.

    Args:
        name: A key of :data:`RENDERERS`.
        report: The run.
        figures: Plots of its evidence, for a format that shows any.
    """
    renderer = HtmlRenderer(tuple(figures)) if name == "html" else RENDERERS[name]
    return renderer.render(report)
