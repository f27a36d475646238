"""One client's connection and the service's own for it: bytes as they come, but for what an effect holds.

Both directions are cut into messages at all times, and an effect that is idle holds them as the fault's does,
so that a fault costs no more than its effect. A direction is held back only as far as the effect has to see
it; what HTTP does not explain goes on untouched, and so does all after it.
"""

import asyncio
import contextlib
import time
from collections import deque

import h11

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Exchange, Part, Service
from harness.selftest.proxy.framing import Cut, Cutter, Held, answer_parser, request_parser
from harness.selftest.proxy.message import Message
from harness.selftest.proxy.stream import Ended, Stream

READ_BYTES = 64 * 1024
STAND_IN_S = 5.0
"""So long a client that is connected may take to ask a service that is not there."""
EVENT_STREAM = "text/event-stream"


class Relay:
    """Carries one connection until either side ends it.

    Args:
        effect: Of the proxy.
        service: Where it leads.
        client: The connection that was accepted.
        upstream: The connection to the service; None where there is none to be had.
    """

    def __init__(self, effect: Effect, service: Service, client: Stream, upstream: Stream | None) -> None:
        self._effect = effect
        self._service = service
        self._client = client
        self._upstream = upstream
        self._requests = Cutter(request_parser, opaque=service.opaque)
        self._answers = Cutter(lambda: answer_parser(self._due_method()), opaque=service.opaque)
        self._held_request: Held | None = None
        self._held_answer: Held | None = None
        # The one that the client is sending, and those that the service owes an answer, in order.
        self._exchange: Exchange | None = None
        self._due: deque[Exchange] = deque()
        self._is_due = asyncio.Event()
        self._none_due = asyncio.Event()
        self._none_due.set()
        self._spoken = False

    async def run(self) -> None:
        """Carry it; an exception that comes out is a fault of ours."""
        sides = [asyncio.create_task(self._carry_requests())]
        if self._upstream is not None:
            sides.append(asyncio.create_task(self._carry_answers(self._upstream)))
        try:
            await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            if sides[0].done() and sides[0].exception() is None:
                await asyncio.wait(sides)  # the client sends no more, and still waits for answers
        finally:
            for side in sides:
                side.cancel()
            self._end(await asyncio.gather(*sides, return_exceptions=True))

    def _end(self, outcomes: list[BaseException | None]) -> None:
        self._forget()
        ended = [each for each in outcomes if isinstance(each, Ended)]
        broken = any(isinstance(each, OSError) for each in outcomes) and not ended
        self._client.end(reset=broken or any(each.reset for each in ended))
        if self._upstream is not None:
            self._upstream.end(reset=broken)
        for each in outcomes:
            if isinstance(each, Exception) and not isinstance(each, Ended | OSError):
                raise each

    def _forget(self) -> None:
        """No answer is waited for any more."""
        left = {*self._due, *filter(None, (self._exchange,))}
        self._due.clear()
        self._exchange = None
        self._is_due.clear()
        self._none_due.set()
        for exchange in left:
            self._effect.over(exchange)

    # From the client

    async def _carry_requests(self) -> None:
        held = bool(self._effect.holds & {Part.HEAD, Part.REQUEST})
        while True:
            data = await self._client.reader.read(READ_BYTES)
            if held:
                for cut in self._requests.cut(data):
                    await self._carry_request(cut)
            else:
                for cut in self._requests.cut(data):
                    self._observe_request(cut)
                await self._to_service(data)
            if not data:
                break
        if self._upstream is not None:
            with contextlib.suppress(OSError):
                self._upstream.writer.write_eof()

    def _observe_request(self, cut: Cut) -> None:
        if isinstance(cut.event, h11.Request):
            self._exchange = Exchange(Message.of(cut.raw), self._service)
            self._owe(self._exchange)
        elif isinstance(cut.event, h11.EndOfMessage):
            self._sent()

    async def _carry_request(self, cut: Cut) -> None:
        held = self._held_request
        if isinstance(cut.event, h11.Request):
            await self._begin_request(cut)
        elif held is None:
            await self._to_service(cut.raw)
        elif not held.add(cut):
            self._held_request = None
            await self._send_on(held.raw)
        elif isinstance(cut.event, h11.EndOfMessage):
            self._held_request = None
            await self._ask(held.message())
        if isinstance(cut.event, h11.EndOfMessage):
            self._sent()

    async def _begin_request(self, cut: Cut) -> None:
        head = Message.of(cut.raw)
        self._exchange = Exchange(head, self._service)
        if Part.REQUEST not in self._effect.holds:
            await self._ask(head)
        elif head.header("expect"):
            await self._send_on(cut.raw)  # its client sends no more before the service has seen this
        else:
            self._held_request = Held(cut.raw)

    async def _ask(self, request: Message) -> None:
        """Have the effect see it, then send it on, or give the effect's own answer."""
        exchange = self._exchange
        if exchange is None:  # the connection speaks no HTTP any more
            await self._to_service(request.raw)
            return
        exchange.request = request
        await self._effect.asked(exchange)
        if self._exchange is not exchange:  # forgotten meanwhile
            self._effect.over(exchange)
        if exchange.answer is None:
            await self._send_on(exchange.request.raw)
            return
        await self._none_due.wait()  # those before it come first
        self._exchange = None
        await self._client.deliver(exchange.answer, exchange.delivery)
        self._effect.over(exchange)
        if "close" in request.header("connection").lower():
            raise Ended(reset=False)

    async def _send_on(self, raw: bytes) -> None:
        """The beginning of a request, or all of it: from now on an answer is due."""
        if self._exchange is not None:
            self._owe(self._exchange)
        await self._to_service(raw)

    def _owe(self, exchange: Exchange) -> None:
        exchange.sent_at = time.monotonic()  # at the earliest
        self._due.append(exchange)
        self._is_due.set()
        self._none_due.clear()

    def _sent(self) -> None:
        if self._exchange is not None:
            self._exchange.sent_at = time.monotonic()
            self._exchange = None

    async def _to_service(self, data: bytes) -> None:
        if self._upstream is None:
            await self._stand_in()
            raise Ended(reset=True)
        # What it said before it closed is still to be read: the other direction tells the client.
        with contextlib.suppress(OSError):
            await self._upstream.send(data)

    # From the service

    def _due_method(self) -> str | None:
        return self._due[0].request.method if self._due else None

    async def _carry_answers(self, upstream: Stream) -> None:
        held = Part.ANSWER in self._effect.holds
        broken: OSError | None = None
        while True:
            try:
                data = await upstream.reader.read(READ_BYTES)
            except OSError as error:
                broken, data = error, b""
            self._spoken = self._spoken or bool(data)
            if held:
                for cut in self._answers.cut(data):
                    await self._carry_answer(cut)
            else:
                self._client.writer.write(data)
                for cut in self._answers.cut(data):
                    self._observe_answer(cut)
                await self._client.writer.drain()
            if not data:
                break
        await self._stand_in()
        if broken is not None:
            raise broken

    def _observe_answer(self, cut: Cut) -> None:
        if cut.event is None:
            self._understand_no_more()
        elif isinstance(cut.event, h11.EndOfMessage):
            self._answered()

    async def _carry_answer(self, cut: Cut) -> None:
        held = self._held_answer
        if isinstance(cut.event, h11.Response) and Message.of(cut.raw).media_type != EVENT_STREAM:
            self._held_answer = Held(cut.raw)
        elif held is None:
            await self._client.send(cut.raw)
        elif not held.add(cut):
            self._held_answer = None
            await self._client.send(held.raw)
        elif isinstance(cut.event, h11.EndOfMessage):
            self._held_answer = None
            exchange = self._due[0]
            answer = await self._effect.answered(exchange, held.message())
            await self._client.deliver(answer, exchange.delivery)
        self._observe_answer(cut)

    def _answered(self) -> None:
        exchange = self._due.popleft()
        if exchange is self._exchange:
            self._exchange = None
        if not self._due:
            self._is_due.clear()
            self._none_due.set()
        self._effect.over(exchange)

    def _understand_no_more(self) -> None:
        """Nobody knows any more which answer is whose."""
        self._requests.opaque = True
        self._forget()

    async def _stand_in(self) -> None:
        """Where the service ended the connection without a word, let the effect speak for it.

        Raises:
            Ended: it did.
        """
        if not self._effect.stands_in or self._spoken or self._service.opaque:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_due.wait(), STAND_IN_S)
        exchange = self._due[0] if self._due else None
        if exchange is None:
            return
        self._effect.unanswered(exchange)
        if exchange.answer is not None:
            await self._client.deliver(exchange.answer, exchange.delivery)
            raise Ended(reset=False)
