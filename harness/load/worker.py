"""The load generator's process, `python -m harness.load.worker`; see `harness.load.protocol`."""

from gevent import monkey

monkey.patch_all()  # before anything else imports socket or ssl, as Locust itself would

import os  # noqa: E402 - see above
import signal  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import BinaryIO  # noqa: E402

import gevent  # noqa: E402
from gevent.fileobject import FileObjectPosix  # noqa: E402
from gevent.queue import Queue  # noqa: E402

from harness.load.local import LocalLoad  # noqa: E402
from harness.load.master import ClusterLoad  # noqa: E402
from harness.load.protocol import Begin, BlockDone, BlockRequest, Failed, Ready  # noqa: E402


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
    # The parent is gone or done: nothing is left to finish, and a load must not outlive it, nor must the
    # workers of a cluster, which are in this process's group.
    os.killpg(0, signal.SIGKILL)


def _serve(begin: Begin, lines: Queue, answers: BinaryIO) -> None:
    load = LocalLoad(begin) if begin.cluster is None else ClusterLoad(begin, begin.cluster)
    _tell(answers, Ready(unix_offset_s=load.unix_offset_s, web_url=load.web_url))
    while True:
        request = BlockRequest.model_validate_json(lines.get())
        samples, clocks = load.send(request.block)
        samples.save(Path(request.path))
        if request.last:
            load.end()
        _tell(answers, BlockDone(block=request.block, clocks=clocks))


def _tell(answers: BinaryIO, message: Ready | BlockDone | Failed) -> None:
    answers.write(message.model_dump_json().encode() + b"\n")


if __name__ == "__main__":
    main()
