"""``[contract]``: the frozen OpenAPI document, where the candidate serves its own, and what may differ."""

import difflib
from typing import Annotated

from pydantic import Field, field_validator

from harness.config.section import FamilySettings, Limits
from harness.config.service import UrlPath
from harness.openapi import RULES, SECURITY_RULES, Severity


class ContractLimits(Limits):
    """``[contract.limits]``.

    Attributes:
        breaking: Most breaking changes; a loss of security fails however many are allowed.
        severity: Another severity (``error``, ``warning``, ``info``) for a rule, by its id; never for a
            rule that guards security.
    """

    breaking: Annotated[int, Field(ge=0)] = 0
    severity: dict[str, Severity] = {}

    @field_validator("severity")
    @classmethod
    def _known_and_not_security(cls, severity: dict[str, Severity]) -> dict[str, Severity]:
        for rule in severity:
            if rule in SECURITY_RULES:
                raise ValueError(f"the severity of {rule} is fixed: it guards security")
            if rule not in RULES:
                close = difflib.get_close_matches(rule, RULES, n=3)
                hint = f"did you mean {' or '.join(close)}?" if close else f"one of {', '.join(RULES)}"
                raise ValueError(f"no rule {rule!r}; {hint}")
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
