"""A request and its answer on their way through the proxy."""

from dataclasses import dataclass
from enum import Enum, auto

from pydantic import BaseModel, ConfigDict

from harness.selftest.proxy.message import Message

WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
SUCCESS = range(200, 300)


class Service(BaseModel):
    """Where the proxy leads.

    Attributes:
        opaque: Whether it speaks TLS: its bytes are carried, and no fault applies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int
    opaque: bool = False


class Part(Enum):
    """What an effect has to see before any of it goes on."""

    HEAD = auto()
    """The head of a request."""
    REQUEST = auto()
    """All of a request."""
    ANSWER = auto()
    """All of an answer."""


class Delivery(Enum):
    """How an answer gets to the client."""

    WHOLE = auto()
    BYTE_BY_BYTE = auto()
    CUT = auto()
    """The connection is closed within the body."""
    DROPPED = auto()
    """The connection is reset in place of the answer."""
    THEN_CLOSED = auto()
    """The connection is closed after it, which it does not say."""


@dataclass(eq=False)
class Exchange:
    """One request; an object of its own even where another is the same.

    Attributes:
        request: As it is sent to the service; its head alone where no more of it is held.
        service: Where to.
        answer: What an effect answers in the service's place, which then never sees the request.
        sent_at: The monotonic time at which all of the request was on its way.
    """

    request: Message
    service: Service
    answer: Message | None = None
    delivery: Delivery = Delivery.WHOLE
    sent_at: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """Method and target."""
        return self.request.method, self.request.target

    @property
    def carries(self) -> bool:
        """Whether its method sends content, as those do that ask for a prediction."""
        return self.request.method in WITH_CONTENT
