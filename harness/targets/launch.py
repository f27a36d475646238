"""From what the user named to something that can be started, as often as the plan asks."""

import hashlib
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from harness.config.files import is_folder
from harness.config.service import ServiceSettings
from harness.config.suite import Suite
from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.model import Scope, TargetDescription
from harness.targets.companion import Companions
from harness.targets.container import ContainerTarget
from harness.targets.engine import INSTALL, Engine
from harness.targets.gpu import INSTALL_TOOLKIT
from harness.targets.image import ImageIdentity, build_image, find_image
from harness.targets.interface import Image, Target
from harness.targets.process import ProcessTarget
from harness.targets.url import UrlTarget
from harness.tls import Certificates

URL = re.compile(r"^https?://", re.IGNORECASE)
NO_REFERENCE = "none"


class Start(Protocol):
    """Makes a target."""

    def __call__(
        self, cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
    ) -> Target:
        """A target that is not started yet.

        Args:
            cpuset: Cores to bind it to (``0-2``), None for any.
            variant: One of ``[service.variants]``, None for ``[service]`` as it is.
            until_ready: Whether starting it waits until it is ready.

        Raises:
            UsageError: for a variant of a URL, which has none.
        """
        ...


@dataclass(frozen=True)
class Launch:
    """A target that can be started again and again.

    Attributes:
        description: What is known of it before it starts.
        start: Makes a target.
        image: What a container is made from; None for a process or a URL.
    """

    description: TargetDescription
    start: Start
    image: Image | None = None

    @property
    def scope(self) -> Scope:
        """Container, process or URL."""
        return self.description.kind


@dataclass(frozen=True)
class Launcher:
    """What all targets of a run share.

    Attributes:
        suite: Says how to run the service.
        engine: None where no engine answers.
        values: Secrets and names for the suite's templates.
        certificates: For variants that speak TLS.
        run_token: Random part of this run's names.
        base_image: See :class:`harness.config.service.BuildSettings`.
        gpu: Whether targets get the machine's GPUs.
        progress: Called with the number of each step of a build and of all.
    """

    suite: Suite
    engine: Engine | None
    values: Mapping[str, str]
    certificates: Certificates
    run_token: str
    base_image: str | None
    gpu: bool
    progress: Callable[[int, int], None]

    def resolve(self, named: str | None) -> Launch:
        """A launch for an image, a URL, a folder, or (None) the service of this checkout.

        Raises:
            UsageError, ConfigError, InfrastructureError: when it can't be had, with what to do.
        """
        if named is not None and URL.match(named):
            return self._url(named)
        if self.gpu and self.engine is not None and self.engine.gpu_access() is None:
            raise InfrastructureError(
                "--device gpu: the engine has no NVIDIA runtime, and no CDI device of NVIDIA",
                fix=f"{INSTALL_TOOLKIT}; `harness doctor --device gpu` tells more",
            )
        if named is None:
            return self._checkout(self.suite.folder)
        if is_folder(named):
            return self._checkout(Path(named))
        if self.engine is None:
            raise InfrastructureError(f"no container engine answers, and {named!r} is an image", fix=INSTALL)
        return self._container(self.engine, find_image(self.engine, named))

    @property
    def service(self) -> ServiceSettings:
        """How to run the service on the device that was asked for."""
        service = self.suite.config.service
        return service.on_gpu() if self.gpu else service

    def _values(self, variant: str | None) -> Mapping[str, str]:
        """What fills the templates; a variant may be handed certificates."""
        return self.values if variant is None else {**self.values, **self.certificates.template_values()}

    def _tls(self, variant: str | None) -> ssl.SSLContext | None:
        """What verifies a variant that speaks TLS; None for any other."""
        if variant is None or self.service.variants[variant].scheme == "http":
            return None
        return self.certificates.context()

    def _url(self, url: str) -> Launch:
        if self.gpu:
            raise UsageError(
                "--device gpu starts containers; a URL runs where it runs", fix="leave out --device"
            )
        description = TargetDescription(kind=Scope.URL, url=url)

        def start(
            _cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
        ) -> UrlTarget:
            if variant is not None or not until_ready:
                raise UsageError(f"{url}: variants of the service are started, a URL runs already")
            return UrlTarget(url, self.suite.config.service)

        return Launch(description, start)

    def _checkout(self, folder: Path) -> Launch:
        service = self.service
        if self.engine is not None and service.build is not None:
            context = (folder / service.build.context).resolve()
            if not (context / service.build.dockerfile).is_file():
                raise ConfigError(
                    file=self.suite.path,
                    key="service.build.dockerfile",
                    value=service.build.dockerfile,
                    problem="no such file",
                    allowed=f"a path in {context}",
                )
            image = build_image(
                self.engine,
                folder,
                service.build,
                tag=self._tag(folder),
                base_image=self.base_image,
                progress=self.progress,
            )
            return self._container(self.engine, image)
        process = service.process
        if process is not None and not self.gpu:

            def start(
                cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
            ) -> ProcessTarget:
                return ProcessTarget(
                    folder=folder,
                    service=_alone(service.as_variant(variant)),
                    process=process,
                    values=self._values(variant),
                    cpuset=cpuset,
                    tls=self._tls(variant),
                    until_ready=until_ready,
                )

            return Launch(TargetDescription(kind=Scope.PROCESS), start)
        if self.engine is None and service.build is not None:
            raise InfrastructureError(
                "no container engine answers, and an image has to be built", fix=INSTALL
            )
        raise ConfigError(
            file=self.suite.path,
            key="service.build",
            problem=f"required to gate the folder {folder}",
            allowed="a table with context and dockerfile, or name an image or a URL",
        )

    def _tag(self, folder: Path) -> str:
        """A name for the image of ``folder``; candidate and reference may be two of them."""
        digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
        return f"harness-{self.suite.config.name}:checkout-{digest}"

    def _container(self, engine: Engine, image: ImageIdentity) -> Launch:
        description = TargetDescription(
            kind=Scope.CONTAINER,
            image=image.name,
            image_id=image.image_id,
            repo_digest=image.repo_digest,
            device="gpu" if self.gpu else "cpu",
        )
        companions = Companions(engine, cache(lambda name: self._companion_image(engine, name)), self.values)

        def start(
            cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
        ) -> ContainerTarget:
            return ContainerTarget(
                engine=engine,
                image=image,
                service=self.service.as_variant(variant),
                values=self._values(variant),
                run_id=self.run_token,
                cpuset=cpuset,
                tls=self._tls(variant),
                gpu=self.gpu,
                until_ready=until_ready,
                companions=companions,
            )

        return Launch(description, start, image.content)

    def _companion_image(self, engine: Engine, name: str) -> str:
        """The image id of a companion; it is built for the first start that needs it."""
        declared = self.suite.config.service.companions[name]
        if declared.build is None:
            return find_image(engine, declared.image or "").image_id
        return build_image(
            engine,
            self.suite.folder,
            declared.build,
            tag=f"harness-{self.suite.config.name}:companion-{name}",
            base_image=self.base_image,
            progress=self.progress,
        ).image_id


def _alone(service: ServiceSettings) -> ServiceSettings:
    if service.needs_containers:
        raise UsageError(
            "a process of this machine has no companions and no replicas",
            fix="name an image, or start an engine",
        )
    return service
