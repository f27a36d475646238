"""The scenario files: requests in order and what each answer has to be, as data.

``contracts/scenario.schema.json`` is made from :class:`ScenarioFile`.
"""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from harness.config.expression import Expression
from harness.config.section import Section
from harness.config.sent import sendable_json
from harness.config.service import Pointer
from harness.targets.interface import CompanionAction
from harness.tls import ClientCertificate, Version

STATUS_CLASS = re.compile(r"[1-5]xx")
MOST_REQUESTS = 10_000
MOST_AT_ONCE = 64
MOST_OF_A_QUOTA = 256
MOST_PADDING = 1_000_000


class Part(Section):
    """Base of the parts of a scenario file; the docstring below a field is its text in the schema."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def _statuses(value: object) -> object:
    statuses = value if isinstance(value, list | tuple) else [value]
    for status in statuses:
        number = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599  # noqa: PLR2004 - the range of RFC 9110
        if not number and not (isinstance(status, str) and STATUS_CLASS.fullmatch(status)):
            raise ValueError('must be a status such as 401, a class such as "4xx", or a list of these')
    if not statuses:
        raise ValueError("an empty list allows no answer at all")
    return tuple(statuses)


_STATUS_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": f"^{STATUS_CLASS.pattern}$"},
    ]
}
Statuses = Annotated[
    tuple[int | str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema(
        {"anyOf": [*_STATUS_SCHEMA["anyOf"], {"type": "array", "minItems": 1, "items": _STATUS_SCHEMA}]}
    ),
]


class Rule(Part):
    """What a header or a JSON value has to be; a plain value instead of a table means ``equals``."""

    equals: JsonValue = None
    """Exactly this value."""
    present: bool = True
    """False: it must not be there."""
    matches: Expression | None = None
    """A regular expression found somewhere in the text; anchor it with ^ and $ for the whole."""
    at_least: int | None = None
    """A number, not less than this. In a header: a whole number in digits."""
    at_most: int | None = None
    """A number, not more than this. In a header: a whole number in digits."""

    @model_validator(mode="before")
    @classmethod
    def _plain_value(cls, value: object) -> object:
        return value if isinstance(value, dict | cls) else {"equals": value}

    @model_validator(mode="after")
    def _absent_is_nothing_else(self) -> Self:
        if not self.present and self.model_fields_set != {"present"}:
            others = (self.equals, self.matches, self.at_least, self.at_most)
            if any(other is not None for other in others):
                raise ValueError("present = false stands alone")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A table, or the plain value that stands for ``equals``."""
        table = handler.resolve_ref_schema(handler(core_schema))
        table.pop("title", None)
        plain = {"type": ["string", "number", "boolean", "array"]}
        return {"anyOf": [plain, table], "description": table.pop("description", "")}


class Count(Part):
    """How many of a step's answers have a status; give ``exactly``, or ``at_least``, ``at_most`` or both."""

    status: Statuses
    """The status that is counted: 429, "2xx" or a list."""
    exactly: Annotated[int, Field(ge=0)] | None = None
    """This many."""
    at_least: Annotated[int, Field(ge=0)] | None = None
    """This many or more."""
    at_most: Annotated[int, Field(ge=0)] | None = None
    """This many or fewer."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        bounds = self.at_least is not None or self.at_most is not None
        if bounds == (self.exactly is not None):
            raise ValueError("needs either exactly, or at_least or at_most")
        return self


class Quota(Part):
    """The quota that a step is charged to; a plain text is the name of its policy."""

    policy: str
    """A name under [scenarios.rate_policies] of gate.toml."""
    holder: str = ""
    """Whose quota: steps of one holder are counted together. Left out, it is the credential."""
    cost: Annotated[int, Field(ge=1)] = 1
    """What one request takes of it."""
    passed: Statuses = ("2xx",)
    """The status of an answer that is no refusal."""

    @model_validator(mode="before")
    @classmethod
    def _plain_name(cls, value: object) -> object:
        return {"policy": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A table, or the name alone."""
        table = handler.resolve_ref_schema(handler(core_schema))
        table.pop("title", None)
        return {"anyOf": [{"type": "string"}, table], "description": table.pop("description", "")}


class Expect(Part):
    """What the answers of a step have to be. Apart from the counts, it holds for each of them."""

    status: Statuses | None = None
    """A status (401), a class ("2xx"), or a list of these."""
    headers: dict[str, Rule] = {}
    """By header name, in any case."""
    body: dict[Pointer, Rule] = {}
    """By JSON pointer into the answer, such as "/error/code"."""
    counts: tuple[Count, ...] = ()
    """Of a repeated request: how many answers have which status."""
    counts_down: str | None = None
    """A header with a whole number that is one less in each answer of a repeated request."""
    quota: Quota | None = None
    """Each answer passes or is refused as this quota says, after all that this scenario asked of it."""
    within_ms: Annotated[float, Field(gt=0)] | None = None
    """Each answer is there this soon after its request was sent."""
    counters: dict[str, Rule] = {}
    """By how much a counter of [scenarios.counters] rises with the step. A counter of inferences that is not
    named here must not rise where all expected statuses are 4xx or 5xx, and where refusals are among what is
    expected (by status, counts or quota) by no more than the 2xx answers, each times the quota's cost."""
    no_connection: bool = False
    """The service opens no connection to "${listener.url}", where the scenario listens."""
    no_answer: bool = False
    """The service ends the connection without an answer; besides a status: or answers with that."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and not self.counts and not self.no_answer and self.quota is None:
            raise ValueError("needs a status, counts, a quota or no_answer")
        if self.no_answer and self.counts:
            raise ValueError("no_answer goes with a status, not with counts")
        return self

    @property
    def refuses(self) -> bool:
        """Whether nothing but a refusal is as expected."""
        allowed = self.status or ()
        return all(map(_is_refusal, allowed)) and bool(allowed or self.no_answer)

    @property
    def may_refuse(self) -> bool:
        """Whether a refusal is among what is as expected."""
        by_number = bool(self.counts) or self.quota is not None
        return by_number or self.no_answer or any(map(_is_refusal, self.status or ()))


def _is_refusal(status: int | str) -> bool:
    return str(status).startswith(("4", "5"))


class Forge(Part):
    """How the credential differs from a valid one. Without a key of this table it is the valid one."""

    secret: Annotated[str, Field(pattern=r"^[\x20-\x7e]*$")] | None = None
    """This text in place of the key or token; stands alone."""
    alg: Annotated[str, Field(pattern=r"^([Nn][Oo][Nn][Ee]|HS256|HS384|HS512)$")] | None = None
    """The algorithm in the token's header: "none" in any case (without signature), or HS256, HS384, HS512."""
    key: Literal["public", "other"] | None = None
    """What signs it: "public", the text of the signer's public key as an HMAC secret (with alg HS256 or
    alike); "other", a key pair that the service does not know."""
    hmac_key: str | None = None
    """What signs it with alg HS256 or alike: this text as the secret; "" is an empty one."""
    header: dict[str, JsonValue] = {}
    """Header fields in place of the valid ones, such as kid or jku; alg too, over a signature by the
    signer's own algorithm. "${jwk}" is the public key of what signs it, as JSON Web Key."""
    claims: dict[str, JsonValue] = {}
    """Claims in place of the valid ones. "now", "now+3600" and "now-120" are times in seconds."""
    drop: tuple[str, ...] = ()
    """Claims to leave out."""
    padding: Annotated[int, Field(ge=1, le=MOST_PADDING)] | None = None
    """A further claim of that name, this many characters long."""
    payload: str | None = None
    """This text in place of all claims, signed: "[]", or "${token.NAME}" for a token in a token."""
    tamper: dict[str, JsonValue] = {}
    """Claims changed after signing, under the old signature."""
    strip_signature: bool = False
    """Send header and payload with an empty signature."""
    zero_signature: bool = False
    """Send a signature of the right length whose bytes are all zero."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        token_parts = self.model_dump(exclude_defaults=True, exclude={"secret"})
        if self.secret is not None and token_parts:
            raise ValueError(f"secret stands alone, without {', '.join(token_parts)}")
        if self.secret is None and not token_parts:
            raise ValueError("an empty table forges nothing; leave it out for the valid credential")
        if self.hmac_key is not None and self.key is not None:
            raise ValueError("either key or hmac_key signs it, not both")
        if (self.alg or "").startswith("HS") != (self.key == "public" or self.hmac_key is not None):
            raise ValueError('key = "public" and hmac_key go with alg = "HS256", "HS384" or "HS512"')
        if self.key == "other" and self.alg is not None:
            raise ValueError(f'alg = "{self.alg}" is not signed, so it has no key')
        if self.alg is not None and "alg" in self.header:
            raise ValueError("alg is given twice: once in header is enough")
        if self.payload is not None and (self.claims or self.drop or self.padding or self.tamper):
            raise ValueError("payload stands in place of all claims, so none can be changed")
        if self.strip_signature and self.zero_signature:
            raise ValueError("strip_signature and zero_signature exclude each other")
        return self

    @property
    def of_token(self) -> bool:
        """Whether it makes a token, so that the credential has to have one."""
        return self.secret is None


OF_THE_BODY = frozenset({"content-length", "transfer-encoding"})


def _not_of_the_body(name: str) -> str:
    if name.lower() in OF_THE_BODY:
        raise ValueError("follows from the body; a wrong one is a case for the raw requests of [fuzz]")
    return name


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"), AfterValidator(_not_of_the_body)]
HeaderText = Annotated[str, Field(pattern=r"^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$")]
PrintablePath = Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")]


class TlsOffer(Part):
    """How the client connects, in a scenario whose service speaks TLS."""

    version: Version | None = None
    """The only version that the client offers; without it, what is current."""
    client_certificate: ClientCertificate = "valid"
    """What the client shows where it is asked for a certificate: "valid" is of ${tls.client_ca.certificate},
    "other" of an authority that the service does not know."""
    plain: bool = False
    """Send plain text; stands alone."""

    @model_validator(mode="after")
    def _plain_is_nothing_else(self) -> Self:
        if self.plain and (self.version or self.client_certificate != "valid"):
            raise ValueError("plain stands alone: plain text has neither version nor certificate")
        return self


class Step(Part):
    """One request, sent once or repeatedly, and what its answers have to be."""

    request: str | None = None
    """A name under [scenarios.requests] of gate.toml; method, path, headers and body below add to it."""
    method: Annotated[str, Field(pattern=r"^[A-Z]+$")] | None = None
    """Of the request."""
    path: PrintablePath | None = None
    """Of the request, sent as it stands. "${name}" in it, in headers and in the body is a variable,
    "${key.NAME}" a secret of [auth] keys, "${token.NAME}" a valid token of a credential."""
    headers: dict[HeaderName, HeaderText | Annotated[tuple[HeaderText, ...], Field(min_length=1)]] = {}
    """Further headers; "${i}" is the number of the repeated request, from 1. A list sends the header once for
    each of its values, besides that of the credential."""
    body: Annotated[JsonValue, AfterValidator(sendable_json)] = None
    """JSON to send."""
    credential: str | None = None
    """A name under [auth.credentials] of gate.toml. Without one, no credential is sent."""
    forge: Forge | None = None
    """How the credential differs from a valid one."""
    tls: TlsOffer | None = None
    """How the client connects; without it, by what is current and with a valid certificate."""
    repeat: Annotated[int, Field(ge=1, le=MOST_REQUESTS)] = 1
    """Send it this many times."""
    at_once: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 1
    """How many of the repeated requests are sent together: all are written but for their last byte, then
    the last bytes go out at once. The next ones follow when these are answered."""
    wait: Annotated[str, Field(pattern=r"^retry_after(-[0-9]+(\.[0-9]+)?)?$")] | None = None
    """Before sending: "retry_after" waits as long as the previous answer's Retry-After said, counted from
    that answer; "retry_after-2" two seconds less."""
    at_s: Annotated[float, Field(gt=0)] | None = None
    """Send no sooner than this many seconds after the scenario's first request."""
    replica: Annotated[int, Field(ge=0, le=7)] | Literal["each"] = 0
    """Which replica of the service is asked, from 0; "each" asks them in turn."""
    companion: dict[str, CompanionAction] = {}
    """What happens beforehand to companions of the service: { store = "stop" }. They stay so."""
    within_s: Annotated[float, Field(gt=0)] | None = None
    """The answers only tell something if the last came within this many seconds of the scenario's first
    request; when they are later and not as expected, the scenario is inconclusive."""
    expect: Expect
    """What the answers have to be."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.request is None and (self.method is None or self.path is None):
            raise ValueError("needs a request, or both method and path")
        if self.forge is not None and self.credential is None:
            raise ValueError("forge needs the credential that it changes")
        if self.at_once > self.repeat:
            raise ValueError("at_once is more than repeat")
        if self.expect.counts_down is not None and (self.repeat == 1 or self.at_once > 1):
            raise ValueError("counts_down needs repeat, one request at a time")
        if self.wait is not None and self.at_s is not None:
            raise ValueError("wait and at_s both say when to send")
        if self.expect.quota is not None and self.repeat > MOST_OF_A_QUOTA:
            raise ValueError(f"a quota is judged over at most {MOST_OF_A_QUOTA} requests of a step")
        return self


SECRETS = "secrets"
"""Ends the id of the finding about secrets in log and metrics."""


def _not_taken(id_: str) -> str:
    if id_ == SECRETS:
        raise ValueError("is the finding about secrets in log and metrics; any other id")
    return id_


class Scenario(Part):
    """Steps in order, each with its expectation; the scenario holds when all of them do."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$"), AfterValidator(_not_taken)]
    """Part of the finding's id; unique among the files of its check."""
    title: Annotated[str, Field(min_length=1)]
    """What holds, one sentence."""
    service: str | None = None
    """A name under [service.variants]: it is played on a candidate that is started as that."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    """Sent one after the other."""

    @model_validator(mode="after")
    def _nothing_to_wait_for(self) -> Self:
        if self.steps[0].wait is not None:
            raise ValueError("the first step has no answer before it, so nothing to wait for")
        return self


class ScenarioFile(Part):
    """A file of scenarios."""

    scenario: Annotated[tuple[Scenario, ...], Field(min_length=1)]
    """Each is played on its own, in the order of the file."""


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ScenarioFile.model_json_schema(),
    }
