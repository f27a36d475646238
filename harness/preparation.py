"""What a run has before its targets start: its secrets, its engine, and a way to start what was named."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import UsageError
from harness.events import BuildProgress, Emit, Note
from harness.nvml import require_gpus
from harness.targets.engine import Engine, find_engine
from harness.targets.launch import NO_REFERENCE, URL, Launch, Launcher
from harness.targets.scratch import remove_orphan_folders


@dataclass(frozen=True)
class Prepared:
    """One run's secrets and engine.

    Attributes:
        engine: None where no target needs one, or none answers.
    """

    credentials: Credentials
    engine: Engine | None
    launcher: Launcher

    def require_gpus(self) -> None:
        """Make sure that the GPUs can be watched; without a way to them the launcher says what is missing.

        Raises:
            InfrastructureError: there are none to be had.
        """
        if self.engine is not None and self.engine.gpu_access() is not None:
            require_gpus()


def prepare(suite: Suite, *named: str | None, gpu: bool, environ: Mapping[str, str], emit: Emit) -> Prepared:
    """Make the secrets, find the engine, and remove what killed runs have left; nothing is started.

    Args:
        suite: Says how to run the service.
        named: What is to be started or asked: images, URLs, folders; None for the suite's own service.
        gpu: Whether targets get the machine's GPUs.
        environ: Where secrets may be given, and an engine named.
        emit: Gets the events.

    Raises:
        UsageError: a secret that a URL needs is not given.
    """
    urls = [name for name in named if name is not None and URL.match(name)]
    credentials = Credentials(suite.config.auth, environ, generate=not urls)
    engine = None if len(urls) == len(named) else _engine(suite, environ, emit)
    launcher = Launcher(
        suite=suite,
        engine=engine,
        values={**credentials.template_values(), "device": "gpu" if gpu else "cpu"},
        certificates=credentials.certificates,
        run_token=secrets.token_hex(3),
        base_image=environ.get("HARNESS_BASE_IMAGE"),
        gpu=gpu,
        progress=lambda step, total: emit(BuildProgress(step, total)),
    )
    return Prepared(credentials=credentials, engine=engine, launcher=launcher)


def sides(candidate: str | None, reference: str | None) -> list[str | None]:
    """Both, as ``prepare`` takes them: a reference that is not named takes no more than the candidate."""
    return [candidate] if reference in {None, NO_REFERENCE} else [candidate, reference]


def require_reference(candidate: str | None, reference: str | None) -> None:
    """A URL is compared with what is named, since nothing says what its release before was.

    Raises:
        UsageError: it has none.
    """
    if candidate is not None and URL.match(candidate) and reference is None:
        raise UsageError(
            "a URL needs --reference", fix="name the URL it is compared with, or --reference none"
        )


def reference_launch(launcher: Launcher, named: str | None) -> Launch | None:
    """What a candidate that was named is compared with; None for a first release.

    Raises:
        UsageError: nothing was named, and the suite cannot make one.
    """
    if named == NO_REFERENCE:
        return None
    service = launcher.suite.config.service
    if named is None and service.build is None and service.process is None:
        raise UsageError(
            f"{launcher.suite.path} does not say how to build a reference",
            fix="give --reference IMAGE (the release now in use), or --reference none for a first release",
        )
    return launcher.resolve(named)


def _engine(suite: Suite, environ: Mapping[str, str], emit: Emit) -> Engine | None:
    engine = find_engine(suite.folder, environ)
    orphans = remove_orphan_folders() + ([] if engine is None else engine.remove_orphans())
    for name in orphans:
        emit(Note(f"removed what a killed run had left: {name}"))
    return engine
