from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reference_service.access.addresses import ClientAddresses, group, parse_address
from reference_service.settings import Settings

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PROXY_ADDRESSES = st.one_of(
    st.ip_addresses(v=4, network="10.0.0.0/8"), st.ip_addresses(v=6, network="fd00::/8")
)
CLIENT_ADDRESSES = (
    st.ip_addresses()
    .filter(lambda address: not any(address in net for net in PROXIES))
    .filter(lambda address: not getattr(address, "ipv4_mapped", None))
)
NONSENSE = st.one_of(
    st.sampled_from(
        ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:port", "[::1", "::g"]
    ),
    st.text(st.characters(codec="latin-1", exclude_characters=","), max_size=20).filter(
        lambda text: parse_address(text) is None
    ),
)


def client(peer, *lines, trusted=PROXIES, **others):
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    headers += [(name.encode(), value.encode()) for name, value in others.items()]
    scope = {"type": "http", "client": (str(peer), 1), "headers": headers}
    return ClientAddresses(trusted).of(scope)


@given(peer=st.ip_addresses(), line=st.ip_addresses().map(str))
def test_without_trusted_proxies_nothing_that_is_said_counts(peer, line):
    assert client(peer, line, trusted=()) == client(peer, trusted=())


@given(peer=CLIENT_ADDRESSES, line=st.one_of(CLIENT_ADDRESSES, PROXY_ADDRESSES).map(str))
def test_a_peer_that_is_no_proxy_is_the_client_whatever_it_says(peer, line):
    assert client(peer, line) == client(peer)


@given(
    made_up=st.lists(st.one_of(PROXY_ADDRESSES.map(str), CLIENT_ADDRESSES.map(str), NONSENSE), max_size=4),
    caller=CLIENT_ADDRESSES,
    proxies=st.lists(PROXY_ADDRESSES, min_size=1, max_size=3),
)
def test_what_the_client_made_up_never_counts(made_up, caller, proxies):
    hops = [*made_up, str(caller), *map(str, proxies[:-1])]
    assert client(proxies[-1], ",".join(hops)) == group(caller)
    assert client(proxies[-1], *hops) == group(caller)  # a line for each is the same list


@given(
    left=st.lists(CLIENT_ADDRESSES.map(str), max_size=3), nonsense=NONSENSE, proxies=st.lists(PROXY_ADDRESSES)
)
def test_a_value_that_is_no_address_counts_as_the_proxy_that_passed_it_on(left, nonsense, proxies):
    hops = [*left, nonsense, *map(str, proxies)]
    assert client("10.0.0.1", ", ".join(hops)) == group(proxies[0] if proxies else IPv4Address("10.0.0.1"))


@given(text=st.text(max_size=40))
def test_any_text_is_an_address_or_none(text):
    address = parse_address(text)
    assert address is None or parse_address(str(address)) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_spellings_of_one_address(text, address):
    assert str(parse_address(text)) == address


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_the_host_part_of_an_ipv6_address_brings_nothing(address, host):
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    assert group(address) == group(neighbour)
    assert group(address) != group(IPv6Address(int(address) ^ 1 << 64))


def test_what_is_too_long_for_an_address_is_none_and_is_not_remembered():
    remembered = parse_address.cache_info().currsize
    for number in range(10):
        assert client("10.0.0.1", " " * 100 + f"192.0.2.{number}") == "10.0.0.1"
    assert parse_address.cache_info().currsize <= remembered + 2


def test_other_forwarding_headers_are_ignored_even_of_a_proxy():
    others = {"forwarded": "for=192.0.2.9", "x-real-ip": "192.0.2.9"}
    assert client("10.0.0.1", **others) == "10.0.0.1"


@pytest.mark.parametrize("peer", [("testclient", 50000), None])
def test_a_peer_without_an_address_is_unknown(peer):
    assert ClientAddresses(PROXIES).of({"type": "http", "client": peer, "headers": []}) == "unknown"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("10.0.0.1/8", "host bits"),
        ("proxy.test", "10.0.0.0/8"),
        ("0.0.0.0/0", "everyone"),
        ("::/0", "everyone"),
    ],
)
def test_networks_that_can_not_be_meant_are_refused(monkeypatch, text, problem):
    monkeypatch.setenv("SERVICE_TRUSTED_PROXIES", f"10.0.0.0/8,{text}")
    with pytest.raises(ValidationError, match=problem):
        Settings()


def test_networks_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("SERVICE_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,192.0.2.7")
    assert Settings().trusted_proxies == (*PROXIES, ip_network("192.0.2.7/32"))
