"""What has to hold for a promote."""

from datetime import date
from typing import Annotated

from pydantic import Field

from harness.config.section import Section
from harness.model import Capability, Family

MAIN_FAMILIES = (Family.CONTRACT, Family.GOLDEN, Family.FUZZ, Family.SCENARIOS, Family.LATENCY)


class Waiver(Section):
    """One failure that is accepted for a while; the report shows it.

    Attributes:
        finding: Id of the finding, exact.
        expires: Last day on which it holds.
    """

    finding: Annotated[str, Field(min_length=1)]
    owner: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    expires: date


class PolicySettings(Section):
    """``[policy]``.

    Attributes:
        required: Families without which there is no promote; what ``--only`` asks for is required too.
        allow_not_applicable: Capabilities whose absence a required check may plead: ``reference`` for a
            first release, ``container`` for a process or URL, ``reference_container`` for a reference that
            is one.
    """

    required: Annotated[tuple[Family, ...], Field(min_length=1)] = MAIN_FAMILIES
    allow_not_applicable: tuple[Capability, ...] = tuple(Capability)
    waivers: tuple[Waiver, ...] = ()
