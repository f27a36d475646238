"""``harness traffic``: record the requests of a service that is in use, for ``[drift] traffic``."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.errors import ExitCode, InfrastructureError, Interrupted, UsageError
from harness.targets.url import require_plain
from harness.traffic.proxy import RecordingProxy
from harness.traffic.recorder import Recorder

MOST_PORT = 65535

app = typer.Typer(no_args_is_help=True, help="Record the requests of a service that is in use.")


@app.callback()
def traffic() -> None:
    """Record the requests of a service that is in use."""


@app.command("record")
def record(
    upstream: Annotated[str, typer.Argument(metavar="URL", help="The service that answers.")],
    out: Annotated[Path, typer.Option("--out", help="The recording; it must not exist yet.")],
    listen: Annotated[
        str, typer.Option("--listen", help="Where callers ask instead, host:port.")
    ] = "127.0.0.1:8080",
    path: Annotated[
        list[str] | None, typer.Option("--path", help="Record this path only (repeatable).")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop", help="Leave the member at this JSON pointer out of recorded bodies (repeatable)."
        ),
    ] = None,
    with_query: Annotated[bool, typer.Option("--with-query", help="Record queries too.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="Stop after these many requests.")] = 1000,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.1, help="Stop after this time.")] = None,
    share: Annotated[
        float, typer.Option("--share", min=0.0001, max=1.0, help="Record this share, at random.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Of that choice.")] = 0,
) -> None:
    """Pass requests on to a service and record those that it answers, without headers.

    Nothing of a request's headers is recorded but its Content-Type, and no query unless it is asked for.
    Personal data in bodies is: leave it out by --drop. It ends after --most requests, after --seconds or by
    Ctrl-C, keeps what there is, and passes nothing on any more.

    Example: harness traffic record http://127.0.0.1:8000 --path /predict --out traffic/predict.jsonl
    """
    require_plain(upstream)
    host, port = _address(listen)
    for option, given in (("--path", path), ("--drop", drop)):
        for each in given or ():
            if not each.startswith("/"):
                raise UsageError(f"{option} {each}: begins with no slash", fix=f"{option} /{each}")
    if out.exists():
        raise UsageError(f"{out} exists already", fix="name another file; recordings are not overwritten")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror}", fix="name a file in a folder") from error
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("x", encoding="utf-8") as lines:
            recorder = Recorder(
                lines=lines,
                paths=path or (),
                drop=drop or (),
                with_query=with_query,
                share=share,
                most=most,
                seed=seed,
            )
            _serve(upstream, recorder, host=host, port=port, seconds=seconds)
        if recorder.recorded:
            part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    if not recorder.recorded:
        sys.stderr.write(f"nothing is written: {recorder.told}\n")
        raise typer.Exit(ExitCode.INCONCLUSIVE)
    sys.stderr.write(f"{recorder.told}\n")
    sys.stdout.write(f"{out}\n")


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MOST_PORT:
        raise UsageError(f"--listen {listen}: not an address", fix="host:port, as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _serve(upstream: str, recorder: Recorder, *, host: str, port: int, seconds: float | None) -> None:
    """Until there is enough; an interruption ends it as well, and what there is stays."""
    try:
        server = RecordingProxy(upstream.rstrip("/"), recorder, host=host, port=port)
    except OSError as error:
        raise InfrastructureError(
            f"cannot listen on {host}:{port}: {error.strerror}", fix="--listen names another address"
        ) from error
    console = Console(stderr=True)
    console.print(
        f"ask {host}:{server.server_port} instead of {upstream}; "
        f"{recorder.most} recorded requests or Ctrl-C end it",
        highlight=False,
        soft_wrap=True,
    )
    columns = TextColumn("  recorded"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=recorder.most)
        with contextlib.suppress(Interrupted):
            server.serve_until_full(seconds=seconds, progress=lambda done: bars.update(task, completed=done))
