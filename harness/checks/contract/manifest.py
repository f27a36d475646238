"""``contract.manifest``: what the manifest says, what the document says, and what is served, are the same."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, ClassVar

import httpx

from harness.checks.contract.fetch import fetch
from harness.checks.contract.frozen import KEY, frozen_document
from harness.checks.contract.manifest_evidence import Asked, ManifestEvidence, Predicted
from harness.checks.contract.manifest_judging import judge_manifest
from harness.checks.contract.settings import ContractLimits, ContractSettings, ManifestSettings
from harness.checks.golden.golden_set import Case, open_golden_set
from harness.checks.golden.payloads import batch_requests, single_requests
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import cut, parse_json
from harness.checks.interface import CheckContext, Stage
from harness.checks.patience import Patience
from harness.config.service import MetadataSettings
from harness.config.suite import Suite
from harness.errors import ConfigError, TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request
from harness.model import Capability, Family, Finding
from harness.openapi.answers import documented_operations
from harness.pointer import PointerError, resolve
from harness.reproduce import curl, redacted


class ContractManifest:
    """Asks for the manifest and for predictions of some golden inputs, singly and in a batch."""

    id: ClassVar[str] = "contract.manifest"
    family: ClassVar[Family] = Family.CONTRACT
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ManifestEvidence]] = ManifestEvidence

    def applies(self, settings: ContractSettings) -> bool:
        """Whether the suite declares where the manifest has what."""
        return settings.manifest is not None

    def verify_inputs(self, suite: Suite, settings: ContractSettings) -> None:
        """Find what it needs in the suite.

        Raises:
            ConfigError: the suite has no metadata or no golden set, or the document lacks its operations.
        """
        if settings.manifest is not None:
            _, golden, _ = _needs(suite, settings.manifest)
            operations = documented_operations(frozen_document(suite.resolve(settings.openapi, key=KEY)))
            for template in filter(None, (golden.single, golden.batch)):
                if not any(each.takes(template.method, template.path) for each in operations):
                    raise ConfigError(
                        file=suite.path,
                        key="contract.openapi",
                        value=f"{template.method} {template.path}",
                        problem="an operation that [golden] asks is not in the frozen document",
                    )

    def collect(self, context: CheckContext, settings: ContractSettings) -> ManifestEvidence:
        """Ask.

        Raises:
            ConfigError: as :meth:`verify_inputs`.
            TargetError: the candidate died.
        """
        declared = settings.manifest
        if declared is None:
            raise ConfigError(file=context.suite.path, key="contract.manifest", problem="section is missing")
        metadata, golden, cases = _needs(context.suite, declared)
        credential = context.credentials.headers(metadata.credential)
        request = Request("GET", metadata.path, {"Accept": "application/json", **credential})
        manifest = fetch(context.candidate, request, timeout_s=settings.timeout_s)
        asker = _Asker(context, golden, declared)
        singles = list(single_requests(context.suite, golden, cases, context.credentials))
        batches = (
            []
            if golden.batch is None or declared.batch is None
            else list(batch_requests(context.suite, golden.batch, cases, context.credentials))
        )
        single = Asked(
            method=golden.single.method,
            path=golden.single.path,
            items=None,
            version=declared.single,
            answers=asker.ask(((case.id, each) for case, each in singles), declared.single, None),
        )
        batch = None
        if golden.batch is not None and declared.batch is not None:
            batch = Asked(
                method=golden.batch.method,
                path=golden.batch.path,
                items=golden.batch.items,
                version=declared.batch,
                answers=asker.ask(
                    ((f"{chunk[0].id} to {chunk[-1].id}", each) for chunk, each in batches),
                    declared.batch,
                    golden.batch.items,
                ),
            )
        context.progress(1, 1)
        return ManifestEvidence(
            expected=len(singles) + len(batches),
            executed=asker.answered,
            frozen=json.dumps(frozen_document(context.suite.resolve(settings.openapi, key=KEY))),
            manifest=manifest,
            metadata=metadata,
            declared=declared,
            single=single,
            batch=batch,
            sent={case.id: _inputs(json.loads(each.body or b"null"), declared) for case, each in singles},
            reproduce=curl(redacted(request, context.credentials.redact), context.candidate.base_url),
        )

    def judge(self, evidence: ManifestEvidence, _limits: ContractLimits) -> Sequence[Finding]:
        """One finding on the model, one for the version in each kind of answer, three for each tensor."""
        return judge_manifest(self.id, evidence)


def _needs(suite: Suite, declared: ManifestSettings) -> tuple[MetadataSettings, GoldenSettings, list[Case]]:
    metadata, golden = suite.config.service.metadata, suite.config.golden
    missing = "[service.metadata] with name and version"
    if metadata is None or metadata.name is None or metadata.version is None:
        raise ConfigError(file=suite.path, key="contract.manifest", problem=f"there is no {missing}")
    if golden is None:
        raise ConfigError(file=suite.path, key="contract.manifest", problem="there is no [golden] to ask")
    return metadata, golden, list(islice(open_golden_set(suite, golden).cases, declared.cases))


def _inputs(body: Any, declared: ManifestSettings) -> dict[str, Any]:
    """What the body has of each input; one that it lacks is left out."""
    found = {}
    for name, tensor in declared.inputs.items():
        try:
            found[name] = resolve(body, tensor.pointer)
        except PointerError:
            continue
    return found


class _Asker:
    """Asks one request after the other and keeps of each answer what is declared."""

    def __init__(self, context: CheckContext, golden: GoldenSettings, declared: ManifestSettings) -> None:
        self._context = context
        self._golden = golden
        self._declared = declared
        self._patience = Patience()
        self.answered = 0

    def ask(
        self, questions: Iterable[tuple[str, Request]], version: str, items: str | None
    ) -> tuple[Predicted, ...]:
        """What it predicts to each; those are left out that the patience is over for."""
        return tuple(
            self._ask(asked, request, version, items)
            for asked, request in questions
            if not self._patience.over
        )

    def _ask(self, asked: str, request: Request, version: str, items: str | None) -> Predicted:
        shown = redacted(request, self._context.credentials.redact)
        again = curl(shown, self._context.candidate.base_url)
        try:
            with http_client(self._context.candidate.base_url) as client:
                answer = exchange(
                    client,
                    request,
                    timeout_s=self._golden.timeout_s,
                    most_bytes=self._golden.most_answer_bytes,
                )
        except httpx.HTTPError as error:
            if not self._context.candidate.alive():
                raise TargetError(
                    "it stopped during golden requests", logs=self._context.candidate.logs()
                ) from error
            self._patience.note(answered=False)
            return Predicted(
                asked=asked, problem=f"no answer: {type(error).__name__}: {error}", reproduce=again
            )
        self.answered += 1
        try:
            document = _document(answer.status, answer.body, truncated=answer.truncated)
            results = [document] if items is None else resolve(document, items)
        except (ValueError, PointerError) as error:
            return Predicted(asked=asked, problem=cut(str(error)), reproduce=again)
        if not isinstance(results, list):
            return Predicted(asked=asked, problem=f"no array at {items}", reproduce=again)
        return Predicted(
            asked=asked,
            version=_value(document, version),
            items=tuple(self._outputs(each) for each in results),
            reproduce=again,
        )

    def _outputs(self, item: Any) -> dict[str, Any]:
        found = {}
        for name, tensor in self._declared.outputs.items():
            try:
                found[name] = resolve(item, tensor.pointer)
            except PointerError:
                continue
        return found


def _document(status: int, body: bytes, *, truncated: bool) -> Any:
    if not httpx.codes.is_success(status):
        raise ValueError(f"HTTP {status}")
    if truncated:
        raise ValueError("a longer answer than is read")
    return parse_json(body)


def _value(document: Any, pointer: str) -> Any:
    try:
        return resolve(document, pointer)
    except PointerError:
        return None
