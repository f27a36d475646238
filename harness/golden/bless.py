"""What a service answers otherwise than a golden set says, and the set with its answers instead."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from harness.checks.golden.compare import Comparison, compare
from harness.checks.golden.golden_set import GoldenSet
from harness.checks.golden.header import Blessing, CasesFile, GoldenHeader
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.settings import GoldenSettings, OutputSettings
from harness.golden.asking import answers
from harness.golden.record import answered, model, producer
from harness.golden.service import Service, machine
from harness.golden.writing import GoldenWriter

WORST = 5


@dataclass(frozen=True, order=True)
class Change:
    """One output of one case, at its worst element; ``error`` orders those that no tolerance mends."""

    tolerance_used: float
    error: float
    case_id: str
    pointer: str = field(compare=False)
    before: Any = field(compare=False)
    after: Any = field(compare=False)


@dataclass
class OutputChanges:
    """What became of one output over all cases.

    Attributes:
        cases: Cases with another value, and ``beyond`` of them further off than the suite's tolerance.
        worst: At most 5, the worst first.
    """

    cases: int = 0
    beyond: int = 0
    kept: list[Change] = field(default_factory=list)

    def add(self, change: Change, *, beyond: bool) -> None:
        """Count one, and keep it if it is among the worst."""
        self.cases += 1
        self.beyond += beyond
        heapq.heappush(self.kept, change)
        if len(self.kept) > WORST:
            heapq.heappop(self.kept)

    @property
    def worst(self) -> list[Change]:
        """The worst first."""
        return sorted(self.kept, reverse=True)


@dataclass
class Difference:
    """Between a set and what a service answers.

    Attributes:
        asked: Cases; ``changed`` is how many have another value in any output.
    """

    outputs: dict[str, OutputChanges]
    asked: int = 0
    changed: int = 0


def ask_again(
    service: Service, settings: GoldenSettings, golden: GoldenSet, writer: GoldenWriter
) -> Difference:
    """Ask the cases of a set; the answers go to ``writer``.

    Raises:
        AnswerError: for an answer that is none.
        TargetError: when the service died.
    """
    difference = Difference({name: OutputChanges() for name in settings.outputs})
    described, before = service.description, golden.header.producer
    limits = settings.limits.on(described.device, described.execution_provider, before.execution_provider)
    progress = service.progress("asking")
    total = len(golden.cases)
    for case, observed in answers(service, settings, golden.cases, lambda done: progress(done, total)):
        # Where the wire writes a value in another way (1 and 1.0) the set keeps its own.
        expected = dict(case.expected)
        for name, comparison in _changes(case.expected, observed, settings.outputs, limits):
            change = Change(
                comparison.tolerance_used,
                comparison.error,
                case.id,
                f"{settings.outputs[name].pointer}{comparison.pointer}",
                comparison.expected,
                comparison.observed,
            )
            difference.outputs[name].add(change, beyond=not comparison.holds)
            expected[name] = observed[name]
        difference.asked += 1
        difference.changed += expected != case.expected
        writer.add(case.id, case.input, expected)
    return difference


def _changes(
    expected: Mapping[str, Any],
    observed: Mapping[str, Any],
    outputs: Mapping[str, OutputSettings],
    limits: GoldenLimits,
) -> Iterator[tuple[str, Comparison]]:
    for name, output in outputs.items():
        comparison = compare(observed[name], expected[name], output, limits.tolerance(name))
        if comparison.tolerance_used > 0:
            yield name, comparison


def blessed(
    service: Service, golden: GoldenSet, difference: Difference, reason: str, today: date
) -> Callable[[CasesFile], GoldenHeader]:
    """The header of the changed set, which names the service as producer and keeps who was before.

    Returns:
        What makes it of the cases that were written.
    """
    before = golden.header
    described = service.description
    blessing = Blessing(
        date=today,
        reason=reason,
        environment=machine(described),
        changed=difference.changed,
        before=before.cases.sha256,
        producer=f"{before.producer.name} {before.producer.version}",
        model_version=described.model.version,
        **answered(described),
    )

    def header(cases: CasesFile) -> GoldenHeader:
        return before.model_copy(
            update={
                "producer": producer(service, today),
                "model": model(service),
                "cases": cases,
                "blessings": (*before.blessings, blessing),
            }
        )

    return header
