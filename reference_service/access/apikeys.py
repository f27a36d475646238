"""The file of API keys: digests of keys, whose they are, when they are valid and what they may do."""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BeforeValidator, Field, PositiveInt, ValidationError, model_validator

from reference_service.documents import Part, Sha256
from reference_service.errors import KeyFileError
from reference_service.problems import first_problem
from reference_service.settings import Quota

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _in_rfc3339(value: object) -> object:
    """Refuse what else could be read as a time, such as a number of seconds."""
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("must be a time like 2027-01-31T00:00:00Z (RFC 3339)")
    return value


Scope = Literal["predict", "metadata"]
"""What a key may be allowed to do."""
Name = Annotated[str, Field(min_length=1, max_length=128)]
Time = Annotated[AwareDatetime, BeforeValidator(_in_rfc3339)]


class ApiKey(Part):
    """One entry: the key itself is never stored, only its SHA-256.

    Attributes:
        id: Names the key, in the log for instance.
        client: Whose key it is; the keys of one client share its quotas. Default: the id.
        sha256: Of the key's bytes.
        not_before: From then on it is valid.
        expires_at: From then on it is not.
        models: Model versions that may predict for it; None: any.
        max_batch: Most rows of a batch; None: as many as the service takes.
    """

    id: Name
    client: Name = Field(default_factory=lambda entry: entry["id"])
    sha256: Sha256
    scopes: frozenset[Scope]
    quota: Quota | None = None
    rows_quota: Quota | None = None
    metadata_quota: Quota | None = None
    not_before: Time | None = None
    expires_at: Time | None = None
    revoked: bool = Field(default=False, strict=True)
    models: frozenset[Name] | None = None
    max_batch: Annotated[PositiveInt, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.not_before and self.expires_at and self.expires_at <= self.not_before:
            raise ValueError("expires_at is not after not_before")
        return self

    def refusal(self, now: datetime) -> str | None:
        """Tell why the key is not valid at a time; None if it is."""
        if self.revoked:
            return "revoked"
        if self.not_before and now < self.not_before:
            return "not yet valid"
        if self.expires_at and now >= self.expires_at:
            return "expired"
        return None


class KeysFile(Part):
    """The content of the file."""

    keys: tuple[ApiKey, ...]

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        if len({key.sha256 for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same sha256")
        quotas: dict[str, tuple[str | None, ...]] = {}
        for key in self.keys:
            own = (key.quota, key.rows_quota, key.metadata_quota)
            if quotas.setdefault(key.client, own) != own:
                raise ValueError(f"two keys of the client {key.client!r} have different quotas")
        return self


def parse_keys(path: Path, content: bytes) -> tuple[ApiKey, ...]:
    """Return the keys of a file.

    Raises:
        KeyFileError: It says anything else, or the same twice.
    """
    try:
        return KeysFile.model_validate_json(content).keys
    except ValidationError as error:
        problem = first_problem(error)
        hint = '; make one with printf %s "$KEY" | sha256sum' if ".sha256: " in problem else ""
        raise KeyFileError(f"{path}: {problem}{hint}") from error
