"""The proxy's process, ``python -m harness.selftest.proxy.process``; ``protocol.py`` says what it is told."""

import asyncio
import os
import sys
import traceback
from functools import partial

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.effects.table import effect_of
from harness.selftest.proxy.exchange import Service
from harness.selftest.proxy.protocol import Begin, Order
from harness.selftest.proxy.relay import Relay
from harness.selftest.proxy.stream import Stream

LOOPBACK = "127.0.0.1"
BACKLOG = 1024
"""A load may open hundreds of connections at once."""


async def serve() -> None:
    """Obey the parent's lines until they end."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    begin = Begin.model_validate_json(await lines.readline())
    if begin.cores is not None:
        os.sched_setaffinity(0, begin.cores)
    effect = effect_of(begin.fault, begin.credential_headers, idle=begin.idle)
    servers = []
    carried: set[asyncio.Task[None]] = set()

    def accept(service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Once a client has gone, nothing else refers to what still waits for the service's answer.
        task = loop.create_task(_accept(effect, service, Stream(reader, writer)))
        carried.add(task)
        task.add_done_callback(carried.discard)

    while line := await lines.readline():
        order = Order.model_validate_json(line)
        if order.listen is None:
            _tell(effect.applied)
            continue
        server = await asyncio.start_server(partial(accept, order.listen), LOOPBACK, 0, backlog=BACKLOG)
        servers.append(server)
        _tell(server.sockets[0].getsockname()[1])
    # The parent is done or gone: what is still carried ends with the process.
    os._exit(0)


async def _accept(effect: Effect, service: Service, client: Stream) -> None:
    try:
        await _carry(effect, service, client)
    except Exception:  # noqa: BLE001 - a fault of ours must not look like one of the service
        traceback.print_exc()
        os._exit(1)


async def _carry(effect: Effect, service: Service, client: Stream) -> None:
    await effect.opened()
    upstream: Stream | None = None
    try:
        upstream = Stream(*await asyncio.open_connection(service.host, service.port))
    except OSError:
        if not effect.stands_in:
            client.end(reset=True)  # as the engine's own proxy does
            return
    await Relay(effect, service, client, upstream).run()


def _tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
