"""The proxy as a target: it comes and goes with the service, whatever happens, and never stands for it."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from local_processes import alive_after, descendants, first_line, free_port
from proxied_service import KEYS, serving

from harness.checks.fuzz.corpus import CORPUS
from harness.checks.fuzz.raw_message import Valid
from harness.checks.fuzz.raw_socket import exchange
from harness.errors import InfrastructureError, Interrupted, TargetError
from harness.http_request import Request
from harness.model import Scope, TargetDescription
from harness.selftest.proxy import built_in_faults, injected, pass_through
from harness.selftest.proxy.framing import MOST_HELD_BYTES
from harness.testing import FakeEndpoint, FakeTarget, never_ready

END_S = 10
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
VALID = Valid(
    request=Request("POST", "/predict", {"Content-Type": "application/json"}, b'{"x":[1.5,2]}'),
    host="service",
)
MOST_BYTES = 2 * 1024 * 1024
PARENT = """
import sys, time
from harness.model import Scope, TargetDescription
from harness.selftest.proxy import injected, pass_through
from harness.testing import FakeEndpoint, FakeTarget

endpoint = FakeEndpoint(base_url=sys.argv[1], description=TargetDescription(kind=Scope.PROCESS))
with injected(FakeTarget(endpoint=endpoint).launch(), pass_through()).start() as placed:
    print(placed.base_url, flush=True)
    time.sleep(600)
"""


def fault(name, **parameters):
    found = next(fault for fault in built_in_faults() if fault.name == name)
    return found.model_copy(update={"parameters": {**found.parameters, **parameters}})


def own_descendants():
    return descendants(os.getpid())


def placed(endpoint, with_fault=None, **how):
    target = FakeTarget(endpoint=endpoint)
    return target, injected(target.launch(), with_fault or pass_through(), **how).start()


def process_endpoint(url, **more):
    return FakeEndpoint(base_url=url, description=TargetDescription(kind=Scope.PROCESS, url=url), **more)


def test_all_but_the_urls_is_the_services_own():
    endpoint = process_endpoint("http://127.0.0.1:9/prefix", written="its log", used_s=1.5, held_bytes=7)
    _, target = placed(endpoint)
    with target as through:
        assert through.base_urls == (through.base_url,)
        assert through.base_url == through.load_url != endpoint.base_url
        assert urlsplit(through.base_url).path == "/prefix"
        assert (through.logs(), through.cpu_s(), through.memory_bytes()) == ("its log", 1.5, 7)
        assert (through.description, through.host_address()) == (endpoint.description, "127.0.0.1")
        assert through.search_log(lambda text: "its" in text).found
        assert through.alive()
        endpoint.is_alive = False
        assert not through.alive()
        for ask in (through.exit_code, through.processes, lambda: through.terminate(0, lambda: None)):
            with pytest.raises(InfrastructureError):
                ask()


def test_it_is_removed_with_the_service():
    before = own_descendants()
    target, through = placed(process_endpoint("http://127.0.0.1:9"))
    with through as endpoint:
        (proxy,) = own_descendants() - before
        assert (target.entered, target.left) == (1, 0)
        url = endpoint.base_url
    assert target.left == 1
    assert alive_after({proxy}, 0) == set()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


@pytest.mark.parametrize("error", [TargetError("gone"), Interrupted("SIGTERM"), ZeroDivisionError()])
def test_it_is_removed_whatever_happens(error):
    before = own_descendants()
    target, through = placed(process_endpoint("http://127.0.0.1:9"))
    with pytest.raises(type(error)), through:
        raise error
    assert target.left == 1
    assert own_descendants() - before == set()


def test_a_service_that_does_not_start_leaves_no_proxy():
    before = own_descendants()
    launch = never_ready().launch()
    launch = type(launch)(TargetDescription(kind=Scope.PROCESS), launch.start)
    with pytest.raises(TargetError, match="not ready"), injected(launch, pass_through()).start():
        pass
    assert own_descendants() - before == set()


def test_a_proxy_that_died_says_nothing_of_the_service():
    ends = []
    target, through = placed(process_endpoint("http://127.0.0.1:9"), on_end=ends.append)
    with pytest.raises(InfrastructureError, match="fault-injecting proxy"):
        blame_the_candidate(through)
    assert target.left == 1
    assert ends == []


def blame_the_candidate(through):
    """What a check does that gets no answers any more."""
    before = own_descendants()
    with through as endpoint:
        (proxy,) = own_descendants() - before
        os.kill(proxy, signal.SIGKILL)
        assert alive_after({proxy}, END_S) == set()
        with pytest.raises(InfrastructureError):
            endpoint.alive()
        raise TargetError("the candidate died")


def test_it_does_not_outlive_a_parent_that_is_killed():
    with (
        serving() as service,
        subprocess.Popen([sys.executable, "-c", PARENT, service.url], stdout=subprocess.PIPE) as parent,
    ):
        try:
            url = first_line(parent).decode().strip()
            assert httpx.get(f"{url}/ready", trust_env=False).status_code == 200
            started = descendants(parent.pid)
            assert started
        finally:
            parent.kill()
        parent.wait(END_S)
        assert alive_after(started, END_S) == set()


def test_secrets_are_on_no_command_line_and_in_no_environment(monkeypatch):
    monkeypatch.setenv("GATE_KEY_CALLER", "a-secret-of-the-run")
    before = own_descendants()
    _, through = placed(process_endpoint("http://127.0.0.1:9"))
    with through:
        (proxy,) = own_descendants() - before
        for name in ("cmdline", "environ"):
            assert b"a-secret-of-the-run" not in Path(f"/proc/{proxy}/{name}").read_bytes()


def test_it_runs_on_the_cores_of_its_service():
    core = min(os.sched_getaffinity(0))
    before = own_descendants()
    target = FakeTarget(endpoint=process_endpoint("http://127.0.0.1:9"))
    with injected(target.launch(), pass_through()).start(str(core)):
        (proxy,) = own_descendants() - before
        assert os.sched_getaffinity(proxy) == {core}


def test_a_variant_is_the_services_own():
    target = FakeTarget(endpoint=process_endpoint("http://127.0.0.1:9"))
    with injected(target.launch(), pass_through()).start(variant="tls", until_ready=False):
        assert target.variants == ["tls"]


def test_a_service_that_is_not_there_is_not_there():
    _, through = placed(process_endpoint(f"http://127.0.0.1:{free_port()}"))
    with through as endpoint, pytest.raises(httpx.TransportError):
        httpx.get(endpoint.base_url, trust_env=False)


@pytest.mark.parametrize("accepts", [False, True])
def test_ready_too_early_speaks_for_a_service_that_is_not_there(accepts):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if accepts:  # as the engine's proxy does before the container listens
            nobody.listen()
        _, through = placed(
            process_endpoint(f"http://127.0.0.1:{nobody.getsockname()[1]}"), fault("ready_too_early")
        )
        with through as endpoint, socket_of(endpoint) as client:
            if accepts:
                connection, _ = nobody.accept()
                connection.close()
            client.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 200"


def socket_of(endpoint):
    address = urlsplit(endpoint.base_url)
    return socket.create_connection((address.hostname, address.port), timeout=END_S)


def test_a_reset_goes_on_as_one():
    with socket.create_server(("127.0.0.1", 0)) as server:
        _, through = placed(process_endpoint(f"http://127.0.0.1:{server.getsockname()[1]}"))
        with through as endpoint, socket_of(endpoint) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection, _ = server.accept()
            connection.settimeout(END_S)
            assert connection.recv(3) == b"GET"
            connection.close()  # what it has not read makes this a reset
            with pytest.raises(ConnectionResetError):
                client.recv(1)


@pytest.mark.parametrize(("spaces", "status"), [(0, 200), (MOST_HELD_BYTES, 422)])
def test_what_is_too_large_to_be_held_goes_through_as_it_is(spaces, status):
    content = b'{"x": [null, 1' + b" " * spaces + b"]}"
    headers = {"Content-Type": "application/json", "X-API-Key": KEYS[0]}
    with serving() as service:
        _, through = placed(process_endpoint(service.url), fault("null_taken_for_zero"))
        with through as endpoint:
            url = f"{endpoint.base_url}/predict"
            answer = httpx.post(url, content=content, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == status


def test_other_names_of_credentials_are_those_of_the_suite():
    with serving() as service:
        stripped = fault("credentials_stripped")
        for names, told in (((), "me"), (("X-Request-ID",), None)):
            _, through = placed(process_endpoint(service.url), stripped, credential_headers=names)
            with through as endpoint:
                answer = httpx.get(
                    f"{endpoint.base_url}/ready", headers={"X-Request-ID": "me"}, trust_env=False
                )
            assert answer.headers.get("X-Request-ID") == told


def received(server, length):
    """What comes on the next connection, up to so many bytes; it is answered and closed."""
    connection, _ = server.accept()
    with connection:
        connection.settimeout(END_S)
        content = b""
        while len(content) < length and (piece := connection.recv(65536)):
            content += piece
        connection.sendall(OK)
    return content


# Without a length its body is the beginning of another request, which goes on once it is whole.
HALF = frozenset({"content-length-missing"})


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("none", frozenset()),
        ("stale_answer", frozenset()),
        ("text_taken_for_number", HALF),
        ("large_integers_rounded", HALF),
        ("any_credential_accepted", HALF),
    ],
)
def test_odd_requests_arrive_as_they_are(name, left_out):
    """Whether requests are held, answers, both or neither."""
    payloads = {case.name: case.compose(VALID) for case in CORPUS}
    sent = {
        case: payload
        for case, payload in payloads.items()
        if payload and payload.size_bytes <= MOST_BYTES and not payload.abort and not payload.senders
        if case not in left_out
    }
    assert len(sent) > 100
    arrived = {}
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(END_S)
        _, through = placed(process_endpoint(f"http://127.0.0.1:{server.getsockname()[1]}"), fault(name))
        with through as endpoint:
            for case, payload in sent.items():
                arriving = pool.submit(received, server, payload.size_bytes)
                exchange(endpoint.base_url, payload, END_S)
                arrived[case] = arriving.result()
    wrong = [case for case, payload in sent.items() if arrived[case] != b"".join(payload.parts)]
    assert wrong == []


def test_clients_that_go_without_an_answer_do_not_harm_it():
    """Their connections end with the service's, and not when Python collects what nobody refers to."""
    with serving() as service:
        _, through = placed(process_endpoint(service.url))
        with through as endpoint, httpx.Client(base_url=endpoint.base_url, trust_env=False) as client:
            for _ in range(100):
                with socket_of(endpoint) as gone:
                    gone.sendall(b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            for _ in range(500):
                assert client.get("/ready").status_code == 200
