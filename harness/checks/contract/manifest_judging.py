"""Judges manifest, document and answers against each other; pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.checks.contract.judging import FROZEN, MOST_CHARACTERS, served_document
from harness.checks.contract.manifest_evidence import Asked, ManifestEvidence
from harness.checks.contract.settings import TensorSettings
from harness.checks.contract.tensors import ManifestError, Schemas, Tensor, read_tensor, value_problem
from harness.checks.interface import EVIDENCE_FILE
from harness.model import Finding, Outcome
from harness.openapi import OpenAPIError
from harness.openapi.document import Document, Node
from harness.openapi.model import shorten
from harness.openapi.operation import operations, responses_by_status
from harness.openapi.render import printable
from harness.openapi.schema import Schema
from harness.pointer import PointerError, resolve
from harness.targets.placement import nodes_in, runs_elsewhere


def judge_manifest(check_id: str, evidence: ManifestEvidence) -> list[Finding]:
    """One finding each on model and provider, one for the version of each kind of answer, three a tensor."""
    try:
        judge = _Judge(check_id, evidence)
        return list(judge.findings(served_document(evidence.manifest)))
    except OpenAPIError as error:
        text, name, outcome = f"the frozen document: {error}", "document", Outcome.ERROR
    except ValueError as error:
        text, name, outcome = f"no manifest served: {error}", "served", Outcome.FAIL
    return [_finding(check_id, evidence, name, text, outcome=outcome)]


class _Judge:
    """Makes the findings."""

    def __init__(self, check_id: str, evidence: ManifestEvidence) -> None:
        self._check_id = check_id
        self._evidence = evidence
        self._document = Document(json.loads(evidence.frozen), FROZEN)
        self._schemas = Schemas(self._document)

    def findings(self, manifest: Any) -> Iterator[Finding]:
        document, schemas = self._document, self._schemas
        metadata = self._evidence.metadata
        name, version = (_text(manifest, pointer) for pointer in (metadata.name, metadata.version))
        problem = "" if name and version else "the manifest does not name the model and its version"
        yield self.finding("model", problem, f"{name} {version}")
        yield from self._provider(manifest)
        for kind, asked in self._asked():
            yield self._version(kind, asked, version)
            problem = _undocumented(schemas, _schema(document, asked, request=False), asked.version)
            yield self.finding(f"version.{kind}.document", problem, f"{asked.version} is always there")
        for side, declared in (
            ("inputs", self._evidence.declared.inputs),
            ("outputs", self._evidence.declared.outputs),
        ):
            for each, settings in declared.items():
                yield from self._tensor(manifest, side, each, settings)

    def _provider(self, manifest: Any) -> Iterator[Finding]:
        """Where the manifest tells what runs the model, and how many of its nodes ran where."""
        metadata = self._evidence.metadata
        provider = _text(manifest, metadata.execution_provider)
        nodes = nodes_in(_at(manifest, metadata.nodes_by_provider))
        if provider and nodes:
            yield self.finding("provider", runs_elsewhere(provider, nodes), f"{provider:.200} runs it")

    def _asked(self) -> list[tuple[str, Asked]]:
        batch = self._evidence.batch
        return [("single", self._evidence.single), *([("batch", batch)] if batch else [])]

    def _version(self, kind: str, asked: Asked, version: str | None) -> Finding:
        wrong = [each for each in asked.answers if each.problem or version is None or each.version != version]
        problem = again = ""
        if wrong:
            first = wrong[0]
            again = first.reproduce
            seen = first.problem or f"{first.version!r:.80} at {asked.version}"
            count = f"{len(wrong)} of {len(asked.answers)} answers"
            problem = f"{count} without the version {version}; {first.asked}: {seen}"
        passed = f"the version {version} is in {len(asked.answers)} answers"
        return self.finding(f"version.{kind}", problem, passed, again=again)

    def _tensor(self, manifest: Any, side: str, name: str, settings: TensorSettings) -> Iterator[Finding]:
        place = f"{side}.{name}"
        try:
            tensor = read_tensor(manifest, name, settings)
        except ManifestError as error:
            yield self.finding(f"{place}.manifest", str(error))
            return
        told = f"{tensor.dtype} {list(tensor.shape)}"
        yield self.finding(f"{place}.manifest", "", told)
        problems = self._document_problems(side, settings, tensor)
        yield self.finding(f"{place}.document", next(problems, ""), told)
        if side == "outputs":
            yield self.finding(f"{place}.served", _values_problem(self._answered(name), tensor), told)
            return
        values = self._sent(name)
        plain = [each for each in values if not _encoded(each[2], tensor)]
        if values and not plain:
            text, outcome = f"all {len(values)} inputs are encoded", Outcome.NOT_APPLICABLE
            yield _finding(self._check_id, self._evidence, f"{place}.served", text, outcome=outcome)
        else:
            yield self.finding(f"{place}.served", _values_problem(plain, tensor), told)

    def _document_problems(self, side: str, settings: TensorSettings, tensor: Tensor) -> Iterator[str]:
        # Where a batch's body has its instances, only the body template of the suite says.
        asked = self._asked() if side == "outputs" else [("single", self._evidence.single)]
        for kind, each in asked:
            whole = _schema(self._document, each, request=side == "inputs")
            item = (
                _item(self._schemas, whole, each.items)
                if whole is not None and each.items is not None
                else whole
            )
            schema = self._schemas.under(item, settings.pointer) if item is not None else None
            if schema is None:
                yield f"the document says nothing of {settings.pointer} in {each.method} {each.path}"
            elif problem := self._schemas.problem(schema, tensor):
                yield f"{each.method} {each.path} ({kind}): {problem}"

    def _sent(self, name: str) -> list[tuple[str, bool, Any]]:
        return [(case, name in values, values.get(name)) for case, values in self._evidence.sent.items()]

    def _answered(self, name: str) -> list[tuple[str, bool, Any]]:
        return [
            (answer.asked, name in item, item.get(name))
            for _, asked in self._asked()
            for answer in asked.answers
            for item in answer.items
        ]

    def finding(self, name: str, problem: str, passed: str = "", *, again: str = "") -> Finding:
        """A finding that fails with a problem, and passes without one."""
        outcome = Outcome.FAIL if problem else Outcome.PASS
        text = problem or passed
        return _finding(self._check_id, self._evidence, name, text, outcome=outcome, again=again)


def _finding(
    check_id: str, evidence: ManifestEvidence, name: str, text: str, *, outcome: Outcome, again: str = ""
) -> Finding:
    return Finding(
        id=f"{check_id}.{name}",
        outcome=outcome,
        message=printable(shorten(text, MOST_CHARACTERS)),
        samples=evidence.executed,
        evidence=f"{check_id}/{EVIDENCE_FILE}",
        reproduce=again or evidence.reproduce,
    )


def _text(manifest: Any, pointer: str | None) -> str | None:
    found = _at(manifest, pointer)
    return found if isinstance(found, str) and found else None


def _at(manifest: Any, pointer: str | None) -> Any:
    """What stands at a pointer; None where there is none, or nothing there."""
    try:
        return None if pointer is None else resolve(manifest, pointer)
    except PointerError:
        return None


def _encoded(value: Any, tensor: Tensor) -> bool:
    """Whether an array is sent as a text, or as an object around one: as base64, for instance."""
    return bool(tensor.shape) and tensor.keys is None and isinstance(value, str | dict)


def _values_problem(values: Sequence[tuple[str, bool, Any]], tensor: Tensor) -> str:
    if not values:
        return "there is no value to look at"
    wrong = [
        (case, problem)
        for case, is_there, value in values
        if (problem := value_problem(value, tensor) if is_there else "it is not there")
    ]
    return (
        f"{len(wrong)} of {len(values)} differ from the manifest; {wrong[0][0]}: {wrong[0][1]}"
        if wrong
        else ""
    )


def _schema(document: Document, asked: Asked, *, request: bool) -> Schema | None:
    """The JSON schema of a request's body, or of its success."""
    for path, item in document.paths().items():
        for operation in operations(path, item, document).values():
            if operation.takes(asked.method, asked.path):
                holder = (
                    operation.node.child("requestBody") if request else _success(operation.node, document)
                )
                return _json_schema(document.follow(holder)) if holder else None
    return None


def _success(operation: Node, document: Document) -> Node | None:
    statuses = responses_by_status(operation, document)
    return next((statuses[key] for key in ("200", "201", "2XX", "DEFAULT") if key in statuses), None)


def _json_schema(holder: Node) -> Schema | None:
    for media, described in holder.members("content").items():
        if media.partition(";")[0].strip().lower().endswith(("/json", "+json")):
            schema = described.child("schema")
            return (schema,) if schema else None
    return None


def _item(schemas: Schemas, whole: Schema, items: str) -> Schema | None:
    array = schemas.under(whole, items)
    return schemas.items(array) if array is not None else None


def _undocumented(schemas: Schemas, schema: Schema | None, pointer: str) -> str:
    """Why a document does not promise what stands at a pointer."""
    holder, _, last = pointer.rpartition("/")
    parent = schemas.under(schema, holder) if schema is not None else None
    if parent is None or schemas.under(parent, f"/{last}") is None:
        return f"the document has no {pointer} in an answer"
    return "" if schemas.requires(parent, last) else f"the document does not require {pointer} of an answer"
