"""A fault of the proxy, as its table describes it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.model import Family


class ProxyFault(BaseModel):
    """What the proxy does wrong; the same seed hits the same ones of requests that come in the same order.

    Attributes:
        name: Stable.
        does: What a client sees.
        mechanism: By what mistake of a service, or of what stands before it, it comes about.
        families: That could notice it, the likeliest first; empty for what is no fault.
        parameters: Quantities, with their unit in the name.
        seed: Of what is drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    does: str
    mechanism: str
    families: tuple[Family, ...]
    parameters: dict[str, float] = {}
    seed: int = 0
