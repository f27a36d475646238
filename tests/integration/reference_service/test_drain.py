"""SIGTERM under load: every request sent on an accepted connection is answered, and the exit code is 0.

What counts as lost is defined in `steady_load`. The load goes to the container's own address: a proxy between
would accept connections for a service that no longer does.
"""

import socket
import time

import pytest
from steady_load import SteadyLoad, is_whole

pytestmark = pytest.mark.engine

KEPT_ALIVE, NEW = 6, 2
BEFORE_S = 0.7
STOP_TIMEOUT_S = 15
UNLIMITED = {"SERVICE_RATE_LIMIT": "1000000/second", "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local"}


@pytest.fixture
def stopped_under_load(serving, predict_request):
    """Starts a service, stops it under load as `docker stop` does; gives what became of the requests."""

    def stop(workers):
        with serving(environment=UNLIMITED | {"SERVICE_WORKERS": str(workers)}) as service:
            container = service.container
            container.reload()
            (network,) = container.attrs["NetworkSettings"]["Networks"].values()
            address = (network["IPAddress"], 8000)
            with SteadyLoad(address, predict_request, kept_alive=KEPT_ALIVE, new=NEW) as load:
                time.sleep(BEFORE_S)
                before = sum(load.tally.statuses.values())
                container.stop(timeout=STOP_TIMEOUT_S)
            assert container.wait()["StatusCode"] == 0, container.logs().decode()[-2000:]
        assert before > 50
        return load.tally

    return stop


def assert_nothing_lost(tally):
    assert tally.lost == []
    assert len(tally.reset_when_new) <= 1  # in the microseconds before the listening socket is closed
    assert tally.statuses.keys() == {200}
    assert tally.refused == KEPT_ALIVE + NEW  # each client went on until nobody accepted its connection


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_under_load_loses_no_accepted_request(stopped_under_load, workers):
    assert_nothing_lost(stopped_under_load(workers))


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(20))
def test_sigterm_under_load_loses_no_accepted_request_in_20_tries(stopped_under_load, attempt):
    assert_nothing_lost(stopped_under_load(1 + attempt % 2))


def test_a_killed_service_does_lose_requests(serving, predict_request):
    """The load notices a loss: it is not blind."""
    with serving(environment=UNLIMITED) as service:
        service.container.reload()
        (network,) = service.container.attrs["NetworkSettings"]["Networks"].values()
        address = (network["IPAddress"], 8000)
        with SteadyLoad(address, predict_request, kept_alive=KEPT_ALIVE, new=NEW) as load:
            time.sleep(BEFORE_S)
            service.container.kill("SIGKILL")
        assert load.tally.lost


def answer_on(connection):
    answer = b""
    while not is_whole(answer):
        piece = connection.recv(65536)
        assert piece, answer
        answer += piece
    return answer


def test_idle_connection_is_closed_after_a_moment_and_one_more_request_on_it_is_answered(
    serving, predict_request
):
    with serving() as service:
        address = ("127.0.0.1", service.client.base_url.port)
        service.client.close()
        with (
            socket.create_connection(address, timeout=10) as idle,
            socket.create_connection(address, timeout=10) as late,
        ):
            for connection in (idle, late):
                connection.sendall(predict_request)
                assert answer_on(connection).startswith(b"HTTP/1.1 200 ")
            service.container.kill("SIGTERM")
            time.sleep(0.4)
            late.sendall(predict_request)
            answer = answer_on(late)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer
            begun = time.monotonic()
            assert idle.recv(65536) == b""
            assert time.monotonic() - begun < 5
        assert service.container.wait(timeout=STOP_TIMEOUT_S)["StatusCode"] == 0
