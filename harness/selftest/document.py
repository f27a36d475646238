"""The JSON of a selftest: its matrix, and all that its figures depend on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from pydantic.json_schema import GenerateJsonSchema

from harness import __version__
from harness.config.files import plain_file, read_bounded
from harness.config.problems import config_error
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.model import Model, Utf8Text
from harness.selftest.matrix import Matrix
from harness.selftest.model import Mode

SCHEMA_VERSION: Literal["1.0"] = "1.0"
FOLDER = "selftest"
"""In the folder of reports; in it one folder for each digest."""
LATEST = "latest.json"
MOST_BYTES = 64 * 1024 * 1024


class SelftestDocument(Model):
    """``OUT/selftest/<digest>/quick.json`` or ``full.json``.

    Attributes:
        policy_sha256: Of the suite's gate.toml.
        digest: Of the catalogue, the files of its suites and the harness itself.
        inputs: Those that the checks of each suite read, by its name; paths are relative to its gate.toml.
        proxied: Whether the faults are those of the proxy, and not of the suite's catalogue.
    """

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    suite: str
    policy_path: Utf8Text
    policy_sha256: str
    harness_version: str
    digest: str
    inputs: dict[Utf8Text, tuple[Utf8Text, ...]]
    proxied: bool
    mode: Mode
    seed: int
    finished_at: str
    matrix: Matrix


def document_of(
    suite: Suite,
    found: Matrix,
    *,
    digest: str,
    inputs: Mapping[str, tuple[str, ...]],
    proxied: bool,
    mode: Mode,
    seed: int,
) -> SelftestDocument:
    """The document of a matrix, finished with the last of its trials."""
    ended = [row.trial.finished_at for row in found.rows if row.trial]
    return SelftestDocument(
        suite=suite.config.name,
        policy_path=str(suite.path),
        policy_sha256=suite.sha256,
        harness_version=__version__,
        digest=digest,
        inputs=dict(inputs),
        proxied=proxied,
        mode=mode,
        seed=seed,
        finished_at=max(ended, default=""),
        matrix=found,
    )


def load_document(path: Path) -> SelftestDocument:
    """Read a stored selftest.

    Raises:
        ConfigError: it is missing, too large, no file, or none.
    """
    try:
        plain_file(path)
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read ({error.strerror or error})") from error
    data = read_bounded(path, MOST_BYTES, what="selftest")
    try:
        return SelftestDocument.model_validate_json(data)
    except ValidationError as error:
        raise config_error(error, SelftestDocument, path) from error


def selftest_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a selftest's JSON; ``contracts/selftest.schema.json`` holds it."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **SelftestDocument.model_json_schema(mode="serialization"),
    }
