"""``harness verify-attestation``, and the attestation that ``harness report`` prints."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.attestation import dsse
from harness.attestation.keys import load_private_key, load_public_key
from harness.attestation.make import attest
from harness.attestation.statement import PAYLOAD_TYPE, Subject, subject_of
from harness.attestation.verify import Demands, Refusal, Verification, read_envelope, verify
from harness.cli.run import Device
from harness.errors import ConfigError, ExitCode, UsageError
from harness.evidence_files import sha256_file
from harness.reports.json import ascii_json
from harness.reports.store import load_report
from harness.reports.text import single_line

_AGE = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def attestation(path: Path, key: Path | None, url: str | None) -> str:
    """The statement about a stored run, in an envelope if there is a key to sign it.

    Raises:
        UsageError: nothing true can be stated of that run, or the key is no good.
        ConfigError: it is no report, or does not agree with itself.
    """
    private = load_private_key(key) if key else None
    path = path.resolve()  # `latest` may move on meanwhile
    statement = ascii_json(attest(load_report(path), path, report_sha256=sha256_file(path), url=url))
    return dsse.seal(statement.encode(), PAYLOAD_TYPE, private) if private else statement


def verify_attestation(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The signed attestation.")],
    image: Annotated[
        str, typer.Option(metavar="REPO@sha256:DIGEST", help="What is to be deployed, by digest.")
    ],
    key: Annotated[
        list[Path],
        typer.Option(
            metavar="PUBLIC.pem", help="Whose signature counts; repeat it while a key is being replaced."
        ),
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The gate.toml, and the suite beside it, that has to have decided."
        ),
    ] = None,
    max_age: Annotated[
        str | None, typer.Option(metavar="7d", help="Refuse a run that finished longer ago: 90m, 36h, 7d.")
    ] = None,
    device: Annotated[Device | None, typer.Option(help="Where it has to have been gated.")] = None,
    allow_warned: Annotated[
        bool,
        typer.Option(
            "--allow-warned", help="Take a promote with a waived failure, or one of what is not required."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Hold a signed attestation against the image to be deployed: the deploy job's question.

    Exits 0 when it is verified, 3 when it is refused, 2 when it cannot be read.

    Example: harness verify-attestation attestation.json --image registry.example/service@sha256:DIGEST
    --key public.pem --policy gate.toml --max-age 7d
    """
    keys = [load_public_key(path) for path in key]
    demands = Demands(
        image=_image(image),
        policy=policy,
        max_age=_age(max_age),
        device=device.value if device else None,
        warned=allow_warned,
    )
    envelope = read_envelope(file)
    if isinstance(envelope, Refusal):
        found = Verification((envelope,))
    else:
        try:
            found = verify(envelope, keys, demands, now=datetime.now(UTC))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(file=policy, problem=f"cannot be read: {error}") from error
    _print(found, file)
    if as_json:
        sys.stdout.write(json.dumps(_as_json(found), indent=2) + "\n")
    raise typer.Exit(ExitCode.REJECT if found.refusals else ExitCode.PROMOTE)


def _image(text: str) -> Subject:
    subject = subject_of(text)
    if subject is None:
        raise UsageError(
            f"--image {single_line(text)}: not an image by its digest",
            fix="REPO@sha256:DIGEST; a tag may name another image tomorrow",
        )
    return subject


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise UsageError(f"--max-age {text}: not an age", fix="a number and its unit: 90m, 36h or 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _print(found: Verification, file: Path) -> None:
    console = Console(stderr=True)
    title = "[bold red]refused[/]" if found.refusals else "[bold green]verified[/]"
    console.print(f"{title}  {escape(str(file))}", highlight=False, soft_wrap=True)
    for refusal in found.refusals:
        line = f"  {refusal.demand.value}: {escape(single_line(refusal.message))}"
        console.print(line, highlight=False, soft_wrap=True)
    for name, value in _told(found).items():
        console.print(f"  {name:<10} {escape(single_line(value))}", highlight=False, soft_wrap=True)
    for each in found.not_checked:
        console.print(f"  not checked  {escape(single_line(each))}", highlight=False, soft_wrap=True)


def _told(found: Verification) -> dict[str, str]:
    """What a believed statement says, for people."""
    policy = found.result.policy if found.result else None
    if found.result is None or policy is None:
        return {}
    run = policy.run
    return {
        "result": f"{found.result.result}, of {len(found.result.passed_tests)} checks that passed",
        "run": f"{run.id} on {run.device}, finished {run.finished_at.isoformat(timespec='seconds')}",
        "policy": f"{policy.name} {policy.digest.sha256}",
        "signed by": found.key_id or "",
    }


def _as_json(found: Verification) -> dict[str, object]:
    return {
        "verified": not found.refusals,
        "refusals": [
            {"demand": refusal.demand.value, "message": refusal.message} for refusal in found.refusals
        ],
        "not_checked": list(found.not_checked),
        "key_id": found.key_id,
        "predicate": found.result.model_dump(mode="json", exclude_none=True) if found.result else None,
    }
