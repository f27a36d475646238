"""A service to ask, started as the gate starts its candidate."""

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import CheckContext
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.events import CheckProgress, CheckStarted, Emit, Note
from harness.model import Scope, TargetDescription
from harness.preparation import prepare
from harness.targets.identity import identified
from harness.targets.interface import Endpoint
from harness.targets.launch import URL, Launch
from harness.targets.url import require_plain


def golden_settings(suite: Suite) -> GoldenSettings:
    """The section that says how to ask.

    Raises:
        ConfigError: when the suite has none.
    """
    if suite.config.golden is None:
        raise ConfigError(
            file=suite.path,
            key="golden",
            problem="section is missing",
            allowed="a section that says how a case is asked and where its outputs lie",
        )
    return suite.config.golden


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Attributes:
        description: What it is, with the model it says it serves.
    """

    suite: Suite
    endpoint: Endpoint
    description: TargetDescription
    credentials: Credentials
    emit: Emit

    def context(self, folder: Path, doing: str) -> CheckContext:
        """What a golden check needs to ask it; progress shows under the name ``doing``."""
        return CheckContext(
            candidate=self.endpoint,
            reference=None,
            suite=self.suite,
            credentials=self.credentials,
            seed=0,
            folder=folder,
            progress=self.progress(doing),
        )

    def progress(self, doing: str) -> Callable[[int, int], None]:
        """Start a bar; what is returned shows how many are done, and of how many."""
        self.emit(CheckStarted(doing))
        return lambda done, total: self.emit(CheckProgress(doing, done, total))


@dataclass(frozen=True)
class Named:
    """What the user named, found and ready to be started as often as needed."""

    suite: Suite
    launch: Launch
    credentials: Credentials
    emit: Emit

    @contextmanager
    def started(self, variant: str | None = None) -> Iterator[Service]:
        """Start it, as one of ``[service.variants]`` or as it is, and remove it at the end.

        Raises:
            TargetError: it does not get ready, or its metadata is not where the suite says.
        """
        how = f" as {variant}" if variant else ""
        doing = "using" if self.launch.scope is Scope.URL else "starting"
        self.emit(Note(f"{doing} the service{how}"))
        with self.launch.start(None, variant=variant) as endpoint:
            service = self.suite.config.service
            description = identified(endpoint, service, self.credentials)
            yield Service(self.suite, endpoint, description, self.credentials, self.emit)


def find_service(
    suite: Suite, named: str | None, environ: Mapping[str, str], emit: Emit, *, gpu: bool = False
) -> Named:
    """An image, a URL, a folder or (None) the suite's own service, built where it has to be.

    Raises:
        UsageError, ConfigError, InfrastructureError: when it can't be had, with what to do.
    """
    if named is not None and URL.match(named):
        require_plain(named)
    prepared = prepare(suite, named, gpu=gpu, environ=environ, emit=emit)
    return Named(suite, prepared.launcher.resolve(named), prepared.credentials, emit)


def machine(description: TargetDescription) -> str:
    """What the answers were made on, for whoever compares sets of two machines."""
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()} {platform.release()} {platform.machine()}, {cores} cores, {description.kind}"
