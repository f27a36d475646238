"""What a check is: ``collect`` does the I/O, ``judge`` is pure.

A check is one object with the attributes of :class:`Check`, listed in ``harness/checks/table.py``.
The runner stores what ``collect`` returns, loads it again, and gives that to ``judge``: so a verdict
reached later by ``harness judge`` sees exactly what the run's own verdict saw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from harness.config.section import FamilySettings, Limits
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import InfrastructureError
from harness.load import WebAddress
from harness.model import Capability, Family, Finding, ModelIdentity
from harness.targets.interface import Endpoint, Image, Target

EVIDENCE_FILE = "evidence.json"


class Stage(StrEnum):
    """Which targets a check gets; a family that leaves state behind does not share.

    The order of the members is the order of a run.
    """

    UNSTARTED = "unstarted"
    """Nothing runs: what is to be seen in the images alone, also of a candidate that never gets ready."""
    SHARED = "shared"
    """One candidate for all checks of this stage."""
    FRESH = "fresh"
    """A candidate of its own."""
    COMPARED = "compared"
    """One candidate and, if there is one, one reference for all checks of this stage."""
    PAIRED = "paired"
    """A fresh candidate and, if there is one, a fresh reference, alone on the machine."""
    ALONE = "alone"
    """A fresh candidate, alone on the machine, on the cores that the paired stage has for it."""


class Evidence(BaseModel):
    """What a check saw. Subclasses add fields; large arrays go into files beside ``evidence.json``.

    Attributes:
        expected: The least number of cases that makes this a check.
        executed: How many cases ran to an answer.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_inf_nan="strings",
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )
    expected: int
    executed: int

    def save(self, folder: Path, redact: Callable[[str], str]) -> None:
        """Write ``evidence.json`` into ``folder``, secrets replaced."""
        (folder / EVIDENCE_FILE).write_text(redact(self.model_dump_json(indent=1)), encoding="utf-8")

    def validity(self) -> dict[str, float | None]:
        """How far the measurement itself can be trusted, for the report; empty where nothing was measured."""
        return {}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            OSError: when a file is missing.
            pydantic.ValidationError: when it is not this evidence.
        """
        return cls.model_validate_json((folder / EVIDENCE_FILE).read_bytes())


class StartAnother(Protocol):
    """Makes another candidate, or reference, of a run."""

    def __call__(self, variant: str | None, /, *, until_ready: bool = True) -> Target:
        """A target that is not started yet.

        Args:
            variant: One of ``[service.variants]``, None for ``[service]`` as it is.
            until_ready: Whether starting it waits until it is ready.
        """
        ...


@dataclass(frozen=True)
class CheckContext:
    """All that ``collect`` may use.

    Attributes:
        candidate: A ready candidate; in the unstarted stage it has only its description.
        reference: A ready reference, only in the compared and the paired stage.
        suite: The loaded suite; resolves the paths its settings name.
        credentials: Headers and tokens as the suite declares them.
        seed: Seed for everything random in this check.
        generator_cpus: Cores for a load generator, apart from the targets' own; None where there is one core.
        folder: Folder for files beside the evidence (it exists).
        progress: Called with (done, total) cases.
        note: Shows the user a line.
        web: Where a load is shown live, which costs its generator CPU time; None for nowhere.
        start: Makes another candidate of this run. None where nothing can be started: the candidate is a URL.
        start_reference: Makes another container of the reference's image. None where it is no container.
        model: What the candidate said it serves when it was first started.
        candidate_image: None for a process or a URL; ``reference_image`` likewise, and for no reference.
        scratch: Folder for the archives of images, only in the unstarted stage and shared by its checks.
    """

    candidate: Endpoint
    reference: Endpoint | None
    suite: Suite
    credentials: Credentials
    seed: int
    folder: Path
    generator_cpus: tuple[int, ...] | None = None
    progress: Callable[[int, int], None] = field(default=lambda _done, _total: None)
    note: Callable[[str], None] = field(default=lambda _text: None)
    web: WebAddress | None = None
    start: StartAnother | None = None
    start_reference: StartAnother | None = None
    model: ModelIdentity = field(default_factory=ModelIdentity)
    candidate_image: Image | None = None
    reference_image: Image | None = None
    scratch: Path | None = None

    def archive(self, image: Image | None) -> Path:
        """The archive of the candidate's or the reference's image, in the unstarted stage.

        Raises:
            InfrastructureError: the engine failed, or there is no image.
        """
        if image is None or self.scratch is None:
            raise InfrastructureError("only a container has an image")
        return image.archive(self.scratch)


S_contra = TypeVar("S_contra", bound=FamilySettings, contravariant=True)
E = TypeVar("E", bound=Evidence)
E_contra = TypeVar("E_contra", bound=Evidence, contravariant=True)
L_contra = TypeVar("L_contra", bound=Limits, contravariant=True)


class Judge(Protocol[E_contra, L_contra]):
    """The pure half of a check. ``id`` starts with its family (``golden.single``)."""

    id: ClassVar[str]
    family: ClassVar[Family]

    def judge(self, evidence: E_contra, limits: L_contra) -> Sequence[Finding]:
        """Hold the evidence against the limits; pure, total, and never empty."""
        ...


class Check(Protocol[S_contra, E, L_contra]):
    """One check.

    Attributes:
        needs: Without these capabilities the whole check is not applicable.
        evidence: The evidence class, to load a stored run.
    """

    id: ClassVar[str]
    family: ClassVar[Family]
    stage: ClassVar[Stage]
    needs: ClassVar[frozenset[Capability]]
    evidence: ClassVar[type[Any]]

    def applies(self, settings: S_contra) -> bool:
        """Whether the suite declares what this check asks about."""
        ...

    def verify_inputs(self, suite: Suite, settings: S_contra) -> None:
        """Read the files that the settings name, before anything is started.

        ``suite.resolve`` finds them, and so their digests get into the report.

        Raises:
            ConfigError: naming the file, the key and the value that is wrong.
        """
        ...

    def collect(self, context: CheckContext, settings: S_contra) -> E:
        """Ask the candidate and return what it said.

        Raises:
            TargetError: when the candidate died.
            InfrastructureError: when the reference or the machine failed.
        """
        ...

    def judge(self, evidence: E, limits: L_contra) -> Sequence[Finding]:
        """As :meth:`Judge.judge`."""
        ...


AnyCheck = Check[Any, Any, Any]
AnyJudge = Judge[Any, Any]
