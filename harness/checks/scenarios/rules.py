"""Holds one value or one set of answers against a rule; pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from harness.checks.scenarios.evidence import Exchange, Rise
from harness.checks.scenarios.scenario import Count, Expect, Rule
from harness.errors import shown
from harness.model import Scalar
from harness.pointer import PointerError, resolve

WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")
ABSENT = object()


@dataclass(frozen=True)
class Violation:
    """One thing that is not as expected.

    Attributes:
        problem: In words.
        observed: What was seen, in ``unit``; ``limit`` is what was expected.
    """

    problem: str
    observed: Scalar
    limit: Scalar
    unit: str


def status_in(status: int | None, allowed: Sequence[int | str]) -> bool:
    """Whether ``status`` is one of ``allowed`` or of a class in it."""
    return status is not None and (status in allowed or f"{status // 100}xx" in allowed)


def statuses_text(allowed: Sequence[int | str]) -> str:
    """``401``, ``2xx or 404``."""
    return " or ".join(str(status) for status in allowed)


def statuses_limit(allowed: Sequence[int | str]) -> int | str:
    """The one status that is allowed, or all of them in words."""
    return allowed[0] if len(allowed) == 1 else statuses_text(allowed)


def rule_text(rule: Rule) -> str:
    """What a rule asks for, in words."""
    if not rule.present:
        return "absent"
    parts = [
        *([shown(rule.equals)] if rule.equals is not None else []),
        *([f"matching {rule.matches}"] if rule.matches is not None else []),
        *([f"at least {rule.at_least}"] if rule.at_least is not None else []),
        *([f"at most {rule.at_most}"] if rule.at_most is not None else []),
    ]
    return " and ".join(parts) or "present"


def holds(rule: Rule, value: Any) -> bool:
    """Whether ``value``, or ABSENT, is what the rule asks for."""
    if value is ABSENT or not rule.present:
        return (value is ABSENT) != rule.present
    return (
        (rule.equals is None or _same(value, rule.equals))
        and (rule.matches is None or (isinstance(value, str) and bool(re.search(rule.matches, value))))
        and (rule.at_least is None or (_is_number(value) and value >= rule.at_least))
        and (rule.at_most is None or (_is_number(value) and value <= rule.at_most))
    )


def answer_violations(expect: Expect, exchange: Exchange, which: str) -> list[Violation]:
    """What is wrong with one answer.

    Args:
        expect: Of the step.
        exchange: The request and its answer.
        which: Prefix that says which of the repeated requests it was, empty for the only one.
    """
    if exchange.status is None:
        if expect.no_answer and exchange.closed:
            return []
        wanted = statuses_limit(expect.status) if expect.status else "an answer"
        if expect.no_answer:
            wanted = "a closed connection"
        return [Violation(f"{which}no answer: {exchange.error}", exchange.error, wanted, "status")]
    found: list[Violation] = []
    if expect.status is not None and not status_in(exchange.status, expect.status):
        problem = f"{which}status {exchange.status} instead of {statuses_text(expect.status)}"
        found.append(Violation(problem, exchange.status, statuses_limit(expect.status), "status"))
    elif expect.status is None and expect.no_answer:
        problem = f"{which}status {exchange.status} instead of a closed connection"
        found.append(Violation(problem, exchange.status, "a closed connection", "status"))
    if expect.within_ms is not None and exchange.elapsed_s * 1000 > expect.within_ms:
        took_ms = round(exchange.elapsed_s * 1000, 1)
        problem = f"{which}answered after {took_ms:g} ms instead of at most {expect.within_ms:g} ms"
        found.append(Violation(problem, took_ms, expect.within_ms, "ms"))
    headers = {name.lower(): value for name, value in exchange.headers.items()}
    for name, rule in expect.headers.items():
        value = _header(headers, name.lower(), rule)
        found += _value_violations(rule, value, f"header {name}", which)
    if expect.body:
        found += _body_violations(expect, exchange, which)
    return found


def connection_violations(connections: int) -> list[Violation]:
    """Whether the service called where a token told it to."""
    if connections == 0:
        return []
    problem = f"the service opened {connections} connections to an address that the request named"
    return [Violation(problem, connections, 0, "connections")]


def rise_violations(rise: Rise) -> list[Violation]:
    """Whether a counter rose as expected."""
    wanted = rule_text(rise.rule)
    if rise.rose is None:
        problem = f"counter {rise.counter} could not be read: {rise.problem}"
        return [Violation(problem, rise.problem, wanted, f"rise of {rise.counter}")]
    if holds(rise.rule, rise.rose):
        return []
    problem = f"counter {rise.counter} rose by {rise.rose:g} instead of {wanted}"
    return [Violation(problem, rise.rose, wanted, f"rise of {rise.counter}")]


def count_violations(count: Count, exchanges: Sequence[Exchange]) -> list[Violation]:
    """Whether as many answers as declared have the status."""
    seen = counted(count, exchanges)
    least = count.exactly if count.exactly is not None else count.at_least
    most = count.exactly if count.exactly is not None else count.at_most
    if (least is None or seen >= least) and (most is None or seen <= most):
        return []
    limit = count_text(count)
    status = statuses_text(count.status)
    problem = f"{seen} of {len(exchanges)} answers had status {status} instead of {limit}"
    return [Violation(problem, seen, limit, f"answers {status}")]


def counted(count: Count, exchanges: Sequence[Exchange]) -> int:
    """How many answers have the status that ``count`` counts."""
    return sum(status_in(exchange.status, count.status) for exchange in exchanges)


def count_text(count: Count) -> str:
    """The bounds of a count, in words."""
    if count.exactly is not None:
        return f"exactly {count.exactly}"
    bounds = [("at least", count.at_least), ("at most", count.at_most)]
    return " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


def countdown_violations(header: str, exchanges: Sequence[Exchange]) -> list[Violation]:
    """Whether a header is a whole number that is one less in each answer."""
    values = [{k.lower(): v for k, v in e.headers.items()}.get(header.lower(), "absent") for e in exchanges]
    whole = [int(value) for value in values if WHOLE_NUMBER.fullmatch(value)]
    down = all(after == before - 1 for before, after in pairwise(whole))
    if len(whole) == len(values) and down:
        return []
    seen = ", ".join(value[:20] for value in values[:20])
    return [Violation(f"header {header} does not count down: {seen}", seen, "one less each time", "header")]


def _value_violations(rule: Rule, value: Any, what: str, which: str) -> list[Violation]:
    if holds(rule, value):
        return []
    seen = "absent" if value is ABSENT else shown(value)
    observed = value if _is_scalar(value) else seen
    expected = rule_text(rule)
    return [Violation(f"{which}{what} is {seen} instead of {expected}", observed, expected, what)]


def _body_violations(expect: Expect, exchange: Exchange, which: str) -> list[Violation]:
    try:
        document = json.loads(exchange.body)
    except (ValueError, RecursionError):
        problem = "is cut, it was too long" if exchange.truncated else "is not JSON"
        return [Violation(f"{which}body {problem}", shown(exchange.body), "JSON", "body")]
    found: list[Violation] = []
    for pointer, rule in expect.body.items():
        try:
            value = resolve(document, pointer)
        except PointerError:
            value = ABSENT
        found += _value_violations(rule, value, f"body {pointer or 'as a whole'}", which)
    return found


def _header(headers: dict[str, str], name: str, rule: Rule) -> Any:
    """The header's text, or its number where the rule compares numbers and it is one."""
    value: Any = headers.get(name, ABSENT)
    numeric = _is_number(rule.equals) or rule.at_least is not None or rule.at_most is not None
    return int(value) if numeric and value is not ABSENT and WHOLE_NUMBER.fullmatch(value) else value


def _same(value: Any, expected: Any) -> bool:
    """JSON equality: 1 and 1.0 are the same number, true is none."""
    return isinstance(value, bool) == isinstance(expected, bool) and bool(value == expected)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
