"""gate.toml whole, and the suite it heads."""

import hashlib
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from harness.checks.artifact.settings import ArtifactSettings
from harness.checks.contract.settings import ContractSettings
from harness.checks.drift.settings import DriftSettings
from harness.checks.fuzz.settings import FuzzSettings
from harness.checks.golden.settings import GoldenSettings
from harness.checks.image.settings import ImageSettings
from harness.checks.latency.settings import LatencySettings
from harness.checks.lifecycle.settings import LifecycleSettings
from harness.checks.scenarios.settings import ScenariosSettings
from harness.checks.telemetry.settings import TelemetrySettings
from harness.config.auth import AuthSettings
from harness.config.placeholders import require_known
from harness.config.policy import PolicySettings
from harness.config.problems import config_error
from harness.config.section import FamilySettings, Section
from harness.config.selftest import SelftestSettings
from harness.config.service import ServiceSettings
from harness.config.toml import parse_toml
from harness.errors import ConfigError
from harness.model import Family


class GateConfig(Section):
    """The keys of gate.toml; ``harness schema gate`` prints their JSON Schema."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    service: ServiceSettings
    auth: AuthSettings = AuthSettings()
    policy: PolicySettings = PolicySettings()
    image: ImageSettings | None = None
    artifact: ArtifactSettings | None = None
    lifecycle: LifecycleSettings | None = None
    contract: ContractSettings | None = None
    golden: GoldenSettings | None = None
    fuzz: FuzzSettings | None = None
    scenarios: ScenariosSettings | None = None
    telemetry: TelemetrySettings | None = None
    drift: DriftSettings | None = None
    latency: LatencySettings | None = None
    selftest: SelftestSettings | None = None

    def family(self, family: Family) -> FamilySettings | None:
        """The settings of one family, None where the suite does not declare it."""
        settings = getattr(self, family.value, None)
        return settings if isinstance(settings, FamilySettings) else None

    @property
    def families(self) -> frozenset[Family]:
        """Those that the suite declares."""
        return frozenset(family for family in Family if self.family(family) is not None)


@dataclass(frozen=True)
class Suite:
    """A validated gate.toml and where it lies.

    Attributes:
        path: The file, as the user named it.
        text: Its content, embedded in the report.
    """

    path: Path
    text: str
    config: GateConfig

    @property
    def folder(self) -> Path:
        """What relative paths in gate.toml are relative to."""
        return self.path.absolute().parent

    @property
    def sha256(self) -> str:
        """Digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def on(self, device: Literal["cpu", "gpu"]) -> Self:
        """The suite with the settings that hold on a device."""
        if self.config.latency is None:
            return self
        latency = self.config.latency.on(device)
        return replace(self, config=self.config.model_copy(update={"latency": latency}))

    def resolve(self, relative: str, *, key: str) -> Path:
        """An existing path that gate.toml names.

        Raises:
            ConfigError: when there is nothing there, or what nobody may wait for, such as a pipe.
        """
        path = self.folder / relative
        try:
            kind = stat.S_IFMT(path.stat().st_mode)
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            missing = isinstance(error, FileNotFoundError | NotADirectoryError)
            problem = "no such file or folder" if missing else f"cannot be read: {error}"
        else:
            if kind in {stat.S_IFREG, stat.S_IFDIR}:
                return path
            problem = "neither a file nor a folder"
        raise ConfigError(
            file=self.path,
            key=key,
            value=relative,
            problem=problem,
            allowed=f"a path relative to {self.folder}",
        )


def load_suite(path: Path) -> Suite:
    """Read and validate gate.toml.

    Raises:
        ConfigError: naming the file, the key, the value and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8
        raise ConfigError(
            file=path, problem=f"cannot be read: {error}", allowed="a TOML file; `--config` names another one"
        ) from error
    return parse_suite(text, path)


def parse_suite(text: str, path: Path) -> Suite:
    """Validate the text of a gate.toml, from disk or from a stored report.

    Raises:
        ConfigError: as :func:`load_suite`.
    """
    document = parse_toml(text, path)
    try:
        config = GateConfig.model_validate(document)
    except ValidationError as error:
        raise config_error(error, GateConfig, path) from error
    _require_credentials(document, config, path)
    require_known(config.service, config.auth, path)
    return Suite(path=path, text=text, config=config)


def _require_credentials(document: Any, config: GateConfig, path: Path, key: str = "") -> None:
    """Every ``credential = "name"`` anywhere has to be one that ``[auth.credentials]`` declares."""
    if isinstance(document, dict):
        for name, value in document.items():
            where = f"{key}.{name}" if key else str(name)
            if name == "credential" and isinstance(value, str) and value not in config.auth.credentials:
                known = ", ".join(config.auth.credentials) or "none is declared"
                raise ConfigError(
                    file=path,
                    key=where,
                    value=value,
                    problem="no such credential",
                    allowed=f"a name under [auth.credentials]: {known}",
                )
            _require_credentials(value, config, path, where)
    elif isinstance(document, list):
        for index, value in enumerate(document):
            _require_credentials(value, config, path, f"{key}.{index}")
