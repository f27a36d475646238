"""What the user wants of ``harness init``, and what that alone tells of the suite."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.checks.golden.wire import parse_json
from harness.config.files import is_folder
from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.suite_init.declared import Given
from harness.targets.engine import INSTALL, find_engine
from harness.targets.image import find_image
from harness.targets.launch import URL
from harness.targets.url import require_plain

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class InitRequest:
    """What the user wants.

    Attributes:
        candidate: Image or URL.
        folder: Where the suite goes.
        name: Of the suite; None for one after the image or the folder.
        openapi: Path of the document; None looks at the usual ones.
        endpoint: What to ask; None for the only one that there is.
        request: File with one body, or with several as JSON lines.
        cases: So many bodies are asked at most.
    """

    candidate: str
    folder: Path
    given: Given = field(default_factory=Given)
    name: str | None = None
    openapi: str | None = None
    endpoint: str | None = None
    request: Path | None = None
    cases: int = 20
    seed: int = 0
    force: bool = False


def suite_name(request: InitRequest) -> str:
    """The given name; else that of the image without registry and tag, or of the folder for a URL.

    Raises:
        UsageError: a given name is none.
    """
    if request.name is not None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", request.name):
            raise UsageError(f"--name {request.name}: no name", fix="lower case letters, digits and dashes")
        return request.name
    by_url = URL.match(request.candidate)
    image = re.split(r"[:@]", request.candidate.rpartition("/")[2])[0]
    raw = request.folder.resolve().name if by_url else image
    return re.sub(r"[^a-z0-9]+", "-", raw.lower()).strip("-") or "service"


def read_bodies(file: Path) -> list[Any]:
    """One JSON value, or one a line.

    Raises:
        ConfigError: it is neither.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            file=file, problem=f"cannot be read: {error.strerror}", allowed="a file with a body as JSON"
        ) from error
    try:
        return [parse_json(content)]
    except ValueError as error:
        whole = error
    lines = [line for line in content.splitlines() if line.strip()]
    bodies = []
    for number, line in enumerate(lines, start=1):
        try:
            bodies.append(parse_json(line))
        except ValueError as error:
            raise ConfigError(
                file=file,
                problem=f"not JSON: {whole}; nor is line {number} by itself: {error}",
                allowed="one body as JSON, or one a line",
            ) from error
    if not bodies:
        raise ConfigError(file=file, problem="is empty", allowed="one body as JSON, or one a line")
    return bodies


def port_of(candidate: str, environ: Mapping[str, str]) -> int:
    """That of the URL, or the only one that the image exposes.

    Raises:
        UsageError: it has none or several, or is no candidate.
        InfrastructureError: it is an image, and no engine answers.
    """
    if URL.match(candidate):
        require_plain(candidate)
        parts = urlsplit(candidate)
        return parts.port or DEFAULT_PORTS[parts.scheme.lower()]
    if is_folder(candidate):
        raise UsageError(
            f"{candidate} is a folder", fix="build its image first, or start it and give its URL"
        )
    engine = find_engine(Path.cwd(), environ)
    if engine is None:
        raise InfrastructureError(f"no container engine answers, and {candidate!r} is an image", fix=INSTALL)
    ports = find_image(engine, candidate).content.ports
    if len(ports) != 1:
        told = f"exposes {', '.join(map(str, ports))}" if ports else "exposes no port"
        raise UsageError(f"image {candidate} {told}", fix="--port says where the service listens in it")
    return ports[0]


def is_local(url: str) -> bool:
    """Whether it is on this machine, by its host's name."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
