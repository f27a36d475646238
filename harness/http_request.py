"""A request as data: built from a suite's template, sent by httpx or by the load generator."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.config.section import Section
from harness.config.service import UrlPath
from harness.template import fill_json


class RequestTemplate(Section):
    """How a suite asks its service: ``body`` is JSON with placeholders, None for no body.

    Attributes:
        credential: A name under ``[auth.credentials]``; None sends none.
    """

    method: str = "POST"
    path: UrlPath
    headers: dict[str, str] = {}
    body: Any = None
    credential: str | None = None


@dataclass(frozen=True)
class Request:
    """One HTTP request, complete but for the host."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def curl(self, base_url: str, shown_headers: Mapping[str, str]) -> str:
        """A shell command that sends it.

        Args:
            base_url: Where to.
            shown_headers: Headers to show in place of the credential's (``$GATE_KEY_DEFAULT`` and alike).
        """
        parts = ["curl", "-sS", "-i", "-X", self.method, shlex.quote(base_url + self.path)]
        for name, value in {**self.headers, **shown_headers}.items():
            # Double quotes, so that the shell fills in the variable that stands for a secret.
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`")
            # curl drops a header without a value, unless it ends in a semicolon.
            parts += ["-H", f'"{name}: {escaped}"' if value else f'"{name};"']
        if self.body is not None:
            parts += ["--data-binary", shlex.quote(self.body.decode("utf-8", "backslashreplace"))]
        return " ".join(parts)


def build(template: RequestTemplate, values: Mapping[str, Any], credential: Mapping[str, str]) -> Request:
    """The request that ``template`` describes.

    Args:
        template: From the suite.
        values: Fills the placeholders of the body (``input``, ``inputs``, ...).
        credential: Headers of the credential, see :meth:`harness.credentials.Credentials.headers`.

    Raises:
        TemplateError: for a placeholder without a value.
    """
    headers = {"Accept": "application/json", **template.headers, **credential}
    body = None
    if template.body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(fill_json(template.body, values), separators=(",", ":"), allow_nan=False).encode()
    return Request(method=template.method, path=template.path, headers=headers, body=body)
