"""The lines that parent and worker exchange, JSON, one a message.

The parent writes `Begin`, then one `BlockRequest` at a time; the worker answers with `Ready` and
each request with `BlockDone` (its samples are in the file then) or `Failed`. The end of the parent's lines
ends the worker, so it never outlives its parent.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.load.clock import WorkerClock
from harness.load.plan import LoadPlan


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WebAddress(_Message):
    """Where the live web UI listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8089

    @property
    def url(self) -> str:
        """For a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Cluster(_Message):
    """Other generators that send the load.

    Attributes:
        host: Where they find the master; ``*`` is every address of this machine.
        port: 0 for any that is free.
        workers: How many there are; each sends its share.
        local_workers: How many of them are started on this machine.
        wait_s: How long the others may take to come.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    workers: Annotated[int, Field(ge=1, le=1000)]
    local_workers: Annotated[int, Field(ge=0)] = 0
    wait_s: Annotated[float, Field(gt=0)] = 60.0


class Begin(_Message):
    """What the worker is to be.

    Attributes:
        plan: The load.
        web: Where to show it live, None for not at all.
        cluster: Who sends it instead, None for the worker itself.
    """

    plan: LoadPlan
    web: WebAddress | None = None
    cluster: Cluster | None = None


class BlockRequest(_Message):
    """Send this block and write its samples to `path`.

    Attributes:
        last: No other follows: the web UI shows the load as stopped afterwards.
    """

    block: int
    path: str
    last: bool = False


class Ready(_Message):
    """The worker has warmed up.

    Attributes:
        unix_offset_s: Unix time minus the times in the samples.
        web_url: Where the web UI answers, None without one.
    """

    kind: Literal["ready"] = "ready"
    unix_offset_s: float
    web_url: str | None = None


class BlockDone(_Message):
    """A block's samples are written.

    Attributes:
        clocks: Of the workers of a cluster.
    """

    kind: Literal["done"] = "done"
    block: int
    clocks: tuple[WorkerClock, ...] = ()


class Failed(_Message):
    """The generator, not the service, failed."""

    kind: Literal["failed"] = "failed"
    message: str
