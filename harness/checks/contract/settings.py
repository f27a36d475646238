"""``[contract]``: the frozen OpenAPI document, where the candidate serves its own, and what may differ."""

import difflib
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from harness.config.auth import Name
from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import Pointer, UrlPath
from harness.http_request import RequestTemplate
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


Status = Annotated[int, Field(ge=100, le=599)]
OperationName = Annotated[str, Field(pattern=r"^[A-Z]+ /.*$", description="such as POST /predict")]


class ProvokeSettings(Section):
    """How a valid request is changed so that it is answered with ``status``.

    Attributes:
        operations: Of these only; None is every operation whose document has the status.
        anonymous: Without the credential.
        credential: With another one.
        headers: Besides, or in place of, those of the valid request.
        members: Likewise in its JSON body, an object.
        text: In place of the body.
        padding_bytes: So many spaces follow the body; to JSON they mean nothing.
        times: It is sent until it is answered with the status, at most so often.
    """

    status: Status
    operations: Annotated[tuple[OperationName, ...], Field(min_length=1)] | None = None
    anonymous: bool = False
    credential: str | None = None
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}
    text: str | None = None
    padding_bytes: Annotated[int, Field(ge=0, le=64 * 1024 * 1024)] = 0
    times: Annotated[int, Field(ge=1, le=10_000)] = 1

    @model_validator(mode="after")
    def _changes_are_of_one_mind(self) -> Self:
        if self.anonymous and self.credential is not None:
            raise ValueError("anonymous and credential exclude each other")
        if self.text is not None and self.members:
            raise ValueError("text and members exclude each other")
        return self


class UnreachableSettings(Section):
    """Documented statuses that no request can provoke, and why.

    Attributes:
        operations: Of these only; None is all.
    """

    statuses: Annotated[tuple[Status, ...], Field(min_length=1)]
    operations: Annotated[tuple[OperationName, ...], Field(min_length=1)] | None = None
    reason: Annotated[str, Field(min_length=1)]


class ValidRequest(RequestTemplate):
    """Answered with ``status``; ``${input}`` is the first golden input, ``${inputs}`` the first two."""

    status: Status = 200


class ResponsesSettings(Section):
    """``[contract.responses]``.

    Attributes:
        valid: A valid request to each operation.
        provoke: What else the operations are asked; applied in this order.
        timeout_s: For one answer.
        most_answer_bytes: A longer answer is cut off and fails.
    """

    valid: Annotated[tuple[ValidRequest, ...], Field(min_length=1)]
    provoke: tuple[ProvokeSettings, ...] = ()
    unreachable: tuple[UnreachableSettings, ...] = ()
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    most_answer_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024


class TensorSettings(Section):
    """Where an input or output of the model stands, in what is sent or answered and in the manifest.

    Attributes:
        pointer: Of an input, into the body of the single request; of an output, into its answer and into each
            item of a batch.
        dtype: Into the manifest, as the others; ``float32``, ``tensor(float)``, ``FP32`` and alike.
        shape: A list of lengths, the batch first; what is no number is any length.
        name: What has to be the name under which the suite declares it; None where the manifest has none.
        keys: A list of the last dimension's names, where the values are members of an object; None for
            an array.
        key: From each entry of that list to the name.
    """

    pointer: Pointer
    dtype: Pointer
    shape: Pointer
    name: Pointer | None = None
    keys: Pointer | None = None
    key: Pointer = ""


class ManifestSettings(Section):
    """``[contract.manifest]``; where the manifest and its name and version are, ``[service.metadata]`` says.

    Attributes:
        single: Of the model version in the answer to a single request.
        batch: Likewise to a batch; None asks no batch.
        cases: So many of the golden inputs are asked.
    """

    single: Pointer
    batch: Pointer | None = None
    inputs: dict[Name, TensorSettings] = {}
    outputs: dict[Name, TensorSettings] = {}
    cases: Annotated[int, Field(ge=2, le=1000)] = 32


class ContractSettings(FamilySettings):
    """``[contract]``.

    Attributes:
        openapi: The frozen document, JSON or YAML, relative to gate.toml.
        served: Where the candidate serves its own, as JSON.
        credential: A name under ``[auth.credentials]`` to ask with; None sends none.
        timeout_s: For the whole answer.
        responses: Requests whose answers are held against the frozen document.
        manifest: Where the service describes its model, for what is documented and served to agree with.
    """

    openapi: str
    served: UrlPath = "/openapi.json"
    credential: str | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    responses: ResponsesSettings | None = None
    manifest: ManifestSettings | None = None
    limits: ContractLimits = ContractLimits()

    def not_declared(self) -> tuple[str, ...]:
        """The checks of what is served that lack their requests."""
        aspects = {
            "contract.responses: requests to the documented operations": self.responses,
            "contract.manifest: the manifest's model version, inputs and outputs": self.manifest,
        }
        return tuple(aspect for aspect, declared in aspects.items() if declared is None)
