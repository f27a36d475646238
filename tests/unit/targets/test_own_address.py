"""When a container is asked at its own address: only where the bridge of its network is this machine's."""

import socket

import pytest

from harness.targets.own_address import own_address

NETWORK_ID = "0123456789abcdef" * 4
BRIDGE = "br-0123456789ab"


@pytest.fixture
def port():
    """Somebody accepts there, whoever it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def network():
    return {"IPAddress": "127.0.0.1", "Gateway": "127.0.0.1", "NetworkID": NETWORK_ID}


def test_it_is_asked_there_where_its_bridge_is_this_machines(tmp_path, port, network):
    (tmp_path / BRIDGE).mkdir()
    assert own_address(network, port, interfaces=tmp_path) == "127.0.0.1"


@pytest.mark.parametrize("other", [None, "br-ffffffffffff", "br-"])
def test_whoever_answers_at_its_address_is_not_it_without_its_bridge(tmp_path, port, network, other):
    if other:
        (tmp_path / other).mkdir()
    assert own_address(network, port, interfaces=tmp_path) is None


@pytest.mark.parametrize("untold", ["IPAddress", "Gateway", "NetworkID"])
@pytest.mark.parametrize("how", ["empty", "missing"])
def test_what_the_engine_does_not_tell_is_not_guessed(tmp_path, port, network, untold, how):
    (tmp_path / BRIDGE).mkdir()
    (tmp_path / "br-").mkdir()
    told = {**network, untold: ""} if how == "empty" else {k: v for k, v in network.items() if k != untold}
    assert own_address(told, port, interfaces=tmp_path) is None


def test_a_gateway_that_is_not_this_machine_is_none(tmp_path, port, network):
    (tmp_path / BRIDGE).mkdir()
    assert own_address(network | {"Gateway": "192.0.2.77"}, port, interfaces=tmp_path) is None


def test_nobody_answers(tmp_path, network):
    (tmp_path / BRIDGE).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        unused = server.getsockname()[1]
    assert own_address(network, unused, interfaces=tmp_path) is None
