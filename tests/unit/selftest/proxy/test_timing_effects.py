"""How late an answer comes, how it is delivered, and what is said of it meanwhile; without waiting."""

import asyncio
import random
import time

import pytest

from harness.selftest.proxy.effect import OneIn
from harness.selftest.proxy.exchange import Delivery, Exchange, Service
from harness.selftest.proxy.message import Message

GOOD = Message.answer(200, b"{}")
UNAVAILABLE = Message.answer(503, b"{}")


def test_one_in_fifty_is_stalled(passage):
    through = passage("stalled")
    exchange = through.ask()
    late_s = [through.effect.late_s(exchange) for _ in range(500)]
    assert sorted(late_s)[-11:] == [0.0, *[0.02] * 10]


def test_each_is_slower_by_a_share_of_its_own_time(passage):
    through = passage("slower")
    exchange = through.ask()
    exchange.sent_at = time.monotonic() - 40.0
    assert through.effect.late_s(exchange) >= 10.0
    exchange.sent_at = time.monotonic() + 40.0
    assert through.effect.late_s(exchange) <= 0.0


def test_slower_after_two_thousand(passage):
    through = passage("slower_with_use")
    exchange = through.ask()
    exchange.sent_at = time.monotonic() - 40.0
    late_s = [through.effect.late_s(exchange) for _ in range(2010)]
    assert set(late_s[:2000]) == {0.0}
    assert min(late_s[2000:]) >= 40.0


def test_the_first_is_slow(passage):
    through = passage("first_request_slow")
    assert [through.effect.late_s(through.ask()) for _ in range(3)] == [2.0, 0.0, 0.0]


def test_large_requests_are_slow(passage, asking):
    through = passage("large_requests_slow")
    lengths = [40, 10, 40, 41, 10]
    late_s = [through.effect.late_s(through.ask(asking(b"x" * length))) for length in lengths]
    assert late_s == [0.0, 0.0, 0.0, 0.025, 0.0]


@pytest.mark.parametrize("seconds", [0.25e-3, 2.25e-3])
def test_a_wait_is_not_rounded_up_to_a_millisecond(passage, seconds):
    """The quickest of some: any may be slower on a busy machine. An event loop would round all of them up."""

    async def waited_s():
        begun_s = time.monotonic()
        await passage("slower").effect.wait(seconds)
        return time.monotonic() - begun_s

    async def least_s():
        return min([await waited_s() for _ in range(20)])

    assert seconds <= asyncio.run(least_s()) < seconds + 0.5e-3


def test_what_is_read_with_get_is_never_late(passage, asking):
    through = passage("first_request_slow")
    assert through.answer(GOOD, asking(method="GET")) is GOOD
    assert through.effect.applied == 0


def test_one_at_a_time(passage, asking):
    effect, order = passage("one_at_a_time").effect, []

    async def ask(number):
        exchange = Exchange(asking(), Service(host="127.0.0.1", port=9))
        await effect.asked(exchange)
        order.append(("begun", number))
        await asyncio.sleep(0)
        order.append(("over", number))
        effect.over(exchange)
        effect.over(exchange)  # said twice, it frees nobody else

    async def ask_all():
        await asyncio.gather(*map(ask, range(5)))

    asyncio.run(ask_all())
    assert order == [(what, number) for number in range(5) for what in ("begun", "over")]
    assert effect.applied == 4


@pytest.mark.parametrize(
    ("name", "one_in", "delivery"),
    [
        ("connection_dropped", 500, Delivery.DROPPED),
        ("body_cut", 200, Delivery.CUT),
        ("byte_by_byte", 1, Delivery.BYTE_BY_BYTE),
        ("closed_unannounced", 50, Delivery.THEN_CLOSED),
    ],
)
def test_deliveries(passage, asking, name, one_in, delivery):
    through = passage(name)
    deliveries = []
    for _ in range(2 * one_in):
        exchange = through.ask()
        assert asyncio.run(through.effect.answered(exchange, GOOD)) is GOOD
        deliveries.append(exchange.delivery)
    assert deliveries.count(delivery) == 2
    get = through.ask(asking(method="GET"))
    asyncio.run(through.effect.answered(get, GOOD))
    assert get.delivery is Delivery.WHOLE


def test_ready_too_early(passage, asking):
    through, get = passage("ready_too_early"), asking(method="GET")
    assert through.answer(UNAVAILABLE, get).status == 200
    assert through.answer(GOOD, get) is GOOD
    assert through.answer(UNAVAILABLE) is UNAVAILABLE
    for message, status in ((get, 200), (asking(), None)):
        exchange = through.ask(message)
        through.effect.unanswered(exchange)
        assert (exchange.answer and exchange.answer.status) == status


def test_unready_under_load(passage, asking):
    through, get = passage("unready_under_load"), asking(method="GET")
    asked = [through.ask() for _ in range(3)]
    assert through.answer(GOOD, get) is GOOD
    asked.append(through.ask())
    assert through.answer(GOOD, get).status == 503
    assert through.answer(GOOD) is GOOD
    for exchange in asked:
        through.effect.over(exchange)
        through.effect.over(exchange)


def test_answers_are_mixed_up_only_beside_others(passage, asking):
    through = passage("mixed_up_under_concurrency")
    one, other = (Message.answer(200, content) for content in (b'{"y": 1}', b'{"y": 2}'))

    def answered(exchange, answer):
        changed = asyncio.run(through.effect.answered(exchange, answer))
        through.effect.over(exchange)
        return changed

    assert answered(through.ask(), one) is one
    assert answered(through.ask(), other) is other
    first, second, elsewhere = through.ask(), through.ask(), through.ask(asking(target="/other"))
    assert answered(first, one) is other
    assert answered(elsewhere, one) is one
    assert answered(second, other) is other
    assert through.effect.applied == 1


@pytest.mark.parametrize("of", [1, 2, 7])
def test_one_in_so_many_in_a_row(of):
    one_in = OneIn(of, random.Random(0))
    hits = [one_in.hit() for _ in range(of * 20)]
    assert [sum(hits[start : start + of]) for start in range(0, len(hits), of)] == [1] * 20
