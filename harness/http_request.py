"""A request as data: built from a suite's template, sent by httpx or by the load generator."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.config.section import Section
from harness.config.sent import Headers, JsonBody, Method
from harness.config.service import UrlPath
from harness.template import fill_json


class RequestTemplate(Section):
    """How a suite asks its service: ``body`` is JSON with placeholders, None for no body.

    Attributes:
        credential: A name under ``[auth.credentials]``; None sends none.
    """

    method: Method = "POST"
    path: UrlPath
    headers: Headers = {}
    body: JsonBody = None
    credential: str | None = None


@dataclass(frozen=True)
class Request:
    """One HTTP request, complete but for the host.

    Attributes:
        further_headers: Sent besides ``headers``, also of a name that is there already.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    further_headers: tuple[tuple[str, str], ...] = ()


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
