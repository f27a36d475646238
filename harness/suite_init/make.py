"""From a service to a suite: everything that ``harness init`` does but talk to the user."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.checks.golden.header import HEADER_FILE, GoldenDataset, GoldenHeader
from harness.checks.golden.wire import cut, parse_json
from harness.config.service import ServiceSettings
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import AnswerError, ConfigError, InfrastructureError, TargetError, UsageError
from harness.events import CheckProgress, CheckStarted, Emit, Note
from harness.golden.asking import outputs_of
from harness.golden.record import model, producer
from harness.golden.service import Named, Service, find_service
from harness.golden.writing import CASES, GoldenWriter
from harness.http_request import RequestTemplate
from harness.model import Scope
from harness.openapi.document import Document
from harness.suite_init.asking import Answers, ask
from harness.suite_init.declared import Declared, Given
from harness.suite_init.endpoint import choose
from harness.suite_init.finding import Ready, find_document, find_ready
from harness.suite_init.gate_toml import Findings, gate_toml
from harness.suite_init.outputs import Outputs, find_outputs
from harness.suite_init.sampling import samples
from harness.suite_init.speed import speed_of
from harness.suite_init.writing import GATE_TOML, OPENAPI, require_free, staged
from harness.targets.engine import INSTALL, find_engine
from harness.targets.image import find_image
from harness.targets.interface import Endpoint
from harness.targets.launch import URL
from harness.targets.url import UrlEndpoint, require_plain

URL_READY_S = 10.0
DEFAULT_PORTS = {"http": 80, "https": 443}
ASKING = "asking"


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


def make_suite(
    request: InitRequest,
    environ: Mapping[str, str],
    emit: Emit,
    confirm: Callable[[str], None],
    *,
    today: date,
) -> Findings:
    """Start the service or find it at its URL, ask it, and write the suite.

    Args:
        request: What the user wants.
        environ: For the engine, and the keys of a URL.
        emit: Takes what is told on the way.
        confirm: Called with what is about to be asked of a service on another machine; may raise.
        today: Goes into what is written.

    Raises:
        UsageError, ConfigError: the user can mend it.
        AnswerError: the service answers nothing that can be recorded.
        TargetError, InfrastructureError: it can't be started or reached.
    """
    name = suite_name(request)
    golden = f"golden/{name}"
    files = (GATE_TOML, OPENAPI, f"{golden}/{HEADER_FILE}", f"{golden}/{CASES}")
    require_free(request.folder, files, force=request.force)
    bodies = [] if request.request is None else read_bodies(request.request)
    declared = Declared(request.given)
    if not declared.has("port"):
        declared.set("port", _port(request.candidate, environ))
    named = find_service(declared.suite(name), request.candidate, environ, emit)
    by_url = named.launch.scope is Scope.URL
    emit(Note("looking at the service" if by_url else "starting the service"))
    with _redacted_logs(named.credentials), running(named) as endpoint:
        ready = _await(endpoint, named.suite.config.service, declared, by_url=by_url)
        document, problems = find_document(endpoint, named.credentials, declared.credential, request.openapi)
        parsed = None if document is None else Document(document.body, document.path)
        asked = choose(parsed, request.endpoint, has_request=bool(bodies), problems=problems)
        chosen = samples(asked, parsed, bodies, request.cases, request.seed)
        if not chosen.bodies:
            raise UsageError(
                f"POST {asked.path}: its document does not say what body it takes",
                fix="--request FILE with a body",
            )
        if by_url and not is_local(request.candidate):
            confirm(f"ask {request.candidate}{asked.path} {2 * len(chosen.bodies)} times")
        emit(CheckStarted(ASKING))
        answers = ask(
            endpoint,
            RequestTemplate(path=asked.path, credential=declared.credential, body="${input}"),
            chosen.bodies,
            named.credentials,
            lambda done, total: emit(CheckProgress(ASKING, done, total)),
        )
        found = Findings(
            name=name,
            candidate=request.candidate,
            by_url=by_url,
            today=today,
            declared=declared.text,
            credential=declared.credential,
            ready=ready,
            document=document,
            problems=problems,
            path=asked.path,
            golden=golden,
            inputs_from=chosen.source,
            answers=answers,
            outputs=_outputs(asked.path, answers),
            speed=speed_of(answers.times_ms),
        )
        with staged(request.folder) as beside:
            suite = parse_suite(gate_toml(found), beside / GATE_TOML)
            suite.path.write_text(suite.text, encoding="utf-8")
            if document is not None:
                (beside / OPENAPI).parent.mkdir()
                (beside / OPENAPI).write_text(json.dumps(document.body, indent=2) + "\n", encoding="utf-8")
            answering = Service(suite, endpoint, endpoint.description, named.credentials, emit)
            _write_golden(beside / golden, found, answering)
    return found


def _await(endpoint: Endpoint, service: ServiceSettings, declared: Declared, *, by_url: bool) -> Ready:
    """Wait for the service, and declare what tells that it is ready."""
    path = service.ready_path if declared.has("ready_path") else None
    timeout_s = URL_READY_S if by_url else service.ready_timeout_s
    ready = find_ready(endpoint, service, path, timeout_s=timeout_s, started=not by_url)
    declared.set("ready_path", ready.path)
    if ready.status != service.ready_status:
        declared.set("ready_status", ready.status)
    return ready


def _outputs(path: str, answers: Answers) -> Outputs:
    found = find_outputs(answers.kept)
    if not found.settings:
        why = "; ".join(f"{pointer or '/'} {reason}" for pointer, reason in found.left_out.items())
        raise AnswerError(
            cut(f"POST {path}: its answers have no member that can be compared: {why}", 1000),
            fix="--request FILE with a body that is answered alike each time, such as one with a seed",
        )
    return found


@contextmanager
def running(named: Named) -> Iterator[Endpoint]:
    """The service, perhaps not ready yet."""
    launch = named.launch
    if launch.scope is Scope.URL:
        url = str(launch.description.url).rstrip("/")
        yield UrlEndpoint(url, named.suite.config.service, launch.description)
        return
    with launch.start(None, until_ready=False) as endpoint:
        yield endpoint


@contextmanager
def _redacted_logs(credentials: Credentials) -> Iterator[None]:
    """What a service that fails has written may hold a secret that it was handed."""
    try:
        yield
    except TargetError as error:
        error.logs = credentials.redact(error.logs)
        raise


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


def _port(candidate: str, environ: Mapping[str, str]) -> int:
    """That of the URL, or the only one that the image exposes."""
    if URL.match(candidate):
        require_plain(candidate)
        parts = urlsplit(candidate)
        return parts.port or DEFAULT_PORTS[parts.scheme.lower()]
    if Path(candidate).is_dir():
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


def _write_golden(folder: Path, found: Findings, service: Service) -> None:
    inputs = "".join(json.dumps(each.body) + "\n" for each in found.answers.kept)
    dataset = GoldenDataset(name=found.inputs_from, sha256=hashlib.sha256(inputs.encode()).hexdigest())
    with GoldenWriter(folder, compress=False) as writer:
        for number, each in enumerate(found.answers.kept, start=1):
            case_id = f"case-{number:03d}"
            writer.add(case_id, each.body, outputs_of(case_id, each.first, found.outputs.settings))
        writer.commit(
            lambda cases: GoldenHeader(
                schema_version=1,
                producer=producer(service, found.today),
                model=model(service),
                dataset=dataset,
                cases=cases,
            )
        )


def told_files(found: Findings) -> Sequence[str]:
    """The files of the suite, relative to its folder."""
    contract = [OPENAPI] if found.document is not None else []
    return [GATE_TOML, *contract, f"{found.golden}/{HEADER_FILE}", f"{found.golden}/{CASES}"]
