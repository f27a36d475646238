"""The reference service, made worse in the way that the environment says, by an amount that is known.

SLOWED_FORM: `all` lengthens each answer by the share SLOWED_AMOUNT of the time that the service took for it,
`tail` only the slowest tenth, `cpu` computes for that share of all CPU time since the last answer, `stalls`
holds the share SLOWED_SHARE of the answers, drawn with SLOWED_SEED, back for SLOWED_AMOUNT seconds. All but
`cpu` wait, and compute nothing.
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
stalls = random.Random(os.environ["SLOWED_SEED"])


class Waiting:
    """Sleeps that last as long as asked, by how late the earlier ones were: a loop would cost CPU time."""

    def __init__(self) -> None:
        self.late_s = 0.0

    def wait(self, seconds: float) -> None:
        asked_s = seconds - self.late_s
        begun = time.perf_counter()
        if asked_s > 0:
            time.sleep(asked_s)  # the event loop as well: nothing else is asked meanwhile
            late_s = time.perf_counter() - begun - asked_s
            self.late_s += 0.05 * (min(late_s, 5e-4) - self.late_s)


class Last:
    """When the last answer was sent, by the clock and by the CPU time of the process.

    What many requests at once take together counts once, as the own time of each begins at the last answer.
    """

    def __init__(self) -> None:
        self.sent_s = self.cpu_s = 0.0

    def is_now(self) -> None:
        self.sent_s, self.cpu_s = time.perf_counter(), time.process_time()


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
last = Last()
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
    begun = time.perf_counter()

    async def held_back(message: Message) -> None:
        if message["type"] == "http.response.start":
            await hinder(time.perf_counter() - max(begun, last.sent_s), time.process_time() - last.cpu_s)
            last.is_now()
        await send(message)

    await prompt(app, scope, receive, held_back)


DirectApp.__call__ = slowed
ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
last.is_now()
sys.exit(main())
