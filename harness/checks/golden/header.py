"""``golden.toml``: who vouches for the cases beside it, and what changed in them."""

import datetime as dt
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from harness.config.files import plain_file
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.toml import parse_toml
from harness.errors import ConfigError

HEADER_FILE = "golden.toml"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]


class Answered(Section):
    """What answered, where a service did; empty for a pipeline or a script."""

    image: Text | None = None
    image_id: Text | None = None
    repo_digest: Text | None = None
    url: Text | None = None
    device: Literal["cpu", "gpu"] | None = None
    execution_provider: Text | None = None


NOT_TOLD = "not told"
"""The version of a producer that tells none."""


class Producer(Answered):
    """Who computed the expected values.

    Attributes:
        kind: ``pipeline`` trained the model, ``script`` computes the values another way, ``import`` took
            them over from elsewhere. With ``service`` a served model vouches for itself: such a set shows
            what changed since, not what is right.
        environment: What it ran with.
    """

    name: Text
    version: Text
    kind: Literal["pipeline", "script", "import", "service"]
    date: dt.date
    environment: Text


class GoldenModel(Section):
    """The model whose answers the expected values are; None is what its service does not tell."""

    name: Text
    version: Text | None = None
    sha256: Sha256 | None = None


class GoldenDataset(Section):
    """The data the inputs come from."""

    name: Text
    sha256: Sha256


class CasesFile(Section):
    """The file of cases, beside the header: JSON lines, compressed where its name ends in ``.gz``.

    Attributes:
        sha256: Digest of the lines, so that compressing them anew changes nothing.
    """

    file: Text
    sha256: Sha256
    count: Annotated[int, Field(ge=1)]

    @field_validator("file")
    @classmethod
    def _beside(cls, file: str) -> str:
        if PurePosixPath(file).name != file or "\0" in file:
            raise ValueError("must be the name of a file beside golden.toml")
        return file


class Blessing(Answered):
    """A change of expected values that somebody accepted.

    Attributes:
        reason: Why, in the words of whoever did.
        changed: Cases whose expected values are others since.
        before: Digest of the cases it replaced; ``producer`` is who had made those.
        model_version: What was served, where the service tells.
    """

    date: dt.date
    reason: Text
    environment: Text
    changed: Annotated[int, Field(ge=1)]
    before: Sha256
    producer: Text
    model_version: Text | None = None


class GoldenHeader(Section):
    """``golden.toml``.

    Attributes:
        blessings: The oldest first.
    """

    schema_version: Literal[1]
    producer: Producer
    model: GoldenModel
    dataset: GoldenDataset
    cases: CasesFile
    blessings: tuple[Blessing, ...] = ()


def read_header(file: Path) -> GoldenHeader:
    """Read ``golden.toml``.

    Raises:
        ConfigError: when it is missing, not TOML or not a header.
    """
    try:
        text = plain_file(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            file=file, problem=f"cannot be read: {error}", allowed="the header of a golden set"
        ) from error
    document = parse_toml(text, file)
    try:
        return GoldenHeader.model_validate(document)
    except ValidationError as error:
        raise config_error(error, GoldenHeader, file) from error
