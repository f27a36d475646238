"""``[service]`` and ``[auth]`` of the suite to be, from what the user gave."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from harness.config.suite import Suite, parse_suite
from harness.config.toml import parse_toml
from harness.errors import ConfigError, UsageError
from harness.template import PLACEHOLDER

CREDENTIAL = "caller"
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
KEY = re.compile(r"key\.([a-z][a-z0-9_]*)(\.sha256)?")
OF_A_SECRET = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)(?![A-Z])(?!.*_(FILE|PATH|DIR)$)", re.IGNORECASE)
TOP_LEVEL = ("service", "auth")


@dataclass(frozen=True)
class Given:
    """What the command line says of the service.

    Attributes:
        file: TOML with ``[service]`` and ``[auth]`` as in gate.toml; None for none.
        headers: ``NAME: VALUE``; each value holds ``${key.NAME}``.
        environment: ``NAME=VALUE``, templates.
    """

    file: Path | None = None
    headers: Sequence[str] = ()
    environment: Sequence[str] = ()
    port: int | None = None
    ready: str | None = None


class Declared:
    """The two sections as TOML, comments of the user's file kept.

    Raises:
        UsageError: for an option that is not what it should be; a value is not repeated, it may be a secret.
        ConfigError: for a file that can't be read or holds more than the two sections.
    """

    def __init__(self, given: Given) -> None:
        self._path = given.file or Path("gate.toml")
        self._document = tomlkit.document() if given.file is None else _read(given.file)
        self._table("service")
        for name, value in map(_header, given.headers):
            self._add_header(name, value)
        for assignment in given.environment:
            name, equals, value = assignment.partition("=")
            if not (name and equals):
                raise UsageError("--env takes NAME=VALUE", fix="such as --env LOG_LEVEL=warning")
            if value and OF_A_SECRET.search(name) and not _holds_a_key(value):
                raise UsageError(
                    f"--env {name}: a secret by its name, and its value would stand in gate.toml",
                    fix=f"--env '{name}=${{key.caller}}' with the key in GATE_KEY_CALLER; "
                    "where it is none, [service.environment] in a file for --service",
                )
            self._table("service", "environment")[name] = value
        for key, number in (("port", given.port), ("ready_path", given.ready)):
            if number is not None:
                self.set(key, number)

    def set(self, key: str, value: str | int) -> None:
        """Set a key of ``[service]``."""
        self._table("service")[key] = value

    def has(self, key: str) -> bool:
        """Whether ``[service]`` has a key."""
        return key in self._document.get("service", {})

    @property
    def credential(self) -> str | None:
        """The first that is declared, which is the one to ask with."""
        return next(iter(self._document.get("auth", {}).get("credentials", {})), None)

    @property
    def text(self) -> str:
        """As TOML."""
        return tomlkit.dumps(self._document).strip() + "\n"

    def suite(self, name: str) -> Suite:
        """A suite of these sections alone; what is not known yet is made up.

        Raises:
            ConfigError: for what gate.toml would not allow.
        """
        made_up = {"port": 1, "ready_path": "/"}
        document = tomlkit.parse(self.text)
        service = document.setdefault("service", tomlkit.table())
        for key, value in made_up.items():
            service.setdefault(key, value)
        head = tomlkit.dumps({"schema_version": 1, "name": name})
        return parse_suite(f"{head}{tomlkit.dumps(document)}", self._path)

    def _add_header(self, name: str, value: str) -> None:
        auth = self._table("auth")
        keys = list(auth.get("keys", []))
        for placeholder in PLACEHOLDER.findall(value):
            if (match := KEY.fullmatch(placeholder)) and match[1] not in keys:
                keys.append(match[1])
        auth["keys"] = keys
        self._table("auth", "credentials", self.credential or CREDENTIAL, "headers")[name] = value

    def _table(self, *path: str) -> Table:
        table = self._document
        for key in path:
            table = table.setdefault(key, tomlkit.table())
        return table  # type: ignore[return-value]  # at least one key was followed


def _read(file: Path) -> tomlkit.TOMLDocument:
    try:
        text = file.read_text(encoding="utf-8")
        parse_toml(text, file)
        document = tomlkit.parse(text)
    except (OSError, ValueError, TOMLKitError, RecursionError) as error:  # ValueError: not UTF-8
        raise ConfigError(
            file=file, problem=f"cannot be read: {error}", allowed="TOML with [service] and [auth]"
        ) from error
    for key, value in document.items():
        if key not in TOP_LEVEL or not isinstance(value, dict):
            raise ConfigError(
                file=file, key=key, problem="not for this file", allowed="the tables [service] and [auth]"
            )
    return document


def _holds_a_key(value: str) -> bool:
    return any(KEY.fullmatch(name) for name in PLACEHOLDER.findall(value))


def _header(text: str) -> tuple[str, str]:
    match = HEADER.fullmatch(text)
    fix = "--header 'X-API-Key: ${key.caller}', and the key itself in the environment as GATE_KEY_CALLER"
    if match is None:
        raise UsageError("--header takes 'NAME: VALUE'", fix=fix)
    if not _holds_a_key(match[2]):
        raise UsageError(f"--header {match[1]}: its value holds no ${{key.NAME}}", fix=fix)
    return match[1], match[2]
