"""A service that answers many requests at once, unless told to work them off one after the other.

Run as `python concurrent_server.py '{"delay_ms": 5.0}'`; it prints its port. `lock` 1 takes a lock around the
delay, `slower_after` and `slower_ms` make all requests beyond that number slower, `leak_bytes` are kept of
each.
"""

import asyncio
import json
import os
import sys


async def main() -> None:
    wanted = {"delay_ms": 5.0, "lock": 0, "slower_after": 0, "slower_ms": 0.0, "leak_bytes": 0}
    wanted |= json.loads(sys.argv[1])
    if wanted.get("cpus"):
        os.sched_setaffinity(0, {int(core) for core in wanted["cpus"].split(",")})
    lock, kept, answered = asyncio.Lock(), [], 0

    async def work() -> None:
        nonlocal answered
        answered += 1
        kept.append(bytearray(os.urandom(wanted["leak_bytes"])))
        slower = wanted["slower_ms"] if answered > wanted["slower_after"] else 0.0
        await asyncio.sleep((wanted["delay_ms"] + slower) / 1000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"content-length:" in head:
                    await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
                if wanted["lock"]:
                    async with lock:
                        await work()
                else:
                    await work()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
