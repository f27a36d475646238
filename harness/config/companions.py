"""What stands beside the service, such as the store that its replicas share."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.config.building import BuildSettings, ContainerPath, FileSettings, Memory
from harness.config.section import Section


class CompanionSettings(Section):
    """``[service.companions.NAME]``: a container that the service finds by that name.

    Attributes:
        image: What to run; or ``build``.
        build: How to build it, relative to gate.toml.
        port: Ready once a connection to it stays open.
        environment: Templates; ``${file.NAME}`` besides the secrets.
        files: Handed to it read-only.
        command: In place of the image's own.
        user: As whom it runs, None for the image's user; it has no capabilities to change that.
        tmpfs: Where it may write; its root is read-only.
        memory: Bound of memory and swap together, as Docker writes it.
        cpus: Bound of CPU time, in cores.
        pids: Bound of processes and threads.
    """

    image: str | None = None
    build: BuildSettings | None = None
    port: Annotated[int, Field(ge=1, le=65535)]
    ready_timeout_s: Annotated[float, Field(gt=0, le=600)] = 20.0
    environment: dict[str, str] = {}
    files: dict[str, FileSettings] = {}
    command: tuple[str, ...] | None = None
    user: str | None = None
    tmpfs: tuple[ContainerPath, ...] = ()
    memory: Memory = "128m"
    cpus: Annotated[float, Field(gt=0)] = 1.0
    pids: Annotated[int, Field(ge=1)] = 64

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.image is None) == (self.build is None):
            raise ValueError("needs either image or build")
        return self
