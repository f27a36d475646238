"""How workers are kept alive and ended; the service with real workers is in the integration tests."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_service.server.draining import waiting
from reference_service.server.listening import ListenError, bind
from reference_service.server.workers import (
    FIRST_PAUSE_S,
    LONG_LIFE_S,
    LONGEST_PAUSE_S,
    drain,
    pause_before_restart,
)


@given(st.lists(st.floats(0, LONG_LIFE_S, exclude_max=True), min_size=1, max_size=30))
def test_pauses_double_while_workers_die_young_and_are_bounded(lives):
    pause = 0.0
    for number, lived in enumerate(lives):
        pause = pause_before_restart(lived, pause)
        assert pause == min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**number)


@given(st.floats(LONG_LIFE_S, 1e9), st.floats(0, LONGEST_PAUSE_S))
def test_a_long_life_is_forgiven(lived, last_pause):
    assert pause_before_restart(lived, last_pause) == FIRST_PAUSE_S


def started(code):
    process = subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def test_drain_waits_for_an_orderly_end():
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(0.2), sys.exit(0))); "
        "print('ready'); time.sleep(60)"
    )
    processes = [started(code) for _ in range(2)]
    assert drain(processes, timeout_s=10)
    assert [process.returncode for process in processes] == [0, 0]


def test_drain_kills_what_does_not_end():
    code = "import signal,time;signal.signal(15,signal.SIG_IGN);print('ready');time.sleep(60)"
    process = started(code)
    begun = time.monotonic()
    assert not drain([process], timeout_s=0.2)
    assert time.monotonic() - begun < 10
    assert process.returncode == -signal.SIGKILL


def test_address_in_use_is_refused_by_name():
    with bind("127.0.0.1", 0, shared=False) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(ListenError, match=f"SERVICE_PORT={port}: Address already in use"):
            bind("127.0.0.1", port, shared=False)
        with pytest.raises(ListenError):
            bind("127.0.0.1", port, shared=True)


def test_foreign_address_is_refused_by_name():
    with pytest.raises(ListenError, match=r"SERVICE_HOST=192\.0\.2\.1"):
        bind("192.0.2.1", 0, shared=False)


def test_workers_share_an_address():
    with bind("127.0.0.1", 0, shared=True) as first:
        first.listen()
        with bind("127.0.0.1", first.getsockname()[1], shared=True) as second:
            second.listen()


def test_bound_socket_refuses_until_it_listens():
    with bind("127.0.0.1", 0, shared=False) as listener:
        address = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        listener.listen()
        socket.create_connection(address, timeout=5).close()


def test_everything_that_waits_to_be_accepted_is():
    with bind("127.0.0.1", 0, shared=False) as listener, ExitStack() as stack:
        listener.listen()
        listener.setblocking(False)
        assert waiting(listener) == []
        clients = [
            stack.enter_context(socket.create_connection(listener.getsockname(), timeout=5)) for _ in range(5)
        ]
        accepted = [stack.enter_context(connection) for connection in waiting(listener)]
        assert [connection.getpeername() for connection in accepted] == [
            client.getsockname() for client in clients
        ]
        assert waiting(listener) == []
