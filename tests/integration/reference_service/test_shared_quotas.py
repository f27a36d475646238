"""Replicas and workers that count in one Redis, in containers, and what holds while that Redis is gone."""

import asyncio
import json
import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_service
from reference_service.access.redis_windows import RedisWindows
from reference_service.access.windows import Charge, LocalWindows, WindowsUnavailableError

pytestmark = pytest.mark.engine

ARTIFACT = Path(reference_service.__file__).parent / "artifacts" / "breast-cancer"
LABEL = "harness.test.reference_service"
DOCKERFILE = """
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server
USER 10001:10001
ENTRYPOINT ["redis-server", "--save", "", "--dir", "/tmp", "--protected-mode", "no", "--requirepass"]
"""
URL_INSIDE = "/run/redis_url"
QUOTA = 30
AT_ONCE = 12
START_TIMEOUT_S = 20
LOG_TIMEOUT_S = 5
HANG_BOUND_S = 3.0
"""The service waits 0.5 s for Redis; the rest is what a busy machine may take."""


@dataclass(frozen=True)
class RedisServer:
    """A Redis with a password, on a network that has its name, and on a loopback port."""

    container: Any
    network: str
    password: str
    scheme: str

    @property
    def port(self):
        self.container.reload()
        return self.container.ports["6379/tcp"][0]["HostPort"]

    @property
    def url(self):
        """Where this machine finds it."""
        return f"{self.scheme}://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def url_inside(self):
        """Where containers of its network find it."""
        return f"{self.scheme}://:{self.password}@{self.network}:6379/0"

    def command(self, *words):
        tls = ["--tls", "--insecure"] if self.scheme == "rediss" else []
        command = ["redis-cli", *tls, *words]
        done = self.container.exec_run(command, environment={"REDISCLI_AUTH": self.password})
        return done.output.decode().strip()

    def until_it_answers(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.command("PING") != "PONG":
            assert time.monotonic() < deadline, self.container.logs().decode()
            time.sleep(0.05)


@pytest.fixture(scope="module")
def redis_image(build_image):
    return build_image("redis", DOCKERFILE)


@contextmanager
def redis_server(engine, redis_image, *arguments, scheme="redis", **options):
    """Starts a Redis, and removes it and its network in the end."""
    name, password = f"harness-test-redis-{secrets.token_hex(4)}", secrets.token_hex(16)
    network = engine.networks.create(name, labels={LABEL: ""})
    try:
        container = engine.containers.create(
            redis_image,
            [password, *arguments],
            read_only=True,
            tmpfs={"/tmp": ""},
            ports={"6379/tcp": ("127.0.0.1", None)},
            network=name,
            name=name,
            labels={LABEL: ""},
            **options,
        )
        try:
            container.start()
            server = RedisServer(container, name, password, scheme)
            server.until_it_answers()
            yield server
        finally:
            container.remove(force=True, v=True)
    finally:
        network.remove()


@pytest.fixture
def redis(engine, redis_image):
    with redis_server(engine, redis_image) as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate of the loopback address, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    loopback = x509.IPAddress(ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "redis.pem"
    file.write_bytes(pem + signed.public_bytes(Encoding.PEM))
    file.chmod(0o644)
    return file


@pytest.fixture(scope="module")
def sample():
    return json.loads((ARTIFACT / "manifest.json").read_text())["sample"]["input"]


@pytest.fixture
def sharing(redis, serving, tmp_path):
    """Starts a service that counts in the Redis."""
    url = tmp_path / "redis_url"
    url.write_text(f"{redis.url_inside}\n")
    url.chmod(0o644)
    tmp_path.chmod(0o755)

    @contextmanager
    def start(**more):
        environment = {
            "SERVICE_RATE_LIMIT": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_METADATA": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_ROWS": f"{QUOTA} per 300 seconds",
            "SERVICE_RATE_LIMIT_REDIS_URL_FILE": URL_INSIDE,
            **more,
        }
        with serving(environment=environment, files={URL_INSIDE: url}, network=redis.network) as service:
            yield service

    return start


def statuses_of(services, requests, ask):
    """How often each status was answered to requests sent to the services in turn, several at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda number: ask(services[number % len(services)]), range(requests))
        return Counter(answer.status_code for answer in answers)


def metadata(service):
    """Ask over a connection of its own, so that any worker may get it."""
    return httpx.get(service.client.base_url.join("/metadata"), headers=service.client.headers, timeout=10)


def assert_log_about_redis(service, *levels):
    """The log has lines of these levels, and no others; it is written a moment later."""
    deadline = time.monotonic() + LOG_TIMEOUT_S
    found = []
    while len(found) < len(levels) and time.monotonic() < deadline:
        lines = [json.loads(line) for line in service.container.logs().decode().splitlines()]
        found = [line["level"] for line in lines if "rate limits: Redis" in line["message"]]
    assert found == list(levels)


def storage_errors(service):
    [line] = [
        line
        for line in service.client.get("/metrics").text.splitlines()
        if line.startswith("rate_limit_storage_errors_total{")
    ]
    return float(line.split()[-1])


def until(status, service):
    deadline = time.monotonic() + START_TIMEOUT_S
    while metadata(service).status_code != status:
        assert time.monotonic() < deadline, service.container.logs().decode()
        time.sleep(0.1)


def test_two_replicas_answer_one_quota_between_them(sharing, redis):
    with sharing() as first, sharing() as second:
        counts = statuses_of([first, second], 2 * QUOTA, metadata)
        assert counts == {200: QUOTA, 429: QUOTA}
        refused = metadata(second)
        assert refused.headers["x-ratelimit-limit"] == str(QUOTA)
        assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert redis.command("KEYS", "*").startswith("rate-limit/metadata/")


def test_two_replicas_charge_batches_whole_or_not_at_all(sharing, redis, sample):
    rows = 7

    def batch(service):
        body = {"instances": [sample] * rows}
        return httpx.post(
            service.client.base_url.join("/predict/batch"),
            json=body,
            headers=service.client.headers,
            timeout=10,
        )

    with sharing() as first, sharing() as second:
        counts = statuses_of([first, second], 12, batch)
        assert counts == {200: QUOTA // rows, 429: 12 - QUOTA // rows}
        [window] = [key for key in redis.command("KEYS", "*").split() if "/rows/" in key]
        assert redis.command("GET", window) == str(QUOTA // rows * rows)


def test_two_workers_answer_one_quota_between_them(sharing):
    with sharing(SERVICE_WORKERS="2") as service:
        assert statuses_of([service], 2 * QUOTA, metadata) == {200: QUOTA, 429: QUOTA}


def test_two_workers_without_redis_would_answer_more(serving):
    environment = {
        "SERVICE_WORKERS": "2",
        "SERVICE_RATE_LIMIT_METADATA": f"{QUOTA} per 300 seconds",
        "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local",
    }
    with serving(environment=environment) as service:
        assert statuses_of([service], 3 * QUOTA, metadata)[200] > QUOTA


def test_a_redis_that_is_stopped_and_comes_back(sharing, redis):
    with ExitStack() as stack:
        refusing = stack.enter_context(sharing())
        local = stack.enter_context(sharing(SERVICE_RATE_LIMIT_WITHOUT_REDIS="local"))
        assert [metadata(refusing).status_code, metadata(local).status_code] == [200, 200]
        redis.container.stop(timeout=2)
        assert statuses_of([local], 2 * QUOTA, metadata) == {200: QUOTA, 429: QUOTA}
        assert statuses_of([refusing], QUOTA, metadata) == {503: QUOTA}
        refused = metadata(refusing)
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["code"] == "rate_limit_unavailable"
        assert refusing.client.get("/ready").status_code == httpx.codes.OK
        assert storage_errors(refusing) >= 1
        redis.container.start()
        for service in (refusing, local):
            until(200, service)  # a Redis without persistence has forgotten what was used
            assert_log_about_redis(service, "error", "warning")
            assert redis.password not in service.container.logs().decode()


def test_a_redis_that_hangs_holds_up_nobody(sharing, redis):
    with sharing() as service:
        assert metadata(service).status_code == httpx.codes.OK
        redis.container.pause()
        try:
            for _ in range(2):
                started = time.monotonic()
                assert statuses_of([service], QUOTA, metadata) == {503: QUOTA}
                assert time.monotonic() - started < HANG_BOUND_S
        finally:
            redis.container.unpause()
        until(200, service)
        assert_log_about_redis(service, "error", "warning")


def test_a_service_that_starts_before_redis_behaves_as_declared(sharing, redis):
    redis.container.stop(timeout=2)
    with sharing() as service:
        assert metadata(service).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert_log_about_redis(service, "error")
        redis.container.start()
        until(200, service)


def test_a_wrong_password_is_an_outage_that_repeats_none(redis):
    async def charge():
        windows = RedisWindows(redis.url.replace(redis.password, "hunter2"))
        try:
            await windows.charge([])
        finally:
            await windows.close()

    with pytest.raises(WindowsUnavailableError) as caught:
        asyncio.run(charge())
    assert "hunter2" not in str(caught.value)


WINDOWS = {"a": 3, "b": 5, "c": 8}
CHARGES = st.lists(
    st.lists(
        st.tuples(st.sampled_from(sorted(WINDOWS)), st.integers(1, 9)),
        min_size=1,
        max_size=3,
        unique_by=lambda pair: pair[0],
    ),
    max_size=12,
)


def test_redis_decides_as_a_process_does(redis):
    @settings(deadline=None, max_examples=60, derandomize=True)
    @given(steps=CHARGES)
    def agrees(steps):
        run = secrets.token_hex(8)

        async def both():
            shared, local = RedisWindows(redis.url), LocalWindows(lambda: 0.0)
            try:
                for asked in steps:
                    charges = [Charge("q", f"{run}/{name}", WINDOWS[name], 900, cost) for name, cost in asked]
                    ours, theirs = await local.charge(charges), await shared.charge(charges)
                    assert [s.used for s in theirs] == [s.used for s in ours]
                    assert all(880 < s.ends_in_s <= 900 for s in theirs)
            finally:
                await shared.close()

        asyncio.run(both())

    agrees()


def test_a_redis_behind_tls_is_asked_only_if_its_certificate_is_trusted(engine, redis_image, certificate):
    async def used(url):
        windows = RedisWindows(url)
        try:
            return (await windows.charge([Charge("q", "a", 3, 60, 1)]))[0].used
        finally:
            await windows.close()

    pem = "/run/redis.pem"
    arguments = ["--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"]
    arguments += ["--tls-cert-file", pem, "--tls-key-file", pem]
    volumes = {str(certificate): {"bind": pem, "mode": "ro"}}
    with redis_server(engine, redis_image, *arguments, scheme="rediss", volumes=volumes) as redis:
        assert asyncio.run(used(f"{redis.url}?ssl_ca_certs={certificate}")) == 0
        for url in (redis.url, redis.url.replace("rediss://", "redis://")):
            with pytest.raises(WindowsUnavailableError):
                asyncio.run(used(url))


def test_a_database_number_of_its_own_shares_nothing(redis):
    async def used(url):
        windows = RedisWindows(url)
        try:
            return (await windows.charge([Charge("q", "same", 3, 60, 1)]))[0].used
        finally:
            await windows.close()

    other = redis.url.removesuffix("0") + "1"
    assert [asyncio.run(used(url)) for url in (redis.url, redis.url, other)] == [0, 1, 0]


def test_a_window_in_redis_ends_when_it_said(redis):
    charge = Charge("q", "short", 1, 1, 1)

    async def ask():
        windows = RedisWindows(redis.url)
        try:
            [first] = await windows.charge([charge])
            [refused] = await windows.charge([charge])
            assert 0 < refused.ends_in_s <= charge.period_s
            await asyncio.sleep(refused.ends_in_s + 0.002)
            [again] = await windows.charge([charge])
        finally:
            await windows.close()
        return first.used, refused.used, again.used

    assert asyncio.run(ask()) == (0, 1, 0)
    time.sleep(1.1)
    assert redis.command("DBSIZE") == "0"
