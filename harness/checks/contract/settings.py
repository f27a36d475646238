"""``[contract]``: the frozen OpenAPI document, where the candidate serves its own, and what may differ."""

import difflib
from typing import Annotated

from pydantic import Field, field_validator

from harness.config.section import FamilySettings, Limits
from harness.config.service import UrlPath
from harness.openapi import RULES, Severity


class ContractLimits(Limits):
    """``[contract.limits]``.

    Attributes:
        severity: A sharper severity (``error``, ``warning``) for a rule, by its id. Nothing mutes a rule: a
            change that is accepted has a waiver.
    """

    severity: dict[str, Severity] = {}

    @field_validator("severity")
    @classmethod
    def _known_and_sharper(cls, severity: dict[str, Severity]) -> dict[str, Severity]:
        sharpest_first = list(Severity)
        for rule, wanted in severity.items():
            if rule not in RULES:
                close = difflib.get_close_matches(rule, RULES, n=3)
                hint = f"did you mean {' or '.join(close)}?" if close else f"one of {', '.join(RULES)}"
                raise ValueError(f"no rule {rule!r}; {hint}")
            if sharpest_first.index(wanted) > sharpest_first.index(RULES[rule]):
                raise ValueError(
                    f"{rule} is {RULES[rule]} and cannot become {wanted}; a waiver accepts one change of it"
                )
        return severity


class ContractSettings(FamilySettings):
    """``[contract]``.

    Attributes:
        openapi: The frozen document, JSON or YAML, relative to gate.toml.
        served: Where the candidate serves its own, as JSON.
        credential: A name under ``[auth.credentials]`` to ask with; None sends none.
        timeout_s: For the whole answer.
    """

    openapi: str
    served: UrlPath = "/openapi.json"
    credential: str | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    limits: ContractLimits = ContractLimits()
