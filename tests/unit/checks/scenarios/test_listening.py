"""Whoever connects is counted, and told nothing."""

import socket

import pytest

from harness.checks.scenarios.listening import Listener


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


def test_an_address_of_another_machine_is_said():
    with pytest.raises(OSError, match="assign"):
        Listener("192.0.2.1")
