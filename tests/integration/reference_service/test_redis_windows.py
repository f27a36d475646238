"""The windows of quotas in a Redis: they count as a process does, behind its password and certificate."""

import asyncio
import secrets
import time

import pytest
from certificates import new_authority
from hypothesis import given, settings
from hypothesis import strategies as st
from own_containers import readable
from redis_server import redis_server

from reference_service.access.redis_windows import RedisWindows
from reference_service.access.windows import Charge, LocalWindows, WindowsUnavailableError

pytestmark = pytest.mark.engine

TIMEOUT_S = 5.0


async def used(url, window):
    """How much of a window was used before this charge of one."""
    windows = RedisWindows(url, TIMEOUT_S)
    try:
        return (await windows.charge([Charge("q", window, 3, 60, 1)]))[0].used
    finally:
        await windows.close()


def test_a_wrong_password_is_an_outage_that_repeats_none(redis):
    with pytest.raises(WindowsUnavailableError) as caught:
        asyncio.run(used(redis.url.replace(redis.password, "hunter2"), "a"))
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
            shared, local = RedisWindows(redis.url, TIMEOUT_S), LocalWindows(lambda: 0.0)
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


def test_a_redis_behind_tls_is_asked_only_if_its_certificate_is_trusted(engine, redis_image, tmp_path):
    authority = new_authority(readable(tmp_path), "authority")
    issued = authority.issue("redis")
    readable(issued.key_file)
    arguments = ["--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no"]
    arguments += ["--tls-cert-file", "/run/tls/redis.pem", "--tls-key-file", "/run/tls/redis.key"]
    volumes = {str(tmp_path): {"bind": "/run/tls", "mode": "ro"}}
    with redis_server(engine, redis_image, *arguments, scheme="rediss", volumes=volumes) as redis:
        assert asyncio.run(used(f"{redis.url}?ssl_ca_certs={authority.file}", "a")) == 0
        for url in (redis.url, redis.url.replace("rediss://", "redis://")):
            with pytest.raises(WindowsUnavailableError):
                asyncio.run(used(url, "a"))


def test_a_database_number_of_its_own_shares_nothing(redis):
    other = redis.url.removesuffix("0") + "1"
    assert [asyncio.run(used(url, "same")) for url in (redis.url, redis.url, other)] == [0, 1, 0]


def test_a_window_in_redis_ends_when_it_said(redis):
    charge = Charge("q", "short", 1, 1, 1)

    async def ask():
        windows = RedisWindows(redis.url, TIMEOUT_S)
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


def test_connections_that_the_store_closed_cost_no_charge(redis):
    """As after its restart: each idle connection of the pool would be one more outage."""
    at_once = 8

    async def ask():
        windows = RedisWindows(redis.url, TIMEOUT_S)

        async def charge_at_once():
            charges = [[Charge("q", f"closed/{i}", 3, 60, 1)] for i in range(at_once)]
            return await asyncio.gather(*map(windows.charge, charges))

        try:
            await charge_at_once()
            kill = ("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            closed = await asyncio.to_thread(redis.command, *kill)
            states = await charge_at_once()
        finally:
            await windows.close()
        return int(closed), [state.used for [state] in states]

    closed, used_before = asyncio.run(ask())
    assert closed > 1
    assert used_before == [1] * at_once
