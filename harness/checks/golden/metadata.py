"""``golden.metadata``: the document in which the service describes its model is the recorded one."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError

from harness.checks.golden.asking import Answer, ask_all
from harness.checks.golden.evidence import RecordedRequest, evidence_path
from harness.checks.golden.header import Producer
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.settings import GoldenSettings, MetadataGolden
from harness.checks.golden.wire import cut, json_type, parse_json
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.suite import Suite
from harness.errors import ConfigError, shown
from harness.http_request import build
from harness.model import Capability, Family, Finding, Outcome, Utf8Text

MOST_TIMES_RECORDED = 4
MOST_TOLD = 3


class RecordedMetadata(Section):
    """The file: a document, and who says that it is right."""

    schema_version: Literal[1]
    producer: Producer
    document: Annotated[dict[str, Any], Field(min_length=1)]


class MetadataEvidence(Evidence):
    """Both documents.

    Attributes:
        observed: What was answered; None with a ``problem``.
        ignored: Pointers to what may differ.
    """

    producer: Producer
    request: RecordedRequest
    recorded: dict[str, Any]
    observed: dict[str, Any] | None
    ignored: tuple[str, ...]
    problem: Utf8Text = ""


class GoldenMetadata:
    """Asks once."""

    id: ClassVar[str] = "golden.metadata"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[MetadataEvidence]] = MetadataEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite has a recorded document."""
        return settings.metadata is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the recorded document.

        Raises:
            ConfigError: when it is missing or wrong.
        """
        if settings.metadata is not None:
            _read(suite, settings, settings.metadata)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> MetadataEvidence:
        """Ask for the document.

        Raises:
            ConfigError: as :meth:`verify_inputs`.
            TargetError: when the candidate died.
            ValueError: when the settings have no recorded document; see :meth:`applies`.
        """
        declared = settings.metadata
        if declared is None:
            raise ValueError("the suite declares no recorded metadata")
        recorded = _read(context.suite, settings, declared)
        request = build(declared, {}, context.credentials.headers(declared.credential))
        answers = list(ask_all(context.candidate, [(declared.file, request)], settings))
        answer = answers[0][2] if answers else Answer(answered=False, problem="not asked: no time was left")
        document, problem = answer.document, answer.problem
        if not problem and not isinstance(document, dict):
            problem = f"{json_type(document)} instead of an object"
        elif not problem and len(json.dumps(document)) > MOST_TIMES_RECORDED * len(
            json.dumps(recorded.document)
        ):
            problem = f"more than {MOST_TIMES_RECORDED} times as long as the recorded document"
        return MetadataEvidence(
            expected=1,
            executed=int(answer.answered),
            producer=recorded.producer,
            request=RecordedRequest.of(declared, context),
            recorded=recorded.document,
            observed=None if problem else document,
            ignored=declared.ignored,
            problem=problem,
        )

    def judge(self, evidence: MetadataEvidence, _limits: GoldenLimits) -> Sequence[Finding]:
        """A finding for the answer, one for each recorded member, one for members that are not recorded."""
        reproduce = evidence.request.curl("")
        if evidence.observed is None:
            return [_finding("answer", [evidence.problem], "", reproduce)]
        recorded, observed = evidence.recorded, evidence.observed
        ignored = frozenset(evidence.ignored)
        pointers = {_pointer("", name): name for name in recorded}
        findings = [_finding("answer", [], "a document was answered", reproduce)]
        for pointer, name in pointers.items():
            if pointer not in ignored:
                told = (
                    list(differences(recorded[name], observed[name], pointer, ignored))
                    if name in observed
                    else [f"{pointer} is missing"]
                )
                findings.append(_finding(pointer, told, "as recorded", reproduce))
        more = [_pointer("", name) for name in observed if name not in recorded]
        told = [f"{pointer} is not recorded" for pointer in more if pointer not in ignored]
        findings.append(_finding("members", told, "no member that is not recorded", reproduce))
        return findings


def differences(recorded: Any, observed: Any, pointer: str, ignored: Collection[str]) -> Iterator[str]:
    """How ``observed`` differs, a line for each place; numbers are equal by value, all else by type too."""
    if pointer in ignored:
        return
    match recorded, observed:
        case dict(), dict():
            for name in dict.fromkeys([*recorded, *observed]):
                below = _pointer(pointer, name)
                if name in recorded and name in observed:
                    yield from differences(recorded[name], observed[name], below, ignored)
                elif below not in ignored:
                    yield f"{below} is {'missing' if name in recorded else 'not recorded'}"
        case list(), list() if len(recorded) == len(observed):
            for index, (one, other) in enumerate(zip(recorded, observed, strict=True)):
                yield from differences(one, other, f"{pointer}/{index}", ignored)
        case _ if json_type(recorded) != json_type(observed) or recorded != observed:
            yield f"{pointer} is {shown(observed)}, recorded is {shown(recorded)}"


def _pointer(above: str, name: str) -> str:
    return f"{above}/{name.replace('~', '~0').replace('/', '~1')}"


def _finding(name: str, told: Sequence[str], right: str, reproduce: str) -> Finding:
    more = f"; {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return Finding(
        id=f"{GoldenMetadata.id}.{name}",
        outcome=Outcome.FAIL if told else Outcome.PASS,
        message=cut("; ".join(told[:MOST_TOLD]), 400) + more if told else right,
        observed=len(told),
        limit=0,
        unit="differences",
        samples=1,
        evidence=evidence_path(GoldenMetadata.id),
        reproduce=reproduce if told else "",
    )


def _read(suite: Suite, settings: GoldenSettings, declared: MetadataGolden) -> RecordedMetadata:
    file = suite.resolve(str(Path(settings.path) / declared.file), key="golden.metadata.file")
    try:
        return RecordedMetadata.model_validate(parse_json(file.read_bytes()))
    except ValidationError as error:
        raise config_error(error, RecordedMetadata, file) from error
    except (OSError, ValueError) as error:
        raise ConfigError(
            file=file, problem=f"cannot be read: {error}", allowed="a recorded document as JSON"
        ) from error
