"""Classified differences between two OpenAPI documents; pure but for `load`."""

from harness.openapi.diff import diff, operation_names
from harness.openapi.load import read_document
from harness.openapi.model import Change, Direction, OpenAPIError, Severity, has_breaking
from harness.openapi.render import render
from harness.openapi.rules import RULES

__all__ = [
    "RULES",
    "Change",
    "Direction",
    "OpenAPIError",
    "Severity",
    "diff",
    "has_breaking",
    "operation_names",
    "read_document",
    "render",
]
