"""Whoever connects is counted, and told nothing."""

import socket

import pytest

from harness.checks.scenarios.listening import Listener
from harness.errors import InfrastructureError


def call(listener):
    host, port = listener.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 2) as connection:
        assert connection.recv(1) == b""


def test_connections_are_counted_since_the_last_time():
    with Listener("127.0.0.1") as listener:
        assert listener.connections() == 0
        call(listener)
        call(listener)
        assert listener.connections() == 2
        assert listener.connections() == 0


def test_afterwards_nobody_listens():
    with Listener("127.0.0.1") as listener:
        pass
    with pytest.raises(OSError, match="refused"):
        call(listener)


def test_one_that_cannot_accept_any_more_does_not_say_that_nobody_came():
    with Listener("127.0.0.1") as listener:
        listener._socket.shutdown(socket.SHUT_RDWR)  # as any failure of accept
        with pytest.raises(InfrastructureError, match="no longer counted"):
            listener.connections()


def test_an_address_of_another_machine_is_said():
    with pytest.raises(OSError, match="assign"):
        Listener("192.0.2.1")
