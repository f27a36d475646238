"""Text of a candidate, made harmless and readable; numbers as people read them."""

import math
import re
from decimal import Decimal

from harness.model import BoundedShare, Finding, Outcome, Scalar

_KEPT = "\n\t"
_MOST_EXACT_INTEGER = 10**15
_WORKFLOW_COMMAND = re.compile(r"::(?=[a-z][a-z-]*[^\n]*?::)|##(?=\[)", re.IGNORECASE)
_MOST_COMMAND = 2000
_SECONDS_PER_MINUTE = 60


def visible(text: str) -> str:
    r"""``text`` with every unprintable character but newline and tab written as its escape.

    Control, bidirectional, zero-width and unassigned characters become ``\x1b``, ``\u202e`` and so on:
    nothing is lost, nothing acts, and what remains is legal in XML 1.0.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _KEPT else _escape(char) for char in text)


def single_line(text: str) -> str:
    r"""Like :func:`visible`, with newline and tab as ``\n`` and ``\t``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def without_workflow_commands(text: str) -> str:
    """Break ``::error::`` and ``##[error]``, which a GitHub runner obeys when it sees them in a log."""
    return _WORKFLOW_COMMAND.sub(lambda match: _hex(match[0][0]) + match[0][1:], text)


def cut(text: str, most: int) -> str:
    """At most ``most`` characters, and how many more there were."""
    return text if len(text) <= most else f"{text[:most]}… [{len(text) - most} more characters]"


def command_lines(command: str) -> list[str]:
    """A command's lines, harmless: each whole or left out, since half a command reproduces nothing."""
    lines = without_workflow_commands(visible(command)).splitlines()
    return [
        line if len(line) <= _MOST_COMMAND else f"# a command of {len(line)} characters, whole in the report"
        for line in lines
    ]


def one_line(text: str, most: int = 600) -> str:
    """Untrusted text as one line of a terminal: cut, escaped, and no command to a runner that reads it."""
    return without_workflow_commands(single_line(cut(text, most)))


def quantity(value: Scalar) -> str:
    """A scalar to six significant digits; None is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            # str() refuses integers of thousands of digits; Decimal does not.
            return str(value) if abs(value) < _MOST_EXACT_INTEGER else f"{Decimal(value):.6g}"
        case float():
            return _float(value)
        case str():
            return value


def declared(value: Scalar) -> str:
    """A value of a policy, as :func:`quantity`; one that is not there is ``none``."""
    return "none" if value is None else quantity(value)


def observed_and_limit(finding: Finding) -> tuple[str, str]:
    """Both with their unit; written in full where six digits would make different values look equal."""
    observed, limit = finding.observed, finding.limit
    texts = quantity(observed), quantity(limit)
    if (
        texts[0] == texts[1]
        and isinstance(observed, float)
        and isinstance(limit, float)
        and observed != limit
    ):
        texts = repr(observed), repr(limit)
    unit = f" {finding.unit}" if finding.unit else ""
    return texts[0] and texts[0] + unit, texts[1] and texts[1] + unit


def interval(finding: Finding) -> str:
    """Both bounds of the observed value, in its unit, to four digits; empty where a finding has none."""
    match finding.lower, finding.upper:
        case None, None:
            return ""
        case None, upper:
            return f"at most {upper:.4g}"
        case lower, None:
            return f"at least {lower:.4g}"
        case lower, upper:
            return f"{lower:.4g} to {upper:.4g}"


def seconds(duration_s: float) -> str:
    """``0.04 s``, ``12.3 s``, ``1 min 52 s``."""
    if not math.isfinite(duration_s):
        return "unknown"
    if duration_s < 1:
        return f"{duration_s:.2f} s"
    if round(duration_s, 1) < _SECONDS_PER_MINUTE:
        return f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), _SECONDS_PER_MINUTE)
    return f"{minutes} min {rest:02d} s"


def bounded(share: BoundedShare, side: str) -> str:
    """``at least 93.6% with 95% confidence``, ``side`` being where its bound is."""
    return f"{side} {share.bound:.1%} with {share.confidence:.0%} confidence"


def words(outcome: Outcome) -> str:
    """An outcome as people write it: ``not applicable``."""
    return outcome.value.replace("_", " ")


def _float(value: float) -> str:
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.6g}"


def _escape(char: str) -> str:
    # Also for a printable-looking space such as U+00A0, which unicode_escape writes as \xa0.
    return char.encode("unicode_escape").decode("ascii")


def _hex(char: str) -> str:
    return f"\\x{ord(char):02x}"
