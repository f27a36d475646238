"""``lifecycle.restart``: a new start answers the golden cases as the one before did."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from harness.checks.golden.payloads import payloads
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.wire import parse_json
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.checks.lifecycle.connection import Reply
from harness.checks.lifecycle.findings import nothing_wrong
from harness.checks.lifecycle.settings import LifecycleLimits, LifecycleSettings, RestartSettings
from harness.checks.lifecycle.starting import another, ask_all, require_golden, succeeded, told
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Model, Utf8Text
from harness.pointer import PointerError, resolve

MOST_CHARACTERS = 200


class AnswersSeen(Model):
    """One golden case, asked before and after a restart.

    Attributes:
        case: Its place in the set, from 0.
        problem: Why both answers cannot be compared; empty where they can.
        differences: Of each output the largest between two of its numbers; infinite if it differs otherwise.
        before: The output that differs most, cut; ``after`` likewise; empty where none differs.
    """

    case: int
    problem: Utf8Text = ""
    differences: dict[str, float] = {}
    before: Utf8Text = ""
    after: Utf8Text = ""


class RestartEvidence(Evidence):
    """Every case."""

    answers: tuple[AnswersSeen, ...]


class LifecycleRestart:
    """Asks the running candidate and one that was started later."""

    id: ClassVar[str] = "lifecycle.restart"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[RestartEvidence]] = RestartEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares it."""
        return settings.restart is not None

    def verify_inputs(self, suite: Suite, _settings: LifecycleSettings) -> None:
        """The golden set has to be there.

        Raises:
            ConfigError: where it is not.
        """
        require_golden(suite)

    def collect(self, context: CheckContext, settings: LifecycleSettings) -> RestartEvidence:
        """Ask both.

        Raises:
            TargetError: it did not get ready again.
        """
        declared = settings.restart or RestartSettings()
        requests = payloads(context.suite, context.credentials)[: declared.cases]
        golden = context.suite.config.golden
        before = ask_all(context.candidate.base_url, requests)
        with another(context) as again:
            after = ask_all(again.base_url, requests)
        answers = tuple(
            _compared(case, pair, golden.outputs if golden else {})
            for case, pair in enumerate(zip(before, after, strict=True))
        )
        context.progress(len(answers), len(answers))
        return RestartEvidence(expected=len(requests), executed=len(answers), answers=answers)

    def judge(self, evidence: RestartEvidence, limits: LifecycleLimits) -> Sequence[Finding]:
        """``answers``: both could be compared; ``same``: and are the same."""
        problems = [f"case {seen.case}: {seen.problem}" for seen in evidence.answers if seen.problem]
        differing = [
            f"case {seen.case}, {name}: {seen.before} before, {seen.after} after"
            for seen in evidence.answers
            for name, difference in seen.differences.items()
            if difference > limits.restart_atol
        ]
        return [
            nothing_wrong(
                f"{self.id}.answers", problems, good="all were answered", samples=len(evidence.answers)
            ),
            nothing_wrong(
                f"{self.id}.same",
                differing,
                good="the answers of a new start are the same",
                samples=len(evidence.answers),
            ),
        ]


def _compared(case: int, pair: tuple[Reply, Reply], outputs: Mapping[str, OutputSettings]) -> AnswersSeen:
    for reply, when in zip(pair, ("before", "after"), strict=True):
        if not succeeded(reply):
            return AnswersSeen(case=case, problem=f"{told(reply)} {when} the restart")
    try:
        before, after = (
            {name: resolve(parse_json(reply.body), output.pointer) for name, output in outputs.items()}
            for reply in pair
        )
    except (ValueError, PointerError) as error:
        return AnswersSeen(case=case, problem=str(error)[:MOST_CHARACTERS])
    differences = {name: largest_difference(before[name], after[name]) for name in outputs}
    worst = max(differences, key=lambda name: differences[name], default="")
    if not worst or differences[worst] == 0:
        return AnswersSeen(case=case, differences=differences)
    return AnswersSeen(
        case=case,
        differences=differences,
        before=json.dumps(before[worst])[:MOST_CHARACTERS],
        after=json.dumps(after[worst])[:MOST_CHARACTERS],
    )


def largest_difference(one: Any, other: Any) -> float:
    """Between the numbers of two JSON values; infinite where they differ in anything but a number."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((largest_difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return max(map(largest_difference, one, other), default=0.0)
    if _is_number(one) and _is_number(other):
        return 0.0 if one == other else _distance(one, other)
    return 0.0 if type(one) is type(other) and one == other else math.inf


def _distance(one: float, other: float) -> float:
    try:
        return abs(float(one) - float(other))
    except OverflowError:  # an integer beyond any float: JSON has no largest
        return math.inf


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
