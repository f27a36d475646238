"""From a service to a suite: everything that ``harness init`` does but talk to the user."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from harness.checks.golden.header import HEADER_FILE, GoldenDataset, GoldenHeader
from harness.checks.golden.wire import cut
from harness.config.service import ServiceSettings
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import AnswerError, TargetError, UsageError
from harness.events import CheckProgress, CheckStarted, Emit, Note
from harness.golden.asking import outputs_of
from harness.golden.record import model, producer
from harness.golden.service import Named, Service, find_service
from harness.golden.writing import CASES, GoldenWriter
from harness.http_request import RequestTemplate
from harness.model import Scope
from harness.openapi.document import Document
from harness.suite_init.asking import Answers, ask
from harness.suite_init.declared import Declared
from harness.suite_init.endpoint import choose
from harness.suite_init.finding import Ready, find_document, find_ready
from harness.suite_init.gate_toml import Findings, gate_toml
from harness.suite_init.outputs import Outputs, find_outputs
from harness.suite_init.request import InitRequest, is_local, port_of, read_bodies, suite_name
from harness.suite_init.sampling import samples
from harness.suite_init.speed import speed_of
from harness.suite_init.writing import GATE_TOML, OPENAPI, require_free, staged
from harness.targets.interface import Endpoint
from harness.targets.url import UrlEndpoint

URL_READY_S = 10.0
ASKING = "asking"


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
        declared.set("port", port_of(request.candidate, environ))
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
        answers = _answers(endpoint, named, asked.path, chosen.bodies, declared.credential)
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
        _write(request.folder, found, named, endpoint)
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


def _answers(
    endpoint: Endpoint, named: Named, path: str, bodies: Sequence[Any], credential: str | None
) -> Answers:
    named.emit(CheckStarted(ASKING))
    return ask(
        endpoint,
        RequestTemplate(path=path, credential=credential, body="${input}"),
        bodies,
        named.credentials,
        lambda done, total: named.emit(CheckProgress(ASKING, done, total)),
    )


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


def _write(folder: Path, found: Findings, named: Named, endpoint: Endpoint) -> None:
    with staged(folder) as beside:
        suite = parse_suite(gate_toml(found), beside / GATE_TOML)
        suite.path.write_text(suite.text, encoding="utf-8")
        if found.document is not None:
            (beside / OPENAPI).parent.mkdir()
            contract = json.dumps(found.document.body, indent=2) + "\n"
            (beside / OPENAPI).write_text(contract, encoding="utf-8")
        service = Service(suite, endpoint, endpoint.description, named.credentials, named.emit)
        _write_golden(beside / found.golden, found, service)


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
