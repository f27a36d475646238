"""Records what a service answers to inputs."""

from datetime import date
from pathlib import Path

from harness.checks.golden.header import NOT_TOLD, GoldenHeader, GoldenModel, Producer
from harness.golden.asking import answers
from harness.golden.inputs import Inputs
from harness.golden.service import Service, golden_settings, machine
from harness.golden.writing import GoldenWriter
from harness.model import Scope, TargetDescription


def record(service: Service, inputs: Inputs, folder: Path, *, compress: bool, today: date) -> GoldenHeader:
    """Ask every input and write the set.

    Raises:
        AnswerError: for an answer that is none; then nothing is written.
        TargetError: when the service died.
    """
    settings = golden_settings(service.suite)
    progress = service.progress("recording")
    with GoldenWriter(folder, compress=compress) as writer:
        for case, expected in answers(service, settings, inputs, lambda done: progress(done, inputs.count)):
            writer.add(case.id, case.input, expected)
        return writer.commit(
            lambda cases: GoldenHeader(
                schema_version=1,
                producer=producer(service, today),
                model=model(service),
                dataset=inputs.dataset,
                cases=cases,
            )
        )


def producer(service: Service, today: date) -> Producer:
    """The service as the one who computed the values."""
    described = service.description
    return Producer(
        name=described.image or own_url(described) or f"the service of {service.suite.path}",
        version=described.model.version or described.image_id or NOT_TOLD,
        kind="service",
        date=today,
        environment=machine(described),
        **answered(described),
    )


def model(service: Service) -> GoldenModel:
    """The model that the service says it serves, or the suite's name where it does not say."""
    told = service.description.model
    return GoldenModel(name=told.name or service.suite.config.name, version=told.version, sha256=told.sha256)


def answered(described: TargetDescription) -> dict[str, str | None]:
    """The fields of :class:`harness.checks.golden.header.Answered`."""
    return {
        "image": described.image,
        "image_id": described.image_id,
        "repo_digest": described.repo_digest,
        "url": own_url(described),
        "device": described.device,
        "execution_provider": described.execution_provider,
    }


def own_url(described: TargetDescription) -> str | None:
    """Where a service that runs by itself is asked; one that was started here is gone with its port."""
    return described.url if described.kind is Scope.URL else None
