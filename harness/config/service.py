"""How to start the service, bound it, and tell that it is ready."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from harness.config.building import BuildSettings, ContainerPath, FileSettings, Memory, absolute
from harness.config.companions import CompanionSettings
from harness.config.section import Section

VariantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Replicas = Annotated[int, Field(ge=1, le=8)]
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")


def _url_path(path: str) -> str:
    if _HALF_A_PAIR.search(path):
        raise ValueError("must have no half of a surrogate pair: no URL can be made of it")
    return absolute(path)


UrlPath = Annotated[str, AfterValidator(_url_path)]
Pointer = Annotated[str, Field(pattern=r"^(/.*)?$", description="RFC 6901 JSON pointer")]


class ProcessSettings(Section):
    """How to run the service of this checkout without a container engine."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    environment: dict[str, str] = {}


class MetadataSettings(Section):
    """Where the service says which model it serves; pointers into that JSON answer.

    Attributes:
        execution_provider: What runs the model, by its name in ONNX Runtime or any other with ``CPU`` in that
            of the CPU.
        execution_providers: A list of all that may, in order of preference.
        nodes_by_provider: An object with how many nodes of the model each of them runs.
    """

    path: UrlPath
    credential: str | None = None
    name: Pointer | None = None
    version: Pointer | None = None
    sha256: Pointer | None = None
    execution_provider: Pointer | None = None
    execution_providers: Pointer | None = None
    nodes_by_provider: Pointer | None = None


class GpuSettings(Section):
    """``[service.gpu]``: what is different with ``--device gpu``; a suite without it is for CPUs alone.

    Attributes:
        environment: Added to that of ``[service]``, in place of variables of the same name.
        build_args: Added to ``[service.build] args``, likewise.
        memory: In place of that of ``[service]``; likewise pids and ready_timeout_s. None keeps it.
        max_cpu_nodes: So many nodes of the model may run on the CPU; others are no run on a GPU.
    """

    environment: dict[str, str] = {}
    build_args: dict[str, str] = {}
    memory: Memory | None = None
    pids: Annotated[int, Field(ge=1)] | None = None
    ready_timeout_s: Annotated[float, Field(gt=0, le=3600)] | None = None
    max_cpu_nodes: Annotated[int, Field(ge=0)] = 0


class VariantSettings(Section):
    """``[service.variants.NAME]``: the service started otherwise, for the checks that say so by its name.

    Attributes:
        environment: Added to that of ``[service]``, in place of variables of the same name.
        files: Likewise; one at the path of a file in the image hides that.
        command: In place of that of ``[service]``; None keeps it.
        start_with: Companions that are started first, besides those of ``[service]``.
        replicas: How many containers of it; in place of that of ``[service]``.
        ready_timeout_s: In place of that of ``[service]``; None keeps it.
        scheme: What it then speaks; for ``https`` it is handed ``${tls.server.certificate}`` and its key.
    """

    scheme: Literal["http", "https"] = "http"
    environment: dict[str, str] = {}
    files: dict[str, FileSettings] = {}
    command: tuple[str, ...] | None = None
    start_with: tuple[VariantName, ...] = ()
    replicas: Replicas | None = None
    ready_timeout_s: Annotated[float, Field(gt=0, le=3600)] | None = None


class ServiceSettings(Section):
    """``[service]``: everything about running the service that is special to it.

    Attributes:
        port: The port it listens on inside its container.
        ready_path: Answers ``ready_status`` once requests may come.
        environment: Templates; ``${host}``, ``${port}`` and ``${file.NAME}`` besides the secrets.
        memory: Bound of memory and swap together, as Docker writes it (``512m``).
        cpus: Bound of CPU time, in cores.
        pids: Bound of processes and threads.
        disk: Bound of what it writes to its root file system, where that is not read-only.
        egress: Whether the service may open connections to the outside.
        start_with: Companions that are started before it, in this order.
        replicas: How many containers of it are started; all but the first are asked by scenarios alone.
    """

    port: Annotated[int, Field(ge=1, le=65535)]
    ready_path: UrlPath
    ready_status: int = 200
    ready_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    stop_timeout_s: Annotated[float, Field(ge=0, le=600)] = 10.0
    environment: dict[str, str] = {}
    command: tuple[str, ...] | None = None
    files: dict[str, FileSettings] = {}
    memory: Memory = "1g"
    cpus: Annotated[float, Field(gt=0)] = 1.0
    pids: Annotated[int, Field(ge=1)] = 256
    disk: Memory = "1g"
    read_only_root: bool = False
    tmpfs: tuple[ContainerPath, ...] = ()
    egress: bool = False
    build: BuildSettings | None = None
    process: ProcessSettings | None = None
    metadata: MetadataSettings | None = None
    gpu: GpuSettings | None = None
    companions: dict[VariantName, CompanionSettings] = {}
    start_with: tuple[VariantName, ...] = ()
    replicas: Replicas = 1
    variants: dict[VariantName, VariantSettings] = {}

    def as_variant(self, name: str | None) -> Self:
        """What ``[service.variants.NAME]`` makes of it; unchanged for None.

        Raises:
            KeyError: when there is no such variant.
        """
        if name is None:
            return self
        variant = self.variants[name]
        changed: dict[str, Any] = {
            "environment": self.environment | variant.environment,
            "files": self.files | variant.files,
            "start_with": tuple(dict.fromkeys((*self.start_with, *variant.start_with))),
            "replicas": variant.replicas or self.replicas,
            "ready_timeout_s": variant.ready_timeout_s or self.ready_timeout_s,
        }
        if variant.command is not None:
            changed["command"] = variant.command
        return self.model_copy(update=changed)

    @property
    def needs_containers(self) -> bool:
        """Whether a process of this machine can't stand for it: it has replicas, or something beside it."""
        return bool(self.start_with) or self.replicas > 1

    def on_gpu(self) -> Self:
        """What ``[service.gpu]`` makes of it; unchanged without that section."""
        if self.gpu is None:
            return self
        changed = self.gpu.model_dump(include={"memory", "pids", "ready_timeout_s"}, exclude_none=True)
        changed["environment"] = self.environment | self.gpu.environment
        if self.build is not None:
            args = self.build.args | self.gpu.build_args
            changed["build"] = self.build.model_copy(update={"args": args})
        return self.model_copy(update=changed)

    @model_validator(mode="after")
    def _build_args_have_a_build(self) -> Self:
        if self.gpu is not None and self.gpu.build_args and self.build is None:
            raise ValueError("gpu.build_args is given, and there is no build section that would take them")
        return self

    @model_validator(mode="after")
    def _companions_are_declared(self) -> Self:
        named = {"start_with": self.start_with} | {
            f"variants.{name}.start_with": variant.start_with for name, variant in self.variants.items()
        }
        for key, companions in named.items():
            for companion in companions:
                if companion not in self.companions:
                    known = ", ".join(self.companions) or "none is declared"
                    raise ValueError(f"{key}: no companion {companion!r}; under companions: {known}")
        return self

    @field_validator("files")
    @classmethod
    def _distinct(cls, files: dict[str, FileSettings]) -> dict[str, FileSettings]:
        if not _have_paths_of_their_own(files):
            raise ValueError("two files have the same path")
        return files

    @model_validator(mode="after")
    def _distinct_in_variants(self) -> Self:
        for name in self.variants:
            if not _have_paths_of_their_own(self.as_variant(name).files):
                raise ValueError(f"variants.{name}: two files have the same path")
        return self


def _have_paths_of_their_own(files: Mapping[str, FileSettings]) -> bool:
    paths = [PurePosixPath(file.path) for file in files.values()]
    return len(set(paths)) == len(paths)
