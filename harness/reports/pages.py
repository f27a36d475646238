"""The templates of pages: every value is made visible and escaped, and none may be missing."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.reports.text import visible


def page_templates(package: str, filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Those that lie in ``templates`` of a package."""
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment


def _finalize(value: Any) -> Any:
    # A macro's result is our own markup and holds values that passed through here already.
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
