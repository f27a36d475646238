"""The load generator's process, `python -m harness.load.worker`; see `harness.load.protocol`."""

from gevent import monkey

monkey.patch_all()  # before anything else imports socket or ssl, as Locust itself would

import gc  # noqa: E402 - see above
import os  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import BinaryIO  # noqa: E402

import gevent  # noqa: E402
from gevent.fileobject import FileObjectPosix  # noqa: E402
from gevent.queue import Queue  # noqa: E402
from locust.env import Environment  # noqa: E402

from harness.load.protocol import Begin, BlockDone, BlockRequest, Failed, Ready  # noqa: E402
from harness.load.schedule import WARMUP  # noqa: E402
from harness.load.user import paced_user, run_block  # noqa: E402
from harness.load.web import Live, serve_web  # noqa: E402


def main() -> None:
    """Serve blocks until the parent's lines end."""
    # Locust and its users may print: the protocol keeps the real standard output to itself.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    lines = Queue()
    reader = FileObjectPosix(0, "rb")
    begin = Begin.model_validate_json(reader.readline())
    gevent.spawn(_read, reader, lines)
    try:
        _serve(begin, lines, answers)
    except Exception as error:  # noqa: BLE001 - the parent decides what it means
        _tell(answers, Failed(message=f"{type(error).__name__}: {error}"))


def _read(reader: FileObjectPosix, lines: Queue) -> None:
    for line in reader:
        lines.put(line)
    os._exit(0)  # the parent is gone or done: nothing is left to finish, and a load must not outlive it


def _serve(begin: Begin, lines: Queue, answers: BinaryIO) -> None:
    plan = begin.plan
    if plan.cpu_affinity is not None:
        os.sched_setaffinity(0, plan.cpu_affinity)
    epoch_s = time.perf_counter()
    unix_offset_s = time.time() - epoch_s
    blocks = Queue()
    environment = Environment(host=plan.sides[-1].base_url)
    live = None if begin.web is None else Live(environment, plan)
    environment.user_classes = [paced_user(plan, blocks, epoch_s, None if live is None else live.follow)]
    runner = environment.create_local_runner()
    runner.start(1, spawn_rate=1)
    if plan.warmup_requests:
        run_block(blocks, WARMUP)
    web_url = None if begin.web is None or live is None else serve_web(environment, live, begin.web)
    gc.collect()
    gc.freeze()
    if web_url is None:
        gc.disable()  # the web UI's pages would pile up in a long block
    _tell(answers, Ready(unix_offset_s=unix_offset_s, web_url=web_url))
    while True:
        request = BlockRequest.model_validate_json(lines.get())
        run_block(blocks, request.block).save(Path(request.path))
        if request.last:
            runner.stop()
        gc.collect()  # only what the block left behind; the rest is frozen
        _tell(answers, BlockDone(block=request.block))


def _tell(answers: BinaryIO, message: Ready | BlockDone | Failed) -> None:
    answers.write(message.model_dump_json().encode() + b"\n")


if __name__ == "__main__":
    main()
