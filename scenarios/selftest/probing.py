"""What probes share. A probe shows of one entry of the catalogue that its fault or change is really there.

It is a program: it asks the service of the entry and the healthy one directly, by HTTP or from the engine.
It imports nothing of the harness, so that a check that is wrong can't vouch for itself. It ends with 0 if
only the entry behaves so, with 1 and a reason if not, and with 2 if it could not tell.
"""

import io
import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import docker
import httpx

ACTIVE, INACTIVE, BROKEN = 0, 1, 2
TIMEOUT_S = 10
ENGINE_TIMEOUT_S = 25
GOLDEN = Path(__file__).resolve().parents[2] / "golden"
ARTIFACT = "/opt/app/reference_service/artifacts/breast-cancer"
"""Where an image of the suite has its model and the manifest of it."""


@dataclass(frozen=True)
class Image:
    """One image of the engine.

    Attributes:
        engine: A client of it.
        id: The image's.
        labels: What a container that is made to look into it gets: whoever removes what a killed run left
            behind finds it too.
    """

    engine: docker.DockerClient
    id: str
    labels: Mapping[str, str]

    @property
    def inspected(self) -> dict[str, Any]:
        """What the engine says of it."""
        attributes: dict[str, Any] = self.engine.images.get(self.id).attrs
        return attributes

    @property
    def commands(self) -> list[str]:
        """The commands that it was built by, the last first."""
        return [each.get("CreatedBy", "") for each in self.engine.images.get(self.id).history()]

    def archive(self, path: str) -> tarfile.TarFile:
        """What its file system has at a path, in a container that never starts."""
        container = self.engine.containers.create(self.id, labels=dict(self.labels))
        try:
            chunks, _ = container.get_archive(path)
            return tarfile.open(fileobj=io.BytesIO(b"".join(chunks)))
        finally:
            container.remove(force=True, v=True)

    def artifact(self) -> dict[str, bytes]:
        """The files of its model's folder."""
        with self.archive(ARTIFACT) as archive:
            return {Path(each.name).name: read(archive, each) for each in archive if each.isfile()}

    def manifest(self) -> dict[str, Any]:
        """What the model's folder says of itself."""
        manifest: dict[str, Any] = json.loads(self.artifact()["manifest.json"])
        return manifest


@dataclass(frozen=True)
class Given:
    """What a probe is told on standard input.

    Attributes:
        base_url: Of a service of the entry's image.
        healthy_url: Of one of the image that the entry was made from.
        headers: Those of each credential that the suite declares.
        container_id: The entry's container.
        image_id: The entry's image.
        healthy_image_id: The one that it was made from.
        docker_host: The engine; None for the one that the environment names.
        variant: The start that the entry asked for; None for the usual one.
        tokens: Each token that the suite declares, also those that have to be refused.
    """

    base_url: str
    healthy_url: str
    headers: dict[str, dict[str, str]]
    container_id: str
    image_id: str
    healthy_image_id: str
    docker_host: str | None = None
    variant: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, base_url: str, **settings: Any) -> httpx.Client:
        """A client of one of the services, which no proxy and no redirect leads elsewhere.

        It keeps every connection: of one too many a thread may ask while another closes it.
        """
        kept = {"timeout": TIMEOUT_S, "limits": httpx.Limits(), "trust_env": False}
        return httpx.Client(**{"base_url": base_url, **kept, **settings})

    @contextmanager
    def engine(self) -> Iterator[docker.DockerClient]:
        """A client of the engine."""
        environment = {**os.environ, "DOCKER_HOST": self.docker_host} if self.docker_host else None
        client = docker.from_env(timeout=ENGINE_TIMEOUT_S, environment=environment)
        try:
            yield client
        finally:
            client.close()


def given() -> Given:
    """Read what the probe is told; from here on an unexpected error ends it as one that could not tell."""
    sys.excepthook = _broken
    told = json.load(sys.stdin)
    return Given(**{each.name: told[each.name] for each in fields(Given) if each.name in told})


def differs(on_entry: bool, on_healthy: bool, what: str) -> NoReturn:
    """End: active if the entry's service or image shows ``what`` and the healthy one does not."""
    if on_entry and not on_healthy:
        sys.exit(ACTIVE)
    who = "the healthy one too" if on_healthy else "the entry does not"
    sys.stdout.write(f"{what}: {who}\n")
    sys.exit(INACTIVE)


def prove(told: Given, shows: Callable[[httpx.Client], bool], what: str) -> NoReturn:
    """End by what each of the two services shows."""
    with told.client(told.base_url) as entry, told.client(told.healthy_url) as healthy:
        differs(shows(entry), shows(healthy), what)


def prove_of_image(told: Given, shows: Callable[[Image], bool], what: str) -> NoReturn:
    """End by what each of the two images shows."""
    with told.engine() as engine:
        labels = engine.containers.get(told.container_id).labels
        entry, healthy = (Image(engine, each, labels) for each in (told.image_id, told.healthy_image_id))
        differs(shows(entry), shows(healthy), what)


def cases(count: int | None = None, artifact: str = "breast-cancer") -> list[dict[str, Any]]:
    """The first golden cases, or all: ``id``, ``input`` and the ``expected`` answer."""
    with (GOLDEN / artifact / "cases.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in islice(lines, count)]


def samples(count: int) -> list[dict[str, Any]]:
    """The inputs of the first golden cases."""
    return [case["input"] for case in cases(count)]


def sample() -> dict[str, Any]:
    """The input of the first golden case."""
    return samples(1)[0]


def predict(
    client: httpx.Client, headers: Mapping[str, str], given_input: Any, **json_: Any
) -> httpx.Response:
    """Ask for one prediction, with further members of the request's JSON."""
    return client.post("/predict", headers=headers, json={"features": given_input, **json_})


def predict_batch(
    client: httpx.Client, headers: Mapping[str, str], inputs: Sequence[Any], **json_: Any
) -> httpx.Response:
    """Ask for one prediction each, all by one request."""
    return client.post("/predict/batch", headers=headers, json={"instances": list(inputs), **json_})


def answered(response: httpx.Response) -> Any:
    """The JSON of a success; anything else leaves the probe unable to tell."""
    return response.raise_for_status().json()


def golden(
    client: httpx.Client, headers: Mapping[str, str], chosen: Sequence[Mapping[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What golden cases expect, each with what it is answered by itself."""
    return [(case["expected"], answered(predict(client, headers, case["input"]))) for case in chosen]


def read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """The content of a file in an archive."""
    content = archive.extractfile(member)
    if content is None:
        raise FileNotFoundError(member.name)
    return content.read()


def _broken(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python would end with 1, which says that the fault is not there."""
    sys.__excepthook__(kind, error, trace)
    sys.exit(BROKEN)
