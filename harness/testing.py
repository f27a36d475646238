"""Fakes for the authors of checks: an endpoint that is what you say, a target that starts or does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from harness.checks.interface import CheckContext
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import TargetError
from harness.model import Scope, TargetDescription
from harness.targets.interface import Uncontained
from harness.targets.launch import Launch
from harness.targets.log import LogSearch, search


@dataclass
class FakeEndpoint(Uncontained):
    """An endpoint that is alive until told otherwise."""

    base_url: str = "http://127.0.0.1:9"
    description: TargetDescription = field(
        default_factory=lambda: TargetDescription(kind=Scope.URL, url="http://127.0.0.1:9", startup_s=0.1)
    )
    is_alive: bool = True
    written: str = ""
    used_s: float | None = None
    held_bytes: int | None = None

    def alive(self) -> bool:
        """What ``is_alive`` says."""
        return self.is_alive

    def logs(self) -> str:
        """What ``written`` says."""
        return self.written

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        """Searches ``written``."""
        return search([self.written.encode()], holds)

    def host_address(self) -> str | None:
        """Loopback."""
        return "127.0.0.1"

    def cpu_s(self) -> float | None:
        """What ``used_s`` says."""
        return self.used_s

    def memory_bytes(self) -> int | None:
        """What ``held_bytes`` says."""
        return self.held_bytes


@dataclass
class FakeTarget:
    """A target that gives its endpoint, or fails as told.

    Attributes:
        failure: Raised on entry.
        entered: How often it was started; ``left`` how often it was removed.
        variants: What it was made as, each time.
    """

    endpoint: FakeEndpoint = field(default_factory=FakeEndpoint)
    failure: Exception | None = None
    entered: int = 0
    left: int = 0
    variants: list[str | None] = field(default_factory=list)

    def __enter__(self) -> FakeEndpoint:
        """The endpoint, or the failure."""
        self.entered += 1
        if self.failure is not None:
            raise self.failure
        return self.endpoint

    def __exit__(self, *_exc: object) -> None:
        self.left += 1

    def _start(
        self, _cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
    ) -> Self:
        del until_ready
        self.variants.append(variant)
        return self

    def launch(self) -> Launch:
        """A launch that starts this target each time."""
        return Launch(self.endpoint.description, self._start)


def never_ready(logs: str = "") -> FakeTarget:
    """A target that does not get ready."""
    return FakeTarget(failure=TargetError("not ready within 1 s", logs=logs))


def check_context(
    suite: Suite, folder: Path, *, base_url: str = "http://127.0.0.1:9", seed: int = 0
) -> CheckContext:
    """A context to call ``collect`` with, secrets made as the suite declares them."""
    return CheckContext(
        candidate=FakeEndpoint(base_url=base_url),
        reference=None,
        suite=suite,
        credentials=Credentials(suite.config.auth, {}),
        seed=seed,
        folder=folder,
    )
