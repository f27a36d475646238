"""A suite in a temporary folder, a small service that honours it, and its faults."""

import json
import math
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import jwt
import pytest

from harness.checks.interface import CheckContext
from harness.checks.scenarios import check, playing, sending
from harness.checks.scenarios.evidence import Exchange
from harness.config.auth import SignerSettings
from harness.config.suite import Suite, load_suite
from harness.credentials import Credentials, Signer
from harness.http_request import Request
from harness.model import Scope, TargetDescription
from harness.targets.log import LogSearch

ROOT = Path(__file__).parents[4]
ISSUER, AUDIENCE = "https://issuer.example", "inference"
REFUSED_KEYS = {"revoked": "revoked_accepted", "expired": "old_key_accepted", "early": "early_accepted"}
"""Keys that are not valid, and the faults that accept them nevertheless."""
CLIENT_KEYS = ("reader", "former", "next", "other_model", "small_batch")
SERVED_VERSION = "1.0.0"
RATE_KEYS = (
    *("burst", "headers", "countdown", "refusal", "retry", "first", "second", "health", "spoof"),
    *("rows", "metadata", "at_once", "boundary", "agree", "paths", "former", "next", "rows_at_once", "cheap"),
)
ROWS_QUOTA = 10
LONGEST_HEADER = 65_536
Caller = tuple[str | None, list[str], list[str] | None, int | None]
"""Identity, scopes, model versions, largest batch; None for any."""
NOBODY: Caller = (None, [], None, None)
ANYONE: Caller = ("anyone", ["predict"], None, None)
REQUIRED = {"/predict": "predict", "/predict/batch": "predict", "/metadata": "metadata"}
OPEN = {"/health", "/ready"}
LOOSE = {"newline_opens": "/predict%0A", "slash_opens": "/predict/", "double_slash_opens": "//predict"}
"""Faults of a router that matches more than the paths that access knows, and a path they open."""

GATE = """
schema_version = 1
name = "tiny"
[service]
port = 80
ready_path = "/ready"
[auth]
keys = [{keys}]
[auth.signers.issuer]
algorithm = "RS256"
kid = "rsa"
[auth.signers.elliptic]
algorithm = "ES256"
kid = "elliptic"
[auth.credentials]
{credentials}
[auth.credentials.bearer]
headers = {{ Authorization = "Bearer ${{token}}" }}
[auth.credentials.bearer.token]
signer = "issuer"
claims = {{ iss = "https://issuer.example", aud = "inference", sub = "gate", scope = "predict" }}
[auth.credentials.elliptic_bearer]
headers = {{ Authorization = "Bearer ${{token}}" }}
[auth.credentials.elliptic_bearer.token]
signer = "elliptic"
claims = {{ iss = "https://issuer.example", aud = "inference", sub = "elliptic", scope = "predict" }}
[scenarios]
auth = ["auth.toml"]
rate = ["rate_limit.toml"]
[scenarios.rate_policies]
five_a_minute = {{ limit = 5, window_s = 60, {headers} }}
five_in_two_seconds = {{ limit = 5, window_s = 2, {headers} }}
ten_rows_a_minute = {{ limit = 10, window_s = 60, algorithm = "sliding-window-log" }}
[scenarios.counters.inferences]
path = "/metrics"
metric = "predictions_total"
inferences = true
[scenarios.variables.sample]
file = "cases.jsonl"
line = 1
pointer = "/input"
[scenarios.requests.predict]
path = "/predict"
body = {{ features = "${{sample}}" }}
[scenarios.requests.batch]
path = "/predict/batch"
body = {{ instances = ["${{sample}}"] }}
"""


def gate_toml() -> str:
    names = {"api_key": "default"} | {f"{key}_key": key for key in (*CLIENT_KEYS, *REFUSED_KEYS)}
    names |= {f"rate_{key}": f"rate_{key}" for key in RATE_KEYS}
    keys = ", ".join(f'"{key}"' for key in names.values())
    credentials = "\n".join(
        f'{name} = {{ headers = {{ X-API-Key = "${{key.{key}}}" }} }}' for name, key in names.items()
    )
    headers = (
        'algorithm = "sliding-window-log", limit_header = "X-RateLimit-Limit", '
        'remaining_header = "X-RateLimit-Remaining"'
    )
    return GATE.format(keys=keys, credentials=credentials, headers=headers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gate.toml").write_text(gate_toml())
    (tmp_path / "cases.jsonl").write_text('{"id": "row-0", "input": {"a": 1.5}}\n')
    for name in ("auth.toml", "rate_limit.toml"):
        shutil.copy(ROOT / "scenarios" / name, tmp_path)
    return tmp_path


@pytest.fixture
def suite(folder: Path) -> Suite:
    return load_suite(folder / "gate.toml")


@pytest.fixture(scope="session")
def _key_pairs() -> dict[str, str]:
    """The same for all tests: making a key pair takes long."""
    algorithms = {"issuer": "RS256", "elliptic": "ES256"}
    signers = {name: Signer(SignerSettings(algorithm=algorithm)) for name, algorithm in algorithms.items()}
    return {
        f"GATE_SIGNER_{name.upper()}_PEM": signer.private_key.decode() for name, signer in signers.items()
    }


@pytest.fixture
def credentials(suite: Suite, _key_pairs: dict[str, str]) -> Credentials:
    return Credentials(suite.config.auth, _key_pairs)


@dataclass
class Clock:
    """Time that passes at once when it is waited for; the service and the player share it."""

    ahead_s: float = 0.0

    def time(self) -> float:
        return time.time() + self.ahead_s

    def perf_counter(self) -> float:
        return time.perf_counter() + self.ahead_s

    def sleep(self, seconds: float) -> None:
        self.ahead_s += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(playing, "time", clock)
    monkeypatch.setattr(sending, "time", clock)
    return clock


@dataclass
class Service:
    """The contract of the reference service in small. A fault is a name; without one it is correct."""

    credentials: Credentials
    clock: Clock
    fault: str = ""
    inferences: int = 0
    windows: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], object]:
        if path == LOOSE.get(self.fault):
            path = "/health"
        path = path.partition("?")[0]
        if path == "/metrics":
            return 200, {}, f"predictions_total {self.inferences}\n"
        if path in OPEN and not (self.fault == "health_counted" and "x-api-key" in headers):
            return 200, {}, {"status": "ok"}
        if path not in REQUIRED.keys() | OPEN:
            return 404, {}, error("not_found")
        return self.protected(path, headers, body)

    def protected(
        self, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], object]:
        if self.fault == "infers_first":
            self.inferences += 1
        known_features = path != "/predict" or "features" in json.loads(body)
        rows = len(json.loads(body)["instances"]) if path == "/predict/batch" else 1
        if self.fault == "body_first" and not known_features:
            return 400, {}, error("bad_body")
        identity, scopes, models, most = self.caller(headers)
        if identity is None:
            challenge = {} if self.fault == "no_challenge" else {"WWW-Authenticate": "Bearer"}
            return 401, challenge, error("unauthorized")
        told, refused = self.count(identity, headers, path, rows)
        if refused:
            return 413 if rows > ROWS_QUOTA else 429, told, error("rate_limited")
        if REQUIRED.get(path, "predict") not in scopes and self.fault != "scope_unchecked":
            return 403, told, error("forbidden")
        wrong_model = models is not None and SERVED_VERSION not in models and self.fault != "any_model"
        if wrong_model or (most is not None and rows > most and self.fault != "any_batch"):
            return 403, told, error("model_not_allowed" if wrong_model else "batch_not_allowed")
        answer = {"label": "a", "predictions": [{"label": "a"}]}
        if known_features and path != "/metadata" and self.fault != "infers_first":
            self.inferences += rows
        return (200, told, answer) if known_features else (400, told, error("bad_body"))

    def caller(self, headers: dict[str, str]) -> Caller:
        key = headers.get("x-api-key")
        if key is not None:
            return self.holder(key)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            claims = self.claims(token)
            if claims is None:
                return NOBODY
            subject = claims.get("jti") if self.fault == "tokens_counted" else claims.get("sub")
            scopes = str(claims.get("scope", "")).split()
            return f"subject:{subject}", scopes, claims.get("models"), claims.get("max_batch")
        unknown = "authorization" not in headers
        return ANYONE if self.fault == "open" and unknown else NOBODY

    def holder(self, key: str) -> Caller:
        if key == "" and self.fault == "empty_key":
            return ANYONE
        refused = [name for name, fault in REFUSED_KEYS.items() if self.fault != fault]
        names = ["default", *CLIENT_KEYS, *(f"rate_{rate}" for rate in RATE_KEYS), *REFUSED_KEYS]
        if self.fault == "one_key_a_client":
            names.remove("next")
        for name in names:
            if key == self.credentials.key(name) and name not in refused:
                scopes = ["metadata"] if name == "reader" else ["predict", "metadata"]
                models = ["0.0.0"] if name == "other_model" else None
                return name, scopes, models, 2 if name == "small_batch" else None
        return ("default", ["predict", "metadata"], None, None) if key and self.fault == "any_key" else NOBODY

    def claims(self, token: str) -> dict[str, Any] | None:
        options: dict[str, object] = {"require": ["exp", "iss", "aud", "sub"]}
        lax = {
            "expired_accepted": {"verify_exp": False},
            "exp_optional": {"require": ["iss", "aud", "sub"]},
            "nbf_unchecked": {"verify_nbf": False},
            "aud_unchecked": {"verify_aud": False, "require": ["exp", "iss", "sub"]},
            "iss_unchecked": {"verify_iss": False, "require": ["exp", "aud", "sub"]},
            "sub_optional": {"require": ["exp", "iss", "aud"]},
        }
        options |= lax.get(self.fault, {})
        try:
            header = jwt.get_unverified_header(token)
            assert isinstance(header["alg"], str)
            none = header["alg"] == "none" if self.fault == "alg_none" else header["alg"].lower() == "none"
            unsigned = self.fault in {"alg_none", "alg_none_cased"} and none
            if unsigned or (self.fault == "hmac_confusion" and header["alg"] == "HS256"):
                return jwt.decode(token, options={"verify_signature": False})
            if self.fault == "signature_unchecked":
                return jwt.decode(token, options={"verify_signature": False, **options})
            signers = {name: self.credentials.signer(name) for name in ("issuer", "elliptic")}
            signers = {signer.kid: signer for signer in signers.values()}
            if self.fault == "kid_ignored" and header["kid"] not in signers:
                header["kid"] = "rsa"
            signer = signers[header["kid"]]
            assert self.fault != "one_algorithm" or signer.algorithm == "RS256"
            if self.fault == "stripped_accepted" and token.endswith("."):
                assert header["alg"] == signer.algorithm
                return jwt.decode(token, options={"verify_signature": False})
            claims = jwt.decode(
                token,
                signer.public_key,
                algorithms=[signer.algorithm],
                audience=AUDIENCE,
                issuer=ISSUER,
                options=options,
                leeway=60,  # the player's clock may be ahead
            )
            times = [claims[name] for name in ("exp", "nbf") if name in claims]
            assert self.fault == "expiry_in_quotes" or not {str, bool} & {type(each) for each in times}
        except (jwt.PyJWTError, AssertionError, KeyError, TypeError):
            return None
        return claims

    def charge(self, identity: str, path: str, rows: int) -> tuple[str, int, int, int]:
        """Whose window counts a request, its quota and seconds, and what the request costs."""
        if identity == "rate_retry":
            return identity, 3, 5, 1
        if identity.startswith("subject:"):
            return identity, 40, 60, 1
        if identity in {"rate_rows", "rate_rows_at_once"}:
            return identity, ROWS_QUOTA, 60, 1 if self.fault == "rows_cost_nothing_more" else rows
        if identity == "rate_metadata" and path == "/metadata":
            return (
                "rate_metadata" if self.fault == "metadata_shares" else "rate_metadata:of-its-own",
                3,
                60,
                1,
            )
        if identity in {"rate_former", "rate_next"} and self.fault != "keys_count_apart":
            identity = "rate_rotating"
        boundary_s = 3 if self.fault == "window_too_long" else 2
        return identity, 5, boundary_s if identity == "rate_boundary" else 60, 1

    def count(
        self, identity: str, headers: dict[str, str], path: str, rows: int
    ) -> tuple[dict[str, str], bool]:
        if not identity.startswith(("rate_", "subject:")):
            return {}, False
        if self.fault == "subjects_share" and identity.startswith("subject:"):
            identity = "subject:"
        identity, quota, window_s, cost = self.charge(identity, path, rows)
        if self.fault == "spoofable":
            identity += headers.get("x-forwarded-for", "")
        if self.fault == "keys_share" and identity in {"rate_first", "rate_second"}:
            identity = "rate_first"
        allowed = quota + (self.fault == "one_more")
        with self.lock:
            now = self.clock.time()
            recent = [at for at in self.windows.get(identity, []) if now - at < window_s]
            refused = len(recent) + cost > allowed
            self.windows[identity] = recent if refused else [*recent, *[now] * cost]
            first = self.windows[identity][0]
        if self.fault == "race" and identity == "rate_burst":
            refused = refused and len(recent) > allowed
        left = max(0, quota - len(self.windows[identity]))
        if self.fault == "left_stands_still":
            left = quota - 1
        told = {"X-RateLimit-Limit": str(quota), "X-RateLimit-Remaining": str(left)}
        if self.fault == "silent":
            told = {}
        retry_after = {
            "retry_after_date": "Sat, 21 Nov 2026 22:55:56 GMT",
            "retry_after_short": "1",
            "retry_after_constant": str(window_s),
        }.get(self.fault, str(math.ceil(first + window_s - now)))
        if refused and self.fault != "retry_after_missing":
            told["Retry-After"] = retry_after
        return told, refused


def error(code: str) -> object:
    return {"error": {"code": code, "message": "no"}}


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # the default of 5 makes a burst wait a second for its connections


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback; gives its base URL."""
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def responded(
    service: Service, target: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request."""
    if any(len(value) > LONGEST_HEADER for _, value in headers):
        return 431, {}, b"{}"
    names = [name.lower() for name, _ in headers]
    given = {name.lower(): value for name, value in headers}
    for name in given:
        if names.count(name) > 1 and service.fault != "last_header_counts":
            given[name] = "more than one"
    status, extra, answer = service.answer(target, given, body)
    text = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    return status, {**extra, "Content-Length": str(len(text))}, text


def handler_of(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1  # headers and body in one packet

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            target = self.requestline.split()[1]  # `self.path` has lost its second slash
            status, headers, text = responded(service, target, self.headers.items(), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self):
            self.do_GET()

        def do_PUT(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    return Handler


@dataclass
class DirectSender:
    """Asks the small service without a network between: what is tested is what the scenarios find."""

    service: Service
    clock: Clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def send(self, requests: list[Request], *, started_s: float, **_: int) -> list[Exchange]:
        return [self.sent(request, started_s) for request in requests]

    def sent(self, request: Request, started_s: float) -> Exchange:
        sent_s = self.clock.perf_counter() - started_s
        headers = [*request.headers.items(), *request.further_headers]
        status, told, text = responded(self.service, request.path, headers, request.body or b"")
        answered = {name.lower(): value for name, value in told.items()}
        took_s = self.clock.perf_counter() - started_s - sent_s
        return Exchange(sent_s=sent_s, elapsed_s=took_s, status=status, headers=answered, body=text.decode())


@dataclass(frozen=True)
class FakeEndpoint:
    base_url: str
    lives: bool = True
    description: TargetDescription = field(default_factory=lambda: TargetDescription(kind=Scope.PROCESS))
    companions: dict[str, object] = field(default_factory=dict)
    log: str = ""
    keeps_all: bool = True

    def alive(self) -> bool:
        return self.lives

    def logs(self) -> str:
        return "last words"

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        return LogSearch(holds(self.log), self.keeps_all)

    @property
    def base_urls(self) -> tuple[str, ...]:
        return (self.base_url,)

    def host_address(self) -> str:
        return "127.0.0.1"


@pytest.fixture
def context_for(suite: Suite, credentials: Credentials, tmp_path: Path) -> Callable[..., CheckContext]:
    """Makes the context of a candidate at a URL."""

    def make(base_url: str, *, lives: bool = True, suite: Suite = suite) -> CheckContext:
        folder = tmp_path / "evidence"
        folder.mkdir(exist_ok=True)
        return CheckContext(
            candidate=FakeEndpoint(base_url, lives),
            reference=None,
            suite=suite,
            credentials=credentials,
            seed=1,
            folder=folder,
        )

    return make


@pytest.fixture
def serve(credentials: Credentials, clock: Clock) -> Callable[..., object]:
    """Serves the small service, with a fault or without."""
    return lambda fault="": listening(handler_of(Service(credentials, clock, fault)))


@pytest.fixture
def serve_raw() -> Callable[..., object]:
    """Serves any handler."""
    return listening


@pytest.fixture
def ask_directly(
    monkeypatch: pytest.MonkeyPatch, credentials: Credentials, clock: Clock
) -> Callable[[str], None]:
    """Has scenarios played on the small service with a fault, without a network between."""

    def use(fault: str) -> None:
        service = Service(credentials, clock, fault)
        monkeypatch.setattr(check, "Sender", lambda *_args, **_others: DirectSender(service, clock))

    return use
