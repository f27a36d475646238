"""What the JSON documents that the service reads are made of: strict parts, digests, versions."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

SemVer = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")]
"""A semantic version, MAJOR.MINOR.PATCH with optional pre-release and build parts."""


class Part(BaseModel):
    """A frozen part of a document that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
