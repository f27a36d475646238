"""Runs the probe of an entry, which shows by asking directly that its fault or change is really there.

The probe is a program of the catalogue, in a process of its own: it imports nothing of the harness, so that a
check that is wrong can't vouch for itself.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError, InfrastructureError
from harness.events import Emit
from harness.preparation import prepare
from harness.reports.text import one_line
from harness.selftest.catalogue import Entry, ProbeToken
from harness.targets.container import ContainerEndpoint
from harness.targets.engine import INSTALL
from harness.targets.launch import Launcher
from harness.targets.readiness import wait_until_ready

TIMEOUT_S = 30
MOST_SAID_BYTES = 64 * 1024
_NOW = re.compile(r"now([+-][0-9]+)?")


@dataclass(frozen=True)
class Proof:
    """What a probe showed.

    Attributes:
        active: Whether the fault or the change is there; None where the probe itself failed.
        said: Its reason.
    """

    active: bool | None
    said: str = ""


@dataclass(frozen=True)
class Given:
    """What a probe gets on standard input, as JSON; ``docs/selftest.md`` says what each is."""

    base_url: str
    healthy_url: str
    headers: dict[str, dict[str, str]]
    tokens: dict[str, str]
    container_id: str
    image_id: str
    healthy_image_id: str
    docker_host: str
    variant: str | None


def proven(
    entry: Entry, suite: Suite, image: str, healthy: str, *, environ: Mapping[str, str], emit: Emit
) -> Proof:
    """Start both images as the suite says, have the probe ask them, and remove both.

    Raises:
        HarnessError: an image did not get ready, or the engine failed.
    """
    if entry.probe is None:
        return Proof(active=False, said=f"nobody wrote {entry.folder.name}/probe.py")
    variant = entry.declared.probe.variant
    prepared = prepare(suite, image, healthy, gpu=False, environ=environ, emit=emit)
    engine, credentials = prepared.engine, prepared.credentials
    if engine is None:
        raise InfrastructureError("no container engine answers, and images have to be started", fix=INSTALL)
    with ExitStack() as running:
        # The healthy one gets ready while the entry does.
        on_healthy = _started(prepared.launcher, healthy, variant, running, until_ready=False)
        on_entry = _started(prepared.launcher, image, variant, running)
        _wait(prepared.launcher, on_healthy, variant)
        # A probe that is stopped may leave containers of its own: with the labels of ours, in our networks.
        running.callback(engine.remove_containers, prepared.launcher.run_token)
        given = Given(
            base_url=on_entry.base_url,
            healthy_url=on_healthy.base_url,
            headers={name: credentials.headers(name) for name in suite.config.auth.credentials},
            tokens=_tokens(entry, suite, credentials),
            container_id=on_entry.container_id,
            image_id=on_entry.description.image_id or "",
            healthy_image_id=on_healthy.description.image_id or "",
            docker_host=engine.host,
            variant=variant,
        )
        proof = run_probe(entry.probe, given, environ)
    return Proof(proof.active, one_line(credentials.redact(proof.said)))


def run_probe(probe: Path, given: Given, environ: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> Proof:
    """Run it to its end: 0 is active, 1 is not, and anything else, also too long, is a probe that failed."""
    catalogue = probe.parents[2]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            code = subprocess.run(
                [sys.executable, probe.name],
                cwd=probe.parent,
                env={**environ, "PYTHONPATH": str(catalogue.absolute()), "PYTHONDONTWRITEBYTECODE": "1"},
                input=to_json(asdict(given)),
                stdout=out,
                stderr=errors,
                timeout=timeout_s,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return Proof(None, f"the probe took longer than {timeout_s:g} s")
        said, trouble = _last_line(out), _last_line(errors)
    match code:
        case 0:
            return Proof(active=True, said=said)
        case 1:
            return Proof(active=False, said=said or trouble or "the probe gave no reason")
        case _:
            return Proof(None, f"the probe ended with {code}: {trouble or said or 'no reason'}")


def _started(
    launcher: Launcher, image: str, variant: str | None, running: ExitStack, *, until_ready: bool = True
) -> ContainerEndpoint:
    target = launcher.resolve(image).start(variant=variant, until_ready=until_ready)
    endpoint = running.enter_context(target)
    if not isinstance(endpoint, ContainerEndpoint):
        raise AssertionError("an image runs in a container")
    return endpoint


def _wait(launcher: Launcher, endpoint: ContainerEndpoint, variant: str | None) -> None:
    """Until it is ready, with its replicas."""
    speaks_tls = variant is not None and launcher.service.variants[variant].scheme == "https"
    for base_url in endpoint.base_urls:
        wait_until_ready(
            base_url,
            launcher.service.as_variant(variant),
            died=lambda: None if endpoint.alive() else "the healthy service ended",
            logs=endpoint.logs,
            tls=launcher.certificates.context() if speaks_tls else None,
        )


def _tokens(entry: Entry, suite: Suite, credentials: Credentials) -> dict[str, str]:
    """One of each credential that has tokens, and those that the entry asks for."""
    declared = suite.config.auth.credentials
    valid = {name: credentials.token(name) for name, each in declared.items() if each.token is not None}
    asked = {
        name: _signed(name, token, entry, credentials) for name, token in entry.declared.probe.tokens.items()
    }
    return {**valid, **asked}


def _signed(name: str, asked: ProbeToken, entry: Entry, credentials: Credentials) -> str:
    try:
        settings = credentials.settings(asked.credential).token
    except KeyError:
        settings = None
    if settings is None:
        raise ConfigError(
            file=entry.file,
            key=f"probe.tokens.{name}.credential",
            value=asked.credential,
            problem="the suite has no such credential with a token",
            allowed="a name under [auth.credentials] that has a table token",
        )
    claims = {**credentials.claims(settings), **{key: _claim(value) for key, value in asked.claims.items()}}
    token = credentials.signer(settings.signer).sign(
        {key: value for key, value in claims.items() if key not in asked.drop}
    )
    credentials.keep_secret(token, "$GATE_TOKEN")
    return token


def _claim(value: Any) -> Any:
    """A time such as ``now-60`` in seconds; anything else as it is."""
    match = _NOW.fullmatch(value) if isinstance(value, str) else None
    return int(time.time()) + int(match[1] or 0) if match else value


def _last_line(stream: IO[bytes]) -> str:
    """The last line that is not empty, of as much of the end as is read."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - MOST_SAID_BYTES))
    lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
