"""``lifecycle.container``: no process is root or has a capability, as the kernel sees it from outside."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.interface import CheckContext, Evidence, Stage
from harness.checks.lifecycle.findings import nothing_wrong
from harness.checks.lifecycle.settings import LifecycleLimits, LifecycleSettings
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Model, Outcome, Utf8Text


class ProcessSeen(Model):
    """See :class:`harness.targets.interface.RunningProcess`."""

    command: Utf8Text
    uids: tuple[int, ...]
    capabilities: int | None


class ContainerEvidence(Evidence):
    """Every process of the candidate after it was asked for a while."""

    processes: tuple[ProcessSeen, ...]


class LifecycleContainer:
    """Lists the processes of the candidate that was asked already."""

    id: ClassVar[str] = "lifecycle.container"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[ContainerEvidence]] = ContainerEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares it."""
        return settings.container

    def verify_inputs(self, suite: Suite, settings: LifecycleSettings) -> None:
        """It reads no files."""

    def collect(self, context: CheckContext, _settings: LifecycleSettings) -> ContainerEvidence:
        """Ask the engine, and the kernel.

        Raises:
            InfrastructureError: the engine does not tell.
        """
        seen = tuple(
            ProcessSeen(command=process.command, uids=process.uids, capabilities=process.capabilities)
            for process in context.candidate.processes()
        )
        return ContainerEvidence(expected=1, executed=len(seen), processes=seen)

    def judge(self, evidence: ContainerEvidence, _limits: LifecycleLimits) -> Sequence[Finding]:
        """``user``: none is root; ``capabilities``: none has any, where the kernel tells."""
        told = [seen for seen in evidence.processes if seen.capabilities is not None]
        capabilities = f"{self.id}.capabilities"
        return [
            nothing_wrong(
                f"{self.id}.user",
                [f"{seen.command} runs as root" for seen in evidence.processes if 0 in seen.uids],
                good="no process is root",
                samples=len(evidence.processes),
            ),
            nothing_wrong(
                capabilities,
                [
                    f"{seen.command} has the capabilities {seen.capabilities:x}"
                    for seen in told
                    if seen.capabilities
                ],
                good="no process has a capability",
                samples=len(told),
            )
            if told
            else Finding(
                id=capabilities,
                outcome=Outcome.INCONCLUSIVE,
                message="the engine's kernel could not be asked",
            ),
        ]
