"""What the candidate's manifest promises of latency and memory."""

from pydantic import BaseModel, ConfigDict

from harness.model import Utf8Text


class Promises(BaseModel):
    """What is promised, by the keys of ``[latency.manifest]`` that the suite gives.

    Attributes:
        promised: None where no positive number stands at the pointer.
        problem: Why the manifest could not be read; empty where it could.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    promised: dict[str, float | None]
    problem: Utf8Text = ""
