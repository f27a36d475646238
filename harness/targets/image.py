"""Finds an image by any name, or builds it from a folder."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import docker.errors
import requests

from harness.config.building import BuildSettings
from harness.errors import InfrastructureError
from harness.targets.engine import Engine
from harness.targets.interface import Image

STEP = re.compile(r"Step (\d+)/(\d+) ")


@dataclass(frozen=True)
class ImageIdentity:
    """What an image is, whatever it is called.

    Attributes:
        name: As the user named it.
        image_id: ``sha256:...`` of its configuration.
        repo_digest: ``name@sha256:...`` in a registry; None for an image that was never pushed.
        content: What can be seen of it without a start.
    """

    name: str
    image_id: str
    repo_digest: str | None
    content: Image = field(repr=False)


def find_image(engine: Engine, name: str) -> ImageIdentity:
    """A local image, else one pulled from its registry.

    Raises:
        InfrastructureError: when there is none of that name, or the registry does not answer.
    """
    try:
        try:
            image = engine.client.images.get(name)
        except docker.errors.ImageNotFound:
            repository, tag = (name, None) if "@" in name else _split_tag(name)
            image = engine.client.images.pull(repository, tag=tag)
    except docker.errors.APIError as error:
        raise InfrastructureError(
            f"image {name}: not on this machine, and it cannot be pulled: {error.explanation or error}",
            fix="check the name (`docker images` lists those here) or build it first",
        ) from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise InfrastructureError(f"container engine: {error}") from error
    return ImageIdentity(
        name=name,
        image_id=str(image.id),
        repo_digest=repo_digest(image.attrs.get("RepoDigests") or [], name),
        content=_content(image),
    )


def repo_digest(digests: Sequence[str], name: str) -> str | None:
    """Of the digests of an image, which each registry has its own of, that of the registry it was named by.

    Args:
        digests: ``name@sha256:...``, as the engine lists them.
        name: As the user named it: by tag, by digest or by id.
    """
    if "@" in name:
        repository, _, digest = name.partition("@")
        asked = f"{_split_tag(repository)[0]}@{digest}"
    else:
        asked = f"{_split_tag(name)[0]}@"
    named = [known for known in digests if known.startswith(asked)]
    return next(iter(named or digests), None)


def _content(image: Any) -> Image:
    def save(path: Path) -> None:
        try:
            with path.open("wb") as archive:
                for chunk in image.save():
                    archive.write(chunk)
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            raise InfrastructureError(f"container engine: saving {image.id}: {error}") from error

    config = image.attrs.get("Config") or {}
    exposed = (port.partition("/") for port in config.get("ExposedPorts") or {})
    return Image(
        image_id=str(image.id),
        size_bytes=int(image.attrs["Size"]),
        labels=dict(config.get("Labels") or {}),
        save=save,
        ports=tuple(sorted(int(port) for port, _, kind in exposed if kind == "tcp" and port.isdecimal())),
        volumes=tuple(sorted(config.get("Volumes") or {})),
    )


def _split_tag(name: str) -> tuple[str, str]:
    head, colon, tail = name.rpartition(":")
    return (head, tail) if colon and "/" not in tail else (name, "latest")


def build_image(
    engine: Engine,
    folder: Path,
    build: BuildSettings,
    *,
    tag: str,
    base_image: str | None,
    progress: Callable[[int, int], None],
) -> ImageIdentity:
    """Build ``folder`` with the classic builder, which every engine has.

    Args:
        engine: Where.
        folder: What the build's context is relative to.
        build: As the suite declares it.
        tag: Name of the result.
        base_image: Value for ``build.base_image_arg``, None to leave the Dockerfile's default.
        progress: Called with the number of each step and of all.

    Raises:
        InfrastructureError: when the build fails; the message ends with its last lines.
    """
    context = (folder / build.context).resolve()
    arguments = dict(build.args)
    if base_image and build.base_image_arg:
        arguments[build.base_image_arg] = base_image
    lines: list[str] = []
    image_id = ""
    try:
        for chunk in engine.client.api.build(
            path=str(context),
            dockerfile=build.dockerfile,
            tag=tag,
            buildargs=arguments,
            rm=True,
            forcerm=True,
            decode=True,
        ):
            if "error" in chunk:
                raise InfrastructureError(
                    f"building {context / build.dockerfile}: {chunk['error'].strip()}\n"
                    + "\n".join(lines[-20:])
                )
            image_id = chunk.get("aux", {}).get("ID", image_id)
            line = str(chunk.get("stream", "")).strip()
            if line:
                lines.append(line)
                if step := STEP.match(line):
                    progress(int(step[1]), int(step[2]))
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise InfrastructureError(f"container engine: {error}") from error
    # By id: another run on this machine may move the tag at any moment.
    return replace(find_image(engine, image_id or tag), name=tag)
