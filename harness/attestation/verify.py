"""Whether an attestation says of an image what a deploy asks; nothing is believed before the signature."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from pydantic_core import from_json

from harness.attestation import dsse
from harness.attestation.keys import PublicKey, key_id
from harness.attestation.statement import (
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    Policy,
    Run,
    Statement,
    Subject,
    TestResult,
)
from harness.config.files import read_bounded
from harness.errors import ConfigError, shown
from harness.evidence_files import sha256_file

CLOCKS_DIFFER = timedelta(minutes=5)
MOST_BYTES = 16 * 1024 * 1024
MOST_NAMED = 3

_ALLOWED = "what `harness report RUN.json --format attestation --key PRIVATE.pem` prints"


class Demand(StrEnum):
    """What an attestation is held against, in the order of looking."""

    SIGNATURE = "signature"
    PAYLOAD_TYPE = "payload_type"
    PREDICATE_TYPE = "predicate_type"
    STATEMENT = "statement"
    SUBJECT = "subject"
    RESULT = "result"
    AGE = "age"
    DEVICE = "device"
    POLICY = "policy"


@dataclass(frozen=True)
class Refusal:
    """A demand that is not met, and why."""

    demand: Demand
    message: str


@dataclass(frozen=True, kw_only=True)
class Demands:
    """What a deploy asks for.

    Attributes:
        image: Its digest has to be a subject's; by what name the statement knows it says nothing.
        policy: The gate.toml that has to have decided; None for any.
        max_age: Since the run finished; None for any.
        device: Where it has to have been gated; None for any.
        warned: Whether a promote that left something beyond a limit will do.
    """

    image: Subject
    policy: Path | None = None
    max_age: timedelta | None = None
    device: Literal["cpu", "gpu"] | None = None
    warned: bool = False


@dataclass(frozen=True)
class Verification:
    """What came of it; verified where there is no refusal.

    Attributes:
        key_id: Of the key that has signed, None where none of those given has.
        result: What the statement says, None where it was not believed or is none of ours.
        not_checked: What a deploy could have asked and this one did not, each with what it lets by.
    """

    refusals: tuple[Refusal, ...]
    key_id: str | None = None
    result: TestResult | None = field(default=None, repr=False)
    not_checked: tuple[str, ...] = ()


def read_envelope(path: Path) -> dsse.Envelope | Refusal:
    """The envelope in a file, or why what is in it can never be believed.

    Raises:
        ConfigError: it cannot be read, or is neither.
    """
    data = read_bounded(path, MOST_BYTES, what="attestation")
    try:
        content = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ConfigError(file=path, problem=f"not JSON: {error}", allowed=_ALLOWED) from error
    match content:
        case {"_type": _}:
            return Refusal(Demand.SIGNATURE, "it is a bare statement, which nobody has signed")
        case {"dsseEnvelope": _} | {"verificationMaterial": _}:
            why = (
                "it is a Sigstore bundle, signed by no key but by a certificate: for `gh attestation verify`"
            )
            return Refusal(Demand.SIGNATURE, why)
    try:
        return dsse.Envelope.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(
            file=path, key=key, problem=f"no DSSE envelope: {first['msg']}", allowed=_ALLOWED
        ) from error


def verify(
    envelope: dsse.Envelope, keys: Sequence[PublicKey], demands: Demands, *, now: datetime
) -> Verification:
    """Hold ``envelope`` against one of ``keys``, then its statement against ``demands``.

    Raises:
        OSError: a file of the suite beside the policy cannot be read.
    """
    verified = dsse.verify(envelope, keys)
    if verified is None:
        return _refused(Demand.SIGNATURE, _unknown(envelope, keys))
    if verified.payload_type != PAYLOAD_TYPE:
        why = f"{verified.payload_type!r}, not {PAYLOAD_TYPE!r}"
        return _refused(Demand.PAYLOAD_TYPE, why, verified.key_id)
    try:
        statement = Statement.model_validate_json(verified.payload)
        if statement.predicate_type != PREDICATE_TYPE:
            why = f"{statement.predicate_type!r}, not {PREDICATE_TYPE!r}"
            return _refused(Demand.PREDICATE_TYPE, why, verified.key_id)
        result = TestResult.model_validate(statement.predicate)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the payload"
        return _refused(Demand.STATEMENT, f"{where}: {first['msg']}", verified.key_id)
    policy = result.policy
    if policy is None:
        why = "it tells of no run: not a statement that `harness report` makes"
        return _refused(Demand.STATEMENT, why, verified.key_id)
    refusals = (
        *_subject(statement, demands.image),
        *_result(result, demands),
        *_run(policy.run, demands, now),
        *(_policy(policy, result, demands.policy) if demands.policy else ()),
    )
    return Verification(refusals, verified.key_id, result, tuple(_not_checked(result, demands)))


def _refused(demand: Demand, why: str, key_id: str | None = None) -> Verification:
    return Verification((Refusal(demand, why),), key_id)


def _unknown(envelope: dsse.Envelope, keys: Sequence[PublicKey]) -> str:
    named = ", ".join(shown(signature.keyid) for signature in envelope.signatures[:MOST_NAMED])
    given = ", ".join(key_id(key) for key in keys)
    return f"no signature is of a key that was given: signed by {named or 'nobody'}, given {given}"


def _subject(statement: Statement, image: Subject) -> Iterator[Refusal]:
    if image.digest not in [subject.digest for subject in statement.subject]:
        told = ", ".join(f"{subject.name}@sha256:{subject.digest.sha256}" for subject in statement.subject)
        yield Refusal(Demand.SUBJECT, f"it is about {told or 'nothing'}")


def _result(result: TestResult, demands: Demands) -> Iterator[Refusal]:
    match result.result:
        case "FAILED":
            yield Refusal(Demand.RESULT, f"FAILED: {', '.join(result.failed_tests)}")
        case "WARNED" if not demands.warned:
            tests = ", ".join((*result.failed_tests, *result.warned_tests))
            why = f"WARNED: promoted with something beyond a limit among {tests} (--allow-warned takes it)"
            yield Refusal(Demand.RESULT, why)


def _run(run: Run, demands: Demands, now: datetime) -> Iterator[Refusal]:
    age = now - run.finished_at
    if age < -CLOCKS_DIFFER:
        yield Refusal(Demand.AGE, f"its run finished in the future, {run.finished_at.isoformat()}")
    if demands.max_age is not None and age > demands.max_age:
        yield Refusal(Demand.AGE, f"its run finished {age} ago, allowed are {demands.max_age}")
    if demands.device is not None and run.device != demands.device:
        yield Refusal(Demand.DEVICE, f"gated on {run.device}, asked for is {demands.device}")


def _policy(policy: Policy, result: TestResult, path: Path) -> Iterator[Refusal]:
    """gate.toml, and the files of the suite; a gate.toml that lies alone is held against its digest only."""
    sha256 = policy_sha256(path)
    if policy.digest.sha256 != sha256:
        yield Refusal(Demand.POLICY, f"decided by {policy.digest.sha256}, {path} is {sha256}")
    if _lies_alone(result, path):
        return
    folder = path.absolute().parent
    for file in result.files:
        beside = folder / file.name
        if not beside.is_file():
            yield Refusal(Demand.POLICY, f"{file.name} was read by the run, and {folder} has no such file")
        elif (found := sha256_file(beside)) != file.digest.sha256:
            yield Refusal(Demand.POLICY, f"{file.name} was {file.digest.sha256} in the run, is {found}")


def _lies_alone(result: TestResult, path: Path) -> bool:
    return not any((path.absolute().parent / file.name).exists() for file in result.files)


def _not_checked(result: TestResult, demands: Demands) -> Iterator[str]:
    if demands.policy is None:
        yield "policy: any gate.toml may have decided (--policy asks for one)"
    elif result.files and _lies_alone(result, demands.policy):
        yield (
            f"suite: none of its {len(result.files)} files lies beside {demands.policy}, "
            "so they may have been any"
        )
    if demands.max_age is None:
        yield "age: the run may have been long ago (--max-age 7d asks for a recent one)"
    if demands.device is None:
        yield "device: cpu and gpu count alike (--device asks for one)"


def policy_sha256(path: Path) -> str:
    """``policy.sha256`` of a report: SHA-256 of the file's text in UTF-8, its line ends as one newline."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()
