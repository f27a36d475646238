"""The lines that parent and worker exchange, JSON, one a message.

The parent writes the plan, then one `BlockRequest` at a time; the worker answers the plan with `Ready` and
each request with `BlockDone` (its samples are in the file then) or `Failed`. The end of the parent's lines
ends the worker, so it never outlives its parent.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BlockRequest(_Message):
    """Send this block and write its samples to `path`."""

    block: int
    path: str


class Ready(_Message):
    """The worker has warmed up.

    Attributes:
        unix_offset_s: Unix time minus the times in the samples.
    """

    kind: Literal["ready"] = "ready"
    unix_offset_s: float


class BlockDone(_Message):
    """A block's samples are written."""

    kind: Literal["done"] = "done"
    block: int


class Failed(_Message):
    """The generator, not the service, failed."""

    kind: Literal["failed"] = "failed"
    message: str
