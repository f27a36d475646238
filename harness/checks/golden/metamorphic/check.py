"""``golden.metamorphic``: the same inputs get the same answers in any company; no golden value is needed."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from harness.checks.golden.asking import Answer, ask_all
from harness.checks.golden.batch import split
from harness.checks.golden.golden_set import Case
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.metamorphic.evidence import MetamorphicEvidence, Relation, Said
from harness.checks.golden.metamorphic.inputs import load_inputs, verify_inputs
from harness.checks.golden.metamorphic.judging import CHECK_ID, judge_metamorphic
from harness.checks.golden.payloads import batch_requests, single_requests
from harness.checks.golden.settings import BatchTemplate, GoldenSettings, MetamorphicSettings, OutputSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding
from harness.pointer import PointerError, resolve

MOST_CHARACTERS = 100_000


class GoldenMetamorphic:
    """Asks each input by itself, and then again: repeated, in batches, in another order, among others."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[MetamorphicEvidence]] = MetamorphicEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares it."""
        return settings.metamorphic is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the inputs.

        Raises:
            ConfigError: when they are wrong.
        """
        verify_inputs(suite, settings, _declared(settings))

    def collect(self, context: CheckContext, settings: GoldenSettings) -> MetamorphicEvidence:
        """Ask.

        Raises:
            ConfigError: when the inputs are wrong.
            TargetError: when the candidate died.
        """
        declared = _declared(settings)
        inputs = load_inputs(context.suite, settings, declared, context.seed)
        rounds = 3 + (0 if settings.batch is None else len(declared.sizes) + 1)
        expected = len(inputs.cases) * rounds
        asker = _Asker(context, settings, inputs.cases, expected)
        first = asker.one_by_one(settings.connections)
        relations = [
            Relation(name="repeat", answers=asker.one_by_one(settings.connections)),
            Relation(name="concurrent", answers=asker.one_by_one(declared.connections, shuffled=True)),
        ]
        if settings.batch is not None:
            relations += [
                Relation(name=f"batch_{size}", answers=asker.in_batches(settings.batch, size))
                for size in declared.sizes
            ]
            permuted = asker.in_batches(settings.batch, max(declared.sizes), shuffled=True)
            relations.append(Relation(name="permuted", answers=permuted))
        return MetamorphicEvidence(
            expected=expected,
            executed=len(first) + sum(len(relation.answers) for relation in relations),
            source=inputs.source,
            inputs=tuple(case.id for case in inputs.cases),
            outputs=settings.outputs,
            first=first,
            relations=tuple(relations),
        )

    def judge(self, evidence: MetamorphicEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """See :func:`judge_metamorphic`."""
        return judge_metamorphic(evidence, limits)


def _declared(settings: GoldenSettings) -> MetamorphicSettings:
    if settings.metamorphic is None:
        raise ValueError("the suite declares no metamorphic relations")
    return settings.metamorphic


class _Asker:
    """Asks the same inputs in different ways; answers come back in the order of the inputs."""

    def __init__(
        self, context: CheckContext, settings: GoldenSettings, cases: Sequence[Case], expected: int
    ) -> None:
        self._context = context
        self._settings = settings
        self._cases = cases
        self._random = random.Random(context.seed)  # noqa: S311 - an order that can be had again, no secret
        self._expected = expected
        self._done = 0

    def one_by_one(self, connections: int, *, shuffled: bool = False) -> tuple[Said, ...]:
        settings = self._settings.model_copy(update={"connections": connections})
        cases = self._order(shuffled=shuffled)
        questions = single_requests(self._context.suite, settings, cases, self._context.credentials)
        asked = ask_all(self._context.candidate, questions, settings)
        return self._in_order((case, answer) for case, _, answer in asked)

    def in_batches(self, batch: BatchTemplate, size: int, *, shuffled: bool = False) -> tuple[Said, ...]:
        sized = batch.model_copy(update={"size": size})
        cases = self._order(shuffled=shuffled)
        questions = batch_requests(self._context.suite, sized, cases, self._context.credentials)
        asked = ask_all(self._context.candidate, questions, self._settings)
        return self._in_order(
            pair
            for chunk, _, answer in asked
            for pair in zip(chunk, split(answer, sized, len(chunk))[0], strict=True)
        )

    def _order(self, *, shuffled: bool) -> list[Case]:
        return self._random.sample(self._cases, len(self._cases)) if shuffled else list(self._cases)

    def _in_order(self, answered: Iterator[tuple[Case, Answer]]) -> tuple[Said, ...]:
        """Up to the first input that was not asked in time."""
        by_name: dict[str, Said] = {}
        for case, answer in answered:
            by_name[case.id] = said(answer, self._settings.outputs)
            self._done += 1
            self._context.progress(self._done, self._expected)
        found: list[Said] = []
        for case in self._cases:
            if case.id not in by_name:
                break
            found.append(by_name[case.id])
        return tuple(found)


def said(answer: Answer, outputs: dict[str, OutputSettings]) -> Said:
    """The declared outputs of an answer."""
    if answer.problem:
        return Said(problem=answer.problem)
    values: dict[str, Any] = {}
    for name, output in outputs.items():
        try:
            values[name] = resolve(answer.document, output.pointer)
        except PointerError as error:
            return Said(problem=str(error))
        if (size := len(repr(values[name]))) > MOST_CHARACTERS:
            return Said(
                problem=f"{output.pointer}: {size} characters where at most {MOST_CHARACTERS} are kept"
            )
    return Said(outputs=values)
