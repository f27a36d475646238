"""The text of the first gate.toml; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import tomlkit
from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.checks.golden.settings import FLOATS
from harness.reports.text import cut, quantity, single_line
from harness.suite_init.asking import Answers
from harness.suite_init.finding import READY_PATHS, Ready, ServedDocument
from harness.suite_init.outputs import MARGIN, OF_EACH, OF_THE_LARGEST, Outputs, doubt
from harness.suite_init.speed import BUSY_SHARE, LEAST_SLO_MS, ROOM, Speed
from harness.suite_init.writing import OPENAPI

MOST_COMMENT = 200
MOST_REFUSALS = 3


@dataclass(frozen=True)
class Findings:
    """All that is known of the service.

    Attributes:
        candidate: As the user named it.
        declared: ``[service]`` and ``[auth]`` as TOML.
        credential: Asked with; None without one.
        problems: What was found in place of a document.
        golden: Folder of the golden set.
        inputs_from: Where the bodies come from.
    """

    name: str
    candidate: str
    by_url: bool
    today: date
    declared: str
    credential: str | None
    ready: Ready
    document: ServedDocument | None
    problems: Sequence[str]
    path: str
    golden: str
    inputs_from: str
    answers: Answers
    outputs: Outputs
    speed: Speed

    @property
    def required(self) -> list[str]:
        """The families that the suite declares."""
        declared = {"contract": self.document is not None, "golden": True, "latency": self.speed.within_reach}
        return [family for family, there in declared.items() if there]

    @property
    def doubt(self) -> str:
        """Why the answers look like no result; empty where they do not."""
        return doubt(self.outputs, self.answers.kept)


def gate_toml(found: Findings) -> str:
    """A suite with a comment at each section."""
    refusals = sorted(found.answers.refusals.items(), key=lambda item: -item[1])[:MOST_REFUSALS]
    settings = found.outputs.settings
    text = _TEMPLATES.get_template("gate.toml.j2").render(
        **vars(found),
        required=found.required,
        doubt=found.doubt,
        refusals=refusals,
        left_out=found.outputs.left_out,
        floats=[name for name, output in settings.items() if output.dtype in FLOATS],
        openapi=OPENAPI,
        ready_paths=", ".join(READY_PATHS),
        margin=MARGIN,
        of_each=OF_EACH,
        of_the_largest=OF_THE_LARGEST,
        busy_share=BUSY_SHARE,
        room=", ".join(f"{factor:g}" for factor in ROOM.values()),
        least_slos=", ".join(f"{slo_ms:g}" for slo_ms in LEAST_SLO_MS.values()),
        latency=_latency(found.speed, found.answers.status),
    )
    return f"{text.rstrip()}\n"


def _latency(speed: Speed, status: int) -> str:
    limits = {
        name: {"slo_ms": slo_ms, "margin": 0.5 if name == "p99" else 0.1}
        for name, slo_ms in speed.slos_ms.items()
    }
    lines = [
        "[latency]",
        *([f"expected_status = {status}"] if status != httpx.codes.OK else []),
        f"rate_per_s = {speed.rate_per_s:g}",
        f"block_s = {speed.block_s:g}",
        f"budget_s = {speed.budget_s:g}",
        f"timeout_s = {speed.timeout_s:g}",
        "",
        "[latency.limits]",
        *(
            f"{name} = {{ slo_ms = {each['slo_ms']:g}, margin = {each['margin']:g} }}"
            for name, each in limits.items()
        ),
    ]
    return "\n".join(lines)


def _toml(value: Any) -> str:
    match value:
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
        case Mapping():
            return f"{{ {', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())} }}"
        case _:
            return str(tomlkit.item(value).as_string())


def _comment(text: object) -> str:
    """On one line, whatever a service wrote."""
    return cut(single_line(str(text)), MOST_COMMENT)


_TEMPLATES = Environment(  # noqa: S701 - TOML: each value passes through one of the filters
    loader=PackageLoader("harness.suite_init"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"toml": _toml, "comment": _comment, "number": quantity}
