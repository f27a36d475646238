"""The reference service, made worse in the way that the environment says, by an amount that is known.

SLOWED_FORM: `all` lengthens each answer by the share SLOWED_AMOUNT of the time that the service took for it,
`tail` only the slowest tenth, `cpu` computes for that share of the request's CPU time, and `stalls` holds the
share SLOWED_SHARE of the answers back for SLOWED_AMOUNT seconds. All but `cpu` wait, and do not compute.
"""

import asyncio
import ctypes
import os
import random
import sys
import time
from collections import deque

from starlette.types import Message, Receive, Scope, Send

from reference_service.__main__ import main
from reference_service.api.dispatch import DirectApp

FORM = os.environ["SLOWED_FORM"]
AMOUNT = float(os.environ["SLOWED_AMOUNT"])
SHARE = float(os.environ["SLOWED_SHARE"])
SLOWEST = 0.90
REMEMBERED = 500
EVERY = 50
PR_SET_TIMERSLACK = 29
prompt = DirectApp.__call__
stalls = random.Random(SHARE)


class Waiting:
    """Sleeps that last as long as asked, by how late the earlier ones were: a loop would cost CPU time.

    Attributes:
        waited_s: In all sleeps so far. A request that began before one does not count it as its own time:
            else many at once would lengthen each other without end.
    """

    def __init__(self) -> None:
        self.late_s = 0.0
        self.waited_s = 0.0

    def wait(self, seconds: float) -> None:
        asked_s = seconds - self.late_s
        begun = time.perf_counter()
        if asked_s > 0:
            time.sleep(asked_s)  # the event loop as well: nothing else is asked meanwhile
            waited_s = time.perf_counter() - begun
            self.waited_s += waited_s
            late_s = waited_s - asked_s
            self.late_s += 0.05 * (min(late_s, 5e-4) - self.late_s)


class Tail:
    """Which requests are among the slowest tenth of the last hundreds."""

    def __init__(self) -> None:
        self.taken_s: deque[float] = deque(maxlen=REMEMBERED)
        self.limit_s = float("inf")
        self.seen = 0

    def holds(self, seconds: float) -> bool:
        self.taken_s.append(seconds)
        self.seen += 1
        if self.seen % EVERY == 0:
            self.limit_s = sorted(self.taken_s)[int(SLOWEST * len(self.taken_s))]
        return seconds >= self.limit_s


waiting = Waiting()
tail = Tail()


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def hinder(taken_s: float, cpu_s: float) -> None:
    if FORM == "cpu":
        compute(AMOUNT * cpu_s)
    elif FORM == "stalls":
        if stalls.random() < SHARE:
            await asyncio.sleep(AMOUNT)
    elif FORM == "all" or tail.holds(taken_s):
        waiting.wait(AMOUNT * taken_s)


async def slowed(app: DirectApp, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http" or scope["method"] != "POST":
        await prompt(app, scope, receive, send)
        return
    begun, cpu = time.perf_counter() - waiting.waited_s, time.process_time()

    async def held_back(message: Message) -> None:
        if message["type"] == "http.response.start":
            await hinder(time.perf_counter() - waiting.waited_s - begun, time.process_time() - cpu)
        await send(message)

    await prompt(app, scope, receive, held_back)


DirectApp.__call__ = slowed
ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
sys.exit(main())
